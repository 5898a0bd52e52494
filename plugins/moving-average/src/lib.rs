//! The mean of a value, over a time or over a number of samples.
//!
//! Over a time, each value weighs as long as it stood, because the host hands over changes and not
//! samples at even steps. Samples of bad quality are left out.

mod window;

use andon_plugin::prelude::*;

use window::{LastSamples, LastTime};

/// Parameters of the function. Exactly one of `window` and `samples` must be given.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Mean over this time: `10m`.
    pub window: Option<DurationText>,
    /// Mean over this many samples, 1 to 100000.
    pub samples: Option<usize>,
    /// How often the mean over a time is computed while no sample comes.
    #[serde(default = "usual_update")]
    pub update: DurationText,
}

const fn usual_update() -> DurationText {
    DurationText::from_secs(10)
}

/// Most samples of one mean.
const SAMPLES_MAX: usize = 100_000;

/// The function.
pub struct MovingAverage {
    window: Window,
    update: Duration,
    is_bad: bool,
    last: Option<(f64, Quality)>,
    started: bool,
}

enum Window {
    Time(LastTime),
    Samples(LastSamples),
}

impl Function for MovingAverage {
    type Parameters = Parameters;

    fn about() -> About {
        About::new(
            "moving-average",
            env!("CARGO_PKG_VERSION"),
            "Computes the mean of a value over a time or a number of samples.",
        )
        .input(InputPort::number("input").summary("The value."))
        .output(OutputPort::number("average").summary("Its mean."))
    }

    fn configure(parameters: Parameters, _start: &Start<'_>) -> Result<Self, Failure> {
        let window = match (parameters.window, parameters.samples) {
            (Some(time), None) if time.0 >= Duration::from_millis(100) => {
                Window::Time(LastTime::new(time.0))
            }
            (Some(time), None) => return Err(Failure::parameter("window", time, "at least 100ms")),
            (None, Some(count)) if (1..=SAMPLES_MAX).contains(&count) => {
                Window::Samples(LastSamples::new(count))
            }
            (None, Some(count)) => {
                return Err(Failure::parameter("samples", count, "1 to 100000"));
            }
            (None, None) | (Some(_), Some(_)) => {
                return Err(Failure::new(
                    "bad-parameter",
                    "set either `window` (a time) or `samples` (a number), and not both",
                ));
            }
        };
        if parameters.update.0 < Duration::from_millis(100) {
            return Err(Failure::parameter(
                "update",
                parameters.update,
                "at least 100ms",
            ));
        }
        Ok(Self {
            window,
            update: parameters.update.0,
            is_bad: false,
            last: None,
            started: false,
        })
    }

    fn compute(&mut self, call: &mut FunctionCall<'_>) -> Result<(), Failure> {
        if !self.started {
            self.started = true;
            self.look_back(call);
        }
        for sample in call.samples() {
            self.take(sample.value, sample.is_usable(), sample.time);
        }
        let now = call.now();
        if let Window::Time(window) = &mut self.window {
            window.forget_before(now);
            if window.is_moving() {
                call.wake_after(self.update);
            }
        }
        self.give(call);
        Ok(())
    }
}

impl MovingAverage {
    /// After a start, what the host still has of the window counts.
    fn look_back(&mut self, call: &FunctionCall<'_>) {
        let since = match &self.window {
            Window::Time(window) => call.now().minus(window.length()),
            Window::Samples(_) => Timestamp::EPOCH,
        };
        // The samples of this call are the latest of the history as well.
        let first_new = call.samples().iter().map(|sample| sample.time).min();
        for kept in call.window(0, since) {
            if first_new.is_none_or(|first| kept.time < first) {
                let usable = !kept.quality.is_bad() && kept.value.is_finite();
                self.take(kept.value, usable, kept.time);
            }
        }
    }

    fn take(&mut self, value: f64, usable: bool, at: Timestamp) {
        self.is_bad = !usable;
        match &mut self.window {
            Window::Time(window) => window.take(usable.then_some(value), at),
            Window::Samples(window) if usable => window.take(value),
            Window::Samples(_) => {}
        }
    }

    /// Gives the mean where it changed. It is uncertain while the input is bad and older values of the
    /// window still say something, and bad when they are gone.
    fn give(&mut self, call: &mut FunctionCall<'_>) {
        let mean = match &self.window {
            Window::Time(window) => window.mean(call.now()),
            Window::Samples(window) => window.mean(),
        };
        let answer = match (mean, self.last) {
            (Some(mean), _) if self.is_bad => (mean, Quality::UNCERTAIN),
            (Some(mean), _) => (mean, Quality::GOOD),
            (None, Some((last, _))) => (last, Quality::BAD),
            (None, None) => return,
        };
        if self.last != Some(answer) {
            self.last = Some(answer);
            let (value, quality) = answer;
            call.set_at(Output::FIRST, value, quality, call.now());
        }
    }
}

export_function!(MovingAverage);
