//! One of the four limits, ready for use.

use std::fmt;
use std::ops::RangeInclusive;

use andon_plugin::prelude::*;

/// Which of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LevelName {
    /// LL.
    LowLow,
    /// L.
    Low,
    /// H.
    High,
    /// HH.
    HighHigh,
}

impl LevelName {
    /// On which side of the limit the alarm is.
    #[must_use]
    pub const fn side(self) -> &'static str {
        if self.is_high() { "above" } else { "below" }
    }

    /// Whether values above the limit are wrong.
    #[must_use]
    pub const fn is_high(self) -> bool {
        matches!(self, Self::High | Self::HighHigh)
    }

    /// The name of its parameter.
    #[must_use]
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::LowLow => "low_low",
            Self::Low => "low",
            Self::High => "high",
            Self::HighHigh => "high_high",
        }
    }

    /// What a message calls it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::LowLow => "low low",
            Self::Low => "low",
            Self::High => "high",
            Self::HighHigh => "high high",
        }
    }

    /// The priority where the settings say none.
    #[must_use]
    pub const fn usual_priority(self) -> Priority {
        match self {
            Self::Low | Self::High => Priority::High,
            Self::LowLow | Self::HighHigh => Priority::Critical,
        }
    }
}

impl fmt::Display for LevelName {
    /// As in keys: `high-high`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LowLow => "low-low",
            Self::Low => "low",
            Self::High => "high",
            Self::HighHigh => "high-high",
        })
    }
}

/// A limit with all that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Level {
    pub(crate) name: LevelName,
    pub(crate) limit: f64,
    pub(crate) deadband: f64,
    pub(crate) delays: Delays,
    pub(crate) priority: Priority,
}

impl Level {
    /// Whether a value is beyond the limit. Once the alarm is raised the deadband counts: the value
    /// must come back by the whole of it.
    pub(crate) fn is_beyond(&self, value: f64, raised: bool) -> bool {
        let give = if raised { self.deadband } else { 0.0 };
        if self.name.is_high() {
            value > self.limit - give
        } else {
            value < self.limit + give
        }
    }
}

/// The values that are beyond none of these limits, for an input of which nothing is raised.
pub(crate) fn quiet_band(levels: &[Level]) -> RangeInclusive<f64> {
    let everything = (f64::NEG_INFINITY, f64::INFINITY);
    let (low, high) = levels.iter().fold(everything, |(low, high), level| {
        if level.name.is_high() {
            (low, high.min(level.limit))
        } else {
            (low.max(level.limit), high)
        }
    });
    low..=high
}
