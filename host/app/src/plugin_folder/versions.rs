//! The last good versions of each component, and which one runs after a roll back.
//!
//! ```text
//! data/versions/<stem>/<recorded, 20 digits of nanoseconds>-<sha-256>.wasm
//! data/versions/<stem>/<sha-256>.minisig    its signature, where one lay beside it
//! data/versions/<stem>/pin.json     { "run": "<sha-256>", "instead_of": "<sha-256>" }
//! data/versions/.settings/<file>    settings that an instance ran with last, where it has shadows
//! ```
//! A version is recorded once it ran well; the newest five stay. Files are written beside their
//! place, flushed and renamed, so that a crash leaves the old or the new and nothing between.
//! A roll back pins a version *instead of* the file that lies in the plugin folder: the pin holds
//! until another file lies there, so that the repaired component is taken up by itself.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use andon_model::Timestamp;
use andon_provenance::SIGNATURE_BYTES_MAX;
use serde::{Deserialize, Serialize};

use super::disk::sha256;

const PIN: &str = "pin.json";
/// Settings of instances as they ran last; no component is called so.
const SETTINGS: &str = ".settings";
/// Largest settings that are read; the folder takes no larger ones.
const SETTINGS_BYTES_MAX: u64 = 1 << 20;

/// The good versions of all components. All calls block.
#[derive(Debug, Clone)]
pub(crate) struct Versions {
    root: PathBuf,
    keep: usize,
}

/// A version that ran well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    /// SHA-256 of the file, hexadecimal.
    pub(crate) hash: String,
    /// When it was recorded.
    pub(crate) recorded_at: Timestamp,
}

/// After a roll back: which version runs in place of which file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pin {
    /// Hash of the version that runs.
    pub(crate) run: String,
    /// Hash of the file in the folder that is ignored.
    pub(crate) instead_of: String,
}

/// Which bytes run for a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The file in the folder.
    Folder,
    /// The recorded version of this hash.
    Recorded(String),
    /// The file in the folder; the pin was for another one and can be taken away.
    FolderAndUnpin,
}

/// Chooses between the file in the folder and a pin.
pub(crate) fn choose(folder_hash: &str, pin: Option<&Pin>) -> Choice {
    match pin {
        None => Choice::Folder,
        Some(pin) if pin.instead_of == folder_hash => Choice::Recorded(pin.run.clone()),
        Some(_) => Choice::FolderAndUnpin,
    }
}

