//! Registers to a value: types, byte order, word order.
//!
//! Pure. A value is assembled into 64 bits, most significant register first, and then read as its
//! type. Integers above 2^53 lose their lowest bits, because a sample is an IEEE 754 double.

use std::sync::Arc;

use crate::settings::{ByteOrder, WordOrder};

/// How the registers of a tag are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layout {
    /// A coil or a discrete input.
    Single,
    /// One bit of one register, 0 the lowest.
    Bit(u8),
    /// One register, two's complement.
    I16,
    /// One register, unsigned.
    U16,
    /// Two registers, two's complement.
    I32,
    /// Two registers, unsigned.
    U32,
    /// Four registers, two's complement.
    I64,
    /// Four registers, unsigned.
    U64,
    /// Two registers, IEEE 754 single.
    F32,
    /// Four registers, IEEE 754 double.
    F64,
    /// This many characters, two a register.
    Text(u16),
}

/// Order of bytes and registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Orders {
    /// In a register.
    pub bytes: ByteOrder,
    /// Of registers.
    pub words: WordOrder,
}

impl Layout {
    /// How many registers it takes; 1 for a coil or a discrete input.
    #[must_use]
    pub const fn width(self) -> u16 {
        match self {
            Self::Single | Self::Bit(_) | Self::I16 | Self::U16 => 1,
            Self::I32 | Self::U32 | Self::F32 => 2,
            Self::I64 | Self::U64 | Self::F64 => 4,
            Self::Text(characters) => characters.div_ceil(2),
        }
    }

    /// The number in these registers, which must be as many as [`Layout::width`] says; a text has
    /// none and gives NaN.
    #[must_use]
    pub fn number(self, registers: &[u16], orders: Orders) -> f64 {
        let bits = match (self, registers) {
            (Self::Text(_), _) => return f64::NAN,
            (_, [one]) => u64::from(in_order(*one, orders)),
            _ => assemble(registers, orders),
        };
        self.interpret(bits)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "the bits above a type's width are zero, and doubles are exact up to 2^53 only"
    )]
    fn interpret(self, bits: u64) -> f64 {
        match self {
            Self::Single => f64::from(u8::from(bits != 0)),
            Self::Bit(bit) => f64::from(u8::from(bits >> bit & 1 == 1)),
            Self::I16 => f64::from((bits as u16).cast_signed()),
            Self::U16 => f64::from(bits as u16),
            Self::I32 => f64::from((bits as u32).cast_signed()),
            Self::U32 => f64::from(bits as u32),
            Self::I64 => bits.cast_signed() as f64,
            Self::U64 => bits as f64,
            Self::F32 => f64::from(f32::from_bits(bits as u32)),
            Self::F64 => f64::from_bits(bits),
            Self::Text(_) => f64::NAN,
        }
    }

    /// The text in these registers: it ends at the first NUL, blanks at its end are taken off,
    /// bytes that are not UTF-8 are read as Latin-1, as old panels write them, and control
    /// characters become blanks.
    #[must_use]
    pub fn text(self, registers: &[u16], orders: Orders) -> Arc<str> {
        let Self::Text(characters) = self else {
            return "".into();
        };
        let bytes: Vec<u8> = registers
            .iter()
            .flat_map(|register| in_order(*register, orders).to_be_bytes())
            .take(usize::from(characters))
            .take_while(|byte| *byte != 0)
            .collect();
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|error| error.as_bytes().iter().copied().map(char::from).collect());
        let printable = text.replace(char::is_control, " ");
        printable.trim_end().into()
    }
}

fn in_order(register: u16, orders: Orders) -> u16 {
    match orders.bytes {
        ByteOrder::Big => register,
        ByteOrder::Little => register.swap_bytes(),
    }
}

fn assemble(registers: &[u16], orders: Orders) -> u64 {
    let append = |bits: u64, register: &u16| bits << 16 | u64::from(in_order(*register, orders));
    match orders.words {
        WordOrder::Big => registers.iter().fold(0, append),
        WordOrder::Little => registers.iter().rev().fold(0, append),
    }
}

