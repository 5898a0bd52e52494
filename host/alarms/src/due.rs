//! What is due by time alone: ends of shelvings and what is told before them, returns that are
//! overdue, and alarms that are told again.
//!
//! Nothing here ticks: every due time follows from what is stored (the end of a shelving, the time
//! of an acknowledgement), so a restart neither loses nor repeats one. What fell due while the
//! host was down happens at its start.

use std::collections::{BTreeSet, HashMap};

use andon_model::{
    AlarmEvent, AlarmState, DurationText, OccurrenceId, Reason, Timestamp, Transition, Why,
};

use crate::book::AlarmBook;
use crate::policy::AlarmPolicy;
use crate::silence::{Due, Reminder};

/// Acknowledged alarms that are told again if they stay.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReAlarms {
    due: BTreeSet<(Timestamp, OccurrenceId)>,
    at: HashMap<OccurrenceId, Timestamp>,
}

impl ReAlarms {
    fn set(&mut self, occurrence: OccurrenceId, at: Option<Timestamp>) {
        let before = match at {
            Some(at) => self.at.insert(occurrence, at),
            None => self.at.remove(&occurrence),
        };
        if let Some(before) = before {
            self.due.remove(&(before, occurrence));
        }
        self.due.extend(at.map(|at| (at, occurrence)));
    }

    fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    fn due(&self, now: Timestamp) -> Option<OccurrenceId> {
        let (at, occurrence) = self.due.first()?;
        (*at <= now).then_some(*occurrence)
    }
}

impl AlarmBook {
    /// When [`AlarmBook::on_time`] has something to do next.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.silences
            .next_due()
            .into_iter()
            .chain(self.re_alarms.next())
            .min()
    }

    /// Does what is due: the ends of shelvings, and alarms that are told again. What somebody is
    /// to be reminded of is kept for [`AlarmBook::take_reminders`].
    pub fn on_time(&mut self, now: Timestamp) -> Vec<AlarmEvent> {
        let mut events = Vec::new();
        // Each step takes its due time out of the agenda, so this ends.
        while let Some((id, due)) = self.silences.due(now) {
            match due {
                Due::Remind => self.announce_end(now, &id),
                Due::Overdue => self.overdue(now, &id),
                Due::ShelvingEnds => events.extend(self.shelving_over(now, &id)),
            }
        }
        while let Some(occurrence) = self.re_alarms.due(now) {
            self.re_alarms.set(occurrence, None);
            events.extend(self.re_alarm(now, occurrence));
        }
        events
    }

    /// What people are to be reminded of since this was asked last.
    pub fn take_reminders(&mut self) -> Vec<Reminder> {
        std::mem::take(&mut self.reminders)
    }

    /// Works by other settings from now on.
    pub fn set_policy(&mut self, policy: AlarmPolicy) {
        if self.policy == policy {
            return;
        }
        self.policy = policy;
        self.replan_silences();
        self.replan_re_alarms();
    }

    pub(crate) fn replan_re_alarms(&mut self) {
        let acknowledged: Vec<OccurrenceId> = self
            .standing
            .iter()
            .filter(|record| record.state == AlarmState::Acknowledged)
            .map(|record| record.occurrence)
            .collect();
        for occurrence in acknowledged {
            self.time_re_alarm(occurrence);
        }
    }

    /// Plans when an alarm is told again, or no longer. Called after each change of its state, its
    /// priority or its silence: while it is silent it is not told again, and the end of the
    /// silence tells it anyway.
    pub(crate) fn time_re_alarm(&mut self, occurrence: OccurrenceId) {
        let at = self
            .standing
            .get(occurrence)
            .filter(|record| record.state == AlarmState::Acknowledged && !record.is_silenced())
            .and_then(|record| {
                let re_alarm = (*self.policy.re_alarm.of(record.priority))?;
                let since = record
                    .acknowledged
                    .as_ref()
                    .map_or(record.changed_at, |by| by.at);
                (record.flags.re_alarms < re_alarm.times_max).then(|| since.plus(re_alarm.after))
            });
        self.re_alarms.set(occurrence, at);
    }

    /// C to B: the same occurrence is told again.
    fn re_alarm(&mut self, now: Timestamp, occurrence: OccurrenceId) -> Option<AlarmEvent> {
        let record = self.standing.get_mut(occurrence)?;
        if record.state != AlarmState::Acknowledged || record.is_silenced() {
            return None;
        }
        let after = (*self.policy.re_alarm.of(record.priority))?.after;
        let by = record.acknowledged.take();
        record.state = AlarmState::Unacknowledged;
        record.changed_at = now;
        record.flags.re_alarms = record.flags.re_alarms.saturating_add(1);
        let detail = format!(
            "still holds {} after {} acknowledged it; told again, time {}",
            DurationText(after),
            by.map_or_else(|| "somebody".to_owned(), |by| by.by),
            record.flags.re_alarms
        );
        Some(AlarmEvent {
            transition: Transition::ReAlarmed,
            record: record.clone(),
            at: now,
            why: Why::new(Reason::ReAlarmTime, detail),
        })
    }
}
