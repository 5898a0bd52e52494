//! What can go wrong, for the person who runs the host.

use std::path::{Path, PathBuf};

use crate::schema::VERSION;

/// Why the database cannot be opened or read. Nothing is ever overwritten on the way to one of
/// these.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or made.
    #[error("cannot open {path}: check that its folder exists and that this user may write there")]
    Open {
        /// The database.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: Cause,
    },
    /// Another host holds the database.
    #[error(
        "{path} is in use by another `andon run`: stop that one first, or give this one a data folder of its own"
    )]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// The file is no database, or parts of it are destroyed.
    #[error(
        "{path} is damaged: {detail}. It is left as it is: move it away (with its -wal file) to start empty, or restore a copy"
    )]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What the check found.
        detail: String,
    },
    /// A database of some other program.
    #[error("{path} is a database of another program: name another file")]
    Foreign {
        /// The database.
        path: PathBuf,
    },
    /// Written by a newer Andon.
    #[error(
        "{path} is of version {found}, and this Andon knows versions up to {VERSION}: run the newer Andon again, or restore the copy {path}.before-v{found} that it made"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// Written by an older Andon, and opened only to read.
    #[error(
        "{path} is of version {found} and must be brought to version {VERSION}: start `andon run` once"
    )]
    Older {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// There is nothing to read.
    #[error("{path} does not exist: has `andon run` been started with this data folder?")]
    Missing {
        /// The database.
        path: PathBuf,
    },
    /// A step of bringing the database to this version failed; it is as it was before the step.
    #[error(
        "cannot bring {path} to version {to}: it is unchanged, and a copy of it is {path}.before-v{to}"
    )]
    Migrate {
        /// The database.
        path: PathBuf,
        /// The version that was tried.
        to: u32,
        /// What the database said.
        #[source]
        source: Cause,
    },
    /// A query failed.
    #[error("cannot read {path}")]
    Read {
        /// The database.
        path: PathBuf,
        /// What the database said.
        #[source]
        source: Cause,
    },
}

/// What the database or the system said; a box, so that the database is no part of this crate's
/// interface.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

impl StoreError {
    pub(crate) fn open(path: &Path, source: impl Into<Cause>) -> Self {
        Self::Open {
            path: path.to_owned(),
            source: source.into(),
        }
    }

    /// What an error while reading means for the person: damage, or a failed query.
    pub(crate) fn read(path: &Path, source: rusqlite::Error) -> Self {
        if is_damage(&source) {
            Self::Damaged {
                path: path.to_owned(),
                detail: source.to_string(),
            }
        } else {
            Self::Read {
                path: path.to_owned(),
                source: source.into(),
            }
        }
    }
}

/// Whether the database file itself is destroyed.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseCorrupt | NotADatabase)
    )
}

/// Why a commit is not on the disk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Not yet: it waits in memory, in order, and is written once the disk answers again. The
    /// host goes on; only a crash before that loses it.
    #[error("not on the disk yet: {0}")]
    Deferred(String),
    /// Never: so much waits in memory already that this commit was not taken.
    #[error("not kept: {0}")]
    Full(String),
    /// Never: the database refuses these rows, whatever its disk does. Other commits go on.
    #[error("refused by the database: {0}")]
    Refused(String),
    /// Never: the store is closed.
    #[error("the store is closed")]
    Closed,
}
