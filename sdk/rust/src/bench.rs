//! A test bench: runs a rule or a function natively, with virtual time, state, timers and the
//! history of its tags. Native targets only.
//!
//! It behaves as the host does: the instance is given what changed, one batch a call; a wake-up is
//! a call without samples at its own moment; a call that fails leaves the state as it was.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test kit: a test that is written wrong must fail loudly"
)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::guest::{self, Instance};
use crate::{
    About, Action, Columns, Failure, Function, Host, KeptSample, LogLevel, Outputs, Quality, Rule,
    Timestamp,
};

/// Moment at which a bench starts; any will do, and this one is easy to tell from zero.
const START: Timestamp = Timestamp::from_secs(1_700_000_000);

/// Most wake-ups that the bench serves in one [`RuleBench::advance`]: more is a rule that asks for a
/// moment in the past again and again.
const WAKE_UPS_MAX: usize = 100_000;

macro_rules! shared_methods {
    ($instance:ident) => {
        /// A bench with these parameters; bind inputs next, then start.
        #[must_use]
        pub fn new(parameters: Value) -> Self {
            Self {
                plant: Plant::new(parameters),
                instance: None,
            }
        }

        /// Binds a number tag to a port; bind in the order in which the settings would.
        #[must_use]
        pub fn input(self, port: &str, tag: &str) -> Self {
            self.typed_input(port, tag, "f64", None)
        }

        /// Binds a tag with its type (`bool`, `f32`, `text`) and unit to a port.
        #[must_use]
        pub fn typed_input(
            mut self,
            port: &str,
            tag: &str,
            kind: &str,
            unit: Option<&str>,
        ) -> Self {
            self.plant.bind(port, tag, kind, unit);
            self
        }

        /// Lets the plugin remember what another bench's plugin wrote, as after a change of settings.
        #[must_use]
        pub fn with_state(self, state: BTreeMap<String, Vec<u8>>) -> Self {
            *self.plant.state.borrow_mut() = state;
            self
        }

        /// What the plugin remembers, for [`Self::with_state`].
        #[must_use]
        pub fn raw_state(&self) -> BTreeMap<String, Vec<u8>> {
            self.plant.state.borrow().clone()
        }

        /// Configures the plugin.
        ///
        /// # Errors
        /// The plugin declines.
        pub fn start(mut self) -> Result<Self, Failure> {
            self.restart()?;
            Ok(self)
        }

        /// Makes the plugin anew, as after a restart: its state survives, and the next call brings the
        /// current values of all inputs.
        ///
        /// # Errors
        /// The plugin declines.
        pub fn restart(&mut self) -> Result<(), Failure> {
            self.instance = Some(Instance::$instance(
                &self.plant.configuration(),
                &self.plant,
            )?);
            self.plant.offer_current_values();
            Ok(())
        }

        /// Puts a good value into the next batch.
        ///
        /// # Panics
        /// No input has this tag.
        pub fn set(&mut self, tag: &str, value: f64) {
            self.set_quality(tag, value, Quality::GOOD);
        }

        /// Puts a value with its quality into the next batch.
        ///
        /// # Panics
        /// No input has this tag.
        pub fn set_quality(&mut self, tag: &str, value: f64, quality: Quality) {
            self.plant.put(tag, value, quality, None);
        }

        /// Puts a text into the next batch.
        ///
        /// # Panics
        /// No input has this tag.
        pub fn set_text(&mut self, tag: &str, text: &str) {
            self.plant.put(tag, f64::NAN, Quality::GOOD, Some(text));
        }

        /// Virtual now.
        #[must_use]
        pub const fn now(&self) -> Timestamp {
            self.plant.now
        }

        /// When the plugin wants to be woken, if it does.
        #[must_use]
        pub fn wake_at(&self) -> Option<Timestamp> {
            *self.plant.wake_at.borrow()
        }

        /// What the plugin remembers, as text by key.
        #[must_use]
        pub fn state(&self) -> BTreeMap<String, String> {
            let state = self.plant.state.borrow();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            state
                .iter()
                .map(|(key, value)| (key.clone(), text(value)))
                .collect()
        }

        /// The lines of its log, oldest first.
        #[must_use]
        pub fn log(&self) -> Vec<(LogLevel, String)> {
            self.plant.log.borrow().clone()
        }

        /// The JSON that the host reads from the component.
        ///
        /// # Panics
        /// The description is no JSON; then the host refuses the component too.
        #[must_use]
        pub fn description() -> Value {
            serde_json::from_str(&Self::describe()).expect("the description is JSON")
        }
    };
}

