//! How rows are written and read: indexed columns beside the JSON of the model's type.

use andon_model::{Commit, JournalEntry, JournalKind, OccurrenceId, Timestamp, Why};
use rusqlite::Row;
use rusqlite::types::Type;
use serde::de::DeserializeOwned;

/// A number as SQLite holds it; occurrences never come near its bound.
pub(crate) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn number(integer: i64) -> u64 {
    u64::try_from(integer).unwrap_or(0)
}

/// Reads a column of JSON.
pub(crate) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}

/// Columns of the journal in the order that [`journal_entry`] reads.
pub(crate) const JOURNAL_COLUMNS: &str = "id, at, kind, occurrence, subject, event, why, data";

/// Reads a line of the journal and its number.
pub(crate) fn journal_entry(row: &Row<'_>) -> rusqlite::Result<(u64, JournalEntry)> {
    let why: Why = json(row, 6)?;
    let entry = JournalEntry {
        at: Timestamp::from_nanos(row.get(1)?),
        kind: kind(row.get_ref(2)?.as_str()?),
        occurrence: row
            .get::<_, Option<i64>>(3)?
            .map(|occurrence| OccurrenceId(number(occurrence))),
        subject: row.get(4)?,
        event: row.get(5)?,
        why,
        data: json(row, 7)?,
    };
    Ok((number(row.get(0)?), entry))
}

pub(crate) fn kind(word: &str) -> JournalKind {
    [
        JournalKind::Alarm,
        JournalKind::Delivery,
        JournalKind::Operator,
        JournalKind::Plugin,
        JournalKind::Device,
    ]
    .into_iter()
    .find(|kind| kind.word() == word)
    .unwrap_or(JournalKind::System)
}

/// Rows that a commit writes.
pub(crate) fn row_count(commit: &Commit) -> usize {
    commit.states.len()
        + commit.timers.len()
        + commit.alarms.len()
        + commit.journal.len()
        + commit.deliveries.len()
        + commit.incoming.len()
        + usize::from(commit.last_occurrence.is_some())
}

/// What a row holds in memory beside its texts, about.
pub(crate) const ROW_BYTES: usize = 256;

/// About how many bytes a commit holds in memory: its texts, and a fixed part a row.
pub(crate) fn byte_count(commit: &Commit) -> usize {
    let states: usize = commit
        .states
        .iter()
        .map(|change| {
            change.instance.len()
                + change.key.len()
                + change.value.as_ref().map_or(0, |value| value.len())
        })
        .sum();
    let alarms: usize = commit
        .alarms
        .iter()
        .map(|record| {
            let labels: usize = record
                .labels
                .iter()
                .map(|(k, v)| k.len() + v.len() + 64)
                .sum();
            record.message.len() + record.id.key.len() + labels
        })
        .sum();
    let journal: usize = commit.journal.iter().map(entry_bytes).sum();
    let deliveries: usize = commit
        .deliveries
        .iter()
        .map(|delivery| delivery.text.len() + 128 * delivery.channels.len())
        .sum();
    ROW_BYTES * row_count(commit) + states + alarms + journal + deliveries
}

/// About how many bytes a line of the journal holds beside its fixed part.
pub(crate) fn entry_bytes(entry: &JournalEntry) -> usize {
    entry.subject.len() + entry.why.detail.len() + value_bytes(&entry.data)
}

fn value_bytes(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 32,
        Value::String(text) => 32 + text.len(),
        Value::Array(items) => 32 + items.iter().map(value_bytes).sum::<usize>(),
        Value::Object(fields) => {
            32 + fields
                .iter()
                .map(|(name, value)| 64 + name.len() + value_bytes(value))
                .sum::<usize>()
        }
    }
}
