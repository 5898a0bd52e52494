//! SHA-256 as components, manifests and layers are named by it.

use std::fmt;

use sha2::Digest as _;

/// A SHA-256, kept as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sha256(String);

/// A text that is no SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a SHA-256: write its 64 hexadecimal digits, with or without `sha256:` before"
)]
pub struct NotASha256(String);

impl Sha256 {
    /// The hash of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::digits(&sha2::Sha256::digest(bytes))
    }

    /// From 64 hexadecimal digits, with or without `sha256:` before them.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(text: &str) -> Result<Self, NotASha256> {
        let digits = text.trim();
        let digits = digits.strip_prefix("sha256:").unwrap_or(digits);
        if digits.len() == 64 && digits.bytes().all(|one| one.is_ascii_hexdigit()) {
            Ok(Self(digits.to_ascii_lowercase()))
        } else {
            Err(NotASha256(text.chars().take(100).collect()))
        }
    }

    /// The 64 digits.
    #[must_use]
    pub fn hex(&self) -> &str {
        &self.0
    }

    fn digits(bytes: &[u8]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// As registries write it: `sha256:` and the digits.
impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_with_and_without_its_prefix_and_in_capitals() {
        let hash = Sha256::of(b"a");
        let capitals = hash.hex().to_ascii_uppercase();
        assert_eq!(Sha256::parse(&hash.to_string()), Ok(hash.clone()));
        assert_eq!(Sha256::parse(&capitals), Ok(hash));
    }

    #[test]
    fn anything_else_is_refused() {
        let short = "a".repeat(63);
        let odd = "g".repeat(64);
        for text in ["", "sha256:", "sha512:aa", &short, &odd] {
            assert!(Sha256::parse(text).is_err(), "{text}");
        }
    }
}
