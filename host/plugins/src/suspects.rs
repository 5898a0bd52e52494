//! Instances that used up their time are called apart, so that they cost the others nothing.
//!
//! An instance that ran into its time limit is a *suspect* for ten minutes. The first time nobody
//! could know; from then on it is not called in the round of a batch. Its samples wait, and it is
//! called in a round without a batch, which [`Scheduler::next_wake`] asks for at once. When one
//! suspect has used up its time again the round ends for the others of its kind, and all of them
//! rest for [`REST`] times what it cost. So, however many instances hang at once, a batch waits for
//! one call limit at most, and suspects get a fifth of the time together.
//!
//! An owner that has nothing but batches calls suspects too: one that has waited for
//! [`WAIT_MAX`] is called with the next batch.

use std::time::Duration;

use andon_model::{CallErrorKind, Timestamp};

use crate::scheduler::Scheduler;
use crate::slot::Slot;
use crate::strikes::STRIKE_WINDOW;

/// Suspects rest for so many times their call limit after one used it up.
const REST: u32 = 4;

/// The longest that a suspect waits for a round without a batch.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// What the scheduler knows of suspects as a whole.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    /// None is called before this moment.
    rest_until: Option<Timestamp>,
}

/// What is known of one instance.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Suspicion {
    timed_out_at: Option<Timestamp>,
    waits_since: Option<Timestamp>,
}

impl Suspicion {
    fn holds(self, now: Timestamp) -> bool {
        self.timed_out_at
            .is_some_and(|at| now.since(at) < STRIKE_WINDOW)
    }

    /// It is called now.
    pub(crate) fn called(&mut self) {
        self.waits_since = None;
    }

    /// Its call failed.
    pub(crate) fn failed(&mut self, now: Timestamp, kind: CallErrorKind) {
        if kind == CallErrorKind::TimeOut {
            self.timed_out_at = Some(now);
        }
    }
}

impl Scheduler {
    /// Whether this instance, which is to be called, must wait: it is a suspect, and this is the
    /// round of a batch, or suspects rest.
    pub(crate) fn must_wait(&mut self, place: usize, now: Timestamp, alone: bool) -> bool {
        let rests = self.suspects.rest_until.is_some_and(|until| now < until);
        let Some(slot) = self.slots.get_mut(place) else {
            return false;
        };
        if !slot.suspicion.holds(now) {
            return false;
        }
        let since = *slot.suspicion.waits_since.get_or_insert(now);
        rests || !(alone || now.since(since) >= WAIT_MAX)
    }

    /// A call was ended because its time was up.
    pub(crate) fn suspects_rest(&mut self, now: Timestamp, call_time: Duration) {
        // The call itself took its limit; `now` is when the round began.
        let rest = call_time.saturating_mul(REST.saturating_add(1));
        self.suspects.rest_until = Some(now.plus(rest));
    }

    /// When this instance is to be called.
    pub(crate) fn wake_of(&self, slot: &Slot) -> Option<Timestamp> {
        let due = crate::slot::earliest(slot.due_at(), slot.suspicion.waits_since);
        match (slot.suspicion.timed_out_at, self.suspects.rest_until) {
            (Some(_), Some(until)) => due.map(|due| due.max(until)),
            _ => due,
        }
    }
}
