//! The two windows that a mean can be taken over.

use std::collections::VecDeque;
use std::time::Duration;

use andon_plugin::Timestamp;

/// A window of time is kept in at most about this many pieces; values that stood shorter are joined
/// to their mean, which is exact but for the piece that leaves the window.
const PIECES: u32 = 2_048;

/// Values with the time that they stood.
#[derive(Debug)]
pub(crate) struct LastTime {
    length: Duration,
    pieces: VecDeque<Piece>,
    current: Option<(f64, Timestamp)>,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    mean: f64,
    from: Timestamp,
    to: Timestamp,
    /// How long values stood in it: less than its length where a bad sample was joined over.
    stood: Duration,
}

impl LastTime {
    pub(crate) const fn new(length: Duration) -> Self {
        Self {
            length,
            pieces: VecDeque::new(),
            current: None,
        }
    }

    pub(crate) const fn length(&self) -> Duration {
        self.length
    }

    /// Takes a value, or nothing where none is known from now on.
    pub(crate) fn take(&mut self, value: Option<f64>, at: Timestamp) {
        if let Some((mean, from)) = self.current.take() {
            let to = at.max(from);
            self.push(Piece {
                mean,
                from,
                to,
                stood: to.since(from),
            });
        }
        self.current = value.map(|value| (value, at));
    }

    fn push(&mut self, piece: Piece) {
        let shortest = self.length / PIECES;
        match self.pieces.back_mut() {
            Some(back) if piece.to.since(back.from) <= shortest => {
                let stood = back.stood + piece.stood;
                if !stood.is_zero() {
                    let part = piece.stood.as_secs_f64() / stood.as_secs_f64();
                    back.mean += (piece.mean - back.mean) * part;
                }
                back.to = piece.to;
                back.stood = stood;
            }
            _ => self.pieces.push_back(piece),
        }
    }

    pub(crate) fn forget_before(&mut self, now: Timestamp) {
        let start = now.minus(self.length);
        while self.pieces.front().is_some_and(|piece| piece.to <= start) {
            self.pieces.pop_front();
        }
    }

    /// Whether the mean changes while no sample comes.
    pub(crate) fn is_moving(&self) -> bool {
        !self.pieces.is_empty()
    }

    /// The mean; none where no value is known in the window.
    pub(crate) fn mean(&self, now: Timestamp) -> Option<f64> {
        let start = now.minus(self.length);
        let mut weighted = 0.0;
        let mut weight = 0.0;
        for piece in &self.pieces {
            let within = piece.to.since(piece.from.max(start));
            let whole = piece.to.since(piece.from).as_secs_f64();
            if whole > 0.0 {
                let seconds = piece.stood.as_secs_f64() * within.as_secs_f64() / whole;
                weighted += piece.mean * seconds;
                weight += seconds;
            }
        }
        if let Some((value, from)) = self.current {
            let seconds = now.since(from.max(start)).as_secs_f64();
            weighted += value * seconds;
            weight += seconds;
        }
        if weight > 0.0 {
            return Some(weighted / weight);
        }
        // The very first sample has not stood for any time yet.
        self.current.map(|(value, _)| value)
    }
}

/// The last values.
#[derive(Debug)]
pub(crate) struct LastSamples {
    count: usize,
    values: VecDeque<f64>,
}

impl LastSamples {
    pub(crate) const fn new(count: usize) -> Self {
        Self {
            count,
            values: VecDeque::new(),
        }
    }

    pub(crate) fn take(&mut self, value: f64) {
        if self.values.len() == self.count {
            self.values.pop_front();
        }
        self.values.push_back(value);
    }

    /// Summed anew each time, so that no rounding adds up over months.
    pub(crate) fn mean(&self) -> Option<f64> {
        let count = self.values.len() as f64;
        (count > 0.0).then(|| self.values.iter().sum::<f64>() / count)
    }
}
