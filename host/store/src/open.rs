//! Connections: one that writes, any number that read.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::check::beside;
use crate::error::StoreError;
use crate::schema;

/// Bytes to which SQLite cuts the write-ahead log after a checkpoint.
const WAL_BYTES_KEPT: u32 = 32 << 20;
/// Pages in the write-ahead log at which it is copied into the database: several large batches, so
/// that not each of them pays for it.
const CHECKPOINT_PAGES: u32 = 4_000;
/// Page cache: a large batch fits, so that it is not written twice. In KiB, negative as SQLite
/// wants it.
const CACHE_KIB: i32 = -8_192;

/// The connection that writes. Every commit is flushed to the disk before it is answered.
/// It changes the file, so [`crate::check::admissible`] comes first. A missing file is not made.
pub(crate) fn for_writing(path: &Path, busy_timeout: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(busy_timeout)?;
    // Only an empty database takes this: freed pages can then be given back in small steps.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES_KEPT, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", CHECKPOINT_PAGES, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// A connection that only reads, while a host runs or not.
pub(crate) fn for_reading(path: &Path) -> Result<Connection, StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing {
            path: path.to_owned(),
        });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| StoreError::open(path, error))?;
    let found = connection
        .busy_timeout(Duration::from_secs(5))
        .map_err(|error| StoreError::open(path, error))
        .and_then(|()| schema::version(&connection, path));
    let (connection, found) = match found {
        Ok(found) => (connection, found),
        // Where this user may not make SQLite's -shm file and no host runs, nothing can change
        // the file, so it may be read as it lies there.
        Err(StoreError::Read { source, .. }) if is_unopenable(&*source) && !has_log(path) => {
            let connection = as_it_lies(path).map_err(|error| StoreError::open(path, error))?;
            let found = schema::version(&connection, path)?;
            (connection, found)
        }
        Err(error) => return Err(error),
    };
    let path = path.to_owned();
    match found {
        schema::VERSION => Ok(connection),
        0..schema::VERSION => Err(StoreError::Older { path, found }),
        _ => Err(StoreError::Newer { path, found }),
    }
}

fn is_unopenable(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    error
        .downcast_ref::<rusqlite::Error>()
        .and_then(rusqlite::Error::sqlite_error_code)
        .is_some_and(|code| matches!(code, ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

fn has_log(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).is_ok_and(|file| file.len() > 0)
}

fn as_it_lies(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let escaped = path
        .to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)
}