/// Runs a [`Rule`] natively.
pub struct RuleBench<R> {
    plant: Plant,
    instance: Option<Instance<R>>,
}

impl<R: Rule> RuleBench<R> {
    shared_methods!(rule);

    fn describe() -> String {
        guest::describe_rule::<R>()
    }

    /// Runs the batch that was put together, even an empty one, and answers the actions.
    ///
    /// # Panics
    /// The bench was not started.
    ///
    /// # Errors
    /// The rule declines; the state is as it was before the call.
    pub fn try_run(&mut self) -> Result<Vec<Action>, Failure> {
        let instance = self.instance.as_mut().expect("start the bench first");
        self.plant
            .call(|now, columns, plant| instance.evaluate(now, columns, plant))
    }

    /// Like [`Self::try_run`] for a rule that must not decline.
    ///
    /// # Panics
    /// The rule declined.
    pub fn run(&mut self) -> Vec<Action> {
        self.try_run().expect("the rule declined")
    }

    /// Like [`Self::run`]; answers each action as one line, as [`Action`] shows itself.
    ///
    /// # Panics
    /// The rule declined.
    pub fn lines(&mut self) -> Vec<String> {
        self.run().iter().map(ToString::to_string).collect()
    }

    /// Lets time pass, serves the wake-ups that come due, each at its own moment, and answers their
    /// actions as lines.
    ///
    /// # Panics
    /// The rule declined, or asks to be woken without end.
    pub fn advance(&mut self, by: Duration) -> Vec<String> {
        let end = self.plant.now.plus(by);
        let mut lines = Vec::new();
        for _ in 0..WAKE_UPS_MAX {
            if !self.plant.next_wake_up(end) {
                return lines;
            }
            lines.extend(self.lines());
        }
        panic!("the rule asks to be woken without end");
    }
}

/// Runs a [`Function`] natively.
pub struct FunctionBench<F> {
    plant: Plant,
    instance: Option<Instance<F>>,
}

impl<F: Function> FunctionBench<F> {
    shared_methods!(function);

    fn describe() -> String {
        guest::describe_function::<F>()
    }

    /// Runs the batch that was put together, even an empty one, and answers the outputs.
    ///
    /// # Panics
    /// The bench was not started.
    ///
    /// # Errors
    /// The function declines; the state is as it was before the call.
    pub fn try_run(&mut self) -> Result<Vec<OutputSample>, Failure> {
        let instance = self.instance.as_mut().expect("start the bench first");
        let outputs = self
            .plant
            .call(|now, columns, plant| instance.compute(now, columns, plant))?;
        Ok(OutputSample::list(&F::about(), &outputs))
    }

    /// Like [`Self::try_run`] for a function that must not decline.
    ///
    /// # Panics
    /// The function declined.
    pub fn run(&mut self) -> Vec<OutputSample> {
        self.try_run().expect("the function declined")
    }

    /// Lets time pass, serves the wake-ups that come due, each at its own moment, and answers their
    /// outputs.
    ///
    /// # Panics
    /// The function declined, or asks to be woken without end.
    pub fn advance(&mut self, by: Duration) -> Vec<OutputSample> {
        let end = self.plant.now.plus(by);
        let mut outputs = Vec::new();
        for _ in 0..WAKE_UPS_MAX {
            if !self.plant.next_wake_up(end) {
                return outputs;
            }
            outputs.extend(self.run());
        }
        panic!("the function asks to be woken without end");
    }
}

/// A value that a function gave.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputSample {
    /// Name of the output.
    pub output: String,
    /// The value.
    pub value: f64,
    /// Its quality.
    pub quality: Quality,
    /// Its time.
    pub time: Timestamp,
}

impl OutputSample {
    fn list(about: &About, outputs: &Outputs) -> Vec<Self> {
        let names = about.output_names();
        let row = |row: usize| Self {
            output: names[outputs.output[row] as usize].to_owned(),
            value: outputs.value[row],
            quality: Quality(outputs.quality[row]),
            time: Timestamp::from_nanos(outputs.time[row]),
        };
        (0..outputs.output.len()).map(row).collect()
    }
}

