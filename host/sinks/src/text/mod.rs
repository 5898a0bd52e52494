//! The text of short messages: from a text to what goes into segments, and back.
//!
//! Pure: no I/O, no clock. Used by every sink that speaks of septets itself (SMPP, later modems).
//!
//! - [`plan`] chooses the GSM 03.38 default alphabet or UCS-2 and cuts a text into segments.
//! - [`decode`] reads the user data of an incoming message; [`split_header`] takes off its header.
//! - [`Reassembly`] puts the parts of a concatenated incoming message together again.
//!
//! Room of one segment (3GPP TS 23.038 and 23.040 section 9.2.3.24.1), in septets or UTF-16 units:
//!
//! | alphabet | alone | with 8-bit reference | with 16-bit reference |
//! |---|---|---|---|
//! | GSM 03.38 | 160 | 153 | 152 |
//! | UCS-2 | 70 | 67 | 66 |
//!
//! Limits: 255 segments a message, because the header counts them in one octet.

mod decode;
mod gsm;
mod header;
mod plan;
mod reassembly;
mod transliterate;

pub use decode::decode;
pub use header::{Concatenation, split_header, user_data_header};
pub use plan::{Plan, PlanOptions, ReferenceWidth, Transliteration, plan};
pub use reassembly::{Assembled, Part, Reassembly};
pub use transliterate::transliterate;

/// How the octets of user data spell characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alphabet {
    /// GSM 03.38 default alphabet with its extension table, one septet an octet (unpacked).
    Gsm7,
    /// ISO 8859-1, one character an octet.
    Latin1,
    /// UTF-16, big-endian; strictly UCS-2, but every phone reads surrogate pairs.
    Ucs2,
    /// No text at all.
    Binary,
}

#[cfg(test)]
mod tests;
