//! Journal lines of the desk: what happened to a delivery, and who was told of an alarm.

use andon_model::{AlarmRecord, Delivery, JournalEntry, JournalKind, OccurrenceId, Timestamp, Why};
use serde_json::{Value, json};

/// A step in a delivery's life. `subject` is the delivery's id.
pub(crate) fn of_delivery(row: &Delivery, event: &str, why: Why, at: Timestamp) -> JournalEntry {
    JournalEntry {
        at,
        kind: JournalKind::Delivery,
        occurrence: Some(row.occurrence),
        subject: row.id.to_string(),
        event: event.to_owned(),
        why,
        data: json!({
            "kind": row.kind.word(),
            "contact": row.contact,
            "channel": row.channel,
            "attempts": row.attempts,
        }),
    }
}

/// Whom a step of an alarm concerns. `subject` is the alarm.
pub(crate) fn of_alarm(
    record: &AlarmRecord,
    event: &str,
    why: Why,
    data: Value,
    at: Timestamp,
) -> JournalEntry {
    JournalEntry {
        at,
        kind: JournalKind::Delivery,
        occurrence: Some(record.occurrence),
        subject: record.id.to_string(),
        event: event.to_owned(),
        why,
        data,
    }
}

/// Something about a message from a phone. `subject` is the sender.
pub(crate) fn of_sender(
    sender: &str,
    occurrence: Option<OccurrenceId>,
    event: &str,
    why: Why,
    data: Value,
    at: Timestamp,
) -> JournalEntry {
    JournalEntry {
        at,
        kind: JournalKind::Operator,
        occurrence,
        subject: sender.to_owned(),
        event: event.to_owned(),
        why,
        data,
    }
}