/// Why versions could not be kept or found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VersionsError {
    /// The disk refused.
    #[error("{operation} {} failed; check the rights and the space in the data folder", path.display())]
    Disk {
        /// What was done.
        operation: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A name that cannot be a folder.
    #[error("`{0}` cannot be the name of a component; rename the file in the plugin folder")]
    BadName(String),
    /// Nothing to go back to.
    #[error(
        "component `{stem}` has no good version from before; put an older file into the plugin folder"
    )]
    NoPrevious {
        /// The component.
        stem: String,
    },
    /// The recorded file is not what it was.
    #[error("the recorded version {} is damaged; remove it and put a good file into the plugin folder", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// No version of this hash is recorded.
    #[error(
        "component `{stem}` has no recorded version {hash}; `andon plugin list` shows those that there are"
    )]
    Missing {
        /// The component.
        stem: String,
        /// The hash that was asked for.
        hash: String,
    },
    /// The pin cannot be understood.
    #[error("{} is not a pin; remove it to run the file in the plugin folder", path.display())]
    BadPin {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

impl Versions {
    /// How many versions of a component stay.
    pub(crate) const KEEP: usize = 5;

    /// Versions under this folder, `keep` of each component and at least one. Touches nothing.
    pub(crate) fn new(root: PathBuf, keep: usize) -> Self {
        Self {
            root,
            keep: keep.max(1),
        }
    }

    /// Records that this version ran well: it is the newest from now on. The oldest beyond the
    /// bound go, but never the one that a pin runs.
    ///
    /// # Errors
    /// The disk refused; what was recorded before stays.
    pub(crate) fn record_good(
        &self,
        stem: &str,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Version, VersionsError> {
        let folder = self.folder(stem)?;
        let hash = sha256(bytes);
        let recorded = self.list(stem)?;
        if let Some(newest) = recorded.first().filter(|version| version.hash == hash) {
            return Ok(newest.clone());
        }
        fs::create_dir_all(&folder).map_err(|e| disk("make folder", &folder, e))?;
        // Never older than what is there, even if the clock was set back over a restart.
        let newest = recorded.first().map(|version| version.recorded_at.nanos());
        let at = now.nanos().max(newest.map_or(0, |nanos| nanos + 1));
        let version = Version {
            hash,
            recorded_at: Timestamp::from_nanos(at),
        };
        let known = recorded.iter().find(|old| old.hash == version.hash);
        let target = folder.join(file_name(&version));
        match known.filter(|old| self.read(stem, &old.hash).is_ok()) {
            Some(old) => rename(&folder.join(file_name(old)), &target)?,
            None => write_whole(&target, bytes)?,
        }
        self.prune(stem, &folder)?;
        Ok(version)
    }

    /// The recorded versions, the newest first.
    ///
    /// # Errors
    /// The disk refused.
    pub(crate) fn list(&self, stem: &str) -> Result<Vec<Version>, VersionsError> {
        let folder = self.folder(stem)?;
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(disk("list folder", &folder, error)),
        };
        let mut versions = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| disk("list folder", &folder, error))?;
            versions.extend(entry.file_name().to_str().and_then(parse_name));
        }
        versions.sort_by_key(|version| Reverse(version.recorded_at));
        Ok(versions)
    }

    /// The newest good version from before `running`; the newest of all if `running` was never
    /// recorded.
    ///
    /// # Errors
    /// The disk refused.
    pub(crate) fn previous(
        &self,
        stem: &str,
        running: &str,
    ) -> Result<Option<Version>, VersionsError> {
        let recorded = self.list(stem)?;
        let place = recorded.iter().position(|version| version.hash == running);
        let next = place.map_or(0, |place| place + 1);
        Ok(recorded.into_iter().nth(next))
    }

    /// The bytes of a recorded version.
    ///
    /// # Errors
    /// It is not recorded, damaged, or the disk refused.
    pub(crate) fn read(&self, stem: &str, hash: &str) -> Result<Arc<[u8]>, VersionsError> {
        let folder = self.folder(stem)?;
        let version = self
            .list(stem)?
            .into_iter()
            .find(|version| version.hash == hash)
            .ok_or_else(|| VersionsError::Missing {
                stem: stem.to_owned(),
                hash: hash.to_owned(),
            })?;
        let path = folder.join(file_name(&version));
        let bytes = fs::read(&path).map_err(|error| disk("read", &path, error))?;
        if sha256(&bytes) == hash {
            Ok(bytes.into())
        } else {
            Err(VersionsError::Damaged { path })
        }
    }

    /// Goes back: pins the good version before `running` in place of the file with `folder_hash`.
    /// Called again it goes back further.
    ///
    /// # Errors
    /// There is none, it is damaged, or the disk refused; nothing changed then.
    pub(crate) fn roll_back(
        &self,
        stem: &str,
        running: &str,
        folder_hash: &str,
    ) -> Result<Pin, VersionsError> {
        let previous = self
            .previous(stem, running)?
            .ok_or_else(|| VersionsError::NoPrevious {
                stem: stem.to_owned(),
            })?;
        self.pin_to(stem, previous.hash, folder_hash)
    }

    /// Pins a recorded version in place of the file with `folder_hash`.
    ///
    /// # Errors
    /// It is not recorded, damaged, or the disk refused; nothing changed then.
    pub(crate) fn pin_to(
        &self,
        stem: &str,
        run: String,
        folder_hash: &str,
    ) -> Result<Pin, VersionsError> {
        self.read(stem, &run)?;
        let pin = Pin {
            run,
            instead_of: folder_hash.to_owned(),
        };
        let path = self.folder(stem)?.join(PIN);
        let text = serde_json::to_vec(&pin).map_err(|source| VersionsError::BadPin {
            path: path.clone(),
            source,
        })?;
        write_whole(&path, &text)?;
        Ok(pin)
    }

    /// Keeps the signature of a recorded version beside it; `None` takes it away.
    ///
    /// # Errors
    /// The disk refused.
    pub(crate) fn sign(
        &self,
        stem: &str,
        hash: &str,
        signature: Option<&str>,
    ) -> Result<(), VersionsError> {
        let path = self.folder(stem)?.join(signature_name(hash));
        match signature {
            Some(text) => write_whole(&path, text.as_bytes()),
            None => remove(&path),
        }
    }

    /// The signature of a recorded version, if it has one that can be read.
    pub(crate) fn signature(&self, stem: &str, hash: &str) -> Option<String> {
        let path = self.folder(stem).ok()?.join(signature_name(hash));
        let mut text = String::new();
        let file = File::open(path).ok()?;
        let bound = SIGNATURE_BYTES_MAX as u64 + 1;
        file.take(bound).read_to_string(&mut text).ok()?;
        Some(text)
    }

    /// The pin of a component.
    ///
    /// # Errors
    /// The disk refused, or the file is no pin.
    pub(crate) fn pin(&self, stem: &str) -> Result<Option<Pin>, VersionsError> {
        let path = self.folder(stem)?.join(PIN);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|source| VersionsError::BadPin { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(disk("read", &path, error)),
        }
    }

    /// Takes a pin away; the file in the folder runs again.
    ///
    /// # Errors
    /// The disk refused.
    pub(crate) fn unpin(&self, stem: &str) -> Result<(), VersionsError> {
        let folder = self.folder(stem)?;
        let path = folder.join(PIN);
        match fs::remove_file(&path) {
            Ok(()) => flush_folder(&folder),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(disk("remove", &path, error)),
        }
    }

    /// The texts of settings that were recorded, by file name; at most `files_max`, each of at most
    /// a MiB. What cannot be read is as if it were not there.
    pub(crate) fn settings(&self, files_max: usize) -> BTreeMap<String, String> {
        let Ok(entries) = fs::read_dir(self.root.join(SETTINGS)) else {
            return BTreeMap::new();
        };
        let text_of = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().ok()?;
            let small = entry.metadata().ok()?.len() <= SETTINGS_BYTES_MAX;
            let text = small.then(|| fs::read_to_string(entry.path()))?;
            Some((name, text.ok()?)).filter(|(name, _)| name.ends_with(".toml"))
        };
        let entries = entries.flatten().take(files_max);
        entries.filter_map(text_of).collect()
    }

    /// Records the settings with which an instance runs, or forgets them.
    ///
    /// # Errors
    /// The disk refused, or the name is none of a plain file.
    pub(crate) fn record_settings(
        &self,
        file: &str,
        text: Option<&str>,
    ) -> Result<(), VersionsError> {
        // The same names as for components: nothing that leaves the folder.
        self.folder(file)?;
        let folder = self.root.join(SETTINGS);
        let path = folder.join(file);
        match text {
            Some(text) => {
                fs::create_dir_all(&folder).map_err(|e| disk("make folder", &folder, e))?;
                write_whole(&path, text.as_bytes())
            }
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(disk("remove", &path, error))
                }
                Ok(()) | Err(_) => Ok(()),
            },
        }
    }

    fn folder(&self, stem: &str) -> Result<PathBuf, VersionsError> {
        let plain = !stem.is_empty()
            && stem.len() <= 200
            && !stem.starts_with('.')
            && !stem.contains(['/', '\\', '\0', ':']);
        if plain {
            Ok(self.root.join(stem))
        } else {
            Err(VersionsError::BadName(stem.to_owned()))
        }
    }

    fn prune(&self, stem: &str, folder: &Path) -> Result<(), VersionsError> {
        // A pin that cannot be read may name any version, so then none is removed.
        let Ok(pin) = self.pin(stem) else {
            return Ok(());
        };
        let pinned = pin.map(|pin| pin.run);
        for old in self.list(stem)?.into_iter().skip(self.keep) {
            if pinned.as_ref() == Some(&old.hash) {
                continue;
            }
            let path = folder.join(file_name(&old));
            fs::remove_file(&path).map_err(|error| disk("remove", &path, error))?;
            remove(&folder.join(signature_name(&old.hash)))?;
        }
        Ok(())
    }
}

