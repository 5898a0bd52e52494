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

/// Takes the lock that says that a host runs on this database. It is held by the open file, so a
/// killed host leaves none.
pub(crate) fn lock(path: &Path) -> Result<File, StoreError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(beside(path, ".lock"))
        .map_err(|error| StoreError::open(path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(StoreError::open(path, error)),
    }
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
