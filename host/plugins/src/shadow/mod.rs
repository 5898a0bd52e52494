//! A shadow: a changed instance that runs beside the old one, is compared with it and is not heard.
//!
//! ```text
//!            the same rows, the same round
//!   batch ─┬─▶ running version ─▶ actions, outputs, state ─▶ people, tags, store
//!          └─▶ shadow          ─▶ actions, outputs ─▶ compared ─▶ counts, journal
//! ```
//! It is called right after the running version, with a guest of its own. It begins with a copy of
//! what the running version remembers and of its timer; from then on both are its own, in memory
//! alone, so a restart of the host ends it. It is bounded like every instance, each call by
//! `Limits::call_time`, and its strikes are its own: as many as quarantine an instance end a shadow.
//!
//! It ends by being promoted, refused or withdrawn. Promoted, it takes the place as any new version
//! does, between two batches and from the state of the *running* version; its own is dropped.

mod actions;
mod ledger;
mod life;
mod outputs;

use std::sync::Arc;

use andon_model::{
    Action, AlarmRequest, CallError, CallErrorKind, Component, InstancePlan, Output, PluginKind,
    Reply, ShadowEnd, ShadowTerms, Timestamp,
};

use crate::current::Current;
use crate::history::SampleHistory;
use crate::round::{CallStat, Incident, IncidentKind, Round};
use crate::slot::{Memory, Readiness, Sight, Slot, earliest};
use crate::strikes::{Phase, Verdict};

use actions::{ActionComparison, Footing};
use ledger::Ledger;
pub use ledger::{Difference, DifferenceKind, ShadowCounts};
pub use life::Candidate;
pub(crate) use life::{
    Refusal, Staying, component_version, version_of, with_inputs_of_shadow, withdrawn,
};
use outputs::OutputComparison;

/// Where a shadow comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShadowOrigin {
    /// A changed file: it goes when the file no longer says so.
    File,
    /// A person put it there; a file that changes elsewhere lets it be.
    Hand,
}

/// A changed instance beside the running one.
pub(crate) struct Shadow {
    /// Its plan, guest, memory, health: all that an instance has.
    pub(crate) slot: Slot,
    pub(crate) terms: ShadowTerms,
    pub(crate) origin: ShadowOrigin,
    pub(crate) begun_at: Timestamp,
    pub(crate) ledger: Ledger,
    comparison: Comparison,
    footing: Footing,
    told_over: bool,
}

enum Comparison {
    Actions(ActionComparison),
    Outputs(OutputComparison),
}

/// What the running version did in a round.
pub(crate) struct Running<'a> {
    pub(crate) actions: &'a [Action],
    pub(crate) called: bool,
    pub(crate) failed: bool,
    /// It was shown every input in this round.
    pub(crate) fresh: bool,
    /// It has seen all that there is, and its last call went well.
    pub(crate) well: bool,
}

/// What a round of a shadow came to.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) call: Option<CallStat>,
    pub(crate) differences: u64,
    pub(crate) incidents: Vec<Incident>,
}

/// Whether a shadow goes on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    GoesOn,
    /// Its time is over and somebody must decide: told once.
    Waits,
    Promote,
    Refuse(String),
}

/// What a shadow begins with.
pub(crate) struct Beginning {
    pub(crate) plan: InstancePlan,
    pub(crate) component: Arc<dyn Component>,
    pub(crate) memory: Memory,
    pub(crate) terms: ShadowTerms,
    pub(crate) origin: ShadowOrigin,
    /// Alarms that the running version holds.
    pub(crate) held: Vec<AlarmRequest>,
}

impl Shadow {
    /// A shadow without a guest yet.
    pub(crate) fn new(beginning: Beginning, now: Timestamp, current: &Current) -> Self {
        let Beginning {
            plan,
            component,
            memory,
            terms,
            origin,
            held,
        } = beginning;
        let comparison = match plan.kind {
            // A sink is no instance, so it has no shadow and nothing to compare.
            PluginKind::Rule | PluginKind::Sink => Comparison::Actions(ActionComparison::new(held)),
            PluginKind::Function => {
                Comparison::Outputs(OutputComparison::new(&plan.outputs, current))
            }
        };
        Self {
            slot: Slot::new(Arc::new(plan), component, memory, now),
            terms,
            origin,
            begun_at: now,
            ledger: Ledger::default(),
            comparison,
            footing: Footing::Fresh,
            told_over: false,
        }
    }

