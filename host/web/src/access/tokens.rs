//! Tokens: what programs show in place of a password.
//!
//! A token is `andon_` and 256 random bits in base64; it is shown once, when it is made. The file
//! `tokens.json` in the data folder holds its SHA-256 alone: a random text of that length cannot be
//! searched for. The file is written whole, beside the old one, and then takes its place.
//!
//! ```json
//! { "version": 1, "tokens": [
//!   { "name": "hmi", "role": "viewer", "sha256": "…", "made_at": 0, "expires_at": null } ] }
//! ```

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use andon_model::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::password::random;
use crate::check::is_name;
use crate::{Refusal, Role};

/// Most tokens.
pub(crate) const TOKENS_MAX: usize = 1_000;
/// What every token begins with, so that people and scanners know one when they see it.
const PREFIX: &str = "andon_";
/// Largest file, bytes: [`TOKENS_MAX`] tokens with room to spare.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Version of the file.
const VERSION: u32 = 1;

/// A token without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenRecord {
    /// Its name; it stands in the journal beside all that is done with it.
    pub name: String,
    /// What may be done with it.
    pub role: Role,
    /// SHA-256 of the token, hexadecimal.
    sha256: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// From when on it is refused; `None` until it is revoked.
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    tokens: Vec<TokenRecord>,
}

/// What a text that was shown as a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// A token that counts.
    Valid(TokenRecord),
    /// One whose time is over.
    Expired(String),
    /// None of ours.
    Unknown,
}

/// All tokens, and the file that holds them.
#[derive(Debug)]
pub(crate) struct TokenFile {
    path: PathBuf,
    tokens: Vec<TokenRecord>,
    /// Why the file cannot be understood; nothing is written over it then.
    trouble: Option<String>,
}

impl TokenFile {
    /// Reads the file. One that is not there holds no tokens; one that cannot be understood lets
    /// nobody in and says why.
    pub(crate) fn open(path: &Path) -> Self {
        let (tokens, trouble) = match read(path) {
            Ok(tokens) => (tokens, None),
            Err(why) => (
                Vec::new(),
                Some(format!(
                    "the tokens in {} cannot be read, so none counts: {why}",
                    path.display()
                )),
            ),
        };
        Self {
            path: path.to_owned(),
            tokens,
            trouble,
        }
    }

    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    pub(crate) fn tokens(&self) -> &[TokenRecord] {
        &self.tokens
    }

    /// Looks a shown text up; takes the same time whichever token it is, and if it is none.
    pub(crate) fn look_up(&self, shown: &str, now: Timestamp) -> Shown {
        let hash = hash(shown);
        let mut found = None;
        for token in &self.tokens {
            if bool::from(token.sha256.as_bytes().ct_eq(hash.as_bytes())) {
                found = Some(token);
            }
        }
        match found {
            Some(token) if token.expires_at.is_some_and(|at| at <= now) => {
                Shown::Expired(token.name.clone())
            }
            Some(token) => Shown::Valid(token.clone()),
            None => Shown::Unknown,
        }
    }

    /// Whether this very token still counts.
    pub(crate) fn still(&self, token: &TokenRecord, now: Timestamp) -> bool {
        token.expires_at.is_none_or(|at| now < at) && self.tokens.contains(token)
    }

    /// Makes a token and writes the file; answers the token itself, which is nowhere afterwards.
    pub(crate) fn make(
        &mut self,
        name: &str,
        role: Role,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        self.writable()?;
        if !is_name(name) {
            return Err(Refusal::bad(format!(
                "`{name}` cannot be a token's name: use up to 64 letters, digits, `-`, `_`, `.` and `@`"
            )));
        }
        if self.tokens.iter().any(|token| token.name == name) {
            return Err(Refusal::new(format!(
                "there is a token `{name}` already: revoke it first, or take another name"
            )));
        }
        if self.tokens.len() >= TOKENS_MAX {
            return Err(Refusal::new(format!(
                "there are {TOKENS_MAX} tokens, and no more are kept: revoke some"
            )));
        }
        let bytes = random::<32>()
            .map_err(|why| Refusal::new(format!("the machine gives no random numbers: {why}")))?;
        let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let mut tokens = self.tokens.clone();
        tokens.push(TokenRecord {
            name: name.to_owned(),
            role,
            sha256: hash(&text),
            made_at: now,
            expires_at,
        });
        self.keep(tokens)?;
        Ok(text)
    }

    /// Revokes a token and writes the file.
    pub(crate) fn revoke(&mut self, name: &str) -> Result<TokenRecord, Refusal> {
        self.writable()?;
        let Some(place) = self.tokens.iter().position(|token| token.name == name) else {
            return Err(Refusal::unknown(format!(
                "there is no token `{name}`: `andon token list` shows those that there are"
            )));
        };
        let mut tokens = self.tokens.clone();
        let gone = tokens.remove(place);
        self.keep(tokens)?;
        Ok(gone)
    }

