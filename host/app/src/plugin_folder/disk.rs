//! What touches the disk: listing the folder and reading a file within its bound.
//!
//! All of it blocks and is called off the runtime's threads.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use andon_provenance::{SIGNATURE_BYTES_MAX, Sha256};

use super::{ChangedFile, FileContent, FolderChange, FolderProblem, FolderSettings};

/// Ends of names that editors and copiers use while they work.
const UNFINISHED: [&str; 4] = ["~", ".tmp", ".swp", ".part"];

/// What the name of a signature has after the component's.
pub(crate) const SIGNATURE: &str = ".minisig";

/// By what a change of a file shows without reading it. The change time and the file's number
/// show a replaced file of the same size and age, and a right that was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    inode: (u64, u64),
    changed: (i64, i64),
}

/// What a look at a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Look {
    /// It can be read. A component and the signature beside it are looked at as one, so that a
    /// signature that comes later is a change of the component.
    File {
        /// Of the file itself.
        file: Stamp,
        /// Of the signature beside it; `None` without one.
        signature: Option<Stamp>,
    },
    /// It is there and cannot be looked at.
    Unreadable(String),
}

/// What a look at the folder says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    /// Files that may be plugins, by name.
    pub(super) files: BTreeMap<String, Look>,
    /// There were too many.
    pub(super) too_many: Option<FolderProblem>,
    /// Which folder it was, to know one that was replaced.
    pub(super) identity: (u64, u64),
}

/// How reading a file ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reading {
    /// It is as it was when it settled.
    Settled {
        content: Result<FileContent, FolderProblem>,
        /// Fingerprint of the content or of the problem.
        digest: String,
        bytes: u64,
    },
    /// It changed while it was read; it settles anew.
    Moved,
}

/// Lists what may be a plugin, sorted by name, at most `files_max`.
pub(super) fn list(folder: &Path, settings: &FolderSettings) -> Result<Listing, FolderProblem> {
    let unreadable = |error: io::Error| FolderProblem::FolderUnreadable {
        folder: folder.to_owned(),
        cause: error.to_string(),
    };
    let identity = inode(&fs::metadata(folder).map_err(unreadable)?);
    let mut names = BTreeSet::new();
    let mut first_left_out: Option<String> = None;
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let Ok(name) = entry.map_err(unreadable)?.file_name().into_string() else {
            continue;
        };
        if !is_candidate(&name) {
            continue;
        }
        names.insert(name);
        if names.len() > settings.files_max {
            first_left_out = names.pop_last();
        }
    }
    let files = names
        .into_iter()
        .filter_map(|name| look(&folder.join(&name)).map(|look| (name, look)))
        .collect();
    let too_many = first_left_out.map(|first_left_out| FolderProblem::TooMany {
        folder: folder.to_owned(),
        max: settings.files_max,
        first_left_out,
    });
    Ok(Listing {
        files,
        too_many,
        identity,
    })
}

fn is_candidate(name: &str) -> bool {
    let plugin = name.ends_with(".wasm") || name.ends_with(".toml");
    plugin && !name.starts_with('.') && !UNFINISHED.iter().any(|end| name.ends_with(end))
}

/// Looks at a file through links; `None` for a folder, and for a file that has just gone.
pub(super) fn look(path: &Path) -> Option<Look> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => None,
        Ok(metadata) if metadata.is_file() => Some(Look::File {
            file: stamp(&metadata),
            signature: signature_path(path)
                .and_then(|path| fs::metadata(path).ok())
                .filter(Metadata::is_file)
                .map(|metadata| stamp(&metadata)),
        }),
        // A pipe or a device: reading it could wait for ever.
        Ok(_) => Some(Look::Unreadable("it is not a regular file".to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => None,
        Err(error) => Some(Look::Unreadable(error.to_string())),
    }
}

/// Where the signature of a component lies; `None` for other files.
fn signature_path(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let signature = format!("{name}{SIGNATURE}");
    name.ends_with(".wasm")
        .then(|| path.with_file_name(signature))
}

