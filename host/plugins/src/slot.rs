//! One instance at work: its plan, its guest, what it remembers, and the samples that wait for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{
    CallError, CallErrorKind, Columns, Component, Guest, InstancePlan, Output, PluginKind, Reply,
    Setup, Started, StateChange, StateMap, TimerChange, Timestamp,
};

use crate::current::{Current, Provenance};
use crate::history::SampleHistory;
use crate::round::{CauseSample, Fired, IncidentKind, Round};
use crate::shadow::{Refusal, Shadow};
use crate::starting::Starting;
use crate::strikes::{Health, Phase, STRIKE_WINDOW, Verdict};
use crate::suspects::Suspicion;

/// A wake-up that is asked for sooner than this after the call comes after this: a guest that
/// always asks for "now" must not keep the host busy.
pub(crate) const WAKE_MIN: Duration = Duration::from_millis(10);

/// Most rows that wait for a struck instance; one batch may come on top. Beyond it they are
/// dropped, and the instance gets the latest sample of each input instead.
pub(crate) const WAITING_ROWS_MAX: usize = 10_000;

/// Share of the memory limit, in percent, above which a guest is made anew between two batches.
const RENEW_ABOVE_PERCENT: usize = 75;
/// The same instance is not made anew for its memory more often than this.
const RENEW_PAUSE: Duration = Duration::from_secs(10);
/// And not before this after it failed: it may have used up its start time, between two batches.
const RENEW_PAUSE_FAILED: Duration = STRIKE_WINDOW;

/// That an instance declines is told at most this often; each decline is counted.
const DECLINED_PAUSE: Duration = Duration::from_secs(60);

/// What an instance keeps while guests come and go.
#[derive(Debug, Default, Clone)]
pub(crate) struct Memory {
    /// What it remembers, as committed.
    pub(crate) state: StateMap,
    /// Counts the changes of `state`; tells whether a snapshot is still true.
    pub(crate) revision: u64,
    /// The wake-up that it asked for.
    pub(crate) timer: Option<Timestamp>,
}

impl Memory {
    /// Applies what a call wrote.
    pub(crate) fn apply(&mut self, changes: &[StateChange]) {
        for change in changes {
            self.revision += 1;
            match &change.value {
                Some(value) => self.state.insert(change.key.clone(), Arc::clone(value)),
                None => self.state.remove(&change.key),
            };
        }
    }

    /// The changes that forget all.
    pub(crate) fn forget(&mut self, instance: &str) -> Vec<StateChange> {
        self.revision += 1;
        std::mem::take(&mut self.state)
            .into_keys()
            .map(|key| StateChange {
                instance: instance.to_owned(),
                key,
                value: None,
            })
            .collect()
    }
}

/// Counters for people and metrics.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
    pub(crate) failures: u64,
    pub(crate) declines: u64,
    pub(crate) rows: u64,
    pub(crate) busy: Duration,
    pub(crate) renewals: u64,
    pub(crate) last_error: Option<(Timestamp, CallError)>,
    pub(crate) last_call: Option<Timestamp>,
}

/// What the current samples add to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// New samples alone: the guest saw all before.
    News,
    /// The current sample of each input that has no new one: the guest is new, or lost something.
    Everything,
}

/// Whether an instance can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// There is a guest.
    Ready,
    /// There will be one.
    BeingMade,
}

/// An instance at work.
pub(crate) struct Slot {
    pub(crate) plan: Arc<InstancePlan>,
    pub(crate) name: Arc<str>,
    pub(crate) component: Arc<dyn Component>,
    pub(crate) guest: Option<Box<dyn Guest>>,
    /// A guest that is being made, where there is none.
    pub(crate) starting: Option<Starting>,
    pub(crate) suspicion: Suspicion,
    /// Linear memory right after the guest was made.
    pub(crate) memory_at_start: usize,
    pub(crate) renewed_at: Option<Timestamp>,
    pub(crate) memory: Memory,
    pub(crate) health: Health,
    /// Samples for the next call.
    pub(crate) columns: Columns,
    pub(crate) sight: Sight,
    /// When the host itself wants to call, beside the instance's timer.
    pub(crate) recall_at: Option<Timestamp>,
    /// A call at this moment failed: a timer that was due then is not due again, for the host
    /// calls again by `recall_at` and the timer stays until a call goes well.
    pub(crate) timer_tried_at: Option<Timestamp>,
    pub(crate) tally: Tally,
    /// When people were told last that it declined.
    declined_told_at: Option<Timestamp>,
    /// A changed version of it that runs beside it.
    pub(crate) shadow: Option<Box<Shadow>>,
    /// The changed version that was refused last.
    pub(crate) refusal: Option<Refusal>,
}

