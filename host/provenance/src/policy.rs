//! Whether a component is trusted: a decision that touches nothing.
//!
//! Without the section `[plugins.trust]` every file is taken, as the folder's permissions say.
//! With it a file is taken if its hash is listed, or if a listed key signed it; all else is
//! refused, before anything of it is compiled.

use std::collections::BTreeSet;
use std::fmt;

use crate::Sha256;
use crate::minisign::{Key, SignatureFile, Verdict};

/// What is trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Policy {
    /// Whatever lies in the plugins folder.
    #[default]
    Anything,
    /// These hashes, and what these keys signed.
    Listed {
        /// SHA-256 of whole files.
        hashes: BTreeSet<Sha256>,
        /// Keys of people or build servers.
        keys: Vec<Key>,
    },
}

/// What is known of a file.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// SHA-256 of the bytes, 64 hexadecimal digits.
    pub hash: &'a str,
    /// The whole file.
    pub bytes: &'a [u8],
    /// Its signature.
    pub signed: Signed<'a>,
}

/// The signature of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed<'a> {
    /// The text of the `.minisig` file.
    By(&'a str),
    /// There is none.
    Not,
    /// None is looked for: the file comes from a registry.
    NotAsked,
}

/// By what a component is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustedBy {
    /// No rule asks for anything.
    NoRule,
    /// Its hash is listed.
    Hash,
    /// A listed key signed it.
    Key {
        /// Id of the key, 16 hexadecimal digits.
        id: String,
        /// What the signer wrote beside the signature, and signed.
        comment: String,
    },
}

impl fmt::Display for TrustedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRule => f.write_str("no rule asks for trust"),
            Self::Hash => f.write_str("its hash is listed"),
            Self::Key { id, comment } => write!(f, "signed by key {id} ({comment})"),
        }
    }
}

/// Why a component is not trusted, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Neither listed nor signed.
    #[error(
        "it is not trusted: its SHA-256 {hash} is not listed and no signature lies beside it; add the hash to `sha256` of [plugins.trust], or put its signature beside it as NAME.wasm.minisig"
    )]
    Unsigned {
        /// SHA-256 of the file.
        hash: String,
    },
    /// Pulled and not listed.
    #[error(
        "it is not trusted: its SHA-256 {hash} is not listed, and signatures of pulled components are not looked for; add the hash to `sha256` of [plugins.trust]"
    )]
    PulledUnlisted {
        /// SHA-256 of the file.
        hash: String,
    },
    /// What lies beside it is no signature.
    #[error(
        "it is not trusted: what lies beside it as .minisig is no signature of minisign, or cannot be read, and its SHA-256 {hash} is not listed; sign it again with `minisign -S`"
    )]
    NoSignature {
        /// SHA-256 of the file.
        hash: String,
    },
    /// Signed by somebody else.
    #[error(
        "it is not trusted: it is signed by the key {id}, which is not listed, and neither is its SHA-256 {hash}; add that key to `keys` of [plugins.trust] if you trust its holder"
    )]
    OtherKey {
        /// SHA-256 of the file.
        hash: String,
        /// Id of the key.
        id: String,
    },
    /// A listed key, and not for these bytes.
    #[error(
        "it is not trusted: its signature by the key {id} is not for these bytes (SHA-256 {hash}), so the file or the signature was changed; fetch both again from whoever signed"
    )]
    Forged {
        /// SHA-256 of the file.
        hash: String,
        /// Id of the key that the signature names.
        id: String,
    },
}

impl Policy {
    /// Whether a file may run.
    ///
    /// # Errors
    /// Why not, with its hash and what to do.
    pub fn judge(&self, evidence: &Evidence<'_>) -> Result<TrustedBy, Refusal> {
        let Self::Listed { hashes, keys } = self else {
            return Ok(TrustedBy::NoRule);
        };
        if Sha256::parse(evidence.hash).is_ok_and(|hash| hashes.contains(&hash)) {
            return Ok(TrustedBy::Hash);
        }
        let hash = evidence.hash.to_owned();
        let text = match evidence.signed {
            Signed::By(text) => text,
            Signed::Not => return Err(Refusal::Unsigned { hash }),
            Signed::NotAsked => return Err(Refusal::PulledUnlisted { hash }),
        };
        let Some(signature) = SignatureFile::parse(text) else {
            return Err(Refusal::NoSignature { hash });
        };
        let mut forged = false;
        for key in keys {
            match key.verify(evidence.bytes, &signature) {
                Verdict::Valid(comment) => {
                    let id = key.id().to_owned();
                    return Ok(TrustedBy::Key { id, comment });
                }
                Verdict::Invalid => forged = true,
                Verdict::OtherKey => {}
            }
        }
        let id = signature.key_id;
        Err(if forged {
            Refusal::Forged { hash, id }
        } else {
            Refusal::OtherKey { hash, id }
        })
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