    /// When its time is over, where it has one.
    pub(crate) fn ends_at(&self) -> Option<Timestamp> {
        self.terms.run_for.map(|time| self.begun_at.plus(time))
    }

    /// When the scheduler must run even without samples.
    pub(crate) fn due_at(&self) -> Option<Timestamp> {
        let ends_at = self.ends_at().filter(|_| !self.told_over);
        earliest(self.slot.due_at(), ends_at)
    }

    /// Other terms for the same shadow; its time counts from when it began.
    pub(crate) fn agree(&mut self, terms: ShadowTerms) {
        self.told_over &= self.terms == terms;
        self.terms = terms;
    }

    /// Whether it goes on. A wait whose time is over is answered once.
    pub(crate) fn judge(&mut self, now: Timestamp) -> Judgement {
        let counts = self.ledger.counts;
        if let Phase::Quarantined { .. } = self.slot.health.phase() {
            let says = self.slot.tally.last_error.as_ref();
            let says = says.map_or_else(String::new, |(_, error)| format!("; the last: {error}"));
            return Judgement::Refuse(format!("{} of its calls failed{says}", counts.strikes));
        }
        if self.told_over || self.ends_at().is_none_or(|at| at > now) {
            return Judgement::GoesOn;
        }
        let strict = match self.terms.end {
            ShadowEnd::Wait => {
                self.told_over = true;
                return Judgement::Waits;
            }
            ShadowEnd::PromoteIfSame => true,
            ShadowEnd::PromoteIfSound => false,
        };
        if counts.compared == 0 {
            return Judgement::Refuse("no call of it could be compared".into());
        }
        if counts.failures() > 0 {
            return Judgement::Refuse(format!("{} of its calls failed", counts.failures()));
        }
        if strict && counts.differences() > 0 {
            let count = counts.differences();
            return Judgement::Refuse(format!(
                "it differed {count} times from the running version"
            ));
        }
        Judgement::Promote
    }

    /// Its part of a round, after the running version has had its own.
    pub(crate) async fn visit(
        &mut self,
        now: Timestamp,
        running: Running<'_>,
        current: &Current,
        history: &Arc<SampleHistory>,
    ) -> Heard {
        let mut heard = Heard::default();
        let mut own: Vec<Action> = Vec::new();
        let mut called = self.slot.wants_call(now) && !self.slot.is_being_made(now);
        let mut answered = false;
        if called {
            match self.call(now, current, history, &mut heard).await {
                Some(Ok(reply)) => {
                    own = self.accept(now, reply);
                    answered = true;
                }
                Some(Err(error)) => self.reject(now, error, running.failed, &mut heard),
                None => called = false,
            }
        }
        if !called {
            // Of too many samples it gets the latest of each input instead.
            self.slot.drop_surplus();
        }
        let well = self.slot.health.phase() == Phase::Running && self.slot.sight == Sight::News;
        if called || running.called {
            self.hear(now, &running, &own, well && running.well, current);
        }
        self.tell_differences(now, current, &mut heard);
        if answered {
            self.slot.columns.clear();
        }
        if self.slot.is_grown(now) {
            // The next call makes a new guest, from what it remembers.
            self.slot.guest = None;
            self.slot.sight = Sight::Everything;
            self.slot.renewed_at = Some(now);
            self.slot.tally.renewals += 1;
        }
        heard
    }

