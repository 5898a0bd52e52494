//! The host's own alarms about schedules: nobody is on call, or soon nobody will be.
//!
//! Looked at whenever the people on call may have changed, and once an hour for what is ahead.
//! What stands is known from the alarm book after a restart, so nothing else is kept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Action, AlarmId, AlarmRecord, AlarmRequest, Priority, Timestamp};

use super::schedule::Schedule;

/// Start of the keys of these alarms; the name of the schedule and what it is about follow.
const KEY: &str = "oncall.";
/// End of the key while nobody is on call.
const NOBODY: &str = ".nobody";
/// End of the key of the warning ahead.
const SOON: &str = ".soon-nobody";
/// Longest time between two looks.
const LOOK_AGAIN: Duration = Duration::from_secs(3_600);

/// Which of these alarms stand, and when to look again.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Since or from when, by key; `None` where that was before the restart.
    standing: BTreeMap<String, Option<Timestamp>>,
    /// `None` before the first look, which is due at once.
    next: Option<Timestamp>,
    /// Whether there is anything to look at.
    idle: bool,
}

impl Watch {
    /// Takes over an alarm that stood before the restart.
    pub(crate) fn restore(&mut self, record: &AlarmRecord) {
        if is_about_nobody(record) {
            self.standing.insert(record.id.key.clone(), None);
        }
    }

    /// Looks at once after the schedules changed.
    pub(crate) const fn changed(&mut self) {
        self.next = None;
        self.idle = false;
    }

    /// When it wants to look next.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        (!self.idle).then_some(self.next.unwrap_or(Timestamp::EPOCH))
    }

    /// Raises and clears what is due.
    pub(crate) fn look<'a>(
        &mut self,
        schedules: impl Iterator<Item = &'a Arc<Schedule>>,
        now: Timestamp,
        actions: &mut Vec<Action>,
    ) {
        if self.idle || self.next.is_some_and(|next| next > now) {
            return;
        }
        let mut wanted = BTreeMap::new();
        let mut next = now.plus(LOOK_AGAIN);
        self.idle = true;
        for schedule in schedules.filter(|one| one.wants_somebody()) {
            self.idle = false;
            let horizon = now.plus(schedule.warn_before + LOOK_AGAIN);
            let stretches = schedule.stretches(now, horizon);
            if let Some(first) = stretches.first() {
                next = next.min(first.to.max(now.plus(Duration::from_nanos(1))));
            }
            let Some(gap) = stretches.iter().find(|one| one.is_gap()) else {
                continue;
            };
            let (key, request) = if gap.from == now {
                nobody(schedule, now)
            } else if gap.from <= now.plus(schedule.warn_before) {
                soon(schedule, gap.from)
            } else {
                next = next.min(gap.from.minus(schedule.warn_before));
                continue;
            };
            // The beginning of a gap that lasts is always now.
            let from = (gap.from > now).then_some(gap.from);
            let changed = match self.standing.get(&key) {
                Some(Some(known)) => from.is_some_and(|from| from != *known),
                Some(None) => false,
                None => true,
            };
            if changed {
                actions.push(Action::Raise(request));
            }
            wanted.insert(key, from);
        }
        let over = self
            .standing
            .keys()
            .filter(|key| !wanted.contains_key(*key));
        actions.extend(over.cloned().map(Action::Clear));
        self.standing = wanted;
        self.next = Some(next);
    }
}

fn nobody(schedule: &Schedule, now: Timestamp) -> (String, AlarmRequest) {
    let until = schedule.next_change(now);
    let until = until.map_or_else(
        || "and nobody comes within 400 days".to_owned(),
        |at| format!("until {} ({})", schedule.local(at), schedule.time_zone()),
    );
    let message = format!(
        "Nobody is on call by schedule {} {until}. Add an override or a rotation",
        schedule.name()
    );
    request(NOBODY, Priority::High, message, schedule)
}

fn soon(schedule: &Schedule, from: Timestamp) -> (String, AlarmRequest) {
    let message = format!(
        "Nobody will be on call by schedule {} from {} ({}) on. Add an override or a rotation",
        schedule.name(),
        schedule.local(from),
        schedule.time_zone()
    );
    request(SOON, Priority::Low, message, schedule)
}

fn request(
    what: &str,
    priority: Priority,
    message: String,
    schedule: &Schedule,
) -> (String, AlarmRequest) {
    let key = format!("{KEY}{}{what}", schedule.name());
    let request = AlarmRequest {
        key: key.clone(),
        priority,
        message,
        attributes: vec![("schedule".to_owned(), schedule.name().to_string())],
    };
    (key, request)
}

/// Whether an alarm says that nobody is or will be on call.
pub(crate) fn is_about_nobody(record: &AlarmRecord) -> bool {
    record.id.instance == AlarmId::HOST
        && record.id.key.starts_with(KEY)
        && (record.id.key.ends_with(NOBODY) || record.id.key.ends_with(SOON))
}
