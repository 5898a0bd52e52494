//! What an input did within the window.
//!
//! Of the values in the window only those are kept that can still be its lowest or highest. A value
//! counts until it was replaced, because the host hands over changes: a value that rested for an hour
//! and then jumped was there a moment ago.

use std::collections::VecDeque;

use andon_plugin::Timestamp;
use std::time::Duration;

/// Values that are replaced within this share of the window count as one, so that each of the two
/// lists holds at most this many and one.
const PARTS: u32 = 512;

/// One input's way through the window.
#[derive(Debug)]
pub(crate) struct Trace {
    window: Duration,
    current: Option<f64>,
    /// When the first sample came: before it nothing is known.
    known_since: Option<Timestamp>,
    /// Values with the moment until which they stood: ascending in both, so the first is the lowest.
    lows: VecDeque<(f64, Timestamp)>,
    /// Descending in value, so the first is the highest.
    highs: VecDeque<(f64, Timestamp)>,
}

impl Trace {
    pub(crate) const fn new(window: Duration) -> Self {
        Self {
            window,
            current: None,
            known_since: None,
            lows: VecDeque::new(),
            highs: VecDeque::new(),
        }
    }

    /// Takes a sample; one that is not usable ends what was known and begins nothing.
    pub(crate) fn take(&mut self, value: f64, usable: bool, at: Timestamp) {
        if let Some(before) = self.current.take() {
            let close = self.window / PARTS;
            keep(&mut self.lows, before, at, close, |back| back >= before);
            keep(&mut self.highs, before, at, close, |back| back <= before);
        }
        if usable {
            self.current = Some(value);
            self.known_since.get_or_insert(at);
        }
    }

    /// Forgets what left the window.
    pub(crate) fn forget_before(&mut self, now: Timestamp) {
        for list in [&mut self.lows, &mut self.highs] {
            while list
                .front()
                .is_some_and(|(_, until)| until.plus(self.window) <= now)
            {
                list.pop_front();
            }
        }
    }

    pub(crate) const fn value(&self) -> Option<f64> {
        self.current
    }

    /// How far the value rose within the window; zero if it did not.
    pub(crate) fn rise(&self) -> Option<f64> {
        let current = self.current?;
        let lowest = self.lows.front().map_or(current, |(value, _)| *value);
        Some((current - lowest).max(0.0))
    }

    /// How far the value fell within the window; zero if it did not.
    pub(crate) fn fall(&self) -> Option<f64> {
        let current = self.current?;
        let highest = self.highs.front().map_or(current, |(value, _)| *value);
        Some((highest - current).max(0.0))
    }

    /// Whether the whole window is known.
    pub(crate) fn covers_window(&self, now: Timestamp) -> bool {
        self.known_since
            .is_some_and(|since| since.plus(self.window) <= now)
    }

    /// When the rate changes next without a sample.
    pub(crate) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let fronts = [self.lows.front(), self.highs.front()];
        let leaves = fronts.into_iter().flatten().map(|(_, until)| *until);
        leaves
            .chain(self.known_since)
            .map(|moment| moment.plus(self.window))
            .filter(|moment| *moment > now)
            .min()
    }
}

/// Adds a value at the back, and drops those that can no longer be the first.
fn keep(
    list: &mut VecDeque<(f64, Timestamp)>,
    value: f64,
    until: Timestamp,
    close: Duration,
    is_beaten: impl Fn(f64) -> bool,
) {
    while list.back().is_some_and(|(back, _)| is_beaten(*back)) {
        list.pop_back();
    }
    match list.back() {
        Some((_, back)) if until.since(*back) < close => {}
        _ => list.push_back((value, until)),
    }
}
