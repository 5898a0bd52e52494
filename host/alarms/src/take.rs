//! A person takes an alarm, or asks that the next are told now.
//!
//! Neither changes the state: to take says who works on it, and an acknowledgement may still be
//! owed. What follows for others is decided by whoever routes the event.

use andon_model::{AlarmEvent, OccurrenceId, Reason, Taken, Transition, Why};

use crate::acknowledge::Target;
use crate::answered::Answered;
use crate::book::AlarmBook;

impl AlarmBook {
    /// Somebody works on an alarm from now on; whoever had it before no longer has it.
    pub fn take(&mut self, target: &Target, by: Taken) -> Answered {
        let occurrence = match self.wanted(target) {
            Ok(occurrence) => occurrence,
            Err(answered) => return answered,
        };
        let Some(record) = self.standing.get_mut(occurrence) else {
            return Answered::Unknown;
        };
        let before = record.flags.taken.as_ref();
        if before.is_some_and(|before| before.by == by.by) {
            return Answered::Already(Box::new(record.clone()));
        }
        let detail = match before {
            Some(before) => format!("taken by {} ({}) from {}", by.by, by.how, before.by),
            None => format!("taken by {} ({})", by.by, by.how),
        };
        let at = by.at;
        record.changed_at = at;
        record.flags.taken = Some(by);
        Answered::Done(Box::new(AlarmEvent {
            transition: Transition::Taken,
            record: record.clone(),
            at,
            why: Why::new(Reason::Taken, detail),
        }))
    }

    /// Somebody asks that the next are told of an alarm now. Whoever asks has it no longer.
    pub fn escalate(&mut self, target: &Target, by: &Taken) -> Answered {
        let occurrence = match self.wanted(target) {
            Ok(occurrence) => occurrence,
            Err(answered) => return answered,
        };
        let Some(record) = self.standing.get_mut(occurrence) else {
            return Answered::Unknown;
        };
        let had = record.flags.taken.as_ref();
        if had.is_some_and(|taken| taken.by == by.by) {
            record.flags.taken = None;
        }
        record.changed_at = by.at;
        Answered::Done(Box::new(AlarmEvent {
            transition: Transition::Escalated,
            record: record.clone(),
            at: by.at,
            why: Why::new(
                Reason::OperatorAsked,
                format!("{} ({}) asks that the next are told", by.by, by.how),
            ),
        }))
    }

    fn wanted(&self, target: &Target) -> Result<OccurrenceId, Answered> {
        let found = match target {
            Target::Code(code) => self.standing.find_code(code),
            Target::Occurrence(occurrence) => Some(*occurrence),
            Target::Alarm(id) => self.standing.find(id),
        };
        if let Some(record) = found.and_then(|number| self.standing.get(number)) {
            return Ok(record.occurrence);
        }
        Err(self.over_or_unknown(target))
    }
}
