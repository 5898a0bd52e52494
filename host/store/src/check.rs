//! Whether a file may be touched at all: names beside it, the lock, damage.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::error::StoreError;
use crate::schema;

/// The path with more at its end: `andon.db` and `.lock` give `andon.db.lock`.
pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Says that a host runs on this database. It is held by the open file, so a killed host leaves
/// none.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that is being started just now holds a copy of
        // it for a moment. If this fails, that moment is all that is waited for.
        drop(self.0.unlock());
    }
}

/// Takes the lock.
pub(crate) fn lock(path: &Path) -> Result<Lock, StoreError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(beside(path, ".lock"))
        .map_err(|error| StoreError::open(path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(StoreError::open(path, error)),
    }
}

/// Makes an empty file that its owner may write, its group may read and nobody else may open, as it
/// will hold phone numbers. SQLite gives its own files beside it the same rights.
pub(crate) fn make_if_missing(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options
        .open(path)
        .map(drop)
        .map_err(|error| StoreError::open(path, error))
}

/// Refuses a file that is damaged, of another program or of a newer version, before anything in it
/// is changed. A missing or empty file is admitted. A database that is not larger than the bound
/// is read whole.
pub(crate) fn admissible(path: &Path, bytes_max: u64) -> Result<(), StoreError> {
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    if bytes == 0 {
        return Ok(());
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| StoreError::open(path, error))?;
    let found = schema::version(&connection, path)?;
    if found > schema::VERSION {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
        });
    }
    if bytes > bytes_max {
        tracing::info!(bytes, "database is too large for a whole check");
        return Ok(());
    }
    let detail: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| StoreError::read(path, error))?;
    if detail == "ok" {
        Ok(())
    } else {
        Err(StoreError::Damaged {
            path: path.to_owned(),
            detail: detail.replace('\n', " "),
        })
    }
}