#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    reason = "the reference takes the low bits on purpose"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn orders(bytes: ByteOrder, words: WordOrder) -> Orders {
        Orders { bytes, words }
    }

    /// The reference: writes the value's bytes most significant first, cuts them into registers,
    /// and then moves bytes and registers about as the orders say.
    fn encode(big_endian: &[u8], orders: Orders) -> Vec<u16> {
        let mut pairs: Vec<[u8; 2]> = big_endian.chunks(2).map(|p| [p[0], p[1]]).collect();
        if orders.words == WordOrder::Little {
            pairs.reverse();
        }
        if orders.bytes == ByteOrder::Little {
            pairs.iter_mut().for_each(|pair| pair.swap(0, 1));
        }
        pairs.into_iter().map(u16::from_be_bytes).collect()
    }

    fn any_orders() -> impl Strategy<Value = Orders> {
        (any::<bool>(), any::<bool>()).prop_map(|(bytes, words)| Orders {
            bytes: if bytes {
                ByteOrder::Big
            } else {
                ByteOrder::Little
            },
            words: if words {
                WordOrder::Big
            } else {
                WordOrder::Little
            },
        })
    }

    #[test]
    fn the_four_orders_of_data_sheets_are_told_apart() {
        let value = 123_456.789_f64;
        let [a, b, c, d] = (value as f32).to_be_bytes();
        let pair = |x, y| u16::from_be_bytes([x, y]);
        use ByteOrder as B;
        use WordOrder as W;
        for (registers, order) in [
            ([pair(a, b), pair(c, d)], orders(B::Big, W::Big)),
            ([pair(c, d), pair(a, b)], orders(B::Big, W::Little)),
            ([pair(b, a), pair(d, c)], orders(B::Little, W::Big)),
            ([pair(d, c), pair(b, a)], orders(B::Little, W::Little)),
        ] {
            assert_eq!(
                Layout::F32.number(&registers, order),
                f64::from(value as f32)
            );
        }
    }

    #[test]
    fn texts_end_at_nul_and_lose_blanks_and_control_characters() {
        let read = |length, registers: &[u16]| {
            Layout::Text(length)
                .text(registers, Orders::default())
                .to_string()
        };
        assert_eq!(read(6, &[0x5075, 0x6D70, 0x2031]), "Pump 1");
        assert_eq!(read(5, &[0x5075, 0x6D70, 0x2031]), "Pump");
        assert_eq!(read(6, &[0x5000, 0x6D70, 0x2031]), "P");
        assert_eq!(read(4, &[0x410A, 0x4242]), "A BB");
        assert_eq!(read(2, &[0xB043]), "°C");
        assert_eq!(read(3, &[0xC2B0, 0x4320]), "°C");
        let swapped = orders(ByteOrder::Little, WordOrder::Little);
        assert_eq!(&*Layout::Text(4).text(&[0x4241, 0x4443], swapped), "ABCD");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_type_comes_back_as_it_was_written(bits in any::<u64>(), order in any_orders()) {
            let b = bits.to_be_bytes();
            let number = |layout: Layout, bytes: &[u8]| layout.number(&encode(bytes, order), order);
            prop_assert_eq!(number(Layout::U16, &b[6..]), f64::from(bits as u16));
            prop_assert_eq!(number(Layout::I16, &b[6..]), f64::from(bits as i16));
            prop_assert_eq!(number(Layout::U32, &b[4..]), f64::from(bits as u32));
            prop_assert_eq!(number(Layout::I32, &b[4..]), f64::from(bits as i32));
            prop_assert_eq!(number(Layout::U64, &b), bits as f64);
            prop_assert_eq!(number(Layout::I64, &b), bits as i64 as f64);
            let single = f64::from(f32::from_bits(bits as u32));
            prop_assert_eq!(number(Layout::F32, &b[4..]).to_bits(), single.to_bits());
            prop_assert_eq!(number(Layout::F64, &b).to_bits(), bits);
            for bit in 0..16 {
                let expected = f64::from(u8::from((bits as u16) & (1 << bit) != 0));
                prop_assert_eq!(number(Layout::Bit(bit), &b[6..]), expected);
            }
        }

        #[test]
        fn any_registers_give_a_text_of_no_more_characters(
            registers in prop::collection::vec(any::<u16>(), 0..125),
            order in any_orders(),
        ) {
            let length = u16::try_from(registers.len() * 2).unwrap();
            let text = Layout::Text(length).text(&registers, order);
            prop_assert!(text.chars().count() <= usize::from(length));
            prop_assert!(!text.contains(char::is_control));
        }
    }
}
