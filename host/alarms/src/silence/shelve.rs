//! Shelving: a person silences a condition for a time, or for its next occurrence.
//!
//! How long is bound by the priority. An alarm that is raised with another priority than was
//! known when it was shelved keeps no more than what its new priority allows; so nothing becomes
//! critical in silence.

use std::time::Duration;

use andon_model::{
    AlarmEvent, AlarmId, DurationText, Priority, Reason, Shelving, ShelvingKind, Timestamp,
    Transition, Why,
};

use crate::acknowledge::Target;
use crate::book::AlarmBook;
use crate::operator::{Operator, OrderError};
use crate::silence::{Changed, Reminder};

/// What a person wants to be shelved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShelveOrder {
    /// Which alarm; by its condition also while it is normal.
    pub target: Target,
    /// For how long.
    pub time: ShelveTime,
    /// Why; mandatory.
    pub reason: String,
    /// The priority that its alarms had in the past, for a condition of which the book knows none.
    pub priority: Option<Priority>,
    /// Who.
    pub by: Operator,
}

/// For how long an alarm is shelved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShelveTime {
    /// For this time.
    For(Duration),
    /// Until it returns to normal, for the time that its priority allows at most. If it is normal
    /// now, until it returns after its next occurrence.
    OneShot,
}

impl AlarmBook {
    /// Shelves a condition.
    ///
    /// # Errors
    /// It is shelved already, the time is longer than its priority allows, or the reason is
    /// missing. Nothing changed.
    pub fn shelve(&mut self, order: ShelveOrder) -> Result<Changed, OrderError> {
        let (id, occurrence) = self.condition(&order.target)?;
        let reason = crate::operator::reason(&order.reason)?;
        if let Some(shelving) = self.flags_of(&id).shelved {
            let shelving = Box::new(shelving);
            return Err(OrderError::AlreadyShelved { id, shelving });
        }
        self.room_for(&id)?;
        let priority = self.known_priority(&id, occurrence).or(order.priority);
        let max = self.policy.shelving_max(priority);
        if max.is_zero() {
            return Err(OrderError::NotShelvable { id, priority });
        }
        let time = match order.time {
            ShelveTime::For(time) if time.is_zero() => return Err(OrderError::NoTime),
            ShelveTime::For(time) if time > max => {
                return Err(OrderError::TooLong { id, priority, max });
            }
            ShelveTime::For(time) => time,
            ShelveTime::OneShot => max,
        };
        let now = order.by.at;
        let shelving = Shelving {
            kind: match order.time {
                ShelveTime::For(_) => ShelvingKind::Timed,
                ShelveTime::OneShot => ShelvingKind::OneShot,
            },
            until: now.plus(time),
            by: order.by.name.clone(),
            at: now,
            how: order.by.how.clone(),
            reason: reason.to_owned(),
        };
        let end = match shelving.kind {
            ShelvingKind::Timed => format!("until {}", shelving.until),
            ShelvingKind::OneShot => format!(
                "until it returns to normal, {} at the latest",
                shelving.until
            ),
        };
        let why = Why::new(
            Reason::Shelved,
            format!("shelved by {} {end}: {reason}", order.by),
        );
        let message = self.known_message(&id, occurrence);
        self.change_silence(&id, |entry| {
            entry.shelved = Some(shelving);
            entry.reminded = false;
            entry.priority = priority.or(entry.priority);
            entry.message = message.or_else(|| entry.message.take());
        });
        let event = self.refresh(now, &id, Transition::Shelved, why);
        Ok(self.changed(id, event))
    }

    /// Ends a shelving before its time.
    ///
    /// # Errors
    /// The condition is not shelved.
    pub fn unshelve(&mut self, target: &Target, by: &Operator) -> Result<Changed, OrderError> {
        let (id, _) = self.condition(target)?;
        if self.flags_of(&id).shelved.is_none() {
            return Err(OrderError::NotShelved { id });
        }
        let why = Why::new(Reason::OperatorAsked, format!("unshelved by {by}"));
        let event = self.end_shelving(by.at, &id, why);
        Ok(self.changed(id, event))
    }

