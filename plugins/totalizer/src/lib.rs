//! The integral of a rate over time: litres from litres a minute, kilowatt hours from kilowatts.
//!
//! A rate stands until the next sample, because the host hands over changes. While it is bad nothing
//! is counted and the total is uncertain. The total is remembered now and then, together with the rate,
//! so that a restart goes on from there: what flowed between the last save and the restart is counted
//! with the rate of the last save, as far back as `max_gap`.

use andon_plugin::prelude::*;

/// Parameters of the function.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Unit of time of the rate: `minute` for litres a minute.
    pub per: Per,
    /// What the total is multiplied by: 0.001 for cubic metres from litres.
    #[serde(default = "one")]
    pub factor: f64,
    /// Total at the very first start and after a reset.
    #[serde(default)]
    pub initial: f64,
    /// Whether a negative rate counts down; otherwise it counts as zero.
    #[serde(default)]
    pub count_down: bool,
    /// How often the total is given while no sample comes.
    #[serde(default = "ten_seconds")]
    pub update: DurationText,
    /// How often the total is remembered, at most.
    #[serde(default = "ten_seconds")]
    pub save: DurationText,
    /// Longest time without the function that is counted with the rate from before.
    #[serde(default = "one_minute")]
    pub max_gap: DurationText,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Per {
    /// A rate per second.
    Second,
    /// A rate per minute.
    Minute,
    /// A rate per hour.
    Hour,
}

impl Per {
    const fn seconds(self) -> f64 {
        match self {
            Self::Second => 1.0,
            Self::Minute => 60.0,
            Self::Hour => 3600.0,
        }
    }
}

const fn one() -> f64 {
    1.0
}

const fn ten_seconds() -> DurationText {
    DurationText::from_secs(10)
}

const fn one_minute() -> DurationText {
    DurationText::from_secs(60)
}

/// Key of the state.
const COUNT: &str = "count";

/// What is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Count {
    total: f64,
    /// Until when the total is counted.
    until: Timestamp,
    /// The rate that stands since then; none while it is bad or was never read.
    rate: Option<f64>,
    /// Whether the reset input is on: only its rising edge resets.
    reset: bool,
}

/// The function.
pub struct Totalizer {
    parameters: Parameters,
    count: Option<Count>,
    saved: Option<Count>,
    saved_at: Timestamp,
    resumed: bool,
    rate_input: u32,
    last: Option<(f64, Quality)>,
}

impl Function for Totalizer {
    type Parameters = Parameters;

    fn about() -> About {
        About::new(
            "totalizer",
            env!("CARGO_PKG_VERSION"),
            "Integrates a rate over time: litres from litres a minute.",
        )
        .input(InputPort::number("rate").summary("The rate."))
        .input(
            InputPort::bool("reset")
                .optional()
                .summary("Its rising edge sets the total back."),
        )
        .output(OutputPort::number("total").summary("The total."))
    }

    fn configure(parameters: Parameters, start: &Start<'_>) -> Result<Self, Failure> {
        for (name, value) in [
            ("factor", parameters.factor),
            ("initial", parameters.initial),
        ] {
            if !value.is_finite() {
                return Err(Failure::parameter(name, value, "a finite number"));
            }
        }
        for (name, value) in [("update", parameters.update), ("save", parameters.save)] {
            if value.0 < Duration::from_secs(1) {
                return Err(Failure::parameter(name, value, "at least 1s"));
            }
        }
        let rate = start
            .inputs()
            .port("rate")
            .ok_or_else(|| Failure::inputs("nothing is bound to `rate`: name a tag for it"))?;
        let count: Option<Count> = start.state().get(COUNT);
        Ok(Self {
            rate_input: rate.index,
            parameters,
            count,
            saved: count,
            saved_at: count.map_or(Timestamp::EPOCH, |count| count.until),
            resumed: count.is_some(),
            last: None,
        })
    }

    fn compute(&mut self, call: &mut FunctionCall<'_>) -> Result<(), Failure> {
        let now = call.now();
        let mut count = self.count.unwrap_or(Count {
            total: self.parameters.initial,
            until: now,
            rate: None,
            reset: false,
        });
        let mut save_now = self.count.is_none();
        self.resume(&mut count, now);
        for sample in call.samples() {
            self.integrate(&mut count, sample.time.min(now));
            if sample.index == self.rate_input {
                count.rate = sample.is_usable().then_some(sample.value);
            } else if sample.is_usable() {
                save_now |= self.take_reset(&mut count, sample.value != 0.0, call);
            }
        }
        self.integrate(&mut count, now);
        self.count = Some(count);
        self.give(count, call);
        if count.rate.is_some_and(|rate| rate != 0.0) {
            call.wake_after(self.parameters.update.0);
        }
        self.remember(count, save_now, call)
    }
}

impl Totalizer {
    /// Counts up to a moment with the rate that stands.
    fn integrate(&self, count: &mut Count, until: Timestamp) {
        if let Some(rate) = count.rate {
            let rate = if self.parameters.count_down {
                rate
            } else {
                rate.max(0.0)
            };
            let passed = until.since(count.until).as_secs_f64();
            let amount = rate * passed / self.parameters.per.seconds();
            let total = count.total + amount * self.parameters.factor;
            // A rate of 1e308 must not make the total infinite for ever.
            if total.is_finite() {
                count.total = total;
            }
        }
        count.until = count.until.max(until);
    }

    /// The first call after a start: a gap that is too long is not counted.
    fn resume(&mut self, count: &mut Count, now: Timestamp) {
        let resumed = std::mem::take(&mut self.resumed);
        if resumed && now.since(count.until) > self.parameters.max_gap.0 {
            count.until = now;
            count.rate = None;
        }
    }

    /// Takes the reset input; answers whether its state must be remembered at once.
    fn take_reset(&self, count: &mut Count, on: bool, call: &FunctionCall<'_>) -> bool {
        let changed = on != count.reset;
        if on && changed {
            let line = format!("reset at {}", Reading::bare(count.total));
            call.log(LogLevel::Info, &line);
            count.total = self.parameters.initial;
        }
        count.reset = on;
        changed
    }

    fn give(&mut self, count: Count, call: &mut FunctionCall<'_>) {
        let quality = if count.rate.is_some() {
            Quality::GOOD
        } else {
            Quality::UNCERTAIN
        };
        if self.last != Some((count.total, quality)) {
            self.last = Some((count.total, quality));
            call.set_at(Output::FIRST, count.total, quality, call.now());
        }
    }

    /// Each save is a write to disk, so the total is saved now and then; a change of the reset input at
    /// once, for it must not be seen twice.
    fn remember(
        &mut self,
        count: Count,
        save_now: bool,
        call: &FunctionCall<'_>,
    ) -> Result<(), Failure> {
        let is_due = call.now().since(self.saved_at) >= self.parameters.save.0;
        // Where nothing flows, only the time moved on.
        let rests = self.saved.is_some_and(|saved| {
            saved.total == count.total && saved.rate == count.rate && saved.reset == count.reset
        });
        if save_now || (is_due && !rests) {
            call.state().set(COUNT, &count)?;
            self.saved = Some(count);
            self.saved_at = call.now();
        } else if !rests {
            call.wake_at(self.saved_at.plus(self.parameters.save.0));
        }
        Ok(())
    }
}

export_function!(Totalizer);