/// The host of a bench: tags, state, timer, log and the batch to come.
struct Plant {
    parameters: Value,
    inputs: Vec<Value>,
    now: Timestamp,
    batch: Batch,
    history: Vec<Vec<KeptSample>>,
    texts: BTreeMap<u32, String>,
    state: RefCell<BTreeMap<String, Vec<u8>>>,
    wake_at: RefCell<Option<Timestamp>>,
    log: RefCell<Vec<(LogLevel, String)>>,
}

#[derive(Default)]
struct Batch {
    input: Vec<u32>,
    value: Vec<f64>,
    quality: Vec<u8>,
    time: Vec<i64>,
}

impl Batch {
    fn push(&mut self, input: u32, sample: KeptSample) {
        self.input.push(input);
        self.value.push(sample.value);
        self.quality.push(sample.quality.0);
        self.time.push(sample.time.nanos());
    }
}

impl Plant {
    fn new(parameters: Value) -> Self {
        Self {
            parameters,
            inputs: Vec::new(),
            now: START,
            batch: Batch::default(),
            history: Vec::new(),
            texts: BTreeMap::new(),
            state: RefCell::default(),
            wake_at: RefCell::default(),
            log: RefCell::default(),
        }
    }

    fn bind(&mut self, port: &str, tag: &str, kind: &str, unit: Option<&str>) {
        self.inputs
            .push(json!({ "port": port, "tag": tag, "type": kind, "unit": unit }));
        self.history.push(Vec::new());
    }

    fn configuration(&self) -> String {
        let Self {
            parameters, inputs, ..
        } = self;
        json!({ "instance": "bench", "parameters": parameters, "inputs": inputs }).to_string()
    }

    /// A tag that is bound to several ports is a sample of each.
    fn put(&mut self, tag: &str, value: f64, quality: Quality, text: Option<&str>) {
        let sample = KeptSample {
            value,
            quality,
            time: self.now,
        };
        let mut found = false;
        for (index, input) in (0..).zip(&self.inputs) {
            if input["tag"] == tag {
                found = true;
                self.batch.push(index, sample);
                self.history[index as usize].push(sample);
                if let Some(text) = text {
                    self.texts.insert(index, text.to_owned());
                }
            }
        }
        assert!(found, "no input has the tag `{tag}`");
    }

    fn offer_current_values(&mut self) {
        self.batch = Batch::default();
        for (index, kept) in (0..).zip(&self.history) {
            if let Some(latest) = kept.last() {
                self.batch.push(index, *latest);
            }
        }
    }

    fn call<A>(
        &mut self,
        work: impl FnOnce(Timestamp, Columns<'_>, &Self) -> Result<A, Failure>,
    ) -> Result<A, Failure> {
        let batch = std::mem::take(&mut self.batch);
        let before = self.state.borrow().clone();
        let due = *self.wake_at.borrow();
        if due.is_some_and(|due| due <= self.now) {
            *self.wake_at.borrow_mut() = None;
        }
        let columns = Columns {
            input: &batch.input,
            value: &batch.value,
            quality: &batch.quality,
            time: &batch.time,
        };
        let answer = work(self.now, columns, self);
        if answer.is_err() {
            *self.state.borrow_mut() = before;
        }
        answer
    }

    /// Goes to the next wake-up, or to `end` if none comes before.
    fn next_wake_up(&mut self, end: Timestamp) -> bool {
        let due = *self.wake_at.borrow();
        match due {
            Some(due) if due <= end => {
                self.now = self.now.max(due);
                true
            }
            _ => {
                self.now = end;
                false
            }
        }
    }
}

impl Host for Plant {
    fn text(&self, input: u32) -> Option<String> {
        self.texts.get(&input).cloned()
    }

    fn window(&self, input: u32, since: Timestamp) -> Vec<KeptSample> {
        let kept = self
            .history
            .get(input as usize)
            .cloned()
            .unwrap_or_default();
        kept.into_iter()
            .filter(|sample| sample.time >= since)
            .collect()
    }

    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.state.borrow().get(key).cloned()
    }

    fn set(&self, key: &str, value: &[u8]) -> Result<(), Failure> {
        self.state.borrow_mut().insert(key.into(), value.into());
        Ok(())
    }

    fn delete(&self, key: &str) {
        self.state.borrow_mut().remove(key);
    }

    fn wake_at(&self, time: Timestamp) {
        let mut kept = self.wake_at.borrow_mut();
        *kept = Some(kept.map_or(time, |earliest| earliest.min(time)));
    }

    fn log(&self, level: LogLevel, message: &str) {
        self.log.borrow_mut().push((level, message.to_owned()));
    }
}
