//! Plays a scenario: a virtual clock, one instance, the same slot that the scheduler uses.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{
    Action, CallError, Columns, Component, DurationText, Limits, Output, Quality, SampleBatch,
    TagId, Timestamp,
};

use super::bind::{Bound, bind};
use super::file::{QualityWord, Scenario, ScenarioError, Step, Value};
use super::report::{Difference, Report, compare};
use crate::current::{Current, CurrentSample, Provenance};
use crate::history::SampleHistory;
use crate::round::Round;
use crate::slot::{Memory, Sight, Slot};

/// Virtual time 0: 2026-01-01T00:00:00Z.
const START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// Most calls of one step; a guest that wakes itself more often fails the step.
const CALLS_MAX: usize = 100_000;

/// What one step came to.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) actions: Vec<Action>,
    pub(super) errors: Vec<CallError>,
    /// Latest outputs by port, from all steps so far.
    pub(super) outputs: BTreeMap<String, (f64, Quality)>,
}

/// Plays a scenario with a new instance of the component.
///
/// # Errors
/// The scenario does not fit the component: unknown ports, types that do not match, unbound tags.
/// That something came out otherwise than expected is no error but a difference in the report.
pub async fn play(
    scenario: &Scenario,
    component: Arc<dyn Component>,
    limits: &Limits,
) -> Result<Report, ScenarioError> {
    let bound = bind(scenario, component.as_ref(), limits)?;
    let mut stage = Stage::new(bound, component);
    let mut differences = Vec::new();
    for (index, (step, line)) in scenario.steps.iter().zip(&scenario.lines).enumerate() {
        let line = *line;
        let excess = stage.step(step).await;
        let difference = match excess {
            Excess::None => compare(index + 1, line, step, &stage.heard),
            Excess::Calls => Some(Difference {
                step: index + 1,
                line,
                at: step.at,
                rows: Vec::new(),
                lines: vec![format!(
                    "+ it woke itself more than {CALLS_MAX} times; ask for later wake-ups"
                )],
            }),
        };
        differences.extend(difference);
        stage.heard.actions.clear();
        stage.heard.errors.clear();
    }
    Ok(Report {
        scenario: scenario.name.clone(),
        steps: scenario.steps.len(),
        calls: stage.calls,
        differences,
    })
}

/// Whether a step stayed within its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Excess {
    None,
    Calls,
}

struct Stage {
    bound: Bound,
    slot: Slot,
    history: Arc<SampleHistory>,
    current: Current,
    now: Timestamp,
    heard: Heard,
    calls: usize,
}

impl Stage {
    fn new(bound: Bound, component: Arc<dyn Component>) -> Self {
        let plan = Arc::new(bound.plan.clone());
        let history = Arc::new(SampleHistory::default());
        let current = Current::default();
        let read: Vec<_> = plan.inputs.iter().map(|input| input.tag).collect();
        history.keep_only(&read, &current);
        Self {
            slot: Slot::new(plan, component, Memory::default(), START),
            bound,
            history,
            current,
            now: START,
            heard: Heard::default(),
            calls: 0,
        }
    }

    /// Wake-ups up to the step's time, the restart where there is one, then what the step sets.
    async fn step(&mut self, step: &Step) -> Excess {
        let at = moment(step.at);
        let batch = self.batch(step, at);
        let budget = self.calls + CALLS_MAX;
        if step.restart {
            let before = at.minus(Duration::from_nanos(1));
            if self.wake_until(before, budget).await == Excess::Calls {
                return Excess::Calls;
            }
            self.slot.guest = None;
            self.slot.sight = Sight::Everything;
            self.slot.recall_at = Some(at);
        }
        if !batch.is_empty() && self.slot.recall_at == Some(at) {
            // The first call of a guest and the samples of the same moment are one call.
            self.slot.recall_at = None;
        }
        if self.wake_until(at, budget).await == Excess::Calls {
            return Excess::Calls;
        }
        self.now = at;
        if !batch.is_empty() {
            self.take_in(&batch);
            self.call().await;
        }
        Excess::None
    }

