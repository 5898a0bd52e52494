//! A condition with on-delay and off-delay (ISA-18.2), as one small value that can be remembered.
//!
//! A condition that holds must hold for the whole on-delay before it is raised, and must be gone for
//! the whole off-delay before it is cleared. The moment at which a delay began is part of the value,
//! so a restart resumes the delay instead of starting it again. While nobody knows whether the
//! condition holds (bad quality, or no sample since a restart), no delay starts and none finishes.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Where a condition stands. Keep it with [`crate::State::set`] when it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Phase", into = "Phase")]
pub struct Condition {
    phase: Phase,
    /// Whether the last verdict was [`Verdict::Unknown`], or there was none since a restart.
    unsure: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Phase {
    #[default]
    Normal,
    /// Holds since, not yet raised.
    Pending(Timestamp),
    Raised,
    /// Raised, gone since.
    Clearing(Timestamp),
}

/// A remembered condition waits for a verdict before it goes on.
impl From<Phase> for Condition {
    fn from(phase: Phase) -> Self {
        Self {
            phase,
            unsure: true,
        }
    }
}

impl From<Condition> for Phase {
    fn from(condition: Condition) -> Self {
        condition.phase
    }
}

/// How long a condition must hold before it is raised, and be gone before it is cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delays {
    /// On-delay.
    pub on: Duration,
    /// Off-delay.
    pub off: Duration,
}

/// What a sample says of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It holds.
    Holds,
    /// It does not hold.
    Gone,
    /// The sample cannot tell: neither starts nor finishes a delay.
    Unknown,
}

impl From<bool> for Verdict {
    fn from(holds: bool) -> Self {
        if holds { Self::Holds } else { Self::Gone }
    }
}

/// What to tell the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edge {
    /// Raise it.
    Raise,
    /// Clear it.
    Clear,
}

/// At most two edges, in their order: a sample can be the first to show that a delay ran out, and
/// say that the condition is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Edges([Option<Edge>; 2]);

impl Edges {
    fn then(self, edge: Option<Edge>) -> Self {
        match self.0 {
            [None, _] => Self([edge, None]),
            [first, _] => Self([first, edge]),
        }
    }
}

impl IntoIterator for Edges {
    type Item = Edge;
    type IntoIter = std::iter::Flatten<std::array::IntoIter<Option<Edge>, 2>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().flatten()
    }
}

impl Condition {
    /// Whether it is raised, also while an off-delay runs. The deadband counts only then.
    #[must_use]
    pub const fn is_raised(&self) -> bool {
        matches!(self.phase, Phase::Raised | Phase::Clearing(_))
    }

    /// Whether it is normal and no delay runs: it need not be remembered.
    #[must_use]
    pub const fn is_normal(&self) -> bool {
        matches!(self.phase, Phase::Normal)
    }

    /// Whether it stands as `other` does, as far as memory goes.
    #[must_use]
    pub fn remembers_as(&self, other: &Self) -> bool {
        self.phase == other.phase
    }

    /// When to look again by [`Self::tick`], if nothing changes until then.
    #[must_use]
    pub fn due(&self, delays: Delays) -> Option<Timestamp> {
        match self.phase {
            _ if self.unsure => None,
            Phase::Pending(since) => Some(since.plus(delays.on)),
            Phase::Clearing(since) => Some(since.plus(delays.off)),
            Phase::Normal | Phase::Raised => None,
        }
    }

    /// Takes the verdict of a sample.
    pub fn update(&mut self, verdict: Verdict, at: Timestamp, delays: Delays) -> Edges {
        let edges = Edges::default().then(self.tick(at, delays));
        self.unsure = verdict == Verdict::Unknown;
        self.phase = match (self.phase, verdict) {
            (phase, Verdict::Unknown) => phase,
            (Phase::Normal, Verdict::Holds) => Phase::Pending(at),
            // A clock that was set back must not stretch a delay.
            (Phase::Pending(since), Verdict::Holds) => Phase::Pending(since.min(at)),
            (Phase::Normal | Phase::Pending(_), Verdict::Gone) => Phase::Normal,
            (Phase::Raised | Phase::Clearing(_), Verdict::Holds) => Phase::Raised,
            (Phase::Raised, Verdict::Gone) => Phase::Clearing(at),
            (Phase::Clearing(since), Verdict::Gone) => Phase::Clearing(since.min(at)),
        };
        edges.then(self.tick(at, delays))
    }

