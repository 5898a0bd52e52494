//! Where a tag is in a Modbus device, read from text.
//!
//! Two ways of writing, never mixed: `holding:100` counts from 0 as the protocol does (Modbus
//! Application Protocol V1.1b3, section 4.4), `40101` counts from 1 as data sheets do.
//! Both may end in `.BIT`.

use std::fmt;
use std::str::FromStr;

/// One of the four tables of a Modbus device (Modbus Application Protocol V1.1b3, section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Function 1.
    Coil,
    /// Function 2.
    Discrete,
    /// Function 4.
    Input,
    /// Function 3.
    Holding,
}

impl Table {
    /// The word as settings write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Coil => "coil",
            Self::Discrete => "discrete",
            Self::Input => "input",
            Self::Holding => "holding",
        }
    }

    /// Whether it holds single bits, not registers.
    #[must_use]
    pub const fn is_bits(self) -> bool {
        matches!(self, Self::Coil | Self::Discrete)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A place in a device, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Which table.
    pub table: Table,
    /// Which coil, input or register, from 0.
    pub start: u16,
    /// Which bit of the register, 0 the lowest.
    pub bit: Option<u8>,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.table, self.start)?;
        self.bit.map_or(Ok(()), |bit| write!(f, ".{bit}"))
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let (place, bit) = match text.split_once('.') {
            Some((place, bit)) => (place, Some(read_bit(text, bit)?)),
            None => (text, None),
        };
        let (table, start) = match place.split_once(':') {
            Some((table, start)) => read_named(text, table, start)?,
            None => read_classic(text, place)?,
        };
        if bit.is_some() && table.is_bits() {
            return Err(format!(
                "`{text}`: a {table} is one bit already, so no bit of it can be named"
            ));
        }
        Ok(Self { table, start, bit })
    }
}

fn read_bit(text: &str, bit: &str) -> Result<u8, String> {
    digits(bit)
        .and_then(|bit| u8::try_from(bit).ok())
        .filter(|bit| *bit < 16)
        .ok_or_else(|| format!("`{text}`: the bit after the point must be 0 to 15"))
}

fn read_named(text: &str, table: &str, start: &str) -> Result<(Table, u16), String> {
    let table = [Table::Coil, Table::Discrete, Table::Input, Table::Holding]
        .into_iter()
        .find(|known| known.name().eq_ignore_ascii_case(table.trim()))
        .ok_or_else(|| {
            format!("`{text}`: write coil, discrete, input or holding before the colon")
        })?;
    let start = digits(start.trim())
        .and_then(|start| u16::try_from(start).ok())
        .ok_or_else(|| format!("`{text}`: the number after the colon must be 0 to 65535"))?;
    Ok((table, start))
}

fn read_classic(text: &str, place: &str) -> Result<(Table, u16), String> {
    let not_an_address = || {
        format!(
            "`{text}` is not an address: write it like holding:100 (counts from 0) or 40101 (counts from 1, five or six digits)"
        )
    };
    if place.len() != 5 && place.len() != 6 {
        return Err(not_an_address());
    }
    let number = digits(place).ok_or_else(not_an_address)?;
    let decade = if place.len() == 5 { 10_000 } else { 100_000 };
    let table = match number / decade {
        0 => Table::Coil,
        1 => Table::Discrete,
        3 => Table::Input,
        4 => Table::Holding,
        _ => {
            return Err(format!(
                "`{text}`: a classic number begins with 0 (coil), 1 (discrete input), 3 (input register) or 4 (holding register)"
            ));
        }
    };
    let start = (number % decade)
        .checked_sub(1)
        .and_then(|start| u16::try_from(start).ok())
        .ok_or_else(|| {
            format!("`{text}`: classic numbers count from 1 to 65536 after the first digit")
        })?;
    Ok((table, start))
}

/// Reads digits alone: no sign, no blank, nothing that `parse` would let pass.
fn digits(text: &str) -> Option<u32> {
    if text.is_empty() || text.len() > 9 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(Table, u16, Option<u8>), String> {
        text.parse::<Address>().map(|a| (a.table, a.start, a.bit))
    }

    #[test]
    fn named_tables_count_from_zero() {
        assert_eq!(read("holding:100"), Ok((Table::Holding, 100, None)));
        assert_eq!(read("holding:100.15"), Ok((Table::Holding, 100, Some(15))));
        assert_eq!(read("coil:0"), Ok((Table::Coil, 0, None)));
        assert_eq!(read("Discrete:65535"), Ok((Table::Discrete, 65535, None)));
        assert_eq!(read("input:30"), Ok((Table::Input, 30, None)));
    }

    #[test]
    fn classic_numbers_count_from_one() {
        assert_eq!(read("40001"), Ok((Table::Holding, 0, None)));
        assert_eq!(read("40101.3"), Ok((Table::Holding, 100, Some(3))));
        assert_eq!(read("30001"), Ok((Table::Input, 0, None)));
        assert_eq!(read("10001"), Ok((Table::Discrete, 0, None)));
        assert_eq!(read("00001"), Ok((Table::Coil, 0, None)));
        assert_eq!(read("465536"), Ok((Table::Holding, 65535, None)));
        assert_eq!(read("000001"), Ok((Table::Coil, 0, None)));
    }

    #[test]
    fn what_is_not_an_address_is_refused_with_a_sentence() {
        for text in [
            "",
            "100",
            "holding",
            "holding:",
            "holding:-1",
            "holding:65536",
            "holding:1.16",
            "holding:1.",
            "coil:1.2",
            "40000",
            "465537",
            "20001",
            "4000001",
            "+0001",
            "h:1",
            "holding:1:2",
            "40001.x",
            "50001",
            "é0001",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_is_shown_as_it_is_read() {
        for text in ["holding:100.3", "coil:5"] {
            assert_eq!(
                text.parse::<Address>().map(|a| a.to_string()),
                Ok(text.into())
            );
        }
    }
}
