//! User data to text; never fails, because what a phone sent must reach a person somehow.

use super::{Alphabet, gsm};

/// Reads user data without its header. Half a surrogate pair, or an odd last octet, becomes U+FFFD.
#[must_use]
pub fn decode(alphabet: Alphabet, octets: &[u8]) -> String {
    match alphabet {
        Alphabet::Gsm7 => gsm::read(octets),
        Alphabet::Latin1 => octets.iter().copied().map(char::from).collect(),
        Alphabet::Ucs2 => read_utf16(octets),
        Alphabet::Binary => format!("[binary message of {} octets]", octets.len()),
    }
}

fn read_utf16(octets: &[u8]) -> String {
    let (pairs, rest) = octets.as_chunks::<2>();
    let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
    let mut text: String = char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text
}
