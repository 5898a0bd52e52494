//! One call of the host: what a plugin can ask in it, and what it answers.

use std::cell::Cell;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{
    Action, Alarm, Columns, Failure, Inputs, KeptSample, Priority, Quality, Samples, Timestamp,
};

/// What the host offers to a plugin. In the component these are its imports, in a native test the
/// bench.
pub trait Host {
    /// Latest text of a text input.
    fn text(&self, input: u32) -> Option<String>;
    /// Kept samples of one input since a moment, oldest first.
    fn window(&self, input: u32, since: Timestamp) -> Vec<KeptSample>;
    /// What the instance remembers under a key.
    fn get(&self, key: &str) -> Option<Vec<u8>>;
    /// Remembers.
    ///
    /// # Errors
    /// The host refuses, for instance because the state is too large.
    fn set(&self, key: &str, value: &[u8]) -> Result<(), Failure>;
    /// Forgets.
    fn delete(&self, key: &str);
    /// Asks to be called at this moment even if no tag changes.
    fn wake_at(&self, time: Timestamp);
    /// Writes a line to the instance's log.
    fn log(&self, level: LogLevel, message: &str);
}

/// How much a line of the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// For the author of the plugin.
    Debug,
    /// Worth a line.
    Info,
    /// Somebody should look at it.
    Warn,
    /// Something does not work.
    Error,
}

/// What an instance is given when it starts; see [`crate::Rule::configure`].
#[derive(Clone, Copy)]
pub struct Start<'a> {
    pub(crate) instance: &'a str,
    pub(crate) inputs: &'a Inputs,
    pub(crate) host: &'a dyn Host,
}

impl<'a> Start<'a> {
    /// Name of the instance.
    #[must_use]
    pub const fn instance(&self) -> &'a str {
        self.instance
    }

    /// The bound inputs.
    #[must_use]
    pub const fn inputs(&self) -> &'a Inputs {
        self.inputs
    }

    /// What the instance remembers from before a reload, a restart or a crash.
    #[must_use]
    pub const fn state(&self) -> State<'a> {
        State { host: self.host }
    }

    /// Asks for a first call as soon as possible, even if no input ever gets a sample.
    pub fn wake_at_once(&self) {
        self.host.wake_at(Timestamp::EPOCH);
    }

    /// Writes a line to the instance's log.
    pub fn log(&self, level: LogLevel, message: &str) {
        self.host.log(level, message);
    }
}

/// What an instance remembers. Written together with the alarms of the same call or not at all;
/// survives a trap, a reload, a restart and a crash.
#[derive(Clone, Copy)]
pub struct State<'a> {
    host: &'a dyn Host,
}

impl State<'_> {
    /// What was remembered under this key. A value that can no longer be read, because an older
    /// version of the plugin wrote it, counts as forgotten, with a warning in the log: a rule that
    /// starts anew serves people better than one that stays down.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let bytes = self.host.get(key)?;
        serde_json::from_slice(&bytes)
            .inspect_err(|error| {
                let line = format!("state `{key}` cannot be read and is forgotten: {error}");
                self.host.log(LogLevel::Warn, &line);
            })
            .ok()
    }

    /// Remembers a value, as JSON. Each changed state is written to disk: write when something
    /// changed, not for every sample. Floats must be finite, JSON has no others.
    ///
    /// # Errors
    /// The value cannot be written as JSON, or the host refuses it as too large.
    pub fn set<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(value).map_err(|error| {
            Failure::new(
                "state-not-written",
                format!("state `{key}` cannot be written as JSON: {error}"),
            )
        })?;
        self.host.set(key, &bytes)
    }

    /// Forgets a value.
    pub fn delete(&self, key: &str) {
        self.host.delete(key);
    }
}

/// Actions of a rule, as they are collected in a call.
#[derive(Debug, Default)]
pub struct Actions(Vec<Action>);

/// Derived samples of a function, as they are collected in a call.
#[derive(Debug, Default)]
pub struct Outputs {
    pub(crate) output: Vec<u32>,
    pub(crate) value: Vec<f64>,
    pub(crate) quality: Vec<u8>,
    pub(crate) time: Vec<i64>,
}

/// An output of a function: its place in the order of [`crate::About::output`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Output(pub u32);

impl Output {
    /// The first output, or the only one.
    pub const FIRST: Self = Self(0);
}

/// A call of a function; see [`crate::Function::compute`].
pub type FunctionCall<'a> = Call<'a, Outputs>;

