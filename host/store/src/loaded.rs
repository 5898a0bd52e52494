//! What a host finds when it starts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{AlarmRecord, Delivery, OccurrenceId, Stage, StageRow, StateMap, Timestamp};
use rusqlite::{Connection, Row};
use serde::de::DeserializeOwned;

use crate::error::StoreError;
use crate::rows::{json, number};

/// All that the stages need to go on where they were.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Loaded {
    /// Alarms that are not over, in the order in which they began.
    pub alarms: Vec<AlarmRecord>,
    /// What instances remember, by instance.
    pub states: BTreeMap<String, StateMap>,
    /// When instances wake up, by instance.
    pub timers: BTreeMap<String, Timestamp>,
    /// Deliveries that are owed (queued, sending), and sent ones whose receipt may still come, in
    /// the order in which they became owed.
    pub open_deliveries: Vec<Delivery>,
    /// What stages kept of their own, by stage and key.
    pub rows: Vec<StageRow>,
    /// The highest occurrence number ever given.
    pub last_occurrence: OccurrenceId,
    /// Whether the database was made just now.
    pub created: bool,
    /// The version from which the database was brought to this one.
    pub migrated_from: Option<u32>,
    /// Rows that cannot be understood, each as a sentence. They stay in the database untouched;
    /// the host should raise an alarm about them, as an alert may be among them.
    pub unreadable: Vec<String>,
}

/// Reads all.
pub(crate) fn load(
    connection: &Connection,
    path: &Path,
    now: Timestamp,
    receipts_for: Duration,
) -> Result<Loaded, StoreError> {
    let mut loaded = Loaded::default();
    fill(connection, &mut loaded, now.minus(receipts_for))
        .map_err(|error| StoreError::read(path, error))?;
    Ok(loaded)
}

fn fill(
    connection: &Connection,
    loaded: &mut Loaded,
    receipts_since: Timestamp,
) -> rusqlite::Result<()> {
    loaded.alarms = records(
        connection,
        "SELECT record, 'alarm ' || instance || '/' || key FROM alarms ORDER BY occurrence",
        [],
        &mut loaded.unreadable,
    )?;
    loaded.open_deliveries = records(
        connection,
        "SELECT record, 'delivery ' || id FROM deliveries
         WHERE state IN ('queued', 'sending', 'sent')
             AND (state <> 'sent' OR created_at >= ?1)
         ORDER BY number",
        [receipts_since.nanos()],
        &mut loaded.unreadable,
    )?;
    let mut states = connection.prepare("SELECT instance, key, value FROM plugin_state")?;
    let mut rows = states.query([])?;
    while let Some(row) = rows.next()? {
        let value: Vec<u8> = row.get(2)?;
        let value: Arc<[u8]> = value.into();
        let of: &mut StateMap = loaded.states.entry(row.get(0)?).or_default();
        of.insert(row.get(1)?, value);
    }
    let mut timers = connection.prepare("SELECT instance, wake_at FROM timers")?;
    let mut rows = timers.query([])?;
    while let Some(row) = rows.next()? {
        let at = Timestamp::from_nanos(row.get(1)?);
        loaded.timers.insert(row.get(0)?, at);
    }
    loaded.rows = stage_rows(connection, &mut loaded.unreadable)?;
    // The tables speak too: a number that was delivered must never be given again.
    let last: i64 = connection.query_row(
        "SELECT max(
             coalesce((SELECT value FROM meta WHERE name = 'last_occurrence'), 0),
             coalesce((SELECT max(occurrence) FROM alarms), 0),
             coalesce((SELECT max(occurrence) FROM deliveries), 0),
             coalesce((SELECT max(occurrence) FROM journal WHERE occurrence IS NOT NULL), 0))",
        [],
        |row| row.get(0),
    )?;
    loaded.last_occurrence = OccurrenceId(number(last));
    Ok(())
}

fn stage_rows(
    connection: &Connection,
    unreadable: &mut Vec<String>,
) -> rusqlite::Result<Vec<StageRow>> {
    let mut found = Vec::new();
    for stage in Stage::ALL {
        let mut statement = connection.prepare(
            "SELECT record, 'row ' || stage || '/' || key, key FROM stage_rows
             WHERE stage = ?1 ORDER BY key",
        )?;
        let mut rows = statement.query([stage.word()])?;
        while let Some(row) = rows.next()? {
            match record(row)? {
                Ok(record) => found.push(StageRow {
                    stage,
                    key: row.get(2)?,
                    record: Some(record),
                }),
                Err(sentence) => unreadable.push(sentence),
            }
        }
    }
    Ok(found)
}

/// Reads records, and says of those that are no JSON of the type which they are.
fn records<T: DeserializeOwned, P: rusqlite::Params>(
    connection: &Connection,
    sql: &str,
    params: P,
    unreadable: &mut Vec<String>,
) -> rusqlite::Result<Vec<T>> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(params)?;
    let mut read = Vec::new();
    while let Some(row) = rows.next()? {
        match record(row)? {
            Ok(record) => read.push(record),
            Err(sentence) => unreadable.push(sentence),
        }
    }
    Ok(read)
}

fn record<T: DeserializeOwned>(row: &Row<'_>) -> rusqlite::Result<Result<T, String>> {
    match json(row, 0) {
        Ok(record) => Ok(Ok(record)),
        Err(rusqlite::Error::FromSqlConversionFailure(_, _, cause)) => {
            let what: String = row.get(1)?;
            Ok(Err(format!("{what} cannot be understood: {cause}")))
        }
        Err(error) => Err(error),
    }
}