    /// Lets time pass: finishes a delay that ran out.
    pub fn tick(&mut self, now: Timestamp, delays: Delays) -> Option<Edge> {
        if self.due(delays).is_none_or(|due| now < due) {
            return None;
        }
        if self.is_raised() {
            self.phase = Phase::Normal;
            Some(Edge::Clear)
        } else {
            self.phase = Phase::Raised;
            Some(Edge::Raise)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DELAYS: Delays = Delays {
        on: Duration::from_secs(60),
        off: Duration::from_secs(10),
    };

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn feed(condition: &mut Condition, secs: i64, verdict: Verdict) -> Vec<Edge> {
        condition
            .update(verdict, at(secs), DELAYS)
            .into_iter()
            .collect()
    }

    #[test]
    fn raises_after_the_whole_on_delay_and_clears_after_the_whole_off_delay() {
        let mut condition = Condition::default();
        assert_eq!(feed(&mut condition, 0, Verdict::Holds), []);
        assert_eq!(condition.due(DELAYS), Some(at(60)));
        assert_eq!(condition.tick(at(59), DELAYS), None);
        assert_eq!(condition.tick(at(60), DELAYS), Some(Edge::Raise));
        assert_eq!(feed(&mut condition, 70, Verdict::Gone), []);
        assert_eq!(condition.due(DELAYS), Some(at(80)));
        assert_eq!(feed(&mut condition, 79, Verdict::Holds), []);
        assert_eq!(feed(&mut condition, 80, Verdict::Gone), []);
        assert_eq!(feed(&mut condition, 90, Verdict::Gone), [Edge::Clear]);
    }

    #[test]
    fn an_interrupted_on_delay_starts_again() {
        let mut condition = Condition::default();
        feed(&mut condition, 0, Verdict::Holds);
        feed(&mut condition, 59, Verdict::Gone);
        assert_eq!(condition.due(DELAYS), None);
        feed(&mut condition, 61, Verdict::Holds);
        assert_eq!(condition.due(DELAYS), Some(at(121)));
    }

    #[test]
    fn an_unknown_verdict_neither_starts_nor_finishes_a_delay() {
        let mut condition = Condition::default();
        assert_eq!(feed(&mut condition, 0, Verdict::Unknown), []);
        assert!(condition.is_normal());
        feed(&mut condition, 1, Verdict::Holds);
        feed(&mut condition, 30, Verdict::Unknown);
        assert_eq!(condition.due(DELAYS), None);
        assert_eq!(condition.tick(at(100), DELAYS), None);
        assert_eq!(feed(&mut condition, 101, Verdict::Holds), [Edge::Raise]);
    }

    #[test]
    fn a_remembered_delay_resumes_once_a_sample_confirms_it() {
        let mut condition = Condition::default();
        feed(&mut condition, 0, Verdict::Holds);
        let text = serde_json::to_string(&condition).unwrap();
        assert_eq!(text, r#"{"pending":0}"#);
        let mut again: Condition = serde_json::from_str(&text).unwrap();
        assert_eq!(again.tick(at(65), DELAYS), None);
        assert_eq!(feed(&mut again, 65, Verdict::Holds), [Edge::Raise]);
        let mut over: Condition = serde_json::from_str(&text).unwrap();
        assert_eq!(feed(&mut over, 65, Verdict::Gone), []);
        assert!(over.is_normal());
    }

    #[test]
    fn a_late_sample_shows_both_the_raise_and_the_clear() {
        let mut condition = Condition::default();
        feed(&mut condition, 0, Verdict::Holds);
        assert_eq!(feed(&mut condition, 61, Verdict::Gone), [Edge::Raise]);
        let immediate = Delays {
            off: Duration::ZERO,
            ..DELAYS
        };
        let mut condition = Condition::default();
        condition.update(Verdict::Holds, at(0), immediate);
        let edges: Vec<Edge> = condition
            .update(Verdict::Gone, at(61), immediate)
            .into_iter()
            .collect();
        assert_eq!(edges, [Edge::Raise, Edge::Clear]);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stretch_a_delay() {
        let mut condition = Condition::default();
        feed(&mut condition, 5000, Verdict::Holds);
        feed(&mut condition, 100, Verdict::Holds);
        assert_eq!(condition.due(DELAYS), Some(at(160)));
    }
}
