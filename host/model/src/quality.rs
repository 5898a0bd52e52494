//! OPC quality of a sample, one byte, as OPC DA and the contract carry it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// OPC quality byte: 192 and above good, 64 to 191 uncertain, below 64 bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quality(pub u8);

impl Quality {
    /// Good, nothing more to say.
    pub const GOOD: Self = Self(192);
    /// Good, but a person put the value there (`andon inject`).
    pub const GOOD_LOCAL_OVERRIDE: Self = Self(216);
    /// Uncertain, no reason known.
    pub const UNCERTAIN: Self = Self(64);
    /// Bad, no reason known.
    pub const BAD: Self = Self(0);
    /// Bad: the settings ask for something that the device does not have.
    pub const BAD_CONFIGURATION_ERROR: Self = Self(4);
    /// Bad: no connection to the device yet.
    pub const BAD_NOT_CONNECTED: Self = Self(8);
    /// Bad: the device answered that it failed.
    pub const BAD_DEVICE_FAILURE: Self = Self(12);
    /// Bad: the device answered what cannot be a measurement (NaN, infinity).
    pub const BAD_SENSOR_FAILURE: Self = Self(16);
    /// Bad: the device stopped answering.
    pub const BAD_COMM_FAILURE: Self = Self(24);
    /// Bad: the tag or its function is not running.
    pub const BAD_OUT_OF_SERVICE: Self = Self(28);

    /// The value can be trusted.
    #[must_use]
    pub const fn is_good(self) -> bool {
        self.0 >= 192
    }

    /// The value must not be used.
    #[must_use]
    pub const fn is_bad(self) -> bool {
        self.0 < 64
    }

    /// The word of the field for this byte.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self.0 {
            4..=7 => "bad: configuration error",
            8..=11 => "bad: not connected",
            12..=15 => "bad: device failure",
            16..=19 => "bad: sensor failure",
            20..=23 => "bad: last known value",
            24..=27 => "bad: communication failure",
            28..=31 => "bad: out of service",
            0..=3 | 32..=63 => "bad",
            64..=191 => "uncertain",
            216..=219 => "good: local override",
            192..=215 | 220..=255 => "good",
        }
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
