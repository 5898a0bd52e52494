//! Durations as people write them in settings: `200ms`, `30s`, `10m`, `2h`, `1d`, `1h30m`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A [`Duration`] that is read from and shown as text with units, for parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DurationText(pub Duration);

/// Units and their milliseconds, longest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// A hundred years, in milliseconds: longer ones are slips of the pen.
const LONGEST_MS: f64 = 3.2e12;

impl DurationText {
    /// A duration of whole seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    /// A duration of whole milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }
}

impl FromStr for DurationText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "`{text}` is not a duration: write a number and a unit (ms, s, m, h or d), like 200ms, 30s or 1h30m"
            )
        };
        let mut rest = text.trim();
        let mut millis = 0.0;
        if rest.is_empty() {
            return Err(bad());
        }
        while !rest.is_empty() {
            let (part, tail) = read_part(rest).ok_or_else(bad)?;
            millis += part;
            rest = tail;
        }
        if millis > LONGEST_MS {
            return Err(format!("`{text}` is longer than a hundred years"));
        }
        Ok(Self(Duration::from_secs_f64(millis / 1000.0)))
    }
}

/// Reads `30s` off the front; answers its milliseconds and what follows.
fn read_part(text: &str) -> Option<(f64, &str)> {
    let (number, rest) = text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.')?);
    let rest = rest.trim_start();
    let letters = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(letters);
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let number: f64 = number.parse().ok()?;
    Some((number * (*scale as f64), rest.trim_start()))
}

impl fmt::Display for DurationText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut millis = self.0.as_millis();
        if millis == 0 {
            return f.write_str("0s");
        }
        for (name, scale) in UNITS {
            let count = millis / u128::from(scale);
            if count > 0 {
                write!(f, "{count}{name}")?;
                millis -= count * u128::from(scale);
            }
        }
        Ok(())
    }
}

impl Serialize for DurationText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DurationText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for DurationText {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "duration-text",
            "pattern": r"^\s*([0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)\s*)+$",
            "examples": ["200ms", "30s", "10m", "1h30m"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_units_and_sums_of_them_and_shows_what_it_reads() {
        for (text, millis) in [("200ms", 200), ("1h30m", 5_400_000), ("1d", 86_400_000)] {
            let read: DurationText = text.parse().unwrap();
            assert_eq!(read.0.as_millis(), millis);
            assert_eq!(read.to_string(), text);
        }
        assert_eq!("1.5s".parse(), Ok(DurationText::from_millis(1500)));
        assert_eq!(DurationText::default().to_string(), "0s");
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for text in ["", "30", "s", "3 fortnights", "1..5s", "-1s", "9999999d"] {
            assert!(text.parse::<DurationText>().is_err(), "{text}");
        }
    }
}
