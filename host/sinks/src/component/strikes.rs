//! When a component that fails again and again is left alone for a while: pure.
//!
//! A call that trapped or left its bounds is a strike. Too many of them within ten minutes, and the
//! sink rests, each time twice as long; a delivery that is answered in order starts all over.

use std::collections::VecDeque;
use std::time::Duration;

use andon_model::Timestamp;

/// Strikes that are counted together.
const WITHIN: Duration = Duration::from_secs(600);
/// First rest.
const REST_MIN: Duration = Duration::from_secs(30);
/// No rest is longer.
const REST_MAX: Duration = Duration::from_secs(600);

/// The strikes of one sink; holds as many moments as are allowed, no more.
#[derive(Debug)]
pub(super) struct Strikes {
    most: usize,
    struck: VecDeque<Timestamp>,
    rests: u32,
    until: Option<Timestamp>,
}

impl Strikes {
    /// A sink without a strike, that rests after `most` of them.
    pub(super) fn new(most: u32) -> Self {
        Self {
            most: usize::try_from(most).unwrap_or(usize::MAX).max(1),
            struck: VecDeque::new(),
            rests: 0,
            until: None,
        }
    }

    /// Until when the sink rests, if it does.
    pub(super) fn resting(&self, now: Timestamp) -> Option<Timestamp> {
        self.until.filter(|until| *until > now)
    }

    /// A call failed. Answers until when the sink rests, if this was one too many.
    pub(super) fn strike(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.struck.retain(|then| now.since(*then) < WITHIN);
        self.struck.push_back(now);
        if self.struck.len() < self.most {
            return None;
        }
        self.struck.clear();
        let rest = REST_MIN
            .saturating_mul(1 << self.rests.min(10))
            .min(REST_MAX);
        self.rests = self.rests.saturating_add(1);
        self.until = Some(now.plus(rest));
        self.until
    }

    /// A call was answered in order, or the component is a new one.
    pub(super) fn forgive(&mut self) {
        self.struck.clear();
        self.rests = 0;
        self.until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    #[test]
    fn three_strikes_make_a_rest_and_the_next_rest_is_longer() {
        let mut strikes = Strikes::new(3);
        assert_eq!(strikes.strike(at(0)), None);
        assert_eq!(strikes.strike(at(1)), None);
        assert_eq!(strikes.strike(at(2)), Some(at(32)));
        assert_eq!(strikes.resting(at(31)), Some(at(32)));
        assert_eq!(strikes.resting(at(32)), None);
        strikes.strike(at(33));
        strikes.strike(at(34));
        assert_eq!(strikes.strike(at(35)), Some(at(95)));
    }

    #[test]
    fn rare_strikes_and_forgiven_ones_make_no_rest() {
        let mut strikes = Strikes::new(2);
        assert_eq!(strikes.strike(at(0)), None);
        assert_eq!(strikes.strike(at(600)), None);
        strikes.forgive();
        assert_eq!(strikes.strike(at(601)), None);
        assert_eq!(strikes.strike(at(602)), Some(at(632)));
    }

    #[test]
    fn no_rest_is_longer_than_its_bound() {
        let mut strikes = Strikes::new(1);
        for _ in 0..100 {
            assert!(strikes.strike(at(0)) <= Some(at(600)));
        }
    }
}