    /// Calls it; answers nothing while its guest is still being made.
    async fn call(
        &mut self,
        now: Timestamp,
        current: &Current,
        history: &Arc<SampleHistory>,
        heard: &mut Heard,
    ) -> Option<Result<Reply, CallError>> {
        // What `configure` writes stays with the shadow.
        let mut aside = Round::default();
        let ready = self.slot.ready(now, history, &mut aside).await;
        if self.slot.sight == Sight::Everything {
            self.footing = Footing::Fresh;
        }
        let result = match ready {
            Ok(Readiness::BeingMade) => return None,
            Ok(Readiness::Ready) => {
                self.slot.complete_rows(current);
                self.slot.call(now).await
            }
            Err(error) => Err(error),
        };
        let tally = &mut self.slot.tally;
        tally.calls += 1;
        tally.rows += self.slot.columns.len() as u64;
        tally.last_call = Some(now);
        self.ledger.counts.calls += 1;
        heard.call = Some(CallStat {
            instance: Arc::clone(&self.slot.name),
            rows: self.slot.columns.len(),
            elapsed: result.as_ref().ok().map(|reply| reply.elapsed),
            failed: result.as_ref().err().map(|error| error.kind),
        });
        Some(result)
    }

    fn accept(&mut self, now: Timestamp, reply: Reply) -> Vec<Action> {
        let slot = &mut self.slot;
        slot.tally.busy += reply.elapsed;
        slot.memory.apply(&reply.state);
        slot.settle_timer(now, reply.wake_at);
        slot.health.succeed(now);
        slot.sight = Sight::News;
        match (reply.output, &mut self.comparison) {
            (Output::Actions(actions), _) => actions,
            (Output::Samples(columns), Comparison::Outputs(comparison)) => {
                comparison.follow(&columns);
                Vec::new()
            }
            // `check_answer` refused it before.
            (Output::Samples(_), Comparison::Actions(_)) => Vec::new(),
        }
    }

    fn reject(
        &mut self,
        now: Timestamp,
        error: CallError,
        running_failed: bool,
        heard: &mut Heard,
    ) {
        let declined = error.kind == CallErrorKind::Declined;
        let verdict = self.slot.fail(now, &error);
        let counts = &mut self.ledger.counts;
        match verdict {
            Verdict::Declined { .. } => counts.declines += u64::from(!running_failed),
            Verdict::Struck { .. } | Verdict::Quarantined { .. } => counts.strikes += 1,
        }
        let kind = IncidentKind::ShadowFailed;
        let worth_telling = !declined || self.slot.may_tell(now, IncidentKind::Declined);
        if worth_telling {
            let says = format!("the shadow {}: {error}", version_of(&self.slot));
            heard
                .incidents
                .push(Incident::new(now, &self.slot.plan, kind, says));
        }
        self.slot.tally.last_error = Some((now, error));
    }

    /// Compares what both did, or only follows it while one of them is not well.
    fn hear(
        &mut self,
        now: Timestamp,
        running: &Running<'_>,
        own: &[Action],
        well: bool,
        current: &Current,
    ) {
        if !well {
            self.footing = Footing::Fresh;
            self.ledger.counts.uncompared += 1;
            if let Comparison::Actions(comparison) = &mut self.comparison {
                comparison.follow(running.actions, own);
            }
            return;
        }
        self.ledger.counts.compared += 1;
        if running.fresh {
            self.footing = Footing::Fresh;
        }
        let footing = std::mem::replace(&mut self.footing, Footing::Same);
        match &mut self.comparison {
            Comparison::Actions(comparison) => {
                comparison.compare(now, running.actions, own, footing, &mut self.ledger);
            }
            Comparison::Outputs(comparison) => {
                comparison.compare(now, &self.slot.plan.outputs, current, &mut self.ledger);
            }
        }
    }

    fn tell_differences(&mut self, now: Timestamp, current: &Current, heard: &mut Heard) {
        heard.differences = self.ledger.found();
        let lines = self.ledger.journal(now);
        if lines.is_empty() {
            return;
        }
        let cause = self.slot.cause(current);
        for line in lines {
            let kind = IncidentKind::ShadowDiffers(line.kind);
            let mut incident = Incident::new(now, &self.slot.plan, kind, line.says);
            incident.cause.clone_from(&cause);
            heard.incidents.push(incident);
        }
    }
}
