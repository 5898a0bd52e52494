//! Alarms that are shelved, suppressed or out of service: nobody is told, and the journal says why.
//! When the last silence ends over a condition that holds, people are told by a step of its own,
//! also those who were told before.

use andon_model::{AlarmRecord, DeliveryKind, JournalEntry, OccurrenceId, Reason, Timestamp, Why};
use serde_json::json;

use crate::desk::Desk;
use crate::journal;

/// The line of the journal that says why nobody is told, if something silences the alarm.
pub(crate) fn not_told(record: &AlarmRecord, now: Timestamp) -> Option<JournalEntry> {
    let flags = &record.flags;
    let silence = flags.silence()?;
    let reason = if flags.out_of_service.is_some() {
        Reason::OutOfService
    } else if flags.shelved.is_some() {
        Reason::Shelved
    } else {
        Reason::Suppressed
    };
    let why = Why::new(reason, silence);
    Some(journal::of_alarm(record, "not told", why, json!({}), now))
}

impl Desk {
    /// The step after those that were told of an occurrence: 0 while nobody was.
    pub(crate) fn next_step(&self, occurrence: OccurrenceId) -> u32 {
        self.ledger
            .of(occurrence)
            .filter(|row| row.kind == DeliveryKind::Alert)
            .map(|row| row.step.saturating_add(1))
            .max()
            .unwrap_or(0)
    }
}
