//! The asking side: any number, in any process, while a host runs or not. It never writes.
//!
//! Calls block for as long as SQLite reads, mostly well under a millisecond; an async caller gives
//! them to a blocking thread.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use andon_model::{AlarmId, AlarmRecord, Delivery, DeliveryId, OccurrenceId, ShortCode};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Params, Row, params_from_iter};

use crate::error::StoreError;
use crate::open;
use crate::query::{JournalFilter, JournalRow, StoreCounts};
use crate::rows::{JOURNAL_COLUMNS, integer, journal_entry, json, number};

/// A connection that reads what is committed.
#[derive(Debug)]
pub struct Reader {
    connection: Mutex<Connection>,
    path: PathBuf,
}

impl Reader {
    /// Opens a database to read.
    ///
    /// # Errors
    /// The file is missing, no database of Andon, of another version, or cannot be opened.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self {
            connection: Mutex::new(open::for_reading(path)?),
            path: path.to_owned(),
        })
    }

    /// Alarms that are not over, in the order in which they began.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn standing(&self) -> Result<Vec<AlarmRecord>, StoreError> {
        self.all("SELECT record FROM alarms ORDER BY occurrence", [], |row| {
            json(row, 0)
        })
    }

    /// The occurrence, if it is not over.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn alarm(&self, occurrence: OccurrenceId) -> Result<Option<AlarmRecord>, StoreError> {
        self.first(
            "SELECT record FROM alarms WHERE occurrence = ?1",
            [integer(occurrence.0)],
            |row| json(row, 0),
        )
    }

    /// The occurrence that a code means: the one that stands, else the newest that had it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn occurrence_of_code(&self, code: &ShortCode) -> Result<Option<OccurrenceId>, StoreError> {
        let standing = self.first(
            "SELECT occurrence FROM alarms WHERE record ->> '$.code' = ?1",
            [code.as_str()],
            occurrence,
        )?;
        match standing {
            Some(found) => Ok(Some(found)),
            None => self.first(
                "SELECT occurrence FROM journal
                 WHERE occurrence IS NOT NULL AND kind = 'alarm' AND data ->> '$.code' = ?1
                 ORDER BY id DESC LIMIT 1",
                [code.as_str()],
                occurrence,
            ),
        }
    }

    /// The newest occurrence of a condition, whether it is over or not.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn occurrence_of_alarm(&self, id: &AlarmId) -> Result<Option<OccurrenceId>, StoreError> {
        let standing = self.first(
            "SELECT occurrence FROM alarms WHERE instance = ?1 AND key = ?2",
            [&id.instance, &id.key],
            occurrence,
        )?;
        match standing {
            Some(found) => Ok(Some(found)),
            None => self.first(
                "SELECT occurrence FROM journal
                 WHERE occurrence IS NOT NULL AND kind = 'alarm' AND subject = ?1
                 ORDER BY id DESC LIMIT 1",
                [id.to_string()],
                occurrence,
            ),
        }
    }

    /// A page of the journal, the newest line first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn journal(&self, filter: &JournalFilter) -> Result<Vec<JournalRow>, StoreError> {
        let mut conditions = vec!["TRUE"];
        let mut values: Vec<Value> = Vec::new();
        let mut only = |condition, value: Value| {
            conditions.push(condition);
            values.push(value);
        };
        if let Some(occurrence) = filter.occurrence {
            only("occurrence = ?", integer(occurrence.0).into());
        }
        if let Some(kind) = filter.kind {
            only("kind = ?", kind.word().to_owned().into());
        }
        if let Some(subject) = &filter.subject {
            only("subject = ?", subject.clone().into());
        }
        if let Some(since) = filter.since {
            only("at >= ?", since.nanos().into());
        }
        if let Some(before) = filter.before {
            only("id < ?", integer(before).into());
        }
        let limit = filter.limit.min(JournalFilter::LIMIT_MAX);
        let sql = format!(
            "SELECT {JOURNAL_COLUMNS} FROM journal WHERE {} ORDER BY id DESC LIMIT {limit}",
            conditions.join(" AND ")
        );
        self.all(&sql, params_from_iter(values), |row| {
            journal_entry(row).map(|(number, entry)| JournalRow { number, entry })
        })
    }

    /// All deliveries of an occurrence, in the order in which they became owed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn deliveries_of(&self, occurrence: OccurrenceId) -> Result<Vec<Delivery>, StoreError> {
        self.all(
            "SELECT record FROM deliveries WHERE occurrence = ?1 ORDER BY number",
            [integer(occurrence.0)],
            |row| json(row, 0),
        )
    }

    /// One delivery. One that is owed or waits for a receipt is found at once; the ended are gone
    /// through one by one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn delivery(&self, id: &DeliveryId) -> Result<Option<Delivery>, StoreError> {
        let open = self.first(
            "SELECT record FROM deliveries
             WHERE state IN ('queued', 'sending', 'sent') AND id = ?1",
            [id.as_str()],
            |row| json(row, 0),
        )?;
        match open {
            Some(found) => Ok(Some(found)),
            None => self.first(
                "SELECT record FROM deliveries WHERE id = ?1 ORDER BY number DESC LIMIT 1",
                [id.as_str()],
                |row| json(row, 0),
            ),
        }
    }

    /// Deliveries that are owed or wait for a receipt, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn open_deliveries(&self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        self.all(
            "SELECT record FROM deliveries WHERE state IN ('queued', 'sending', 'sent')
             ORDER BY number LIMIT ?1",
            [integer(limit as u64)],
            |row| json(row, 0),
        )
    }

    /// Deliveries whatever their state, the newest first, at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn latest_deliveries(&self, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        self.all(
            "SELECT record FROM deliveries ORDER BY number DESC LIMIT ?1",
            [integer(limit as u64)],
            |row| json(row, 0),
        )
    }

    /// Whether a message from a phone was taken in before, as far as it is committed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn incoming_seen(&self, sink: &str, id: &str) -> Result<bool, StoreError> {
        let found = self.first(
            "SELECT 1 FROM incoming WHERE sink = ?1 AND id = ?2",
            [sink, id],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }

    /// How much the database holds.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn counts(&self) -> Result<StoreCounts, StoreError> {
        let counts = self.first(
            "SELECT (SELECT count(*) FROM alarms),
                 (SELECT count(*) FROM deliveries WHERE state = 'queued'),
                 (SELECT count(*) FROM deliveries WHERE state = 'sending'),
                 (SELECT count(*) FROM deliveries WHERE state = 'sent'),
                 (SELECT (page_count - freelist_count) * page_size
                  FROM pragma_page_count, pragma_freelist_count, pragma_page_size)",
            [],
            |row| {
                let get = |column| row.get(column).map(number);
                Ok(StoreCounts {
                    alarms: get(0)?,
                    queued: get(1)?,
                    sending: get(2)?,
                    sent: get(3)?,
                    bytes: get(4)?,
                })
            },
        )?;
        Ok(counts.unwrap_or_default())
    }

    pub(crate) fn first<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached(sql)
            .map_err(|error| StoreError::read(&self.path, error))?;
        statement
            .query_row(params, read)
            .optional()
            .map_err(|error| StoreError::read(&self.path, error))
    }

    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached(sql)
            .map_err(|error| StoreError::read(&self.path, error))?;
        let rows = statement.query_map(params, read);
        rows.and_then(Iterator::collect)
            .map_err(|error| StoreError::read(&self.path, error))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn connection(&self) -> MutexGuard<'_, Connection> {
        // A read that panicked leaves nothing half done.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn occurrence(row: &Row<'_>) -> rusqlite::Result<OccurrenceId> {
    row.get(0).map(|value| OccurrenceId(number(value)))
}
