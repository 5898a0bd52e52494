//! What people silence: conditions that are shelved (E) or out of service (G).
//!
//! A silence is of a condition, not of an occurrence: it may begin while the alarm is normal, and
//! it outlives occurrences. So the book keeps an entry a condition, stores it as a row of
//! [`Stage::Silence`], and writes what it says into the flags of the record that stands.
//! Suppression by design (F) is decided by the settings, not by people, so it lives in the record
//! alone and is decided again at each raise.
//!
//! While any of the three is set the state goes on underneath and every step is an event.
//! [`AlarmBook::refresh`] is the one place where a silence begins or ends: if the last one ends
//! and the condition holds, the record is in B, whoever acknowledged it before, and its event
//! carries a record that calls for people.

mod list;
mod service;
mod shelve;
mod suppress;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use andon_model::{
    AlarmEvent, AlarmFlags, AlarmId, AlarmRecord, AlarmState, JournalEntry, JournalKind,
    OccurrenceId, OutOfService, Priority, Shelving, Stage, StageRow, Timestamp, Transition, Why,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use list::Silenced;
pub use service::OutOrder;
pub use shelve::{ShelveOrder, ShelveTime};

use crate::book::AlarmBook;

/// Most conditions that may be shelved or out of service at once.
pub(crate) const SILENCES_MAX: usize = 10_000;

/// Most characters of a reason.
pub(crate) const REASON_CHARS_MAX: usize = 500;

/// What came of an order of a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// Which condition.
    pub id: AlarmId,
    /// The step in the life of the alarm that stands; `None` while the condition is normal. Then
    /// a line of the journal alone says it.
    pub event: Option<AlarmEvent>,
    /// What silences the condition now.
    pub flags: AlarmFlags,
}

/// Something that somebody left open comes to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    /// Which condition.
    pub id: AlarmId,
    /// How urgent its alarm is, as far as it is known.
    pub priority: Option<Priority>,
    /// Who left it open.
    pub to: String,
    /// What a person reads.
    pub message: String,
}

/// What is known of a silenced condition; as JSON, its row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: AlarmId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shelved: Option<Shelving>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) out_of_service: Option<OutOfService>,
    /// As it was when the silence began, or at the last raise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) priority: Option<Priority>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// The end of the shelving was announced.
    #[serde(default)]
    pub(crate) reminded: bool,
    /// It was told that the expected return is past.
    #[serde(default)]
    pub(crate) overdue_told: bool,
    /// What stands in the agenda for it.
    #[serde(skip)]
    dues: Vec<(Timestamp, Due)>,
}

impl Entry {
    fn new(id: AlarmId) -> Self {
        Self {
            id,
            shelved: None,
            out_of_service: None,
            priority: None,
            message: None,
            reminded: false,
            overdue_told: false,
            dues: Vec::new(),
        }
    }

    fn is_over(&self) -> bool {
        self.shelved.is_none() && self.out_of_service.is_none()
    }

    fn plan(&self, remind_before: Duration) -> Vec<(Timestamp, Due)> {
        let mut dues = Vec::new();
        if let Some(shelving) = &self.shelved {
            dues.push((shelving.until, Due::ShelvingEnds));
            let remind_at = shelving.until.minus(remind_before);
            if !self.reminded && !remind_before.is_zero() && remind_at > shelving.at {
                dues.push((remind_at, Due::Remind));
            }
        }
        let back_by = self.out_of_service.as_ref().and_then(|out| out.back_by);
        dues.extend(
            back_by
                .filter(|_| !self.overdue_told)
                .map(|at| (at, Due::Overdue)),
        );
        dues
    }
}

/// What is due for a silenced condition. The order is that in which dues of one moment happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    Remind,
    Overdue,
    ShelvingEnds,
}

/// All silenced conditions, with what is due for them, always in step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Silences {
    entries: BTreeMap<AlarmId, Entry>,
    agenda: BTreeSet<(Timestamp, AlarmId, Due)>,
}

impl Silences {
    pub(crate) fn get(&self, id: &AlarmId) -> Option<&Entry> {
        self.entries.get(id)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.agenda.first().map(|(at, _, _)| *at)
    }

    /// The first that is due by now.
    pub(crate) fn due(&self, now: Timestamp) -> Option<(AlarmId, Due)> {
        let (at, id, due) = self.agenda.first()?;
        (*at <= now).then(|| (id.clone(), *due))
    }

    /// Changes an entry, makes it first where there is none, and forgets it where nothing is left
    /// of it. Answers its row.
    fn change(
        &mut self,
        id: &AlarmId,
        remind_before: Duration,
        change: impl FnOnce(&mut Entry),
    ) -> StageRow {
        let mut entry = self
            .entries
            .remove(id)
            .unwrap_or_else(|| Entry::new(id.clone()));
        for (at, due) in std::mem::take(&mut entry.dues) {
            self.agenda.remove(&(at, id.clone(), due));
        }
        change(&mut entry);
        let over = entry.is_over();
        // A row of our own types is always JSON.
        let record = (!over).then(|| serde_json::to_value(&entry).unwrap_or_default());
        if !over {
            entry.dues = entry.plan(remind_before);
            let dues = entry.dues.iter();
            self.agenda
                .extend(dues.map(|(at, due)| (*at, id.clone(), *due)));
            self.entries.insert(id.clone(), entry);
        }
        StageRow {
            stage: Stage::Silence,
            key: id.to_string(),
            record,
        }
    }
}

