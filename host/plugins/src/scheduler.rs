//! The scheduler: takes a batch through all instances that read it, and says what came of it.
//!
//! It belongs to one task, which calls [`Scheduler::run`] for each batch and when
//! [`Scheduler::next_wake`] has come. A round goes:
//!
//! 1. the rows of the batch become current samples and history, and are put aside for each
//!    instance that reads them, in columns that keep their room from batch to batch;
//! 2. functions are called in the order of their dependencies; what changed of their outputs goes
//!    the way of 1, so that later functions and the rules see it in the same round;
//! 3. rules are called by name; a shadow is called right after its instance, see `shadow`;
//! 4. at most one guest whose memory has grown is made anew, and at most one shadow is promoted.
//!
//! A guest that fails costs the others its bounded time alone (`Limits::call_time`): one that hung is
//! called apart from then on, see `suspects`, and made anew beside the batches, see `starting`. Its
//! state writes are discarded and its timer stays. See `strikes` for what happens to it. A struck instance finds its samples again at the next
//! call, up to a bound; a declined call's samples are spent. After either, and after each change of
//! the guest, the next call holds the current sample of every input, so nothing that holds is missed.

use std::collections::BTreeMap;
use std::sync::Arc;

use andon_model::{
    CallError, CallErrorKind, Columns, Origin, Output, PluginKind, Quality, Reply, SampleBatch,
    StateChange, StateMap, TagId, TimerChange, Timestamp,
};

use crate::current::{Current, CurrentSample, Provenance};
use crate::history::SampleHistory;
use crate::round::{CallStat, Fired, Incident, IncidentKind, Round, Trigger};
use crate::routes::{Reader, Routes};
use crate::slot::{Memory, Readiness, Sight, Slot, setup_of};
use crate::strikes::{News, Verdict};
use crate::suspects::Suspects;

/// All instances at work.
pub struct Scheduler {
    /// In the order in which they run.
    pub(crate) slots: Vec<Slot>,
    pub(crate) routes: Routes,
    pub(crate) current: Current,
    pub(crate) history: Arc<SampleHistory>,
    /// What instances remember that are not at work: from the store, or removed.
    pub(crate) memories: BTreeMap<String, Memory>,
    /// Instances that were down when the host stopped.
    pub(crate) were_down: BTreeMap<String, Timestamp>,
    /// Derived tags that nobody writes any more and that turn bad in the next round.
    pub(crate) orphans: Vec<(TagId, Timestamp)>,
    pub(crate) suspects: Suspects,
    /// Room for what one function changed.
    scratch: SampleBatch,
}

impl Scheduler {
    /// A scheduler without instances.
    #[must_use]
    pub fn new(history: Arc<SampleHistory>) -> Self {
        Self {
            slots: Vec::new(),
            routes: Routes::default(),
            current: Current::default(),
            history,
            memories: BTreeMap::new(),
            were_down: BTreeMap::new(),
            orphans: Vec::new(),
            suspects: Suspects::default(),
            scratch: SampleBatch::default(),
        }
    }

    /// Takes what the store kept of an instance, before the instance is prepared: its state, its
    /// timer, and since when it was down, where its alarm `plugin.NAME.down` still stands.
    pub fn restore(
        &mut self,
        instance: &str,
        state: StateMap,
        wake_at: Option<Timestamp>,
        down_since: Option<Timestamp>,
    ) {
        let memory = Memory {
            state,
            // Not that of a memory that is not there: a snapshot of one is not true of the other.
            revision: 1,
            timer: wake_at,
        };
        self.memories.insert(instance.to_owned(), memory);
        if let Some(since) = down_since {
            self.were_down.insert(instance.to_owned(), since);
        }
    }