fn stamp(metadata: &Metadata) -> Stamp {
    Stamp {
        bytes: metadata.len(),
        modified: metadata.modified().ok(),
        inode: inode(metadata),
        changed: change_time(metadata),
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> (u64, u64) {
    (0, 0)
}

#[cfg(unix)]
fn change_time(metadata: &Metadata) -> (i64, i64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.ctime(), metadata.ctime_nsec())
}

#[cfg(not(unix))]
fn change_time(_: &Metadata) -> (i64, i64) {
    (0, 0)
}

/// Reads a file that settled as `settled`, and looks again afterwards.
pub(super) fn read(
    folder: &Path,
    name: &str,
    settled: &Look,
    settings: &FolderSettings,
) -> Reading {
    let path = folder.join(name);
    let content = match settled {
        Look::Unreadable(cause) => Err(unreadable(name, cause)),
        Look::File { file, signature } => {
            content(&path, name, file, settings).map(|content| match (content, signature) {
                (FileContent::Component { bytes, hash, .. }, Some(_)) => FileContent::Component {
                    bytes,
                    hash,
                    signature: Some(signature_of(&path)),
                },
                (content, _) => content,
            })
        }
    };
    if look(&path).as_ref() != Some(settled) {
        return Reading::Moved;
    }
    let (digest, bytes) = match &content {
        Ok(FileContent::Component {
            bytes,
            hash,
            signature,
        }) => {
            let signed = signature.as_ref().map(|text| sha256(text.as_bytes()));
            (
                format!("{hash} {}", signed.unwrap_or_default()),
                bytes.len(),
            )
        }
        Ok(FileContent::Sidecar { text }) => (sha256(text.as_bytes()), text.len()),
        Err(problem) => (format!("problem: {problem}"), 0),
    };
    Reading::Settled {
        content,
        digest,
        bytes: bytes as u64,
    }
}

fn content(
    path: &Path,
    name: &str,
    stamp: &Stamp,
    settings: &FolderSettings,
) -> Result<FileContent, FolderProblem> {
    let component = name.ends_with(".wasm");
    let max = if component {
        settings.wasm_bytes_max
    } else {
        settings.toml_bytes_max
    };
    let too_large = |bytes| FolderProblem::TooLarge {
        name: name.to_owned(),
        bytes,
        max,
    };
    if stamp.bytes > max {
        return Err(too_large(stamp.bytes));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(max + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(name, &error.to_string()))?;
    if bytes.len() as u64 > max {
        return Err(too_large(bytes.len() as u64));
    }
    if component {
        let hash = sha256(&bytes);
        return Ok(FileContent::Component {
            bytes: bytes.into(),
            hash,
            signature: None,
        });
    }
    let text = String::from_utf8(bytes).map_err(|_| FolderProblem::NotText {
        name: name.to_owned(),
    })?;
    Ok(FileContent::Sidecar { text })
}

/// Reads a component that lies anywhere, within the bound of the folder.
///
/// # Errors
/// It cannot be read, or is too large ([`io::ErrorKind::FileTooLarge`]).
pub(crate) fn read_component(path: &Path) -> io::Result<Arc<[u8]>> {
    let max = FolderSettings::default().wasm_bytes_max;
    let mut bytes = Vec::new();
    File::open(path)?.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        let says = format!(
            "more than {max} bytes, which is the most that is taken; is it a release build?"
        );
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, says));
    }
    Ok(bytes.into())
}

/// The text of the signature beside a component anywhere; `None` without one.
pub(crate) fn signature_beside(path: &Path) -> Option<String> {
    let exists = signature_path(path).is_some_and(|signature| signature.exists());
    exists.then(|| signature_of(path))
}

/// The text of a signature. One that is too long, no text or not to be read is empty, which no
/// signature is: whoever judges says so.
fn signature_of(path: &Path) -> String {
    let max = SIGNATURE_BYTES_MAX as u64;
    let mut text = String::new();
    let read = signature_path(path)
        .and_then(|path| File::open(path).ok())
        .and_then(|file| file.take(max + 1).read_to_string(&mut text).ok());
    match read {
        Some(length) if length <= SIGNATURE_BYTES_MAX => text,
        Some(_) | None => String::new(),
    }
}

fn unreadable(name: &str, cause: &str) -> FolderProblem {
    FolderProblem::Unreadable {
        name: name.to_owned(),
        cause: cause.to_owned(),
    }
}

/// SHA-256 of some bytes, hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::of(bytes).hex().to_owned()
}

/// All that is in the folder at this moment, without waiting for anything to settle: for commands
/// that look once and end. Blocks.
pub(crate) fn snapshot(folder: &Path, settings: &FolderSettings) -> FolderChange {
    let listing = match list(folder, settings) {
        Ok(listing) => listing,
        Err(problem) => {
            return FolderChange {
                problems: Some(vec![problem]),
                ..FolderChange::default()
            };
        }
    };
    let changed = listing
        .files
        .iter()
        .map(|(name, look)| read_now(folder, name, look, settings))
        .collect();
    FolderChange {
        changed,
        removed: Vec::new(),
        problems: Some(listing.too_many.into_iter().collect()),
        more: false,
    }
}

/// One file of the folder at this moment; `None` if it is not there. Blocks.
pub(crate) fn read_again(
    folder: &Path,
    name: &str,
    settings: &FolderSettings,
) -> Option<ChangedFile> {
    let look = look(&folder.join(name))?;
    Some(read_now(folder, name, &look, settings))
}

fn read_now(folder: &Path, name: &str, look: &Look, settings: &FolderSettings) -> ChangedFile {
    ChangedFile {
        name: name.to_owned(),
        content: match read(folder, name, look, settings) {
            Reading::Settled { content, .. } => content,
            Reading::Moved => Err(unreadable(name, "it is being written")),
        },
    }
}