impl Slot {
    /// An instance that is called as soon as possible and then sees everything.
    pub(crate) fn new(
        plan: Arc<InstancePlan>,
        component: Arc<dyn Component>,
        memory: Memory,
        now: Timestamp,
    ) -> Self {
        Self {
            name: Arc::from(plan.name.as_str()),
            plan,
            component,
            guest: None,
            starting: None,
            suspicion: Suspicion::default(),
            memory_at_start: 0,
            renewed_at: None,
            memory,
            health: Health::default(),
            columns: Columns::default(),
            sight: Sight::Everything,
            recall_at: Some(now),
            timer_tried_at: None,
            tally: Tally::default(),
            declined_told_at: None,
            shadow: None,
            refusal: None,
        }
    }

    /// Whether samples are put aside for it.
    pub(crate) fn takes_rows(&self) -> bool {
        !matches!(self.health.phase(), Phase::Quarantined { .. })
    }

    /// When it must be called even without samples.
    pub(crate) fn due_at(&self) -> Option<Timestamp> {
        if self.starting.as_ref().is_some_and(|start| !start.is_done()) {
            // Whoever helps it on says when it is done.
            return None;
        }
        match self.health.phase() {
            Phase::Running => {
                let tried = self.timer_tried_at;
                let timer = self.memory.timer.filter(|at| tried.is_none_or(|t| *at > t));
                earliest(self.recall_at, timer)
            }
            Phase::Struck { until } | Phase::Quarantined { until } => Some(until),
        }
    }

    /// Whether it is to be called in this round.
    pub(crate) fn wants_call(&self, now: Timestamp) -> bool {
        let has_rows = !self.columns.is_empty() && self.health.phase() == Phase::Running;
        has_rows || self.due_at().is_some_and(|due| due <= now)
    }

    /// Puts the current samples of inputs without a new one before the new ones, if the guest
    /// has to see everything.
    pub(crate) fn complete_rows(&mut self, current: &Current) {
        if self.sight == Sight::News {
            return;
        }
        let mut all = Columns::with_capacity(self.plan.inputs.len() + self.columns.len());
        let mut has_new = vec![false; self.plan.inputs.len()];
        for input in &self.columns.input {
            if let Some(mark) = has_new.get_mut(*input as usize) {
                *mark = true;
            }
        }
        for ((input, bound), has_new) in (0_u32..).zip(&self.plan.inputs).zip(has_new) {
            if let (false, Some(now)) = (has_new, current.get(bound.tag)) {
                all.push(input, now.value, now.quality.0, now.time);
            }
        }
        for (input, value, quality, time) in self.columns.rows() {
            all.push(input, value, quality, time);
        }
        self.columns = all;
    }

    /// Whether this is to be told now: a guest that declines every other call must not fill the
    /// journal. All else has its own bound.
    pub(crate) fn may_tell(&mut self, now: Timestamp, kind: IncidentKind) -> bool {
        if kind != IncidentKind::Declined {
            return true;
        }
        let rested = self
            .declined_told_at
            .is_none_or(|told| now.since(told) >= DECLINED_PAUSE);
        if rested {
            self.declined_told_at = Some(now);
        }
        rested
    }

    /// Drops the samples that wait if there are too many of them; answers how many.
    pub(crate) fn drop_surplus(&mut self) -> Option<usize> {
        let rows = self.columns.len();
        (rows > WAITING_ROWS_MAX).then(|| {
            self.columns.clear();
            self.sight = Sight::Everything;
            rows
        })
    }

    /// Whether its guest is being made, and whoever makes it says when it is done.
    pub(crate) fn is_being_made(&self, now: Timestamp) -> bool {
        let starting = self.starting.as_ref();
        starting.is_some_and(|starting| !starting.is_done() && !starting.is_forgotten(now))
    }