    fn writable(&self) -> Result<(), Refusal> {
        self.trouble.as_ref().map_or(Ok(()), |why| {
            Err(Refusal::new(format!(
                "{why}; put a good file there, or move it away to begin without tokens, and start the host again"
            )))
        })
    }

    fn keep(&mut self, tokens: Vec<TokenRecord>) -> Result<(), Refusal> {
        let file = File {
            version: VERSION,
            tokens,
        };
        write(&self.path, &file).map_err(|error| {
            Refusal::new(format!(
                "the tokens could not be written to {}, so nothing changed: {error}",
                self.path.display()
            ))
        })?;
        self.tokens = file.tokens;
        Ok(())
    }
}

fn hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(path: &Path) -> Result<Vec<TokenRecord>, String> {
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string()),
    };
    if about.len() > FILE_BYTES_MAX {
        return Err(format!(
            "it has {} bytes, more than {FILE_BYTES_MAX}",
            about.len()
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let file: File = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if file.version != VERSION {
        return Err(format!(
            "it is of version {}, and this program knows {VERSION}",
            file.version
        ));
    }
    Ok(file.tokens)
}

/// Writes beside the file, flushes, and lets that take its place.
fn write(path: &Path, file: &File) -> std::io::Result<()> {
    let part = path.with_extension("json.part");
    match std::fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut out = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&part)?;
    out.write_all(&serde_json::to_vec_pretty(file)?)?;
    out.sync_all()?;
    std::fs::rename(&part, path)?;
    match path.parent() {
        Some(folder) => std::fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000);

    fn role_of(shown: Shown) -> Option<Role> {
        match shown {
            Shown::Valid(token) => Some(token.role),
            Shown::Expired(_) | Shown::Unknown => None,
        }
    }

    #[test]
    fn a_token_is_known_until_it_expires_or_is_revoked_and_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let mut file = TokenFile::open(&path);
        let operator = file.make("shift", Role::Operator, None, NOW).unwrap();
        let short = file
            .make(
                "guest",
                Role::Viewer,
                Some(Timestamp::from_secs(2_000)),
                NOW,
            )
            .unwrap();
        assert!(
            operator.starts_with("andon_") && operator.len() == 49,
            "{operator}"
        );

        let stored = std::fs::read_to_string(&path).unwrap();
        assert!(
            !stored.contains(&operator) && !stored.contains(operator.trim_start_matches(PREFIX))
        );
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );

        let mut file = TokenFile::open(&path);
        assert_eq!(role_of(file.look_up(&operator, NOW)), Some(Role::Operator));
        assert_eq!(role_of(file.look_up(&short, NOW)), Some(Role::Viewer));
        assert_eq!(
            file.look_up(&short, Timestamp::from_secs(2_000)),
            Shown::Expired("guest".into())
        );
        assert_eq!(file.look_up("andon_", NOW), Shown::Unknown);
        assert_eq!(file.look_up(&stored, NOW), Shown::Unknown);

        let record = file.tokens()[0].clone();
        assert!(file.still(&record, NOW));
        file.revoke("shift").unwrap();
        assert!(!file.still(&record, NOW));
        assert_eq!(file.look_up(&operator, NOW), Shown::Unknown);
        assert_eq!(TokenFile::open(&path).tokens().len(), 1);
        assert!(file.revoke("shift").is_err());
    }

    #[test]
    fn names_are_taken_once_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = TokenFile::open(&folder.path().join("tokens.json"));
        file.make("a", Role::Viewer, None, NOW).unwrap();
        for name in ["a", "", "a b", "a/b", &"x".repeat(65)] {
            assert!(file.make(name, Role::Viewer, None, NOW).is_err(), "{name}");
        }
        assert_eq!(file.tokens().len(), 1);
    }

    #[test]
    fn a_file_that_is_not_understood_lets_nobody_in_and_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        for text in ["", "{", "{\"version\":2,\"tokens\":[]}", "[]"] {
            std::fs::write(&path, text).unwrap();
            let mut file = TokenFile::open(&path);
            assert!(
                file.trouble()
                    .is_some_and(|why| why.contains("tokens.json")),
                "{text}"
            );
            assert!(file.make("a", Role::Viewer, None, NOW).is_err());
            assert!(file.revoke("a").is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn a_folder_that_cannot_be_written_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = TokenFile::open(&folder.path().join("none/tokens.json"));
        let error = file.make("a", Role::Viewer, None, NOW).unwrap_err();
        assert!(error.says.contains("nothing changed"), "{error}");
        assert!(file.tokens().is_empty());
    }
}
