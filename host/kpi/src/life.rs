//! One occurrence while it is not over: what it has spent its time with so far.

use andon_model::{OccurrenceId, Timestamp};

use crate::step::{Facts, Phase, Silence};

/// An occurrence that is not over.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    pub(crate) occurrence: OccurrenceId,
    /// Index of its group.
    pub(crate) group: usize,
    pub(crate) phase: Phase,
    pub(crate) silence: Silence,
    /// Until when its time is counted.
    pub(crate) counted_to: Timestamp,
    /// Since when the process is abnormal without a break; `None` while it is normal.
    pub(crate) active_since: Option<Timestamp>,
    /// The annunciation that nobody answered so far.
    pub(crate) waits_since: Option<Timestamp>,
    /// The latest day on which it was counted as stale.
    pub(crate) stale_day: Option<usize>,
}

/// A stretch of a life in which nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) phase: Phase,
    pub(crate) silence: Silence,
}

impl Life {
    /// The stretch since it was counted last, now counted.
    pub(crate) fn stretch_to(&mut self, at: Timestamp) -> Option<Stretch> {
        let from = self.counted_to;
        if at <= from {
            return None;
        }
        self.counted_to = at;
        Some(Stretch {
            from,
            to: at,
            phase: self.phase,
            silence: self.silence,
        })
    }

    /// Takes over what a step at `at` made of it.
    pub(crate) fn become_as(&mut self, facts: &Facts, at: Timestamp) {
        self.phase = facts.phase;
        self.silence = facts.silence;
        self.active_since = if facts.phase.is_active() {
            self.active_since.or(Some(at))
        } else {
            None
        };
    }
}

/// The stretches of an occurrence from its raise until `until`, as far as its record tells them at
/// a later step, and where it was at `until`. What silenced it and ended before is not known.
pub(crate) fn stretches_before(facts: &Facts, until: Timestamp) -> (Vec<Stretch>, Phase) {
    let Some(raised) = facts.raised_at else {
        return (Vec::new(), facts.phase);
    };
    let before = |at: Option<Timestamp>| at.filter(|at| *at < until);
    let (cleared, acknowledged) = (before(facts.cleared_at), before(facts.acknowledged_at));
    let mut moments: Vec<Timestamp> = [Some(raised), cleared, acknowledged, Some(until)]
        .into_iter()
        .flatten()
        .collect();
    let silence = facts.silence;
    moments.extend(
        [silence.shelved, silence.suppressed, silence.out_of_service]
            .into_iter()
            .filter_map(before),
    );
    moments.sort();
    let phase_at = |at: Timestamp| {
        let has = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= at);
        match (has(cleared), has(acknowledged)) {
            (false, false) => Phase::Unacknowledged,
            (false, true) => Phase::Acknowledged,
            (true, false) => Phase::Returned,
            // It would be over but for a latch.
            (true, true) => Phase::Latched,
        }
    };
    let held = |since: Option<Timestamp>, at: Timestamp| since.filter(|since| *since <= at);
    let stretches = moments.windows(2).filter_map(|pair| {
        let (from, to) = (*pair.first()?, *pair.last()?);
        (raised <= from && from < to && to <= until).then(|| Stretch {
            from,
            to,
            phase: phase_at(from),
            silence: Silence {
                shelved: held(silence.shelved, from),
                suppressed: held(silence.suppressed, from),
                out_of_service: held(silence.out_of_service, from),
            },
        })
    });
    (stretches.collect(), phase_at(until))
}
