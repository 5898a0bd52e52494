//! Durations as people write them in settings: `200ms`, `30s`, `10m`, `2h`, `1d`, `1h30m`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A [`Duration`] that is read from and shown as text with units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DurationText(pub Duration);

impl DurationText {
    /// A duration of whole milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// A duration of whole seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }
}

const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl FromStr for DurationText {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || {
            format!(
                "`{text}` is not a duration: write a number and a unit (ms, s, m, h or d), like 200ms, 30s or 1h30m"
            )
        };
        let mut rest = text.trim();
        let mut millis = 0_f64;
        if rest.is_empty() {
            return Err(bad());
        }
        while !rest.is_empty() {
            let digits = rest
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .ok_or_else(bad)?;
            let (number, tail) = rest.split_at(digits);
            let letters = tail
                .find(|c: char| !c.is_ascii_alphabetic())
                .unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let number: f64 = number.parse().map_err(|_| bad())?;
            let (_, scale) = UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .ok_or_else(bad)?;
            millis += number * (*scale as f64);
            rest = tail.trim_start();
        }
        if millis > 3.2e12 {
            return Err(format!("`{text}` is longer than a hundred years"));
        }
        Ok(Self(Duration::from_secs_f64(millis / 1000.0)))
    }
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
    fn reads_units_and_sums_of_them() {
        let read = |text: &str| text.parse::<DurationText>().map(|d| d.0.as_millis());
        assert_eq!(read("200ms"), Ok(200));
        assert_eq!(read("1h30m"), Ok(5_400_000));
        assert_eq!(read("1.5s"), Ok(1500));
        assert!(read("30").is_err());
        assert!(read("").is_err());
        assert!(read("3 fortnights").is_err());
    }

    #[test]
    fn shows_what_it_reads() {
        for text in ["200ms", "30s", "1h30m", "1d", "0s"] {
            assert_eq!(
                text.parse::<DurationText>().map(|d| d.to_string()),
                Ok(text.to_owned())
            );
        }
    }
}
