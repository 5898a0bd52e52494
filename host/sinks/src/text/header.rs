//! The user data header of concatenated messages (3GPP TS 23.040 sections 9.2.3.24.1 and .8).
//!
//! ```text
//! 05 00 03 rr tt ss        8-bit reference rr, tt segments, this is number ss (from 1)
//! 06 08 04 rr rr tt ss     the same with a 16-bit reference
//! ```

use super::ReferenceWidth;

/// Which part of which message user data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concatenation {
    /// Number that all parts of one message of one sender share.
    pub reference: u16,
    /// How many parts there are; at least 1.
    pub total: u8,
    /// Which one this is, from 1.
    pub index: u8,
}

impl Concatenation {
    /// Reads three numbers that may be nonsense: nothing unless `1 <= index <= total`.
    #[must_use]
    pub fn checked(reference: u16, total: u8, index: u8) -> Option<Self> {
        (index >= 1 && index <= total).then_some(Self {
            reference,
            total,
            index,
        })
    }
}

/// The header of one part. With an 8-bit reference only the low octet of `reference` is carried.
#[must_use]
pub fn user_data_header(part: Concatenation, width: ReferenceWidth) -> Vec<u8> {
    let [high, low] = part.reference.to_be_bytes();
    match width {
        ReferenceWidth::Bits8 => vec![0x05, 0x00, 0x03, low, part.total, part.index],
        ReferenceWidth::Bits16 => vec![0x06, 0x08, 0x04, high, low, part.total, part.index],
    }
}

/// Takes the header off user data that is known to start with one: what it says of concatenation,
/// and the rest. Elements that it does not know are skipped; a header longer than the data takes
/// nothing off, so that the text survives with some noise before it.
#[must_use]
pub fn split_header(octets: &[u8]) -> (Option<Concatenation>, &[u8]) {
    let Some((header, body)) = octets
        .split_first()
        .and_then(|(length, rest)| rest.split_at_checked(usize::from(*length)))
    else {
        return (None, octets);
    };
    (read_elements(header), body)
}

fn read_elements(mut header: &[u8]) -> Option<Concatenation> {
    while let [id, length, rest @ ..] = header {
        let (element, after) = rest.split_at_checked(usize::from(*length))?;
        let found = match (id, element) {
            (0x00, [reference, total, index]) => {
                Concatenation::checked(u16::from(*reference), *total, *index)
            }
            (0x08, [high, low, total, index]) => {
                Concatenation::checked(u16::from_be_bytes([*high, *low]), *total, *index)
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        header = after;
    }
    None
}
