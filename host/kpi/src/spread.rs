//! How long things took: quantiles of many durations in little memory.

use std::collections::BTreeMap;
use std::time::Duration;

/// Durations, counted by their rounded length: to a second below an hour, to a minute below four
/// days, to an hour above. So there are never more than about 10,000 + hours of the period entries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spread {
    counts: BTreeMap<u64, u64>,
    total: u64,
    longest: Duration,
}

impl Spread {
    pub(crate) fn add(&mut self, length: Duration) {
        let seconds = (length.as_millis() + 500) / 1_000;
        let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
        let unit = match seconds {
            0..3_600 => 1,
            3_600..345_600 => 60,
            _ => 3_600,
        };
        let rounded = seconds.saturating_add(unit / 2) / unit * unit;
        let count = self.counts.entry(rounded).or_default();
        *count = count.saturating_add(1);
        self.total = self.total.saturating_add(1);
        self.longest = self.longest.max(length);
    }

    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// The longest, in whole seconds.
    pub(crate) fn longest(&self) -> Option<u64> {
        (self.total > 0).then_some(self.longest.as_secs())
    }

    /// The length in seconds that so many percent do not exceed, by the nearest rank.
    pub(crate) fn percentile(&self, percent: u64) -> Option<u64> {
        let rank = self.total.saturating_mul(percent).div_ceil(100).max(1);
        let mut seen = 0_u64;
        self.counts.iter().find_map(|(seconds, count)| {
            seen = seen.saturating_add(*count);
            (seen >= rank).then_some(*seconds)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let mut spread = Spread::default();
        assert_eq!((spread.percentile(50), spread.longest()), (None, None));
        for seconds in [30, 10, 20, 400] {
            spread.add(Duration::from_secs(seconds));
        }
        // In order 10, 20, 30, 400: the second of four is the median, the fourth is 95 %.
        assert_eq!(spread.percentile(50), Some(20));
        assert_eq!(spread.percentile(95), Some(400));
        assert_eq!(spread.longest(), Some(400));
    }

    #[test]
    fn long_times_are_rounded() {
        let mut spread = Spread::default();
        spread.add(Duration::from_secs(3_600 + 31));
        assert_eq!(spread.percentile(50), Some(3_660));
        assert_eq!(spread.longest(), Some(3_631));
    }
}
