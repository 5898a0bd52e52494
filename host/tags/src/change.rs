//! Which samples are news: deadband, quality, first value.
//!
//! Pure. A bad sample carries the last good value, so that people see where a signal stood when it
//! was lost; NaN if there was none.

use andon_model::Quality;

/// What was last told of a tag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latest {
    value: f64,
    quality: Option<Quality>,
}

/// A sample that is worth telling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Engineering value.
    pub value: f64,
    /// Its quality.
    pub quality: Quality,
}

impl Default for Latest {
    fn default() -> Self {
        Self {
            value: f64::NAN,
            quality: None,
        }
    }
}

impl Latest {
    /// The quality that was last told, if any was.
    #[must_use]
    pub const fn quality(&self) -> Option<Quality> {
        self.quality
    }

    /// Takes a value that the device answered. It is news if it is the first, if the quality was
    /// another, or if it lies further than `deadband` from what was last told. A value that is not
    /// finite is a failed sensor.
    #[inline]
    pub fn offer(&mut self, value: f64, deadband: f64) -> Option<Change> {
        if !value.is_finite() {
            return self.fail(Quality::BAD_SENSOR_FAILURE);
        }
        let is_news = self.quality != Some(Quality::GOOD) || (value - self.value).abs() > deadband;
        is_news.then(|| self.told(value, Quality::GOOD))
    }

    /// Takes note that there is no value; news if the quality was another.
    pub fn fail(&mut self, quality: Quality) -> Option<Change> {
        (self.quality != Some(quality)).then(|| self.told(self.value, quality))
    }

    /// Takes note that the device did not answer: not connected as long as it never did, a
    /// communication failure afterwards.
    pub fn lose(&mut self) -> Option<Change> {
        let never_answered = matches!(self.quality, None | Some(Quality::BAD_NOT_CONNECTED));
        self.fail(if never_answered {
            Quality::BAD_NOT_CONNECTED
        } else {
            Quality::BAD_COMM_FAILURE
        })
    }

    fn told(&mut self, value: f64, quality: Quality) -> Change {
        self.value = value;
        self.quality = Some(quality);
        Change { value, quality }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_value_is_news_and_the_same_again_is_not() {
        let mut latest = Latest::default();
        assert!(latest.offer(0.0, 5.0).is_some());
        assert!(latest.offer(0.0, 5.0).is_none());
    }

    #[test]
    fn the_deadband_is_measured_from_what_was_told() {
        let mut latest = Latest::default();
        latest.offer(10.0, 1.0);
        assert!(latest.offer(10.6, 1.0).is_none());
        assert!(latest.offer(11.0, 1.0).is_none());
        assert_eq!(latest.offer(11.2, 1.0).map(|c| c.value), Some(11.2));
        assert!(latest.offer(10.6, 1.0).is_none());
    }

    #[test]
    fn a_lost_device_is_told_once_with_the_last_value() {
        let mut latest = Latest::default();
        latest.offer(7.0, 0.0);
        let lost = latest.lose().unwrap();
        assert_eq!((lost.value, lost.quality), (7.0, Quality::BAD_COMM_FAILURE));
        assert!(latest.lose().is_none());
        assert!(latest.offer(7.0, 100.0).is_some());
    }

    #[test]
    fn a_device_that_never_answered_has_no_value() {
        let mut latest = Latest::default();
        let lost = latest.lose().unwrap();
        assert!(lost.value.is_nan());
        assert_eq!(lost.quality, Quality::BAD_NOT_CONNECTED);
        assert!(latest.lose().is_none());
    }

    #[test]
    fn a_value_that_is_not_finite_is_a_failed_sensor_with_the_last_value() {
        let mut latest = Latest::default();
        latest.offer(3.0, 0.0);
        for value in [f64::NAN, f64::INFINITY] {
            if let Some(change) = latest.offer(value, 0.0) {
                assert_eq!(change.value, 3.0);
                assert_eq!(change.quality, Quality::BAD_SENSOR_FAILURE);
            }
        }
        assert_eq!(latest.quality(), Some(Quality::BAD_SENSOR_FAILURE));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whoever_follows_the_news_is_never_further_off_than_the_deadband(
            values in prop::collection::vec(-100.0..100.0_f64, 1..50),
            deadband in 0.0..10.0_f64,
        ) {
            let mut latest = Latest::default();
            let mut known = f64::NAN;
            for value in values {
                if let Some(change) = latest.offer(value, deadband) {
                    known = change.value;
                }
                prop_assert!((known - value).abs() <= deadband);
            }
        }
    }
}
