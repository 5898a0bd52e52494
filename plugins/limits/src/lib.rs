//! Low low, low, high and high high limits (ISA-18.2) on any number of inputs.
//!
//! Each input has up to four alarms, `TAG.low-low` to `TAG.high-high`, each with its limit, deadband,
//! delays and priority. What stands, and since when a delay runs, is remembered, so that a restart
//! neither forgets an alarm nor starts a delay again.

mod level;
mod parameters;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use andon_plugin::prelude::*;

pub use level::LevelName;
pub use parameters::{LevelSetting, OnBadQuality, Parameters};

use level::Level;
use watch::Watch;

/// Key of the state: what stands by tag and level. One value, so that a change of many alarms in one
/// batch is one write, and alarms of tags that are no longer bound are found.
const CONDITIONS: &str = "conditions";

type Remembered = BTreeMap<String, BTreeMap<LevelName, Condition>>;

/// The rule.
pub struct Limits {
    levels: Vec<Level>,
    on_bad_quality: OnBadQuality,
    message: MessageTemplate,
    /// By the index of the input.
    watches: Vec<Watch>,
    /// Inputs on which a delay may run.
    delayed: BTreeSet<usize>,
    /// Alarms that are remembered as raised, of tags or levels that are no longer watched.
    abandoned: Vec<String>,
    dirty: bool,
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
        let mut remembered: Remembered = start.state().get(CONDITIONS).unwrap_or_default();
        let mut watches = Vec::new();
        for input in start.inputs().iter() {
            if watches.iter().any(|watch: &Watch| watch.tag() == input.tag) {
                return Err(Failure::inputs(format!(
                    "`{}` is bound to `inputs` twice: name it once",
                    input.tag
                )));
            }
            let mut mine = remembered.remove(&input.tag).unwrap_or_default();
            watches.push(Watch::new(input, &levels, &mut mine));
            if !mine.is_empty() {
                remembered.insert(input.tag.clone(), mine);
            }
        }
        let abandoned = abandoned_keys(&remembered);
        Ok(Self {
            levels,
            on_bad_quality: parameters.on_bad_quality,
            message,
            delayed: (0..watches.len()).collect(),
            watches,
            dirty: !remembered.is_empty(),
            abandoned,
        })
    }

    fn evaluate(&mut self, call: &mut Call<'_>) -> Result<(), Failure> {
        for key in self.abandoned.drain(..) {
            call.clear(key);
        }
        for sample in call.samples() {
            let index = sample.index as usize;
            let Some(watch) = self.watches.get_mut(index) else {
                continue;
            };
            if watch.is_quiet_at(&sample) {
                continue;
            }
            for step in watch.take(&sample, &self.levels, self.on_bad_quality) {
                watch.tell(step, &self.levels, &self.message, call);
                self.dirty = true;
            }
            self.dirty |= watch.moved();
            self.delayed.insert(index);
        }
        self.let_time_pass(call);
        self.remember(call.state())
    }
}

impl Limits {
    /// Finishes delays that ran out, and asks to be woken at the next one that will.
    fn let_time_pass(&mut self, call: &mut Call<'_>) {
        let now = call.now();
        let mut next = None;
        self.delayed.retain(|index| {
            let Some(watch) = self.watches.get_mut(*index) else {
                return false;
            };
            for step in watch.tick(now, &self.levels) {
                watch.tell(step, &self.levels, &self.message, call);
            }
            self.dirty |= watch.moved();
            let due = watch.due(&self.levels);
            next = [next, due].into_iter().flatten().min();
            due.is_some()
        });
        if let Some(due) = next {
            call.wake_at(due);
        }
    }

    fn remember(&mut self, state: State<'_>) -> Result<(), Failure> {
        if !std::mem::take(&mut self.dirty) {
            return Ok(());
        }
        let standing: Remembered = self
            .watches
            .iter()
            .filter_map(|watch| Some((watch.tag().to_owned(), watch.standing(&self.levels)?)))
            .collect();
        if standing.is_empty() {
            state.delete(CONDITIONS);
            Ok(())
        } else {
            state.set(CONDITIONS, &standing)
        }
    }
}

/// Keys of the raised alarms in what is left of the memory.
fn abandoned_keys(remembered: &Remembered) -> Vec<String> {
    let key_of = |tag: &String, (name, condition): (&LevelName, &Condition)| {
        condition.is_raised().then(|| format!("{tag}.{name}"))
    };
    remembered
        .iter()
        .flat_map(|(tag, levels)| levels.iter().filter_map(move |level| key_of(tag, level)))
        .collect()
}

export_rule!(Limits);
