//! Raises an alarm when a tank stays too full. Replace it by your own rule.

use andon_plugin::prelude::*;

/// What the settings can set. People read these comments when they configure the rule.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Limit, in the unit of the tag
    high: f64,
    /// The level must fall by so much below the limit before the alarm ends
    #[schemars(range(min = 0))]
    deadband: f64,
    /// The level must be above the limit for so long, seconds
    #[schemars(range(min = 0))]
    delay: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            high: 90.0,
            deadband: 2.0,
            delay: 0.0,
        }
    }
}

/// The rule.
pub struct TankLevel {
    parameters: Parameters,
    delay: Duration,
    /// The latest level, in tenths.
    last: i64,
}

impl Rule for TankLevel {
    type Parameters = Parameters;

    fn about() -> About {
        About::new(
            "{{name}}",
            "1.0.0",
            "Raises an alarm when a tank stays too full.",
        )
        .input(
            InputPort::number("level")
                .default_tags("tank1.level")
                .summary("Level of the tank"),
        )
    }

    fn configure(parameters: Parameters, start: &Start<'_>) -> Result<Self, Failure> {
        for (name, value) in [
            ("deadband", parameters.deadband),
            ("delay", parameters.delay),
        ] {
            if value < 0.0 {
                return Err(Failure::new(
                    "bad-parameter",
                    format!("`{name}` must not be negative"),
                ));
            }
        }
        Ok(Self {
            delay: Duration::try_from_secs_f64(parameters.delay).unwrap_or(Duration::MAX),
            last: start.state().get("last").unwrap_or_default(),
            parameters,
        })
    }

    fn evaluate(&mut self, call: &mut Call<'_>) -> Result<(), Failure> {
        for sample in call.samples() {
            // Uncertain values are used, bad ones are not.
            if !sample.quality.is_bad() && !sample.value.is_nan() {
                self.look_at(sample, call)?;
                self.raise_if_due(sample.time, call)?;
            }
        }
        if call.samples().is_empty() {
            self.raise_if_due(call.now(), call)?;
        }
        // What is asked for once is forgotten once it comes: ask for as long as the delay runs.
        if let Some(since) = above_since(call) {
            call.wake_at(since.plus(self.delay));
        }
        Ok(())
    }
}

impl TankLevel {
    fn look_at(&mut self, sample: Sample<'_>, call: &mut Call<'_>) -> Result<(), Failure> {
        let Parameters { high, deadband, .. } = self.parameters;
        let before = std::mem::replace(&mut self.last, tenths(sample.value));
        if is_raised(call) {
            if sample.value <= high - deadband {
                call.clear(key(call));
                call.state().delete("raised");
            }
        } else if sample.value <= high {
            call.state().delete("since");
        } else {
            if above_since(call).is_none() {
                call.state().set("since", &sample.time)?;
                call.state().set("last", &self.last)?;
            } else if before != self.last {
                call.state().set("last", &self.last)?;
            }
        }
        Ok(())
    }

    fn raise_if_due(&self, now: Timestamp, call: &mut Call<'_>) -> Result<(), Failure> {
        let Some(since) = above_since(call) else {
            return Ok(());
        };
        if now < since.plus(self.delay) {
            return Ok(());
        }
        let count = call.state().get::<u64>("count").unwrap_or(0) + 1;
        call.state().set("count", &count)?;
        call.state().set("raised", &1)?;
        call.state().delete("since");
        let tag = tag(call);
        let unit = call.inputs().get(0).and_then(|input| input.unit.as_deref());
        let unit = unit.map_or_else(String::new, |unit| format!(" {unit}"));
        let (level, high) = (text(self.last), text(tenths(self.parameters.high)));
        let message = format!("{tag} is at {level}{unit}, above {high}{unit} (alarm {count})");
        call.raise_alarm(Alarm::new(key(call), Priority::High, message).attribute("tag", tag));
        Ok(())
    }
}

/// When the level went above the limit, while the delay runs.
fn above_since(call: &Call<'_>) -> Option<Timestamp> {
    call.state().get("since")
}

fn is_raised(call: &Call<'_>) -> bool {
    call.state().get::<u8>("raised").is_some()
}

fn tag(call: &Call<'_>) -> String {
    call.inputs()
        .get(0)
        .map_or_else(String::new, |input| input.tag.clone())
}

fn key(call: &Call<'_>) -> String {
    format!("{}.high", tag(call))
}

fn tenths(value: f64) -> i64 {
    (value * 10.0 + 0.5).floor() as i64
}

fn text(tenths: i64) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    let digits = tenths.unsigned_abs();
    format!("{sign}{}.{}", digits / 10, digits % 10)
}

export_rule!(TankLevel);
