//! The steps of an escalation, and what comes after what: pure arithmetic on moments.
//!
//! ```text
//! step 1 ─ its repeats ─▶ step 2 ─ … ─▶ last step ─▶ nobody answered ─▶ last step again, and again
//! ```
//! A [`Cursor`] names the telling that comes next. What was due while the host was down is told
//! once: repeats that were missed collapse into one, steps that were missed all come, and the
//! moments of those that follow are counted from when they should have been, not from now.

use std::sync::Arc;
use std::time::Duration;

use andon_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::Party;

/// Whom to tell, and whom next.
#[derive(Debug, Clone)]
pub(crate) struct Escalation {
    pub(crate) name: Arc<str>,
    /// Never empty.
    pub(crate) steps: Vec<Step>,
    pub(crate) until: Until,
    /// How many different people have to acknowledge.
    pub(crate) acknowledgements: u32,
    pub(crate) unanswered_after: Duration,
    pub(crate) again_every: Duration,
    pub(crate) again_times: u32,
}

/// One step.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) to: Vec<Party>,
    pub(crate) after: Duration,
    pub(crate) repeat: Option<Repeat>,
    pub(crate) spread: Spread,
}

/// How often the people of a step are told again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Repeat {
    pub(crate) times: u32,
    pub(crate) every: Duration,
}

/// By which channels of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// The first; the next one when it fails.
    Failover,
    /// All at once.
    Parallel,
}

/// What ends an escalation before its steps do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Enough people acknowledged, or somebody took it.
    Acknowledged,
    /// Somebody took it.
    Taken,
    /// A message arrived, or somebody answered.
    Delivered,
}

/// The telling that comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Cursor {
    /// A step, counted from 0, and which time it is told, from 0.
    Step { step: u32, round: u32 },
    /// The fallback hears that nobody answered.
    Unanswered,
    /// The last step again.
    Again { round: u32 },
}

impl Cursor {
    /// The first telling of all.
    pub(crate) const FIRST: Self = Self::Step { step: 0, round: 0 };
}

impl Escalation {
    /// When the first step comes.
    pub(crate) fn begins(&self, raised: Timestamp) -> Timestamp {
        raised.plus(self.step(0).map_or(Duration::ZERO, |step| step.after))
    }

    /// The step of this number.
    pub(crate) fn step(&self, number: u32) -> Option<&Step> {
        self.steps.get(usize::try_from(number).ok()?)
    }

    /// The number of the last step.
    pub(crate) fn last(&self) -> u32 {
        u32::try_from(self.steps.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// The step whose people a telling is for; `None` where it is for the fallback.
    pub(crate) fn step_of(&self, cursor: Cursor) -> Option<(u32, &Step)> {
        let number = match cursor {
            // Settings that were changed may have fewer steps.
            Cursor::Step { step, .. } => step.min(self.last()),
            Cursor::Again { .. } => self.last(),
            Cursor::Unanswered => return None,
        };
        Some((number, self.step(number)?))
    }

    /// What comes after a telling that was due at `due` and took place at `now`, and when.
    pub(crate) fn after(
        &self,
        cursor: Cursor,
        due: Timestamp,
        now: Timestamp,
    ) -> Option<(Cursor, Timestamp)> {
        match cursor {
            Cursor::Step { step, round } => Some(self.after_step(step, round, due, now)),
            Cursor::Unanswered => self.again(0, due, now),
            Cursor::Again { round } => self.again(round.saturating_add(1), due, now),
        }
    }

    fn after_step(
        &self,
        step: u32,
        round: u32,
        due: Timestamp,
        now: Timestamp,
    ) -> (Cursor, Timestamp) {
        let mut last_due = due;
        if let Some(repeat) = self.step(step).and_then(|step| step.repeat) {
            let next = first_not_before(due, repeat.every, now);
            let rounds = round.saturating_add(next.rounds);
            if rounds <= repeat.times {
                let cursor = Cursor::Step {
                    step,
                    round: rounds,
                };
                return (cursor, next.at);
            }
            let left = repeat.times.saturating_sub(round);
            last_due = due.plus(repeat.every.saturating_mul(left));
        }
        match self.step(step.saturating_add(1)) {
            Some(next) => {
                let step = step.saturating_add(1);
                (Cursor::Step { step, round: 0 }, last_due.plus(next.after))
            }
            // Whoever is told late has as long to answer as anybody.
            None => {
                let at = last_due.max(now).plus(self.unanswered_after);
                (Cursor::Unanswered, at)
            }
        }
    }

    fn again(&self, round: u32, due: Timestamp, now: Timestamp) -> Option<(Cursor, Timestamp)> {
        let next = first_not_before(due, self.again_every, now);
        let round = round.saturating_add(next.rounds.saturating_sub(1));
        (round < self.again_times).then_some((Cursor::Again { round }, next.at))
    }
}

/// The first moment after `due` in steps of `every` that is not past, and how many steps that is.
struct Next {
    at: Timestamp,
    rounds: u32,
}

fn first_not_before(due: Timestamp, every: Duration, now: Timestamp) -> Next {
    let every = every.max(Duration::from_secs(1));
    let late = now.since(due);
    // One step further than what has passed whole, at least one.
    let whole = late.as_nanos() / every.as_nanos();
    let exact = whole > 0 && late.as_nanos().is_multiple_of(every.as_nanos());
    let rounds = whole + u128::from(!exact);
    let rounds = u32::try_from(rounds).unwrap_or(u32::MAX).max(1);
    Next {
        at: due.plus(every.saturating_mul(rounds)),
        rounds,
    }
}