    pub(crate) fn end_shelving(
        &mut self,
        now: Timestamp,
        id: &AlarmId,
        why: Why,
    ) -> Option<AlarmEvent> {
        self.change_silence(id, |entry| {
            entry.shelved = None;
            entry.reminded = false;
        });
        self.refresh(now, id, Transition::Unshelved, why)
    }

    /// The time of a shelving is over.
    pub(crate) fn shelving_over(&mut self, now: Timestamp, id: &AlarmId) -> Option<AlarmEvent> {
        let shelving = self.silences.get(id)?.shelved.clone()?;
        let detail = format!(
            "the shelving by {} ended at {}",
            shelving.by, shelving.until
        );
        self.end_shelving(now, id, Why::new(Reason::ShelvingOver, detail))
    }

    /// The end of a shelving comes near.
    pub(crate) fn announce_end(&mut self, now: Timestamp, id: &AlarmId) {
        let Some(shelving) = self
            .silences
            .get(id)
            .and_then(|entry| entry.shelved.clone())
        else {
            return;
        };
        self.change_silence(id, |entry| entry.reminded = true);
        let left = DurationText(whole_seconds(shelving.until.since(now)));
        let message = format!(
            "{id}, which you shelved ({}), comes back in {left}",
            shelving.reason
        );
        self.remind(now, id, shelving.by, message, Reason::Shelved);
    }

    /// A one-shot shelving ends with the occurrence.
    pub(crate) fn one_shot_over(&mut self, now: Timestamp, id: &AlarmId) -> Option<AlarmEvent> {
        let shelving = self.silences.get(id)?.shelved.clone()?;
        if shelving.kind != ShelvingKind::OneShot {
            return None;
        }
        let detail = format!(
            "returned to normal, which ends the one-shot shelving by {}",
            shelving.by
        );
        self.end_shelving(now, id, Why::new(Reason::ShelvingOver, detail))
    }

    /// Holds a shelving to the priority with which its condition is raised, if that is another
    /// than was known. Answers why the shelving must end, if it must.
    pub(crate) fn fit_shelving(
        &mut self,
        now: Timestamp,
        id: &AlarmId,
        priority: Priority,
    ) -> Option<Why> {
        let entry = self.silences.get(id)?;
        if entry.priority == Some(priority) {
            return None;
        }
        let shelving = entry.shelved.clone();
        self.change_silence(id, |entry| entry.priority = Some(priority));
        let shelving = shelving?;
        let max = *self.policy.shelving_max.of(priority);
        let until = shelving.at.plus(max);
        if max.is_zero() || until <= now {
            let allowed = if max.is_zero() {
                "cannot be shelved".to_owned()
            } else {
                format!("can be shelved for {} at most", DurationText(max))
            };
            return Some(Why::new(
                Reason::ShelvingOver,
                format!(
                    "raised with priority {priority}, which {allowed}, so the shelving by {} ends",
                    shelving.by
                ),
            ));
        }
        if until < shelving.until {
            self.change_silence(id, |entry| {
                if let Some(shelving) = &mut entry.shelved {
                    shelving.until = until;
                }
            });
            let standing = self.standing.find(id);
            if let Some(record) = standing.and_then(|number| self.standing.get_mut(number)) {
                record.flags.shelved = Some(Shelving { until, ..shelving });
            }
        }
        None
    }

    /// Keeps a reminder for whoever asks next, and a line of the journal.
    pub(crate) fn remind(
        &mut self,
        now: Timestamp,
        id: &AlarmId,
        to: String,
        message: String,
        reason: Reason,
    ) {
        let entry = self.silences.get(id);
        let mut line = self.line(
            now,
            id,
            Transition::Marked,
            Why::new(reason, message.clone()),
        );
        "reminder".clone_into(&mut line.event);
        line.occurrence = self.standing.find(id);
        let reminder = Reminder {
            id: id.clone(),
            priority: entry.and_then(|entry| entry.priority),
            to,
            message,
        };
        self.lines.push(line);
        self.reminders.push(reminder);
    }
}

const fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs())
}