    /// Makes the guest if there is none; answers whether it is there, or still being made.
    pub(crate) async fn ready(
        &mut self,
        now: Timestamp,
        history: &Arc<SampleHistory>,
        round: &mut Round,
    ) -> Result<Readiness, CallError> {
        if self.guest.is_some() {
            return Ok(Readiness::Ready);
        }
        let mut starting = self.starting.take().unwrap_or_else(|| {
            let setup = setup_of(&self.plan, &self.memory.state, history, now);
            Starting::new(Arc::clone(&self.component), setup)
        });
        starting.look().await;
        match starting.into_result() {
            Ok(started) => {
                self.take_started(started?, now, &mut round.states, &mut round.timers);
                Ok(Readiness::Ready)
            }
            Err(working) => {
                self.starting = Some(working);
                Ok(Readiness::BeingMade)
            }
        }
    }

    /// Makes the guest if there is none, however long that takes, and calls it: for an owner who has
    /// nothing else to do meanwhile.
    pub(crate) async fn make_and_call(
        &mut self,
        now: Timestamp,
        history: &Arc<SampleHistory>,
        round: &mut Round,
    ) -> Result<Reply, CallError> {
        if self.guest.is_none() {
            let setup = setup_of(&self.plan, &self.memory.state, history, now);
            let started = self.component.start(setup).await?;
            self.take_started(started, now, &mut round.states, &mut round.timers);
        }
        self.call(now).await
    }

    /// Calls the guest with the samples that wait.
    pub(crate) async fn call(&mut self, now: Timestamp) -> Result<Reply, CallError> {
        let Some(guest) = self.guest.as_mut() else {
            return Err(CallError::new(
                CallErrorKind::Engine,
                "the engine made no guest",
            ));
        };
        let reply = guest.call(now, &self.columns).await?;
        check_answer(&self.plan, &reply.output)?;
        Ok(reply)
    }

    /// Takes a call that failed; answers what follows. The caller keeps the error for people.
    pub(crate) fn fail(&mut self, now: Timestamp, error: &CallError) -> Verdict {
        self.tally.failures += 1;
        self.suspicion.failed(now, error.kind);
        self.sight = Sight::Everything;
        self.timer_tried_at = Some(now);
        let verdict = self
            .health
            .fail(now, error.kind, self.plan.limits.strikes_max);
        match verdict {
            Verdict::Declined { ask_again, .. } => {
                self.tally.declines += 1;
                self.columns.clear();
                self.recall_at = Some(ask_again);
            }
            Verdict::Struck { .. } => self.guest = None,
            Verdict::Quarantined { .. } => {
                self.guest = None;
                self.columns.clear();
            }
        }
        verdict
    }

    /// Whether its guest was called just now, holds too much memory, and would hold less if it were
    /// new.
    pub(crate) fn is_grown(&self, now: Timestamp) -> bool {
        let called = self.tally.last_call == Some(now);
        let Some(guest) = self.guest.as_ref().filter(|_| called) else {
            return false;
        };
        let bound = self.plan.limits.memory_bytes / 100 * RENEW_ABOVE_PERCENT;
        let rested = self
            .renewed_at
            .is_none_or(|at| now.since(at) >= RENEW_PAUSE);
        rested && guest.memory_bytes() > bound && self.memory_at_start <= bound
    }

    /// A new guest in place of one that has grown could not be made.
    pub(crate) fn renewal_failed(&mut self, now: Timestamp) {
        let pause = RENEW_PAUSE_FAILED.saturating_sub(RENEW_PAUSE);
        self.renewed_at = Some(now.plus(pause));
    }

    /// Puts a new guest in place, with what its `configure` wrote; it must see everything in its
    /// first call.
    pub(crate) fn take_started(
        &mut self,
        started: Started,
        now: Timestamp,
        states: &mut Vec<StateChange>,
        timers: &mut Vec<TimerChange>,
    ) {
        self.memory_at_start = started.guest.memory_bytes();
        self.guest = Some(started.guest);
        self.sight = Sight::Everything;
        self.memory.apply(&started.state);
        states.extend(started.state);
        let asked = started.wake_at.map(|at| not_too_soon(at, now));
        let wake_at = earliest(self.memory.timer, asked);
        if wake_at != self.memory.timer {
            self.memory.timer = wake_at;
            timers.push(TimerChange {
                instance: self.plan.name.clone(),
                wake_at,
            });
        }
    }

