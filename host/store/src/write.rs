//! One transaction: the rows of commits, in their order.

use andon_model::{
    AlarmRecord, AlarmState, Commit, Delivery, JournalEntry, StageRow, StateChange, TimerChange,
    Timestamp,
};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql, Transaction, TransactionBehavior, params};
use serde::Serialize;

use crate::rows::integer;

/// Why a transaction was rolled back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    #[error("a row cannot be encoded")]
    Encode(#[from] serde_json::Error),
}

impl WriteError {
    /// Whether the rows themselves are at fault, so that trying again cannot help.
    pub(crate) fn blames_the_rows(&self) -> bool {
        match self {
            Self::Encode(_) => true,
            Self::Database(error) => error.sqlite_error_code().map_or(
                matches!(error, rusqlite::Error::ToSqlConversionFailure(_)),
                |code| {
                    matches!(
                        code,
                        ErrorCode::ConstraintViolation
                            | ErrorCode::TooBig
                            | ErrorCode::TypeMismatch
                            | ErrorCode::ParameterOutOfRange
                    )
                },
            ),
        }
    }

    pub(crate) fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Encode(_) => None,
            Self::Database(error) => error.sqlite_error_code(),
        }
    }
}

/// Writes all of the commits or none. They are on the disk when this returns.
pub(crate) fn write<'a>(
    connection: &mut Connection,
    now: Timestamp,
    commits: impl Iterator<Item = &'a Commit>,
) -> Result<(), WriteError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for commit in commits {
        states(&transaction, &commit.states)?;
        timers(&transaction, &commit.timers)?;
        alarms(&transaction, &commit.alarms)?;
        journal(&transaction, &commit.journal)?;
        deliveries(&transaction, &commit.deliveries)?;
        incoming(&transaction, now, &commit.incoming)?;
        stage_rows(&transaction, &commit.rows)?;
        if let Some(last) = commit.last_occurrence {
            transaction
                .prepare_cached(
                    "INSERT INTO meta (name, value) VALUES ('last_occurrence', ?1)
                     ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
                )?
                .execute([integer(last.0)])?;
        }
    }
    transaction.commit()?;
    Ok(())
}

fn states(transaction: &Transaction<'_>, changes: &[StateChange]) -> Result<(), WriteError> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut put = transaction.prepare_cached(
        "INSERT INTO plugin_state (instance, key, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (instance, key) DO UPDATE SET value = excluded.value",
    )?;
    let mut delete =
        transaction.prepare_cached("DELETE FROM plugin_state WHERE instance = ?1 AND key = ?2")?;
    for change in changes {
        match &change.value {
            Some(value) => put.execute(params![change.instance, change.key, &**value])?,
            None => delete.execute(params![change.instance, change.key])?,
        };
    }
    Ok(())
}

fn timers(transaction: &Transaction<'_>, changes: &[TimerChange]) -> Result<(), WriteError> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut put = transaction
        .prepare_cached("INSERT OR REPLACE INTO timers (instance, wake_at) VALUES (?1, ?2)")?;
    let mut delete = transaction.prepare_cached("DELETE FROM timers WHERE instance = ?1")?;
    for change in changes {
        match change.wake_at {
            Some(at) => put.execute(params![change.instance, at.nanos()])?,
            None => delete.execute([&change.instance])?,
        };
    }
    Ok(())
}

/// A standing alarm replaces an older occurrence of its condition; one that is over leaves.
fn alarms(transaction: &Transaction<'_>, records: &[AlarmRecord]) -> Result<(), WriteError> {
    if records.is_empty() {
        return Ok(());
    }
    let mut put = transaction.prepare_cached(
        "INSERT OR REPLACE INTO alarms (instance, key, occurrence, record) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut delete = transaction.prepare_cached(
        "DELETE FROM alarms WHERE instance = ?1 AND key = ?2 AND occurrence = ?3",
    )?;
    let mut json = Json::default();
    for record in records {
        let occurrence = integer(record.occurrence.0);
        if record.state == AlarmState::Normal {
            delete.execute(params![record.id.instance, record.id.key, occurrence])?;
        } else {
            put.execute(params![
                record.id.instance,
                record.id.key,
                occurrence,
                json.of(record)?
            ])?;
        }
    }
    Ok(())
}

pub(crate) fn journal(
    transaction: &Transaction<'_>,
    entries: &[JournalEntry],
) -> Result<(), WriteError> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut put = transaction.prepare_cached(
        "INSERT INTO journal (at, kind, occurrence, subject, event, why, data)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let (mut why, mut data) = (Json::default(), Json::default());
    for entry in entries {
        put.execute(params![
            entry.at.nanos(),
            entry.kind.word(),
            entry.occurrence.map(|occurrence| integer(occurrence.0)),
            entry.subject,
            entry.event,
            why.of(&entry.why)?,
            data.of(&entry.data)?
        ])?;
    }
    Ok(())
}

fn deliveries(transaction: &Transaction<'_>, rows: &[Delivery]) -> Result<(), WriteError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut put = transaction.prepare_cached(
        "INSERT INTO deliveries (id, occurrence, state, created_at, record)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (occurrence, id) DO UPDATE SET
             state = excluded.state, created_at = excluded.created_at, record = excluded.record",
    )?;
    let mut json = Json::default();
    for delivery in rows {
        put.execute(params![
            delivery.id.as_str(),
            integer(delivery.occurrence.0),
            delivery.state.word(),
            delivery.created_at.nanos(),
            json.of(delivery)?
        ])?;
    }
    Ok(())
}

fn incoming(
    transaction: &Transaction<'_>,
    now: Timestamp,
    messages: &[(String, String)],
) -> Result<(), WriteError> {
    if messages.is_empty() {
        return Ok(());
    }
    let mut put = transaction
        .prepare_cached("INSERT OR IGNORE INTO incoming (sink, id, at) VALUES (?1, ?2, ?3)")?;
    for (sink, id) in messages {
        put.execute(params![sink, id, now.nanos()])?;
    }
    Ok(())
}

fn stage_rows(transaction: &Transaction<'_>, rows: &[StageRow]) -> Result<(), WriteError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut put = transaction.prepare_cached(
        "INSERT OR REPLACE INTO stage_rows (stage, key, record) VALUES (?1, ?2, ?3)",
    )?;
    let mut delete =
        transaction.prepare_cached("DELETE FROM stage_rows WHERE stage = ?1 AND key = ?2")?;
    let mut json = Json::default();
    for row in rows {
        match &row.record {
            Some(record) => put.execute(params![row.stage.word(), row.key, json.of(record)?])?,
            None => delete.execute(params![row.stage.word(), row.key])?,
        };
    }
    Ok(())
}

/// Room for the JSON of one row after another: a large batch else spends its time on growing and
/// freeing as many texts.
#[derive(Default)]
struct Json(Vec<u8>);

impl Json {
    fn of(&mut self, row: &impl Serialize) -> serde_json::Result<JsonText<'_>> {
        self.0.clear();
        serde_json::to_writer(&mut self.0, row)?;
        Ok(JsonText(&self.0))
    }
}

/// JSON as SQLite takes a text.
struct JsonText<'a>(&'a [u8]);

impl ToSql for JsonText<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}
