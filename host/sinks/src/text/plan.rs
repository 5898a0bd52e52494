//! From a text to the user data of its segments.
//!
//! The repertoire decides: a text whose every character has a GSM 03.38 code goes in that alphabet,
//! any other goes whole in UCS-2, because a message has one alphabet.
//! An SMSC whose default alphabet is Latin-1 still carries septets on the air, so such a text is
//! counted in septets and only spelled in Latin-1; what Latin-1 cannot spell (`Δ`, `€`) goes in UCS-2.

use super::{Alphabet, gsm, transliterate};

/// How wide the reference number in the header of concatenated parts is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReferenceWidth {
    /// One octet; every phone reads it.
    #[default]
    Bits8,
    /// Two octets; fewer mix-ups at many messages to one phone, one septet less room.
    Bits16,
}

/// Whether characters outside the GSM alphabet may be replaced by similar ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transliteration {
    /// Replace them if that lets the whole text go in the GSM alphabet (`°C` to ` C`).
    #[default]
    Allowed,
    /// Send the text exactly as it is.
    Off,
}

/// How a text is to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanOptions {
    /// How GSM text is spelled: [`Alphabet::Gsm7`] or [`Alphabet::Latin1`]; others count as GSM.
    pub spelling: Alphabet,
    /// Whether similar characters may stand in.
    pub transliteration: Transliteration,
    /// Which header the parts will carry.
    pub reference: ReferenceWidth,
    /// At most so many segments; a longer text is cut and ends in `...`. At least 1.
    pub segments_max: u8,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self {
            spelling: Alphabet::Gsm7,
            transliteration: Transliteration::Allowed,
            reference: ReferenceWidth::Bits8,
            segments_max: 10,
        }
    }
}

/// A text ready for the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// How the segments are spelled.
    pub alphabet: Alphabet,
    /// User data of each segment without header; at least one segment, the only one may be empty.
    pub segments: Vec<Vec<u8>>,
    /// How many characters of the text did not fit into `segments_max` and are not sent.
    pub characters_cut: usize,
}

/// Ends a text that was cut; three septets or three UTF-16 units.
const CUT_MARK: &str = "...";

/// Cuts a text into segments. Never splits an escape pair or a surrogate pair.
#[must_use]
pub fn plan(text: &str, options: &PlanOptions) -> Plan {
    let plain = match options.transliteration {
        Transliteration::Allowed => transliterate(text),
        Transliteration::Off => text.to_owned(),
    };
    let spelling = if options.spelling == Alphabet::Latin1 {
        Alphabet::Latin1
    } else {
        Alphabet::Gsm7
    };
    // Where even the stand-ins do not help, the reader gets the true characters.
    if plain.chars().all(|c| Unit::of(c, spelling).is_some()) {
        cut(&plain, spelling, options)
    } else {
        cut(text, Alphabet::Ucs2, options)
    }
}

/// One character as it is spelled and what it costs.
struct Unit {
    cost: usize,
    octets: Vec<u8>,
}

impl Unit {
    fn of(character: char, alphabet: Alphabet) -> Option<Self> {
        let mut octets = Vec::with_capacity(4);
        let cost = match alphabet {
            Alphabet::Ucs2 | Alphabet::Binary => {
                let mut buffer = [0_u16; 2];
                let units = character.encode_utf16(&mut buffer);
                octets.extend(units.iter().flat_map(|unit| unit.to_be_bytes()));
                units.len()
            }
            Alphabet::Gsm7 => {
                let code = gsm::code_of(character)?;
                code.write(&mut octets);
                code.septets()
            }
            Alphabet::Latin1 => {
                octets.push(u8::try_from(character).ok()?);
                gsm::code_of(character)?.septets()
            }
        };
        Some(Self { cost, octets })
    }
}

/// Room of one segment: alone, and as a part.
const fn room(alphabet: Alphabet, reference: ReferenceWidth) -> (usize, usize) {
    match (alphabet, reference) {
        (Alphabet::Gsm7 | Alphabet::Latin1, ReferenceWidth::Bits8) => (160, 153),
        (Alphabet::Gsm7 | Alphabet::Latin1, ReferenceWidth::Bits16) => (160, 152),
        (Alphabet::Ucs2 | Alphabet::Binary, ReferenceWidth::Bits8) => (70, 67),
        (Alphabet::Ucs2 | Alphabet::Binary, ReferenceWidth::Bits16) => (70, 66),
    }
}

fn cut(text: &str, alphabet: Alphabet, options: &PlanOptions) -> Plan {
    let (alone, part) = room(alphabet, options.reference);
    let units = || text.chars().filter_map(|c| Unit::of(c, alphabet));
    let segments_max = usize::from(options.segments_max.max(1));
    let whole = pack(
        units(),
        if units().map(|u| u.cost).sum::<usize>() <= alone {
            alone
        } else {
            part
        },
    );
    if whole.len() <= segments_max {
        return Plan {
            alphabet,
            segments: whole,
            characters_cut: 0,
        };
    }
    let size = if segments_max == 1 { alone } else { part };
    let kept = characters_that_fit(units(), segments_max, size);
    let mark = CUT_MARK.chars().filter_map(|c| Unit::of(c, alphabet));
    Plan {
        alphabet,
        segments: pack(units().take(kept).chain(mark), size),
        characters_cut: text.chars().count().saturating_sub(kept),
    }
}

/// How many characters fit into so many segments with [`CUT_MARK`] in the last.
fn characters_that_fit(units: impl Iterator<Item = Unit>, segments: usize, size: usize) -> usize {
    let (mut full, mut used, mut kept) = (0, 0, 0);
    for unit in units {
        if used + unit.cost > size {
            full += 1;
            used = 0;
        }
        used += unit.cost;
        let last = full + 1 == segments;
        if full >= segments || (last && used + CUT_MARK.len() > size) {
            break;
        }
        kept += 1;
    }
    kept
}

fn pack(units: impl Iterator<Item = Unit>, size: usize) -> Vec<Vec<u8>> {
    let mut segments = Vec::new();
    let mut segment = Vec::new();
    let mut used = 0;
    for unit in units {
        if used + unit.cost > size {
            segments.push(std::mem::take(&mut segment));
            used = 0;
        }
        used += unit.cost;
        segment.extend(unit.octets);
    }
    segments.push(segment);
    segments
}
