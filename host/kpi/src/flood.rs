//! Floods: more alarms than a person can act on.
//!
//! A flood begins with the annunciation that makes more than ten in ten minutes, and ends when
//! fewer than five are left in ten minutes (ISA-18.2). An annunciation counts for exactly ten
//! minutes. Both ends follow from the last eleven annunciations, so no more are kept.

use std::collections::VecDeque;

use andon_model::Timestamp;

use crate::period::Period;

/// Watches one stream of annunciations, in the order of time.
#[derive(Debug, Clone, Default)]
pub struct FloodWatch {
    /// The latest annunciations, at most [`FloodWatch::BEGINS_WITH`], oldest first.
    recent: VecDeque<Timestamp>,
    /// The flood that is on: when it began, and how many annunciations it has so far.
    on: Option<(Timestamp, u64)>,
}

/// A flood that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flood {
    /// When it began.
    pub from: Timestamp,
    /// When it ended.
    pub to: Timestamp,
    /// How many annunciations it had, those that made it included.
    pub annunciations: u64,
}

impl FloodWatch {
    /// So many annunciations in ten minutes begin a flood: more than ten.
    pub const BEGINS_WITH: usize = 11;
    /// Fewer than this in ten minutes end it.
    pub const ENDS_BELOW: usize = 5;

    /// Takes an annunciation; answers the flood that had ended before it, if one had.
    ///
    /// If the clock was set back, what was before counts no more, and a flood ends where it was.
    pub fn annunciated(&mut self, at: Timestamp) -> Option<Flood> {
        let latest = self.recent.back().copied();
        let ended = match latest.filter(|latest| at < *latest) {
            Some(latest) => {
                self.recent.clear();
                self.end_at(latest)
            }
            None => self.ended_by(at),
        };
        self.recent.push_back(at);
        if self.recent.len() > Self::BEGINS_WITH {
            self.recent.pop_front();
        }
        let oldest = self.recent.front().copied().unwrap_or(at);
        let many = self.recent.len() == Self::BEGINS_WITH && oldest.plus(Period::INTERVAL) > at;
        self.on = match self.on {
            Some((from, count)) => Some((from, count.saturating_add(1))),
            None if many => Some((at, Self::BEGINS_WITH as u64)),
            None => None,
        };
        ended
    }

    /// The flood that ended at `now` or before, if one was on; it is over then.
    pub fn ended_by(&mut self, now: Timestamp) -> Option<Flood> {
        let counts = self.recent.iter().rev().nth(Self::ENDS_BELOW - 1);
        // It has eleven when it begins, so a fifth there always is.
        let end = counts?.plus(Period::INTERVAL);
        if end > now {
            return None;
        }
        self.end_at(end)
    }

    /// Since when a flood is on.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        self.on.map(|(from, _)| from)
    }

    /// Ends the flood that is on at a moment, whatever comes later.
    pub fn end_at(&mut self, to: Timestamp) -> Option<Flood> {
        let (from, annunciations) = self.on.take()?;
        Some(Flood {
            from,
            to: to.max(from),
            annunciations,
        })
    }
}
