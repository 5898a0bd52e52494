//! Turns a raw value into an engineering value along a line through two points: 4 mA is 0 bar,
//! 20 mA is 10 bar.

use andon_plugin::prelude::*;

/// Parameters of the function: two points of the line.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Raw value at the low end.
    pub raw_low: f64,
    /// Raw value at the high end.
    pub raw_high: f64,
    /// Engineering value at the low end.
    pub low: f64,
    /// Engineering value at the high end; may be less than `low`.
    pub high: f64,
    /// What becomes of a raw value outside of the two ends.
    #[serde(default)]
    pub outside: Outside,
}

/// What becomes of a raw value outside of the two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Outside {
    /// The line goes on.
    #[default]
    Extend,
    /// The value stays at the end, with uncertain quality.
    Clamp,
    /// The line goes on, with bad quality: a broken wire reads as 0 mA.
    Bad,
}

/// OPC: uncertain, engineering units exceeded.
const UNITS_EXCEEDED: Quality = Quality(84);
/// OPC: bad, sensor failure.
const SENSOR_FAILURE: Quality = Quality(16);

/// The function.
pub struct Scale {
    parameters: Parameters,
    slope: f64,
}

impl Function for Scale {
    type Parameters = Parameters;

    fn about() -> About {
        About::new(
            "scale",
            env!("CARGO_PKG_VERSION"),
            "Turns a raw value into an engineering value.",
        )
        .input(InputPort::number("raw").summary("The raw value."))
        .output(OutputPort::number("value").summary("The engineering value."))
    }

    fn configure(parameters: Parameters, _start: &Start<'_>) -> Result<Self, Failure> {
        let Parameters {
            raw_low,
            raw_high,
            low,
            high,
            ..
        } = parameters;
        let slope = (high - low) / (raw_high - raw_low);
        if !slope.is_finite() {
            let must = format!(
                "different from `raw_low`, which is {}",
                Reading::bare(raw_low)
            );
            return Err(Failure::parameter(
                "raw_high",
                Reading::bare(raw_high),
                &must,
            ));
        }
        Ok(Self { parameters, slope })
    }

    fn compute(&mut self, call: &mut FunctionCall<'_>) -> Result<(), Failure> {
        for sample in call.samples() {
            let (value, quality) = self.scale(sample.value, sample.quality);
            call.set_at(Output::FIRST, value, quality, sample.time);
        }
        Ok(())
    }
}

impl Scale {
    fn scale(&self, raw: f64, quality: Quality) -> (f64, Quality) {
        let Parameters {
            raw_low,
            raw_high,
            low,
            high,
            outside,
        } = self.parameters;
        let line = low + (raw - raw_low) * self.slope;
        let is_outside = raw < raw_low.min(raw_high) || raw > raw_low.max(raw_high);
        match outside {
            Outside::Clamp if is_outside => (
                line.clamp(low.min(high), low.max(high)),
                quality.min(UNITS_EXCEEDED),
            ),
            Outside::Bad if is_outside && !quality.is_bad() => (line, SENSOR_FAILURE),
            Outside::Extend | Outside::Clamp | Outside::Bad => (line, quality),
        }
    }
}

export_function!(Scale);
