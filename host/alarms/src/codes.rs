//! Which short code an occurrence gets.
//!
//! Codes have as few signs as leave more than half of them free, at least two.
//! Within that length the occurrence number is scattered by a fixed multiplier: neighbouring
//! occurrences differ in every sign, so that a slip of the thumb seldom names another alarm, and a
//! code comes back only after nearly all others were used, so that a late reply seldom meets a
//! newer alarm. No state is kept: the number alone decides.

use andon_model::{OccurrenceId, ShortCode};

/// Fewest signs of a code: 961 codes.
const SIGNS_MIN: usize = 2;
/// A prime that is no multiple of 31, so that multiplying by it permutes the codes of any length.
const SCATTER: u64 = 611_953;

/// The code of an occurrence: the first free one from its scattered place on.
/// `in_use` counts the codes for which `is_used` holds.
pub(crate) fn code_for(
    occurrence: OccurrenceId,
    in_use: usize,
    is_used: impl Fn(&ShortCode) -> bool,
) -> ShortCode {
    let base = ShortCode::ALPHABET.len() as u64;
    let in_use = in_use as u64;
    let mut signs = SIGNS_MIN;
    let mut codes = base.pow(2);
    while codes / 2 <= in_use && signs < 9 {
        signs += 1;
        codes = codes.saturating_mul(base);
    }
    let place = (occurrence.0 % codes).wrapping_mul(SCATTER) % codes;
    // Fewer than half are in use, so one of the next `in_use + 1` is free.
    (0..=in_use)
        .map(|offset| ShortCode::from_number((place + offset) % codes, signs))
        .find(|code| !is_used(code))
        .unwrap_or_else(|| ShortCode::from_number(occurrence.0, signs))
}