fn file_name(version: &Version) -> String {
    format!("{:020}-{}.wasm", version.recorded_at.nanos(), version.hash)
}

fn signature_name(hash: &str) -> String {
    format!("{hash}.minisig")
}

/// Removes a file that need not be there.
fn remove(path: &Path) -> Result<(), VersionsError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(disk("remove", path, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn parse_name(name: &str) -> Option<Version> {
    let (nanos, hash) = name.strip_suffix(".wasm")?.split_once('-')?;
    let valid = hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    valid.then_some(())?;
    Some(Version {
        hash: hash.to_owned(),
        recorded_at: Timestamp::from_nanos(nanos.parse().ok()?),
    })
}

fn disk(operation: &'static str, path: &Path, source: io::Error) -> VersionsError {
    VersionsError::Disk {
        operation,
        path: path.to_owned(),
        source,
    }
}

/// Writes a file so that it is there whole or not at all, also after a power cut.
fn write_whole(target: &Path, bytes: &[u8]) -> Result<(), VersionsError> {
    let mut unfinished = target.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    File::create(&unfinished)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .map_err(|error| disk("write", &unfinished, error))?;
    rename(&unfinished, target)
}

fn rename(from: &Path, to: &Path) -> Result<(), VersionsError> {
    fs::rename(from, to).map_err(|error| disk("rename", from, error))?;
    to.parent().map_or(Ok(()), flush_folder)
}

/// A rename is on the disk once its folder is.
fn flush_folder(folder: &Path) -> Result<(), VersionsError> {
    File::open(folder)
        .and_then(|opened| opened.sync_all())
        .map_err(|error| disk("flush folder", folder, error))
}
