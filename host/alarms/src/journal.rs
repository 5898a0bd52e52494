//! How a step in an alarm's life reads in the journal, and what of it is committed.

use andon_model::{AlarmEvent, Commit, JournalEntry, JournalKind, Transition};
use serde_json::json;

use crate::book::AlarmBook;

/// The line of the journal for an event. `data` carries what the record was at that moment: code,
/// state letter, priority, message, since when, flags, and what else is set; figures are counted from
/// it, also of an occurrence whose earlier lines are not read.
#[must_use]
pub fn journal_entry(event: &AlarmEvent) -> JournalEntry {
    let record = &event.record;
    let mut data = json!({
        "code": record.code,
        "state": record.state.letter(),
        "priority": record.priority,
        "message": record.message,
        "labels": record.labels,
        "raised_at": record.raised_at,
    });
    if let Some(fields) = data.as_object_mut() {
        if let Some(cleared) = record.cleared_at {
            fields.insert("cleared_at".to_owned(), json!(cleared));
        }
        if record.test {
            fields.insert("test".to_owned(), json!(true));
        }
        if !record.flags.is_plain() {
            fields.insert("flags".to_owned(), json!(record.flags));
        }
        if let Some(by) = &record.acknowledged {
            fields.insert("acknowledged".to_owned(), json!(by));
        }
    }
    JournalEntry {
        at: event.at,
        kind: JournalKind::Alarm,
        occurrence: Some(record.occurrence),
        subject: record.id.to_string(),
        event: event.transition.word().to_owned(),
        why: event.why.clone(),
        data,
    }
}

impl AlarmBook {
    /// Adds to a commit what events made durable: the records as they stand after them, their
    /// lines of the journal, the highest number given, and the rows that changed beside them.
    pub fn record(&mut self, events: &[AlarmEvent], commit: &mut Commit) {
        commit.rows.append(&mut self.rows);
        commit.journal.append(&mut self.lines);
        if events.is_empty() {
            return;
        }
        commit.last_occurrence = commit.last_occurrence.max(Some(self.last_occurrence()));
        for event in events {
            commit.journal.push(journal_entry(event));
            // A one-time message never stood, so there is no row to change.
            if event.transition != Transition::Notified {
                commit.alarms.push(event.record.clone());
            }
        }
    }
}