    /// Takes a batch through all instances; an empty one calls those whose time has come. Must
    /// run to its end: a caller that drops the future half-way loses what guests already answered.
    pub async fn run(&mut self, now: Timestamp, batch: &SampleBatch) -> Round {
        let mut round = Round::default();
        let provenance = match batch.origin {
            Origin::Device => Provenance::Device,
            Origin::Test => Provenance::Test,
        };
        self.spread(batch, provenance);
        self.turn_orphans_bad(now, &mut round);
        let mut renewal = None;
        for place in 0..self.slots.len() {
            let mark = self.mark(place, &round);
            self.visit(place, now, batch.is_empty(), &mut round).await;
            if let Some(mark) = mark {
                self.visit_shadow(place, mark, now, &mut round).await;
            }
            let grown = self.slots.get(place).is_some_and(|slot| slot.is_grown(now));
            if renewal.is_none() && grown {
                renewal = Some(place);
            }
        }
        if let Some(place) = renewal {
            self.renew(place, now, &mut round).await;
        }
        self.end_shadows(now, &mut round).await;
        round
    }

    /// When [`Scheduler::run`] must be called next, even if no sample comes.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let full = self.starts_are_full();
        let slots = self.slots.iter();
        let due = slots
            .filter(|slot| !full || slot.guest.is_some() || slot.starting.is_some())
            .filter_map(|slot| self.wake_of(slot));
        let shadows = self.slots.iter().filter_map(|slot| slot.shadow.as_ref());
        let shadows = shadows.filter_map(|shadow| shadow.due_at());
        let orphaned = self.orphans.iter().map(|(_, since)| *since);
        due.chain(shadows).chain(orphaned).min()
    }

    /// The latest sample of a tag: value, quality, time.
    #[must_use]
    pub fn current(&self, tag: TagId) -> Option<(f64, Quality, Timestamp)> {
        let sample = self.current.get(tag)?;
        Some((sample.value, sample.quality, sample.time))
    }

    /// The history that guests of this scheduler share.
    #[must_use]
    pub fn history(&self) -> &Arc<SampleHistory> {
        &self.history
    }

    /// Makes rows current, keeps them, and puts them aside for all who read them. This is the hot
    /// path: no allocation once the columns have grown to the size of a batch.
    fn spread(&mut self, batch: &SampleBatch, provenance: Provenance) {
        if batch.is_empty() {
            return;
        }
        self.history.take_in(batch);
        for (tag, value, quality, time) in batch.rows() {
            let sample = CurrentSample {
                value,
                time,
                quality,
                provenance,
            };
            self.current.set(tag, sample);
            for target in self.routes.of(tag) {
                let running = self.slots.get_mut(target.slot);
                let reader = match target.reader {
                    Reader::Running => running,
                    Reader::Shadow => running
                        .and_then(|slot| slot.shadow.as_mut())
                        .map(|shadow| &mut shadow.slot),
                };
                if let Some(slot) = reader.filter(|slot| slot.takes_rows()) {
                    slot.columns.push(target.input, value, quality.0, time);
                }
            }
        }
    }

    async fn visit(&mut self, place: usize, now: Timestamp, alone: bool, round: &mut Round) {
        let full = self.starts_are_full();
        let Some(slot) = self.slots.get(place) else {
            return;
        };
        let waits = match &slot.starting {
            Some(_) => slot.is_being_made(now),
            None => !slot.wants_call(now) || (slot.guest.is_none() && full),
        };
        let waits = waits || self.must_wait(place, now, alone);
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        if waits {
            if let Some(rows) = slot.drop_surplus() {
                let says = format!(
                    "{rows} samples waited for the next call, more than are kept; it gets the latest of each input"
                );
                let kind = IncidentKind::SamplesDropped { rows };
                round
                    .incidents
                    .push(Incident::new(now, &slot.plan, kind, says));
            }
            return;
        }
        slot.suspicion.called();
        let result = match slot.ready(now, &self.history, round).await {
            Ok(Readiness::BeingMade) => return,
            Ok(Readiness::Ready) => {
                slot.complete_rows(&self.current);
                slot.call(now).await
            }
            Err(error) => Err(error),
        };
        slot.tally.calls += 1;
        slot.tally.rows += slot.columns.len() as u64;
        slot.tally.last_call = Some(now);
        round.calls.push(CallStat {
            instance: Arc::clone(&slot.name),
            rows: slot.columns.len(),
            elapsed: result.as_ref().ok().map(|reply| reply.elapsed),
            failed: result.as_ref().err().map(|error| error.kind),
        });
        match result {
            Ok(reply) => self.accept(place, now, reply, round),
            Err(error) => self.reject(place, now, error, round),
        }
    }

    fn accept(&mut self, place: usize, now: Timestamp, reply: Reply, round: &mut Round) {
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        slot.tally.busy += reply.elapsed;
        slot.memory.apply(&reply.state);
        round.states.extend(reply.state);
        round.timers.extend(slot.settle_timer(now, reply.wake_at));
        if let Some(down_since) = slot.health.succeed(now) {
            let says = format!("works again; it was down from {down_since} to {now}");
            let kind = IncidentKind::Back { down_since };
            round
                .incidents
                .push(Incident::new(now, &slot.plan, kind, says));
        }
        let derived = match reply.output {
            Output::Actions(actions) => {
                if !actions.is_empty() {
                    round.fired.push(Fired {
                        plan: Arc::clone(&slot.plan),
                        actions,
                        cause: slot.cause(&self.current),
                        trigger: if slot.columns.is_empty() {
                            Trigger::WakeUp
                        } else {
                            Trigger::Samples
                        },
                        test: slot.is_test(&self.current),
                    });
                }
                None
            }
            Output::Samples(columns) => Some(columns),
        };
        slot.columns.clear();
        slot.sight = Sight::News;
        if let Some(columns) = derived {
            self.derive(place, now, &columns, round);
        }
    }

    fn reject(&mut self, place: usize, now: Timestamp, error: CallError, round: &mut Round) {
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        let call_time = slot.plan.limits.call_time;
        let strikes_max = slot.plan.limits.strikes_max;
        let verdict = slot.fail(now, &error);
        let news = tell(verdict, &error, strikes_max);
        if let Some((kind, says)) = news.filter(|(kind, _)| slot.may_tell(now, *kind)) {
            round
                .incidents
                .push(Incident::new(now, &slot.plan, kind, says));
        }
        let kind = error.kind;
        slot.tally.last_error = Some((now, error));
        if slot.plan.kind == PluginKind::Function {
            let outputs: Vec<TagId> = slot.plan.outputs.iter().map(|o| o.tag).collect();
            self.turn_bad(&outputs, now, round);
        }
        if kind == CallErrorKind::TimeOut {
            self.suspects_rest(now, call_time);
        }
    }

    /// Makes what changed of a function's outputs samples of this round.
    fn derive(&mut self, place: usize, now: Timestamp, answer: &Columns, round: &mut Round) {
        let Some(slot) = self.slots.get(place) else {
            return;
        };
        let provenance = if slot.is_test(&self.current) {
            Provenance::Test
        } else {
            Provenance::Device
        };
        let mut changed = std::mem::take(&mut self.scratch);
        for (output, value, quality, time) in answer.rows() {
            let Some(output) = slot.plan.outputs.get(output as usize) else {
                continue;
            };
            let quality = trusted(value, Quality(quality));
            if self.current.is_said(output.tag, value, quality, provenance) {
                continue;
            }
            let sample = CurrentSample {
                value,
                // A guest knows no later time than the one that it was told.
                time: time.min(now),
                quality,
                provenance,
            };
            self.current.set(output.tag, sample);
            changed.push(output.tag, value, quality, sample.time);
        }
        self.pass_on(changed, provenance, round);
    }

    /// Turns derived tags bad, once: what is bad for this reason already is not said again.
    fn turn_bad(&mut self, tags: &[TagId], now: Timestamp, round: &mut Round) {
        let mut changed = std::mem::take(&mut self.scratch);
        for tag in tags {
            let value = self
                .current
                .get(*tag)
                .map_or(f64::NAN, |before| before.value);
            let known = self
                .current
                .get(*tag)
                .is_some_and(|before| before.says(value, Quality::BAD_OUT_OF_SERVICE));
            if !known {
                changed.push(*tag, value, Quality::BAD_OUT_OF_SERVICE, now);
            }
        }
        self.pass_on(changed, Provenance::Device, round);
    }

    fn pass_on(&mut self, mut changed: SampleBatch, provenance: Provenance, round: &mut Round) {
        self.spread(&changed, provenance);
        if provenance == Provenance::Test && !changed.is_empty() {
            round.derived.origin = Origin::Test;
        }
        round.derived.tag.append(&mut changed.tag);
        round.derived.value.append(&mut changed.value);
        round.derived.quality.append(&mut changed.quality);
        round.derived.time.append(&mut changed.time);
        self.scratch = changed;
    }

    fn turn_orphans_bad(&mut self, now: Timestamp, round: &mut Round) {
        if self.orphans.is_empty() {
            return;
        }
        let tags: Vec<TagId> = std::mem::take(&mut self.orphans)
            .into_iter()
            .map(|(tag, _)| tag)
            .collect();
        self.turn_bad(&tags, now, round);
    }

    async fn renew(&mut self, place: usize, now: Timestamp, round: &mut Round) {
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        let before = slot.guest.as_ref().map_or(0, |guest| guest.memory_bytes());
        let limit = slot.plan.limits.memory_bytes;
        slot.renewed_at = Some(now);
        let setup = setup_of(&slot.plan, &slot.memory.state, &self.history, now);
        let (kind, says) = match slot.component.start(setup).await {
            Ok(started) => {
                slot.take_started(started, now, &mut round.states, &mut round.timers);
                slot.tally.renewals += 1;
                let says = format!(
                    "its guest held {before} of {limit} bytes and was made anew; its state was kept"
                );
                (IncidentKind::Renewed, says)
            }
            Err(error) => {
                slot.renewal_failed(now);
                let says = format!(
                    "its guest holds {before} of {limit} bytes, but a new one could not be made: {error}"
                );
                (IncidentKind::RenewalFailed, says)
            }
        };
        round
            .incidents
            .push(Incident::new(now, &slot.plan, kind, says));
    }
}

