//! Tells when a tank is too full. Replace it by your own rule.

use andon_plugin::prelude::*;

/// What the settings can set. People read these comments when they configure the rule.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Highest level that is still in order, in the unit of the tag.
    pub high: f64,
    /// How long the level must be above it before people are told.
    #[serde(default)]
    pub on_delay: DurationText,
}

/// The rule.
pub struct TankLevel {
    parameters: Parameters,
    /// One condition for each input, in their order.
    conditions: Conditions,
}

impl Rule for TankLevel {
    type Parameters = Parameters;

    fn about() -> About {
        About::new(
            "tank-level",
            env!("CARGO_PKG_VERSION"),
            "Tells when a tank is too full.",
        )
        .input(
            InputPort::number("level")
                .many()
                .default_tags("*.level")
                .summary("Levels of the tanks."),
        )
    }

    fn configure(parameters: Parameters, start: &Start<'_>) -> Result<Self, Failure> {
        if !parameters.high.is_finite() {
            return Err(Failure::parameter("high", parameters.high, "a finite number"));
        }
        let delays = Delays {
            on: parameters.on_delay.0,
            off: Duration::ZERO,
        };
        let keys = start
            .inputs()
            .iter()
            .map(|input| (format!("{}.high", input.tag), delays));
        Ok(Self {
            conditions: Conditions::new(keys, start.state())?,
            parameters,
        })
    }

    fn evaluate(&mut self, call: &mut Call<'_>) -> Result<(), Failure> {
        for sample in call.samples() {
            let verdict = if sample.is_usable() {
                Verdict::from(sample.value > self.parameters.high)
            } else {
                Verdict::Unknown
            };
            let place = sample.index as usize;
            for edge in self.conditions.update(place, verdict, sample.time) {
                self.tell(place, edge, call);
            }
        }
        for (place, edge) in self.conditions.tick(call.now()) {
            self.tell(place, edge, call);
        }
        self.conditions.settle(call)
    }
}

impl TankLevel {
    fn tell(&self, place: usize, edge: Edge, call: &mut Call<'_>) {
        let key = self.conditions.key(place);
        let high = Reading::bare(self.parameters.high);
        match edge {
            Edge::Raise => call.raise(key, Priority::High, format!("{key}: above {high}")),
            Edge::Clear => call.clear(key),
        }
    }
}

export_rule!(TankLevel);
