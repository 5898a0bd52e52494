//! Keys and signatures in minisign's two text forms.
//!
//! ```text
//! untrusted comment: minisign public key 8A1B…        a key: its second line alone will do
//! base64( "Ed", id: 8 bytes, key: 32 bytes )
//!
//! untrusted comment: …                                a signature
//! base64( "Ed" plain or "ED" prehashed, id: 8 bytes, signature: 64 bytes )
//! trusted comment: …
//! base64( signature of signature and trusted comment: 64 bytes )
//! ```
//! The mathematics are those of `minisign-verify`; both plain and prehashed signatures are taken.
//! A trusted comment is shown to people, so it is cleaned and cut first.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{PublicKey, Signature};

/// Longest signature that is looked at, bytes; those of minisign have some 300.
pub const SIGNATURE_BYTES_MAX: usize = 4096;

/// Longest trusted comment that is shown, characters.
const COMMENT_CHARS_MAX: usize = 200;

/// A public key that somebody trusts.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    id: String,
    key: PublicKey,
}

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not a minisign public key; write the line that begins with RW of the file minisign.pub"
)]
pub struct WrongKey;

/// What a signature says about some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The key made it for these bytes; with its trusted comment.
    Valid(String),
    /// The key has another id.
    OtherKey,
    /// It is not for these bytes, or its comment was changed.
    Invalid,
}

impl Key {
    /// Reads a key: the whole file or its line in base64.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(text: &str) -> Result<Self, WrongKey> {
        let line = text
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with("untrusted comment:"))
            .ok_or(WrongKey)?;
        let key = PublicKey::from_base64(line).map_err(|_| WrongKey)?;
        let id = id_in(line).ok_or(WrongKey)?;
        Ok(Self { id, key })
    }

    /// Its id as minisign prints it: 16 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn verify(&self, bytes: &[u8], signature: &SignatureFile) -> Verdict {
        match self.key.verify(bytes, &signature.signature, true) {
            Ok(()) => Verdict::Valid(cleaned(signature.signature.trusted_comment())),
            Err(minisign_verify::Error::UnexpectedKeyId) => Verdict::OtherKey,
            Err(_) => Verdict::Invalid,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// A signature that was read; of whom, and whether it is valid, a [`Key`] says.
#[derive(Clone)]
pub(crate) struct SignatureFile {
    pub(crate) key_id: String,
    signature: Signature,
}

impl SignatureFile {
    /// Reads the text of a `.minisig` file; `None` if it is something else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > SIGNATURE_BYTES_MAX {
            return None;
        }
        let signature = Signature::decode(text).ok()?;
        let key_id = id_in(text.lines().nth(1)?)?;
        Some(Self { key_id, signature })
    }
}

/// The id of the key that a signature names, as minisign prints it; `None` if the text is no
/// signature. Says nothing about whether the signature is valid.
#[must_use]
pub fn key_of(signature: &str) -> Option<String> {
    SignatureFile::parse(signature).map(|file| file.key_id)
}

/// The id in a line of base64: eight bytes after the two of the algorithm, least significant
/// first.
fn id_in(line: &str) -> Option<String> {
    let bytes = STANDARD.decode(line.trim()).ok()?;
    let id: [u8; 8] = bytes.get(2..10)?.try_into().ok()?;
    Some(format!("{:016X}", u64::from_le_bytes(id)))
}

fn cleaned(comment: &str) -> String {
    comment
        .chars()
        .take(COMMENT_CHARS_MAX)
        .map(|one| if is_plain(one) { one } else { ' ' })
        .collect()
}

/// No control characters, and none that change the direction of what follows.
fn is_plain(one: char) -> bool {
    !one.is_control()
        && !matches!(one, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
