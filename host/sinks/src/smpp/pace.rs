//! How fast messages may go: a rate that halves when the SMSC throttles and grows back.
//!
//! Pure: the session asks [`Pace::take`] and calls [`Pace::refill`] once every [`Pace::period`].
//! A period is at least 20 ms long, so that rates above the timer's grain are met in small bursts.
//!
//! Several messages are under way when the SMSC starts to throttle, and each of them comes back
//! throttled. Only one that was taken after the last halving halves again.

use std::time::Duration;

/// The slowest rate, in messages a second.
const RATE_MIN: f64 = 0.1;
/// Periods a second at most.
const PERIODS_MAX: f64 = 50.0;
/// A tenth of the full rate comes back for each second's worth of accepted messages.
const RECOVERY_STEPS: f64 = 10.0;

/// Tells whether one more message may go now.
#[derive(Debug)]
pub(super) struct Pace {
    full: f64,
    rate: f64,
    left: u32,
    taken: u64,
    halved_at: u64,
    accepted: u32,
}

impl Pace {
    /// A pace of so many messages a second.
    pub(super) fn new(per_second: u32) -> Self {
        let full = f64::from(per_second.max(1));
        let mut pace = Self {
            full,
            rate: full,
            left: 0,
            taken: 0,
            halved_at: 0,
            accepted: 0,
        };
        pace.refill();
        pace
    }

    /// Whether a message may go before the next refill.
    pub(super) const fn may_take(&self) -> bool {
        self.left > 0
    }

    /// Counts a message that goes now; its number tells a later throttle apart.
    pub(super) const fn take(&mut self) -> u64 {
        self.left = self.left.saturating_sub(1);
        self.taken += 1;
        self.taken
    }

    /// How long after the first message of a period the next one begins.
    pub(super) fn period(&self) -> Duration {
        Duration::from_secs_f64(f64::from(self.burst()) / self.rate)
    }

    /// A new period begins.
    pub(super) fn refill(&mut self) {
        self.left = self.burst();
    }

    /// The SMSC throttled the message with this number.
    pub(super) fn throttled(&mut self, number: u64) {
        self.accepted = 0;
        if number > self.halved_at {
            self.halved_at = self.taken;
            self.rate = (self.rate / 2.0).max(RATE_MIN);
            self.left = self.left.min(self.burst());
        }
    }

    /// The SMSC took a message.
    pub(super) fn accepted(&mut self) {
        if self.rate >= self.full {
            return;
        }
        self.accepted += 1;
        if f64::from(self.accepted) >= self.rate {
            self.accepted = 0;
            self.rate = (self.rate + self.full / RECOVERY_STEPS).min(self.full);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive rate of at most u32::MAX divided by 50"
    )]
    fn burst(&self) -> u32 {
        ((self.rate / PERIODS_MAX) as u32).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many messages go in ten seconds if there are always more.
    fn in_ten_seconds(pace: &mut Pace) -> u32 {
        let mut time = Duration::ZERO;
        let mut gone = 0;
        pace.refill();
        while time < Duration::from_secs(10) {
            while pace.may_take() {
                pace.take();
                gone += 1;
            }
            time += pace.period();
            pace.refill();
        }
        gone
    }

    #[test]
    fn keeps_its_rate() {
        for rate in [1, 10, 49, 51, 100, 1000, 5000] {
            let gone = in_ten_seconds(&mut Pace::new(rate));
            assert!(gone >= rate * 9 && gone <= rate * 10 + 1, "{rate}: {gone}");
        }
    }

    #[test]
    fn one_throttled_window_halves_once() {
        let mut pace = Pace::new(10);
        let window: Vec<u64> = (0..10).map(|_| pace.take()).collect();
        for number in window {
            pace.throttled(number);
        }
        assert!(in_ten_seconds(&mut pace).abs_diff(50) <= 1);
        let next = pace.take();
        pace.throttled(next);
        assert!(in_ten_seconds(&mut pace).abs_diff(25) <= 1);
    }

    #[test]
    fn never_stops_and_grows_back_to_its_full_rate() {
        let mut pace = Pace::new(10);
        for _ in 0..100 {
            let number = pace.take();
            pace.throttled(number);
        }
        assert!(in_ten_seconds(&mut pace) >= 1);
        for _ in 0..100 {
            pace.accepted();
        }
        assert!(in_ten_seconds(&mut pace).abs_diff(100) <= 1);
    }
}