    /// Takes a call that went well; answers the change of its timer, if there is one.
    pub(crate) fn settle_timer(
        &mut self,
        now: Timestamp,
        wake_at: Option<Timestamp>,
    ) -> Option<TimerChange> {
        let before = self.memory.timer;
        let pending = before.filter(|at| *at > now);
        let wake_at = earliest(pending, wake_at.map(|at| not_too_soon(at, now)));
        self.memory.timer = wake_at;
        self.timer_tried_at = None;
        self.recall_at = None;
        (wake_at != before).then(|| TimerChange {
            instance: self.plan.name.clone(),
            wake_at,
        })
    }

    /// Whether a person put the current value of one of its inputs there.
    pub(crate) fn is_test(&self, current: &Current) -> bool {
        self.plan.inputs.iter().any(|input| {
            current
                .get(input.tag)
                .is_some_and(|sample| sample.provenance == Provenance::Test)
        })
    }

    /// What the call was given, or what there was to see if it was given nothing.
    pub(crate) fn cause(&self, current: &Current) -> Vec<CauseSample> {
        let bound = |input: u32| self.plan.inputs.get(input as usize);
        let skipped = self.columns.len().saturating_sub(Fired::CAUSE_ROWS_MAX);
        if !self.columns.is_empty() {
            return self
                .columns
                .rows()
                .skip(skipped)
                .filter_map(|(input, value, quality, time)| {
                    Some(cause_sample(bound(input)?, value, quality, time))
                })
                .collect();
        }
        self.plan
            .inputs
            .iter()
            .filter_map(|input| {
                let now = current.get(input.tag)?;
                Some(cause_sample(input, now.value, now.quality.0, now.time))
            })
            .take(Fired::CAUSE_ROWS_MAX)
            .collect()
    }
}

fn cause_sample(
    input: &andon_model::BoundInput,
    value: f64,
    quality: u8,
    time: Timestamp,
) -> CauseSample {
    CauseSample {
        port: input.port.clone(),
        tag: input.tag,
        tag_name: Arc::clone(&input.tag_name),
        value,
        quality: andon_model::Quality(quality),
        time,
    }
}

/// What a guest of this plan is given.
pub(crate) fn setup_of(
    plan: &InstancePlan,
    state: &BTreeMap<String, Arc<[u8]>>,
    history: &Arc<SampleHistory>,
    now: Timestamp,
) -> Setup {
    Setup {
        instance: plan.name.clone(),
        limits: plan.limits.clone(),
        configuration: plan.configuration(),
        inputs: plan.inputs.iter().map(|input| input.tag).collect(),
        state: state.clone(),
        history: Arc::clone(history) as Arc<dyn andon_model::History>,
        now,
    }
}

/// The earlier of two moments that may not be there.
pub(crate) fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, None) | (None, one) => one,
    }
}

/// A wake-up as it is kept: never sooner than [`WAKE_MIN`] after the call.
pub(crate) fn not_too_soon(at: Timestamp, now: Timestamp) -> Timestamp {
    at.max(now.plus(WAKE_MIN))
}

/// Refuses an answer that makes no sense. The engine holds the bounds of sizes; this holds those
/// that only the plan knows.
pub(crate) fn check_answer(plan: &InstancePlan, output: &Output) -> Result<(), CallError> {
    let bad = |says: String| Err(CallError::new(CallErrorKind::BadAnswer, says));
    let rows = match (output, plan.kind) {
        (Output::Actions(actions), PluginKind::Rule) => actions.len(),
        (Output::Samples(columns), PluginKind::Function) => {
            if !columns.is_even() {
                return bad("the columns of the answer differ in length".into());
            }
            let outputs = plan.outputs.len();
            if let Some(wrong) = columns.input.iter().find(|i| **i as usize >= outputs) {
                return bad(format!(
                    "the answer has a sample of output {wrong}, but `describe` lists {outputs}"
                ));
            }
            columns.len()
        }
        (Output::Actions(_), PluginKind::Function) => {
            return bad("a function answered with actions".into());
        }
        (Output::Samples(_), PluginKind::Rule) => {
            return bad("a rule answered with samples".into());
        }
        (_, PluginKind::Sink) => return bad("a sink answered with samples or actions".into()),
    };
    if rows > plan.limits.answer_rows {
        return bad(format!(
            "the answer has {rows} rows; this instance may give {}",
            plan.limits.answer_rows
        ));
    }
    Ok(())
}
