//! The folder of plugins: what lies in it, what changed, and the good versions of before.
//!
//! The folder is watched, not the files, because editors rename and containers mount links; a
//! poll finds what the watch missed. A file counts once it has not changed for a while, so a copy
//! that is under way is never read. What was read is compared by its SHA-256, so that a touched
//! file is no change.
//!
//! ```text
//! watch ┐                                                  changed, removed, problems
//!       ├─▶ scan ─▶ settled? ─▶ read, look again, hash ─▶ FolderChange ─▶ (bounded) ─▶ app
//! poll  ┘     ▲         │ not yet: look again
//!             └─────────┘
//! ```
//! The signature of a component, `NAME.wasm.minisig`, belongs to the component: when it comes,
//! changes or goes, the component is told again with it.
//! Ignored: subfolders, dotfiles, names that end in `~`, `.tmp`, `.swp`, `.part`, and everything
//! that is neither `.wasm` nor `.toml`.
//! A folder that cannot be read is a problem and never the removal of all that was in it.

mod disk;
mod settle;
mod versions;
mod watch;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use disk::{read_again, read_component, signature_beside, snapshot};
pub(crate) use versions::{Choice, Versions, choose};
pub(crate) use watch::PluginFolder;

/// How the folder is looked at. The defaults are right but for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FolderSettings {
    /// How long size and times of a file must stand still before it is read.
    pub(crate) settle: Duration,
    /// How often the folder is looked at without being told.
    pub(crate) poll: Duration,
    /// Largest component that is read.
    pub(crate) wasm_bytes_max: u64,
    /// Largest settings file that is read.
    pub(crate) toml_bytes_max: u64,
    /// Most files; those that come later in the alphabet are left out and a problem says so.
    pub(crate) files_max: usize,
}

impl Default for FolderSettings {
    fn default() -> Self {
        Self {
            settle: Duration::from_millis(100),
            poll: Duration::from_secs(3),
            wasm_bytes_max: 64 << 20,
            toml_bytes_max: 1 << 20,
            files_max: 10_000,
        }
    }
}

/// What is different from the last change that was told.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct FolderChange {
    /// New or changed files, sorted by name.
    pub(crate) changed: Vec<ChangedFile>,
    /// Names of files that are gone, sorted.
    pub(crate) removed: Vec<String>,
    /// What is wrong with the folder itself now; empty when all is well again. Only told when it
    /// changed.
    pub(crate) problems: Option<Vec<FolderProblem>>,
    /// Another change follows soon in any case: a change holds 256 MiB at most, and at the start
    /// some files may settle later than others. Once it is false, all was told that lay there.
    pub(crate) more: bool,
}

/// A file that is new or changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ChangedFile {
    /// Name in the folder: `limits.wasm`.
    pub(crate) name: String,
    /// What is in it, or why that cannot be told.
    pub(crate) content: Result<FileContent, FolderProblem>,
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FileContent {
    /// A `.wasm` file.
    Component {
        /// The whole file.
        bytes: Arc<[u8]>,
        /// Its SHA-256, hexadecimal.
        hash: String,
        /// Text of the `.wasm.minisig` beside it; empty if that cannot be read.
        signature: Option<String>,
    },
    /// A `.toml` file: settings of an instance.
    Sidecar {
        /// The whole file.
        text: String,
    },
}

/// Why a file or the folder cannot be used. Not an error of the host: it goes on with what it has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FolderProblem {
    /// The file is there and cannot be read.
    #[error("{name} cannot be read ({cause}); give the user of andon the right to read it")]
    Unreadable {
        /// Name in the folder.
        name: String,
        /// What the system says.
        cause: String,
    },
    /// The file is larger than the host takes.
    #[error("{name} has {bytes} bytes and the most is {max}; is it a release build?")]
    TooLarge {
        /// Name in the folder.
        name: String,
        /// How large it is.
        bytes: u64,
        /// How large it may be.
        max: u64,
    },
    /// A settings file that is not text.
    #[error("{name} is not UTF-8 text; save it as UTF-8")]
    NotText {
        /// Name in the folder.
        name: String,
    },
    /// The folder cannot be read; what runs goes on.
    #[error("folder {} cannot be read ({cause}); what was loaded from it goes on", folder.display())]
    FolderUnreadable {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        cause: String,
    },
    /// The system does not tell of changes; the poll still finds them.
    #[error("changes in folder {} are not announced ({cause}), so they are found a few seconds later", folder.display())]
    NotWatched {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        cause: String,
    },
    /// There are more files than the host takes.
    #[error("folder {} holds more than {max} files; the ones from `{first_left_out}` on are left out", folder.display())]
    TooMany {
        /// The folder.
        folder: PathBuf,
        /// How many files it may hold.
        max: usize,
        /// The first name that is left out.
        first_left_out: String,
    },
}

/// Why the folder cannot be opened at start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    /// It is not there and cannot be made.
    #[error("plugin folder {} is missing and cannot be made; create it or name another one in the settings", folder.display())]
    Create {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The path is a file.
    #[error("plugin folder {} is not a folder; name a folder in the settings", folder.display())]
    NotAFolder {
        /// The path.
        folder: PathBuf,
    },
}
