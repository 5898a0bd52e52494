//! The host's alarms about alarms that nobody answered.

use andon_model::{AlarmId, AlarmRecord, AlarmRequest, OccurrenceId, Priority};

use crate::text;

/// Start of the key of these alarms; the number of the occurrence follows.
const KEY: &str = "unanswered.";

/// Key of the alarm about this occurrence.
pub(crate) fn key(occurrence: OccurrenceId) -> String {
    format!("{KEY}{occurrence}")
}

/// The occurrence that nobody answered, if this is the alarm about one.
pub(crate) fn about(record: &AlarmRecord) -> Option<&str> {
    if record.id.instance == AlarmId::HOST {
        record.id.key.strip_prefix(KEY)
    } else {
        None
    }
}

/// The alarm to raise.
pub(crate) fn alarm(record: &AlarmRecord, escalation: &str) -> AlarmRequest {
    let message = format!(
        "Nobody answered {} {} (escalation {escalation}): {}",
        record.code,
        text::word(record.priority),
        record.message
    );
    AlarmRequest {
        key: key(record.occurrence),
        priority: record.priority.max(Priority::High),
        message: text::shortened(&message, 500),
        attributes: vec![
            ("alarm".to_owned(), record.id.to_string()),
            ("escalation".to_owned(), escalation.to_owned()),
        ],
    }
}