impl AlarmBook {
    /// Changes what people said of a condition, and keeps its row for the next commit.
    pub(crate) fn change_silence(&mut self, id: &AlarmId, change: impl FnOnce(&mut Entry)) {
        let row = self.silences.change(id, self.policy.remind_before, change);
        self.rows.push(row);
    }

    /// Takes up what was stored. Answers a sentence for each row that is not understood; those
    /// stay in the database untouched.
    pub(crate) fn restore_silences(&mut self, rows: &[StageRow]) -> Vec<String> {
        let mut unreadable = Vec::new();
        for row in rows.iter().filter(|row| row.stage == Stage::Silence) {
            let record = row.record.clone().unwrap_or_default();
            match serde_json::from_value::<Entry>(record) {
                Ok(entry) => self.adopt(entry),
                Err(error) => unreadable.push(format!(
                    "what silences {} cannot be understood ({error}), so it is not silent; shelve it again",
                    row.key
                )),
            }
        }
        let standing: Vec<OccurrenceId> = self
            .standing
            .iter()
            .map(|record| record.occurrence)
            .collect();
        for occurrence in standing {
            let Some(mut record) = self.standing.get(occurrence).cloned() else {
                continue;
            };
            let entry = self.silences.get(&record.id);
            record.flags.shelved = entry.and_then(|entry| entry.shelved.clone());
            record.flags.out_of_service = entry.and_then(|entry| entry.out_of_service.clone());
            if let Some(kept) = self.standing.get_mut(occurrence) {
                *kept = record;
            }
        }
        unreadable
    }

    fn adopt(&mut self, stored: Entry) {
        let id = stored.id.clone();
        // The row is on the disk already.
        let _as_stored = self
            .silences
            .change(&id, self.policy.remind_before, |entry| *entry = stored);
    }

    /// Plans anew what is due, after the settings changed.
    pub(crate) fn replan_silences(&mut self) {
        let ids: Vec<AlarmId> = self.silences.entries.keys().cloned().collect();
        for id in ids {
            let _unchanged = self.silences.change(&id, self.policy.remind_before, |_| ());
        }
    }

    /// Writes into a fresh record what people said of its condition.
    pub(crate) fn dress(&self, record: &mut AlarmRecord) {
        if let Some(entry) = self.silences.get(&record.id) {
            record.flags.shelved.clone_from(&entry.shelved);
            record
                .flags
                .out_of_service
                .clone_from(&entry.out_of_service);
        }
    }

    /// A silence of the condition began or ended: brings the record that stands up to date, and
    /// recomputes its state from the live condition.
    ///
    /// Answers the event of the record; for a condition that is normal, a line of the journal
    /// alone says what happened.
    pub(crate) fn refresh(
        &mut self,
        now: Timestamp,
        id: &AlarmId,
        transition: Transition,
        why: Why,
    ) -> Option<AlarmEvent> {
        let Some(occurrence) = self.standing.find(id) else {
            let line = self.line(now, id, transition, why);
            self.lines.push(line);
            return None;
        };
        let entry = self.silences.get(id);
        let (shelved, out_of_service) = entry.map_or((None, None), |entry| {
            (entry.shelved.clone(), entry.out_of_service.clone())
        });
        let record = self.standing.get_mut(occurrence)?;
        let was_silenced = record.is_silenced();
        record.flags.shelved = shelved;
        record.flags.out_of_service = out_of_service;
        let event = re_entered(record, was_silenced, now, transition, why);
        self.time_re_alarm(occurrence);
        Some(event)
    }

    /// The line of the journal for a condition of which no alarm stands.
    fn line(&self, at: Timestamp, id: &AlarmId, transition: Transition, why: Why) -> JournalEntry {
        let entry = self.silences.get(id);
        JournalEntry {
            at,
            kind: JournalKind::Alarm,
            occurrence: None,
            subject: id.to_string(),
            event: transition.word().to_owned(),
            why,
            data: json!({
                "state": AlarmState::Normal.letter(),
                "priority": entry.and_then(|entry| entry.priority),
                "flags": self.flags_of(id),
            }),
        }
    }

    /// What silences a condition, whether an alarm of it stands or not.
    #[must_use]
    pub fn flags_of(&self, id: &AlarmId) -> AlarmFlags {
        if let Some(record) = self.get(id) {
            return record.flags.clone();
        }
        let entry = self.silences.get(id);
        AlarmFlags {
            shelved: entry.and_then(|entry| entry.shelved.clone()),
            out_of_service: entry.and_then(|entry| entry.out_of_service.clone()),
            ..AlarmFlags::default()
        }
    }
}

/// The event of a silence that began or ended. When the last one ended and the condition holds,
/// the alarm calls for people again, also if it was acknowledged before.
pub(crate) fn re_entered(
    record: &mut AlarmRecord,
    was_silenced: bool,
    now: Timestamp,
    transition: Transition,
    mut why: Why,
) -> AlarmEvent {
    record.changed_at = now;
    if was_silenced && !record.is_silenced() && record.state.is_active() {
        record.state = AlarmState::Unacknowledged;
        record.acknowledged = None;
        why.detail
            .push_str("; the condition holds, so people are told");
    }
    AlarmEvent {
        transition,
        record: record.clone(),
        at: now,
        why,
    }
}