/// One call of the host. It is the only way to the outside: there is no clock, file or network.
pub struct Call<'a, Answer = Actions> {
    now: Timestamp,
    samples: Samples<'a>,
    inputs: &'a Inputs,
    host: &'a dyn Host,
    wake: Cell<Option<Timestamp>>,
    answer: Answer,
}

impl<'a, Answer: Default> Call<'a, Answer> {
    pub(crate) fn new(
        now: Timestamp,
        columns: Columns<'a>,
        inputs: &'a Inputs,
        host: &'a dyn Host,
    ) -> Self {
        Self {
            now,
            samples: Samples::new(columns, inputs),
            inputs,
            host,
            wake: Cell::new(None),
            answer: Answer::default(),
        }
    }

    /// Hands the earliest wake-up to the host and gives the answer.
    pub(crate) fn finish(self) -> Answer {
        if let Some(time) = self.wake.get() {
            self.host.wake_at(time);
        }
        self.answer
    }
}

impl<'a, Answer> Call<'a, Answer> {
    /// Now: the only clock.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The new samples, oldest first; none when the call is a wake-up. At the first call each input
    /// that has a value comes with it; later only what changed.
    #[must_use]
    pub const fn samples(&self) -> Samples<'a> {
        self.samples
    }

    /// The bound inputs.
    #[must_use]
    pub const fn inputs(&self) -> &'a Inputs {
        self.inputs
    }

    /// Latest text of a text input.
    #[must_use]
    pub fn text(&self, input: u32) -> Option<String> {
        self.host.text(input)
    }

    /// Kept samples of one input since a moment, oldest first, as many as the host keeps.
    #[must_use]
    pub fn window(&self, input: u32, since: Timestamp) -> Vec<KeptSample> {
        self.host.window(input, since)
    }

    /// What the instance remembers.
    #[must_use]
    pub const fn state(&self) -> State<'a> {
        State { host: self.host }
    }

    /// Asks to be called at this moment even if no tag changes. One wake-up is kept per instance,
    /// the earliest, and it survives a restart; after it, ask again.
    pub fn wake_at(&self, time: Timestamp) {
        if self.wake.get().is_none_or(|earliest| time < earliest) {
            self.wake.set(Some(time));
        }
    }

    /// Asks to be called after this time even if no tag changes; see [`Self::wake_at`].
    pub fn wake_after(&self, delay: Duration) {
        self.wake_at(self.now.plus(delay));
    }

    /// Writes a line to the instance's log.
    pub fn log(&self, level: LogLevel, message: &str) {
        self.host.log(level, message);
    }
}

impl Call<'_, Actions> {
    /// Says that a condition holds. A condition that is raised already is updated, and nobody is
    /// alerted again.
    pub fn raise(
        &mut self,
        key: impl Into<String>,
        priority: Priority,
        message: impl Into<String>,
    ) {
        self.raise_alarm(Alarm::new(key, priority, message));
    }

    /// Like [`Self::raise`], with attributes.
    pub fn raise_alarm(&mut self, alarm: Alarm) {
        self.answer.0.push(Action::Raise(alarm));
    }

    /// Says that a condition no longer holds; harmless if it did not.
    pub fn clear(&mut self, key: impl Into<String>) {
        self.answer.0.push(Action::Clear(key.into()));
    }

    /// Tells people once; nothing stays active.
    pub fn notify(
        &mut self,
        key: impl Into<String>,
        priority: Priority,
        message: impl Into<String>,
    ) {
        self.notify_alarm(Alarm::new(key, priority, message));
    }

    /// Like [`Self::notify`], with attributes.
    pub fn notify_alarm(&mut self, alarm: Alarm) {
        self.answer.0.push(Action::Notify(alarm));
    }
}

impl Actions {
    pub(crate) fn into_list(self) -> Vec<Action> {
        self.0
    }
}

impl Call<'_, Outputs> {
    /// Gives an output its value as of now, of good quality.
    pub fn set(&mut self, output: Output, value: f64) {
        self.set_at(output, value, Quality::GOOD, self.now);
    }

    /// Gives an output its value, with the quality and the time of the samples that it is made of.
    pub fn set_at(&mut self, output: Output, value: f64, quality: Quality, time: Timestamp) {
        self.answer.output.push(output.0);
        self.answer.value.push(value);
        self.answer.quality.push(quality.0);
        self.answer.time.push(time.nanos());
    }
}
