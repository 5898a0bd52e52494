//! Turns the level of a tank into its volume, and smooths it. Replace it by your own function.

use andon_plugin::prelude::*;

/// What the settings can set. People read these comments when they configure the function.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Volume of the full tank, m³
    capacity: f64,
    /// How far back the mean looks
    #[schemars(range(min = 0))]
    seconds: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            capacity: 10.0,
            seconds: 60.0,
        }
    }
}

/// The function.
pub struct TankVolume {
    capacity: f64,
    span: Duration,
}

/// The outputs, in the order of `about`.
const VOLUME: Output = Output(0);
const MEAN: Output = Output(1);

impl Function for TankVolume {
    type Parameters = Parameters;

    fn about() -> About {
        About::new(
            "{{name}}",
            "1.0.0",
            "Turns the level of a tank into its volume, and smooths it.",
        )
        .input(
            InputPort::number("level")
                .default_tags("tank1.level")
                .summary("Level of the tank, per cent"),
        )
        .output(
            OutputPort::number("volume")
                .unit("m³")
                .summary("What is in the tank"),
        )
        .output(
            OutputPort::number("mean")
                .unit("m³")
                .summary("The mean of the kept samples"),
        )
    }

    fn configure(parameters: Parameters, _start: &Start<'_>) -> Result<Self, Failure> {
        if parameters.capacity <= 0.0 {
            return Err(Failure::parameter(
                "capacity",
                parameters.capacity,
                "more than 0",
            ));
        }
        Ok(Self {
            capacity: parameters.capacity,
            span: Duration::try_from_secs_f64(parameters.seconds).unwrap_or(Duration::MAX),
        })
    }

    fn compute(&mut self, call: &mut FunctionCall<'_>) -> Result<(), Failure> {
        for sample in call.samples() {
            if sample.is_usable() {
                let (quality, time) = (sample.quality, sample.time);
                let mean = self.mean(call, sample);
                call.set_at(VOLUME, sample.value / 100.0 * self.capacity, quality, time);
                call.set_at(MEAN, mean / 100.0 * self.capacity, quality, time);
            }
        }
        Ok(())
    }
}

impl TankVolume {
    /// The mean level of the kept samples; that of this sample where there is none.
    fn mean(&self, call: &FunctionCall<'_>, sample: Sample<'_>) -> f64 {
        let mut kept = call.window(sample.index, sample.time.minus(self.span));
        kept.retain(|each| !each.quality.is_bad() && each.value.is_finite());
        if kept.is_empty() {
            return sample.value;
        }
        let sum: f64 = kept.iter().map(|each| each.value).sum();
        sum / kept.len() as f64
    }
}

export_function!(TankVolume);