/// The quality of a derived value: what is not a number is never good.
pub(crate) fn trusted(value: f64, quality: Quality) -> Quality {
    if value.is_finite() || quality.is_bad() {
        quality
    } else {
        Quality::BAD
    }
}

/// What people are told of a failed call; `None` for what is only counted.
pub(crate) fn tell(
    verdict: Verdict,
    error: &CallError,
    strikes_max: u32,
) -> Option<(IncidentKind, String)> {
    match verdict {
        Verdict::Declined {
            ask_again,
            news: News::WentDown,
            count,
        } => Some((
            IncidentKind::Down {
                retry_at: ask_again,
            },
            format!("declined {count} calls in a row, and none went well; the last: {error}"),
        )),
        Verdict::Declined { count: 1, .. } => {
            Some((IncidentKind::Declined, format!("declined a call: {error}")))
        }
        Verdict::Declined { .. } => None,
        Verdict::Struck { count, until } => Some((
            IncidentKind::Strike {
                count,
                retry_at: until,
            },
            format!("strike {count} of {strikes_max}: {error}; it is called again at {until}"),
        )),
        Verdict::Quarantined { until, news } => {
            let kind = match news {
                News::WentDown => IncidentKind::Down { retry_at: until },
                News::None => IncidentKind::StillDown { retry_at: until },
            };
            Some((kind, format!("{error}; it is tried again at {until}")))
        }
    }
}

/// The changes that a caller commits after instances came or went.
#[derive(Debug, Default)]
pub struct Applied {
    /// What instances remember from now on.
    pub states: Vec<StateChange>,
    /// When instances wake up from now on.
    pub timers: Vec<TimerChange>,
    /// What happened to instances.
    pub incidents: Vec<Incident>,
}
