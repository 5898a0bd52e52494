//! Growing pauses.

use std::time::Duration;

/// The pause after so many failures in a row, the first being 1: doubles from `min` up to `max`.
/// `jitter`, from 0 to 1, takes up to half of it off, so that many readers do not knock at once.
pub(super) fn pause(failures: u32, min: Duration, max: Duration, jitter: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(31);
    let full = min.saturating_mul(1 << doublings).min(max);
    full.mul_f64(1.0 - 0.5 * jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_the_longest_and_jitter_takes_at_most_half() {
        let (min, max) = (Duration::from_millis(500), Duration::from_secs(30));
        let millis = |failures, jitter| pause(failures, min, max, jitter).as_millis();
        assert_eq!(millis(1, 0.0), 500);
        assert_eq!(millis(2, 0.0), 1000);
        assert_eq!(millis(6, 0.0), 16_000);
        assert_eq!(millis(7, 0.0), 30_000);
        assert_eq!(millis(u32::MAX, 0.0), 30_000);
        assert_eq!(millis(7, 1.0), 15_000);
        assert_eq!(millis(7, 7.0), 15_000);
    }
}