    /// Calls the guest at each moment that it asked for.
    async fn wake_until(&mut self, until: Timestamp, budget: usize) -> Excess {
        while let Some(due) = self.slot.due_at().filter(|due| *due <= until) {
            if self.calls >= budget {
                self.slot.memory.timer = None;
                return Excess::Calls;
            }
            self.now = self.now.max(due);
            self.call().await;
        }
        Excess::None
    }

    /// The samples that a step sets, by name of the tag; a quality alone repeats the last value.
    fn batch(&self, step: &Step, at: Timestamp) -> SampleBatch {
        let mut batch = SampleBatch::default();
        let mut names: Vec<&String> = step.set.keys().chain(step.quality.keys()).collect();
        names.sort();
        names.dedup();
        for name in names {
            let Some(tag) = self.bound.tags.find(name) else {
                continue;
            };
            let quality = step
                .quality
                .get(name)
                .map_or(Quality::GOOD, |word: &QualityWord| word.quality());
            match step.set.get(name) {
                Some(value) => push(&mut batch, tag, value, quality, at),
                None => {
                    let last = self
                        .current
                        .get(tag)
                        .map_or(f64::NAN, |sample| sample.value);
                    batch.push(tag, last, quality, at);
                }
            }
        }
        for (name, value) in step.more.iter().flatten() {
            if let Some(tag) = self.bound.tags.find(name) {
                push(&mut batch, tag, value, Quality::GOOD, at);
            }
        }
        batch
    }

    fn take_in(&mut self, batch: &SampleBatch) {
        self.history.take_in(batch);
        for (tag, value, quality, time) in batch.rows() {
            let sample = CurrentSample {
                value,
                time,
                quality,
                provenance: Provenance::Device,
            };
            self.current.set(tag, sample);
            for (input, bound) in (0_u32..).zip(&self.slot.plan.inputs) {
                if bound.tag == tag {
                    self.slot.columns.push(input, value, quality.0, time);
                }
            }
        }
    }

    async fn call(&mut self) {
        self.calls += 1;
        self.slot.complete_rows(&self.current);
        let mut round = Round::default();
        let slot = &mut self.slot;
        let result = slot
            .make_and_call(self.now, &self.history, &mut round)
            .await;
        self.slot.columns.clear();
        match result {
            Ok(reply) => {
                self.slot.memory.apply(&reply.state);
                self.slot.settle_timer(self.now, reply.wake_at);
                self.slot.sight = Sight::News;
                match reply.output {
                    Output::Actions(actions) => self.heard.actions.extend(actions),
                    Output::Samples(samples) => self.hear(&samples),
                }
            }
            Err(error) => {
                if error.guest_is_lost() {
                    self.slot.guest = None;
                }
                self.slot.sight = Sight::Everything;
                self.slot.recall_at = None;
                self.slot.timer_tried_at = Some(self.now);
                self.heard.errors.push(error);
            }
        }
    }

    fn hear(&mut self, samples: &Columns) {
        for (output, value, quality, _) in samples.rows() {
            if let Some(bound) = self.slot.plan.outputs.get(output as usize) {
                let quality = crate::scheduler::trusted(value, Quality(quality));
                self.heard
                    .outputs
                    .insert(bound.port.clone(), (value, quality));
            }
        }
    }
}

fn push(batch: &mut SampleBatch, tag: TagId, value: &Value, quality: Quality, at: Timestamp) {
    match value {
        Value::Number(number) => batch.push(tag, *number, quality, at),
        Value::Bool(on) => batch.push(tag, f64::from(u8::from(*on)), quality, at),
        Value::Text(text) => batch.push_text(tag, text.as_str().into(), quality, at),
    }
}

fn moment(at: DurationText) -> Timestamp {
    START.plus(at.0)
}
