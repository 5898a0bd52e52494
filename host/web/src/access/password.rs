//! Passwords: argon2id, as PHC strings, with bounds on what a hash of the settings may cost.

use argon2::password_hash::{
    PasswordHash as Phc, PasswordHasher as _, PasswordVerifier as _, SaltString,
};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::TryRng as _;

/// Longest password, bytes.
pub(crate) const PASSWORD_BYTES_MAX: usize = 1_024;
/// Shortest password that `andon user hash` takes, characters.
const PASSWORD_CHARS_MIN: usize = 8;
/// Most memory that checking one password may take, KiB; two are checked at once.
const MEMORY_KIB_MAX: u32 = 256 * 1_024;
/// Least memory, KiB: with less the hash would be cheap to search.
const MEMORY_KIB_MIN: u32 = 7 * 1_024;
/// Most passes.
const PASSES_MAX: u32 = 16;
/// Most lanes.
const LANES_MAX: u32 = 8;

/// A checked hash of a password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PasswordHash(String);

/// A hash can be searched for its password, so it is not printed either.
impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl PasswordHash {
    /// Takes a PHC string of argon2id whose cost is neither too low nor too high.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let phc =
            Phc::new(text).map_err(|_| "is not a hash of a password (PHC string)".to_owned())?;
        if phc.algorithm.as_str() != Algorithm::Argon2id.as_str() {
            return Err("is not a hash by argon2id".to_owned());
        }
        if phc.salt.is_none() || phc.hash.is_none() {
            return Err("holds no salt or no hash".to_owned());
        }
        let params = Params::try_from(&phc)
            .map_err(|_| "has parameters that argon2id does not know".to_owned())?;
        let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
        if !(MEMORY_KIB_MIN..=MEMORY_KIB_MAX).contains(&memory)
            || passes > PASSES_MAX
            || lanes > LANES_MAX
        {
            return Err(format!(
                "costs m={memory},t={passes},p={lanes}; m from {MEMORY_KIB_MIN} to {MEMORY_KIB_MAX}, t up to {PASSES_MAX} and p up to {LANES_MAX} are taken"
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The PHC string; for comparing and verifying, never for printing.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Whether the password is the one. Takes tens of milliseconds and much memory on purpose, so
    /// it is called off the runtime's threads.
    pub(crate) fn verify(&self, password: &str) -> bool {
        Phc::new(&self.0).is_ok_and(|phc| {
            Argon2::default()
                .verify_password(password.as_bytes(), &phc)
                .is_ok()
        })
    }
}

/// A password that cannot be hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too short, or too long.
    #[error(
        "a password has {PASSWORD_CHARS_MIN} characters at least and {PASSWORD_BYTES_MAX} bytes at most"
    )]
    Length,
    /// The machine gave no random numbers.
    #[error("the machine gives no random numbers: {0}")]
    Random(String),
    /// The computation failed, for want of memory.
    #[error("the hash could not be computed: {0}")]
    Compute(String),
}

/// The PHC string of a password, with a salt of its own.
///
/// # Errors
/// See [`HashError`].
pub fn hash_password(password: &str) -> Result<String, HashError> {
    if password.chars().count() < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
        return Err(HashError::Length);
    }
    let salt = SaltString::encode_b64(&random::<16>().map_err(HashError::Random)?)
        .map_err(|error| HashError::Compute(error.to_string()))?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
        .hash_password(password.as_bytes(), &salt)
        .map(|phc| phc.to_string())
        .map_err(|error| HashError::Compute(error.to_string()))
}

/// Bytes from the machine's source of random numbers.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    rand::rngs::SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password_and_no_other() {
        let text = hash_password("correct horse").unwrap();
        let hash = PasswordHash::parse(&text).unwrap();
        assert!(hash.verify("correct horse"));
        assert!(!hash.verify("correct horsf"));
        assert_ne!(text, hash_password("correct horse").unwrap());
        assert_eq!(format!("{hash:?}"), "***");
    }

    #[test]
    fn a_password_is_neither_short_nor_endless() {
        assert!(hash_password("1234567").is_err());
        assert!(hash_password(&"x".repeat(2_000)).is_err());
    }

    #[test]
    fn a_hash_that_is_cheap_or_takes_the_machine_down_is_refused() {
        let salt_and_hash = "c29tZXNhbHQ$UPoRDu7/6l5QdnMHCWCJ0BF5pMtG8AdVRoMYCr1Nrt0";
        for (params, fine) in [
            ("m=19456,t=2,p=1", true),
            ("m=8,t=2,p=1", false),
            ("m=4194304,t=2,p=1", false),
            ("m=19456,t=1000,p=1", false),
            ("m=19456,t=2,p=200", false),
        ] {
            let text = format!("$argon2id$v=19${params}${salt_and_hash}");
            assert_eq!(PasswordHash::parse(&text).is_ok(), fine, "{params}");
        }
        for text in [
            "",
            "plain",
            "$2b$12$abc",
            "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$UPoRDu7/6l5QdnMHCWCJ0BF5pMtG8AdVRoMYCr1Nrt0",
        ] {
            assert!(PasswordHash::parse(text).is_err(), "{text}");
        }
    }
}
