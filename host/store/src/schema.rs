//! Versions of the database and the steps between them.
//!
//! `user_version` is the version, `application_id` says that the file is ours.
//! A step is a file of SQL in `migrations/`, run in one transaction with the new version number;
//! before the first step on an existing database a copy is made beside it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use crate::check::beside;
use crate::error::StoreError;

/// Steps in order: step i leads to version i + 1.
const STEPS: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
];

/// The version that this program writes.
pub(crate) const VERSION: u32 = 2;

/// "Andn" in ASCII.
const APPLICATION_ID: i32 = 0x416e_646e;

/// What was done to the database when it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prepared {
    Created,
    AsItWas,
    Migrated { from: u32 },
}

/// The version of an open database; 0 for an empty one.
pub(crate) fn version(connection: &Connection, path: &Path) -> Result<u32, StoreError> {
    let read = |error| StoreError::read(path, error);
    let version: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(read)?;
    let application: i32 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(read)?;
    let tables: u32 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(read)?;
    if application != APPLICATION_ID && (application != 0 || version != 0 || tables != 0) {
        return Err(StoreError::Foreign {
            path: path.to_owned(),
        });
    }
    Ok(version)
}

/// Brings the database to this program's version.
pub(crate) fn prepare(connection: &mut Connection, path: &Path) -> Result<Prepared, StoreError> {
    migrate(connection, path, STEPS)
}

fn migrate(
    connection: &mut Connection,
    path: &Path,
    steps: &[&str],
) -> Result<Prepared, StoreError> {
    let from = version(connection, path)?;
    let target = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    if from > target {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found: from,
        });
    }
    let first = from.saturating_add(1);
    if from > 0 && from < target {
        copy_before(connection, path, first)?;
    }
    for (to, sql) in (1..).zip(steps) {
        if to > from {
            step(connection, to, sql).map_err(|source| StoreError::Migrate {
                path: path.to_owned(),
                to,
                source: source.into(),
            })?;
        }
    }
    Ok(if from == 0 {
        Prepared::Created
    } else if from < target {
        Prepared::Migrated { from }
    } else {
        Prepared::AsItWas
    })
}

fn step(connection: &mut Connection, to: u32, sql: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(sql)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", to)?;
    transaction.commit()
}

/// Copies the database to `.before-vN`, whole or not at all. A copy of an earlier try holds no
/// more than the database does now, so it is replaced.
fn copy_before(connection: &Connection, path: &Path, to: u32) -> Result<PathBuf, StoreError> {
    let copy = beside(path, &format!(".before-v{to}"));
    let unfinished = beside(path, &format!(".before-v{to}.unfinished"));
    let failed = |source| StoreError::Migrate {
        path: path.to_owned(),
        to,
        source,
    };
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(failed(error.into()));
        }
        Ok(()) | Err(_) => {}
    }
    connection
        .execute("VACUUM INTO ?1", [unfinished.to_string_lossy()])
        .map_err(|error| failed(error.into()))?;
    let rights = std::fs::metadata(path).map(|file| file.permissions());
    rights
        .and_then(|rights| std::fs::set_permissions(&unfinished, rights))
        .map_err(|error| failed(error.into()))?;
    std::fs::rename(&unfinished, &copy).map_err(|error| failed(error.into()))?;
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEXT: &str = "CREATE TABLE more (a INTEGER) STRICT; \
        INSERT INTO more SELECT value FROM meta;";

    fn with(next: &'static str) -> Vec<&'static str> {
        STEPS.iter().copied().chain([next]).collect()
    }

    fn database(folder: &Path) -> (Connection, PathBuf) {
        let path = folder.join("andon.db");
        let mut connection = Connection::open(&path).unwrap();
        let prepared = migrate(&mut connection, &path, STEPS).unwrap();
        assert_eq!(prepared, Prepared::Created);
        connection
            .execute("INSERT INTO meta VALUES ('last_occurrence', 7)", [])
            .unwrap();
        (connection, path)
    }

    #[test]
    fn the_version_counts_the_steps() {
        assert_eq!(VERSION as usize, STEPS.len());
    }

    #[test]
    fn a_step_keeps_the_rows_and_leaves_a_copy_of_what_was_before() {
        let folder = tempfile::tempdir().unwrap();
        let (mut connection, path) = database(folder.path());
        let prepared = migrate(&mut connection, &path, &with(NEXT)).unwrap();
        assert_eq!(prepared, Prepared::Migrated { from: VERSION });
        let kept: i64 = connection
            .query_row("SELECT a FROM more", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, 7);
        let copy = folder.path().join("andon.db.before-v3");
        let copy = Connection::open(copy).unwrap();
        assert_eq!(version(&copy, &path).unwrap(), VERSION);
        let kept: i64 = copy
            .query_row("SELECT value FROM meta", [], |row| row.get(0))
            .unwrap();
        assert_eq!(kept, 7);
        let again = migrate(&mut connection, &path, &with(NEXT)).unwrap();
        assert_eq!(again, Prepared::AsItWas);
    }

    #[test]
    fn a_step_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (mut connection, path) = database(folder.path());
        let broken = "CREATE TABLE more (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1);";
        let error = migrate(&mut connection, &path, &with(broken)).unwrap_err();
        assert!(
            matches!(error, StoreError::Migrate { to: 3, .. }),
            "{error}"
        );
        assert_eq!(version(&connection, &path).unwrap(), VERSION);
        let tables: i64 = connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name = 'more'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(tables, 0);
        migrate(&mut connection, &path, &with(NEXT)).unwrap();
    }

    #[test]
    fn a_newer_database_is_refused_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (mut connection, path) = database(folder.path());
        connection.pragma_update(None, "user_version", 9).unwrap();
        let error = migrate(&mut connection, &path, STEPS).unwrap_err();
        let says = error.to_string();
        assert!(says.contains("is of version 9"), "{says}");
        assert!(says.contains("up to 2"), "{says}");
    }
}
