//! A value as people read it in a message.

use std::fmt;

/// A value with its unit, rounded to six significant digits: `81.2 %`. A register holds what a
/// sensor measured, so the seventh digit is noise of the conversion from 32-bit floats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading<'a> {
    /// The value.
    pub value: f64,
    /// Its unit, where there is one.
    pub unit: Option<&'a str>,
}

impl<'a> Reading<'a> {
    /// A value with its unit.
    #[must_use]
    pub const fn new(value: f64, unit: Option<&'a str>) -> Self {
        Self { value, unit }
    }

    /// A value without a unit.
    #[must_use]
    pub const fn bare(value: f64) -> Self {
        Self { value, unit: None }
    }
}

impl fmt::Display for Reading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.value == 0.0 || !self.value.is_finite() {
            // Adding zero turns -0 into 0.
            write!(f, "{}", self.value + 0.0)?;
        } else if self.value == self.value.trunc() && self.value.abs() < 1e15 {
            // A counter loses no digit.
            write!(f, "{}", self.value)?;
        } else {
            let rounded: f64 = format!("{:.5e}", self.value).parse().unwrap_or(self.value);
            if (1e-4..1e15).contains(&rounded.abs()) {
                write!(f, "{rounded}")?;
            } else {
                write!(f, "{rounded:e}")?;
            }
        }
        match self.unit {
            Some(unit) if !unit.is_empty() => write!(f, " {unit}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_six_digits_and_the_unit() {
        assert_eq!(
            Reading::new(f64::from(81.2_f32), Some("%")).to_string(),
            "81.2 %"
        );
        assert_eq!(Reading::bare(80.0).to_string(), "80");
        assert_eq!(Reading::bare(-0.0).to_string(), "0");
        assert_eq!(Reading::bare(123_456_789.0).to_string(), "123456789");
        assert_eq!(Reading::bare(2.0 / 3.0).to_string(), "0.666667");
        assert_eq!(Reading::bare(1.234_567_8e-9).to_string(), "1.23457e-9");
        assert_eq!(Reading::bare(f64::NAN).to_string(), "NaN");
        assert_eq!(Reading::new(1e300, Some("Pa")).to_string(), "1e300 Pa");
    }
}
