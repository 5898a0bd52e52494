//! Low low, low, high and high high limits (ISA-18.2) on any number of inputs.
//!
//! Each input has up to four alarms, `TAG.low-low` to `TAG.high-high`, each with its limit, deadband,
//! delays and priority. What stands, and since when a delay runs, is remembered, so that a restart
//! neither forgets an alarm nor starts a delay again.

mod level;
mod parameters;
mod watch;

use std::ops::RangeInclusive;

use andon_plugin::prelude::*;

pub use level::LevelName;
pub use parameters::{LevelSetting, OnBadQuality, Parameters};

use level::{Level, quiet_band};
use watch::Watch;

/// The rule.
pub struct Limits {
    levels: Vec<Level>,
    /// A value in it changes nothing at an input whose conditions are all normal.
    quiet_band: RangeInclusive<f64>,
    /// Inputs of which a condition is not normal.
    restless: usize,
    on_bad_quality: OnBadQuality,
    message: MessageTemplate,
    /// By the index of the input.
    watches: Vec<Watch>,
    /// All levels of the first input, then all of the second, and so on.
    conditions: Conditions,
}

impl Rule for Limits {
    type Parameters = Parameters;

    fn about() -> About {
        About::new(
            "limits",
            env!("CARGO_PKG_VERSION"),
            "Raises an alarm when an input is beyond a low low, low, high or high high limit.",
        )
        .input(
            InputPort::number("inputs")
                .many()
                .summary("The values to watch; each gets its own alarms."),
        )
    }

    fn configure(parameters: Parameters, start: &Start<'_>) -> Result<Self, Failure> {
        let levels = parameters.levels()?;
        let message = parameters.message()?;
        let keys = start.inputs().iter().flat_map(|input| {
            levels
                .iter()
                .map(|level| (format!("{}.{}", input.tag, level.name), level.delays))
        });
        Ok(Self {
            conditions: Conditions::new(keys, start.state())?,
            watches: start.inputs().iter().map(Watch::new).collect(),
            quiet_band: quiet_band(&levels),
            restless: start.inputs().len(),
            on_bad_quality: parameters.on_bad_quality,
            levels,
            message,
        })
    }

    fn evaluate(&mut self, call: &mut Call<'_>) -> Result<(), Failure> {
        let samples = call.samples();
        // What nearly all batches are: nothing stands, and every value is where it should be.
        if self.restless > 0 || !samples.are_within(&self.quiet_band) {
            let mut samples = samples.into_iter();
            while let Some(sample) = samples.find(|sample| self.is_news(sample)) {
                self.judge(&sample, call);
            }
        }
        for (place, edge) in self.conditions.tick(call.now()) {
            self.tell(place, edge, call);
            self.find_quiet(place / self.levels.len());
        }
        self.conditions.settle(call)
    }
}

impl Limits {
    /// Whether a sample can change anything; nearly none can.
    #[inline]
    fn is_news(&self, sample: &Sample<'_>) -> bool {
        let watch = self.watches.get(sample.index as usize);
        let quiet = !sample.quality.is_bad() && self.quiet_band.contains(&sample.value);
        watch.is_some_and(|watch| !(quiet && watch.is_normal()))
    }

    /// Kept out of the loop over the samples: a loop without calls keeps its values in registers.
    #[inline(never)]
    fn judge(&mut self, sample: &Sample<'_>, call: &mut Call<'_>) {
        let index = sample.index as usize;
        if let Some(watch) = self.watches.get_mut(index) {
            watch.see(sample);
        }
        let first = index * self.levels.len();
        for offset in 0..self.levels.len() {
            let place = first + offset;
            let Some(level) = self.levels.get(offset) else {
                continue;
            };
            let raised = self.conditions.is_raised(place);
            let verdict = verdict(sample, level, raised, self.on_bad_quality);
            for edge in self.conditions.update(place, verdict, sample.time) {
                self.tell(place, edge, call);
            }
        }
        self.find_quiet(index);
    }

    fn tell(&self, place: usize, edge: Edge, call: &mut Call<'_>) {
        let key = self.conditions.key(place);
        let watch = self.watches.get(place / self.levels.len());
        let level = self.levels.get(place % self.levels.len());
        match (edge, watch, level) {
            (Edge::Raise, Some(watch), Some(level)) => {
                call.raise_alarm(watch.alarm(key, level, &self.message));
            }
            _ => call.clear(key),
        }
    }

    fn find_quiet(&mut self, index: usize) {
        let first = index * self.levels.len();
        let mut places = first..first + self.levels.len();
        let all_normal = places.all(|place| self.conditions.is_normal(place));
        if let Some(watch) = self.watches.get_mut(index)
            && watch.is_normal() != all_normal
        {
            watch.set_normal(all_normal);
            if all_normal {
                self.restless -= 1;
            } else {
                self.restless += 1;
            }
        }
    }
}

fn verdict(sample: &Sample<'_>, level: &Level, raised: bool, on_bad: OnBadQuality) -> Verdict {
    let bad = sample.quality.is_bad();
    match on_bad {
        OnBadQuality::Force if bad => Verdict::Holds,
        OnBadQuality::Hold if bad => Verdict::Unknown,
        _ if sample.value.is_nan() => Verdict::Unknown,
        OnBadQuality::Hold | OnBadQuality::Force | OnBadQuality::Ignore => {
            level.is_beyond(sample.value, raised).into()
        }
    }
}

export_rule!(Limits);
