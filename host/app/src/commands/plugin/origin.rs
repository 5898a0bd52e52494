//! Where a file comes from, for `andon plugin inspect`: its hash, and the state of its signature.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use andon_provenance::{Evidence, Key, Policy, Sha256, Signed, TrustedBy, key_of};
use anyhow::Context as _;
use serde::Serialize;

use crate::plugin_folder::{read_component, signature_beside};

/// The origin of a component.
pub(super) struct Origin {
    hash: Sha256,
    /// The state of its signature.
    pub(super) signature: Signature,
}

/// The state of a signature.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub(super) enum Signature {
    /// No file beside the component.
    None,
    /// The file is no signature.
    Unreadable,
    /// By this key, and nobody said which key is to be trusted.
    Unchecked {
        /// Id of the key.
        key: String,
    },
    /// By the key that was given.
    Valid {
        /// Id of the key.
        key: String,
        /// What the signer wrote.
        comment: String,
    },
    /// Not by the key that was given, or not for these bytes.
    Refused {
        /// Why.
        why: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "SHA-256 {}", self.hash.hex())?;
        match &self.signature {
            Signature::None => f.write_str("signature: none beside it"),
            Signature::Unreadable => f.write_str("signature: the file beside it is none"),
            Signature::Unchecked { key } => {
                write!(
                    f,
                    "signature: by key {key}, not checked; give that key with --key"
                )
            }
            Signature::Valid { key, comment } => {
                write!(f, "signature: valid, by key {key} ({comment})")
            }
            Signature::Refused { why } => write!(f, "signature: {why}"),
        }
    }
}

/// Reads a component and the signature beside it. `key` is a public key or the name of its file.
pub(super) fn of(file: &Path, key: Option<&str>) -> anyhow::Result<Origin> {
    let bytes = read_component(file).with_context(|| format!("read {}", file.display()))?;
    let key = key.map(read_key).transpose()?;
    let hash = Sha256::of(&bytes);
    let signature = state(&hash, &bytes, signature_beside(file), key);
    Ok(Origin { hash, signature })
}

fn read_key(text: &str) -> anyhow::Result<Key> {
    if let Ok(key) = Key::parse(text) {
        return Ok(key);
    }
    let read = std::fs::read_to_string(text)
        .with_context(|| format!("`{text}` is no minisign public key, and no file of one"))?;
    Key::parse(&read).with_context(|| format!("read the key in {text}"))
}

fn state(hash: &Sha256, bytes: &[u8], text: Option<String>, key: Option<Key>) -> Signature {
    let Some(text) = text else {
        return Signature::None;
    };
    let Some(named) = key_of(&text) else {
        return Signature::Unreadable;
    };
    let Some(key) = key else {
        return Signature::Unchecked { key: named };
    };
    let policy = Policy::Listed {
        hashes: BTreeSet::new(),
        keys: vec![key],
    };
    let judged = policy.judge(&Evidence {
        hash: hash.hex(),
        bytes,
        signed: Signed::By(&text),
    });
    match judged {
        Ok(TrustedBy::Key { id, comment }) => Signature::Valid { key: id, comment },
        Ok(TrustedBy::NoRule | TrustedBy::Hash) => Signature::Unchecked { key: named },
        Err(refusal) => Signature::Refused {
            why: refusal.to_string(),
        },
    }
}
