//! How instances come, change and go between two batches.
//!
//! ```text
//! off the hot path                                   between two batches
//! Scheduler::preparation ─▶ Preparation::start ─▶ Prepared ─▶ Scheduler::swap | replace
//!   (snapshot of state)       (configure)
//! ```
//!
//! The old guest goes on while the new one is made, and may write state meanwhile. The snapshot has
//! a revision: if it is still true at the swap, the prepared guest takes the place; if not, the guest
//! has proved that the component starts, and one is made again from the state as it is now, within
//! `Limits::start_time`. So `configure` may read state, and no write is lost. If that fails, the
//! old one keeps its place.
//!
//! Samples that wait, timer and state go over to the new guest, and its first call holds the
//! current sample of every input.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use andon_model::{
    AlarmRequest, CallError, Component, Finding, InstancePlan, Setup, ShadowTerms, Started, TagId,
    TimerChange, Timestamp,
};

use crate::order::order_of;
use crate::round::{Incident, IncidentKind};
use crate::routes::{Reader, Routes, Target};
use crate::scheduler::{Applied, Scheduler, tell};
use crate::shadow::{
    ShadowOrigin, Staying, component_version, version_of, with_inputs_of_shadow, withdrawn,
};
use crate::slot::{Memory, Slot, setup_of};

/// A guest to be made off the hot path.
pub struct Preparation {
    plan: InstancePlan,
    component: Arc<dyn Component>,
    setup: Setup,
    revision: u64,
}

/// An instance that is ready to take its place.
pub struct Prepared {
    plan: InstancePlan,
    component: Arc<dyn Component>,
    started: Result<Started, CallError>,
    revision: u64,
}

/// One instance of a whole new set.
#[derive(Debug)]
pub enum Replacement {
    /// It runs already, see [`Scheduler::keeps`]: its guest stays. Labels and policies of the plan
    /// may differ.
    Keep(InstancePlan),
    /// It is new, or differs in what its guest was given.
    New(Prepared),
    /// It stays as it is although something else is wanted; a shadow of a file stays with these
    /// terms, or goes where there are none.
    Stay {
        /// Name of the instance.
        name: String,
        /// Of its shadow.
        terms: Option<ShadowTerms>,
    },
    /// It stays as it is, and a changed version runs beside it.
    Shadow {
        /// The changed version.
        prepared: Prepared,
        /// How long, and what then.
        terms: ShadowTerms,
        /// What stands of the instance's alarms.
        held: Vec<AlarmRequest>,
    },
}

/// What becomes of the memory of an instance that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remember {
    /// It is kept for an instance of the same name.
    Keep,
    /// It is deleted, also from the store.
    Forget,
}

/// Why instances were not changed. Everything is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The instances do not go together.
    #[error("the plugin instances do not go together: {}", sentences(.0))]
    Order(Vec<Finding>),
    /// The guest could be made before, but not from the state as it is now.
    #[error("`{instance}` could not be started with its state as it is now: {error}")]
    Start {
        /// Name of the instance.
        instance: String,
        /// How it failed.
        #[source]
        error: CallError,
    },
    /// An instance to be kept does not run.
    #[error("no plugin instance `{0}` runs that could be kept; prepare it anew")]
    NotRunning(String),
    /// No changed version runs beside the instance.
    #[error(
        "no shadow runs beside `{0}`: `andon plugin shadow` begins one, `andon plugin list` shows them"
    )]
    NoShadow(String),
    /// The changed version cannot be compared with the one that runs.
    #[error("`{instance}` cannot run as a shadow: {says}")]
    Unlike {
        /// Name of the instance.
        instance: String,
        /// Why not.
        says: String,
    },
}

fn sentences(findings: &[Finding]) -> String {
    let all: Vec<&str> = findings.iter().map(|f| f.says.as_str()).collect();
    all.join("; ")
}

impl Preparation {
    /// Makes the guest and lets it `configure`. Touches nothing of the scheduler.
    ///
    /// # Errors
    /// The guest declined, trapped or left its bounds.
    pub async fn start(self) -> Result<Prepared, CallError> {
        let started = self.component.start(self.setup).await?;
        Ok(Prepared {
            plan: self.plan,
            component: self.component,
            started: Ok(started),
            revision: self.revision,
        })
    }

    /// The same, but an instance that cannot be started takes its place in quarantine: people are
    /// told that it is down, and it is tried again. For the start of the host, where there is no old
    /// version to go on with.
    pub async fn start_or_down(self) -> Prepared {
        let started = self.component.start(self.setup).await;
        Prepared {
            plan: self.plan,
            component: self.component,
            started,
            revision: self.revision,
        }
    }
}

impl Prepared {
    /// What the instance will be.
    #[must_use]
    pub const fn plan(&self) -> &InstancePlan {
        &self.plan
    }

    /// Its component.
    pub(crate) const fn component(&self) -> &Arc<dyn Component> {
        &self.component
    }

    /// Plan, component and guest.
    pub(crate) fn into_parts(
        self,
    ) -> (InstancePlan, Arc<dyn Component>, Result<Started, CallError>) {
        (self.plan, self.component, self.started)
    }

    /// How its start failed, if it did.
    #[must_use]
    pub fn error(&self) -> Option<&CallError> {
        self.started.as_ref().err()
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("plan", &self.plan)
            .field("error", &self.error())
            .finish_non_exhaustive()
    }
}

impl Scheduler {
    /// Begins to prepare an instance, with a snapshot of what the instance of its name remembers.
    #[must_use]
    pub fn preparation(
        &self,
        now: Timestamp,
        plan: InstancePlan,
        component: Arc<dyn Component>,
    ) -> Preparation {
        let nothing = Memory::default();
        let memory = self
            .memory_for(&plan.name, component.as_ref())
            .unwrap_or(&nothing);
        Preparation {
            setup: setup_of(&plan, &memory.state, &self.history, now),
            revision: memory.revision,
            plan,
            component,
        }
    }

    /// Whether an instance runs whose guest was given just this plan and this file, so that it may
    /// stay: [`Replacement::Keep`].
    #[must_use]
    pub fn keeps(&self, plan: &InstancePlan, component_hash: &str) -> bool {
        self.slot(&plan.name).is_some_and(|slot| {
            slot.component.hash() == component_hash && same_work(&slot.plan, plan)
        })
    }

    /// Adds an instance, or puts it in the place of the one of its name.
    ///
    /// # Errors
    /// The order would not work, or the guest does not start from the state as it is now; the old
    /// instance goes on.
    pub async fn swap(
        &mut self,
        now: Timestamp,
        prepared: Prepared,
    ) -> Result<Applied, ChangeError> {
        let mut plans: Vec<&InstancePlan> = self
            .slots
            .iter()
            .map(|slot| slot.plan.as_ref())
            .filter(|plan| plan.name != prepared.plan.name)
            .collect();
        plans.push(&prepared.plan);
        order_of(&plans, |_| false).map_err(ChangeError::Order)?;
        let mut applied = Applied::default();
        let fresh = self.fresh(now, prepared).await?;
        self.put(now, fresh, &mut applied);
        self.rebuild();
        Ok(applied)
    }

    /// Takes an instance away; what waits for it is dropped, and its derived tags turn bad in the
    /// next round. `None` if there is none of this name.
    pub fn remove(&mut self, now: Timestamp, name: &str, remember: Remember) -> Option<Applied> {
        let place = self.slots.iter().position(|slot| &*slot.name == name)?;
        let mut applied = Applied::default();
        let slot = self.slots.remove(place);
        self.retire(now, slot, remember, &mut applied);
        self.rebuild();
        Some(applied)
    }

    /// Puts a whole set in place of all instances, or changes nothing. Instances that are not in
    /// the set go, and their memory is kept for when they come back.
    ///
    /// # Errors
    /// As for [`Scheduler::swap`], or an instance that is to be kept does not run.
    pub async fn replace(
        &mut self,
        now: Timestamp,
        set: Vec<Replacement>,
    ) -> Result<Applied, ChangeError> {
        self.check_set(&set)?;
        let mut fresh = Vec::new();
        let mut beside = Vec::new();
        let mut stay = BTreeMap::new();
        for replacement in set {
            match replacement {
                Replacement::Keep(plan) => {
                    stay.insert(plan.name.clone(), Staying::Wanted(Box::new(plan)));
                }
                Replacement::Stay { name, terms } => {
                    stay.insert(name, Staying::Unwanted(terms));
                }
                Replacement::New(prepared) => fresh.push(self.fresh(now, prepared).await?),
                Replacement::Shadow {
                    prepared,
                    terms,
                    held,
                } => {
                    stay.insert(prepared.plan.name.clone(), Staying::Unwanted(Some(terms)));
                    beside.push((self.fresh(now, prepared).await?, terms, held));
                }
            }
        }
        let mut applied = Applied::default();
        let come: BTreeSet<String> = fresh.iter().map(|f| f.plan.name.clone()).collect();
        for mut slot in std::mem::take(&mut self.slots) {
            match stay.remove(&*slot.name) {
                Some(staying) => {
                    let incident = staying.settle(&mut slot, now);
                    applied.incidents.extend(incident);
                    self.slots.push(slot);
                }
                None if come.contains(&*slot.name) => self.slots.push(slot),
                None => self.retire(now, slot, Remember::Keep, &mut applied),
            }
        }
        for fresh in fresh {
            self.put(now, fresh, &mut applied);
        }
        for (prepared, terms, held) in beside {
            let origin = ShadowOrigin::File;
            self.put_beside(now, prepared, terms, origin, held, &mut applied);
        }
        self.rebuild();
        Ok(applied)
    }

    pub(crate) fn slot(&self, name: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| &*slot.name == name)
    }

    fn check_set(&self, set: &[Replacement]) -> Result<(), ChangeError> {
        let runs = |name: &str| {
            let slot = self.slot(name);
            slot.ok_or_else(|| ChangeError::NotRunning(name.to_owned()))
        };
        // Once as they will run, and once as if all shadows were promoted.
        let (mut plans, mut promoted): (Vec<&InstancePlan>, Vec<&InstancePlan>) =
            Default::default();
        for replacement in set {
            let (plan, then) = match replacement {
                Replacement::New(prepared) => (&prepared.plan, &prepared.plan),
                Replacement::Keep(plan) => {
                    runs(&plan.name)?;
                    (plan, plan)
                }
                Replacement::Stay { name, .. } => {
                    let plan = &*runs(name)?.plan;
                    (plan, plan)
                }
                Replacement::Shadow { prepared, .. } => {
                    (&*runs(&prepared.plan.name)?.plan, &prepared.plan)
                }
            };
            plans.push(plan);
            promoted.push(then);
        }
        order_of(&plans, |_| false).map_err(ChangeError::Order)?;
        order_of(&promoted, |_| false).map_err(ChangeError::Order)?;
        Ok(())
    }

    /// What the instance of this name remembers, if this component may have it: state belongs to
    /// the instance while its component says the same name of itself, whatever the file is called.
    pub(crate) fn memory_for(&self, name: &str, component: &dyn Component) -> Option<&Memory> {
        match self.slot(name) {
            Some(slot) if slot.component.description().name == component.description().name => {
                Some(&slot.memory)
            }
            Some(_) => None,
            None => self.memories.get(name),
        }
    }

    /// Makes sure that the guest was made from the state as it is now.
    pub(crate) async fn fresh(
        &mut self,
        now: Timestamp,
        prepared: Prepared,
    ) -> Result<Prepared, ChangeError> {
        let (state, revision) = self
            .memory_for(&prepared.plan.name, prepared.component.as_ref())
            .map(|memory| (memory.state.clone(), memory.revision))
            .unwrap_or_default();
        if revision == prepared.revision || prepared.started.is_err() {
            return Ok(prepared);
        }
        let setup = setup_of(&prepared.plan, &state, &self.history, now);
        // The first guest goes before the second comes: memory for one is enough.
        let Prepared {
            plan, component, ..
        } = prepared;
        match component.start(setup).await {
            Ok(started) => Ok(Prepared {
                plan,
                component,
                started: Ok(started),
                revision,
            }),
            Err(error) => Err(ChangeError::Start {
                instance: plan.name,
                error,
            }),
        }
    }

    /// Puts an instance in place; the order is mended by [`Scheduler::rebuild`].
    pub(crate) fn put(&mut self, now: Timestamp, prepared: Prepared, applied: &mut Applied) {
        let Prepared {
            plan,
            component,
            started,
            ..
        } = prepared;
        let plan = Arc::new(plan);
        let old = self
            .slots
            .iter()
            .position(|slot| slot.plan.name == plan.name)
            .map(|place| self.slots.remove(place));
        let says = says_swapped(old.as_ref(), component.as_ref());
        let mut slot = match old {
            Some(old) => self.succeed(now, old, &plan, component, applied),
            None => {
                let memory = self.memories.remove(&plan.name).unwrap_or_default();
                let mut slot = Slot::new(Arc::clone(&plan), component, memory, now);
                if let Some(since) = self.were_down.remove(&plan.name) {
                    slot.health.was_down(since);
                }
                slot
            }
        };
        let swapped = Incident::new(now, &plan, IncidentKind::Swapped, says);
        applied.incidents.push(swapped);
        match started {
            Ok(started) => {
                slot.take_started(started, now, &mut applied.states, &mut applied.timers);
            }
            Err(error) => {
                let verdict = slot.health.quarantine(now);
                let outputs = plan.outputs.iter().map(|output| (output.tag, now));
                self.orphans.extend(outputs);
                if let Some((kind, says)) = tell(verdict, &error, plan.limits.strikes_max) {
                    let incident = Incident::new(now, &plan, kind, says);
                    applied.incidents.push(incident);
                }
                slot.tally.failures += 1;
                slot.tally.last_error = Some((now, error));
            }
        }
        self.slots.push(slot);
    }

    /// The slot of an instance that takes over from an old one: its memory, the fact that it is
    /// down, and the samples that wait, as far as the new one reads them.
    fn succeed(
        &mut self,
        now: Timestamp,
        mut old: Slot,
        plan: &Arc<InstancePlan>,
        component: Arc<dyn Component>,
        applied: &mut Applied,
    ) -> Slot {
        let why = "the running version was changed";
        applied.incidents.extend(withdrawn(&mut old, now, why));
        let same = old.component.description().name == component.description().name;
        if !same {
            applied.states.extend(old.memory.forget(&old.name));
            applied.timers.extend(unset_timer(&mut old));
        }
        let gone = old.plan.outputs.iter().filter(|output| {
            let tag = output.tag;
            plan.outputs.iter().all(|kept| kept.tag != tag)
        });
        self.orphans.extend(gone.map(|output| (output.tag, now)));
        let down_since = old.health.down_since();
        let mut slot = Slot::new(Arc::clone(plan), component, old.memory, now);
        if let Some(since) = down_since {
            slot.health.was_down(since);
        }
        for (input, value, quality, time) in old.columns.rows() {
            let tag = old.plan.inputs.get(input as usize).map(|bound| bound.tag);
            for (index, bound) in (0_u32..).zip(&plan.inputs) {
                if Some(bound.tag) == tag {
                    slot.columns.push(index, value, quality, time);
                }
            }
        }
        slot
    }

    fn retire(&mut self, now: Timestamp, mut slot: Slot, keep: Remember, applied: &mut Applied) {
        let why = "its instance is gone";
        applied.incidents.extend(withdrawn(&mut slot, now, why));
        applied.timers.extend(unset_timer(&mut slot));
        let outputs = slot.plan.outputs.iter().map(|output| (output.tag, now));
        self.orphans.extend(outputs);
        let removed = IncidentKind::Removed;
        let says = "it is no longer in the settings or in the plugins folder";
        applied
            .incidents
            .push(Incident::new(now, &slot.plan, removed, says));
        match keep {
            Remember::Keep => {
                self.memories.insert(slot.plan.name.clone(), slot.memory);
            }
            Remember::Forget => applied.states.extend(slot.memory.forget(&slot.name)),
        }
    }

    /// Brings the slots into their order and the index up to date.
    pub(crate) fn rebuild(&mut self) {
        let widened: Vec<Cow<'_, InstancePlan>> =
            self.slots.iter().map(with_inputs_of_shadow).collect();
        let plans: Vec<&InstancePlan> = widened.iter().map(AsRef::as_ref).collect();
        // Two versions together may make a circle that neither makes alone; then the running one
        // counts. Its order was checked before anything changed; taking some away cannot break it.
        let order = order_of(&plans, |_| false).or_else(|_| {
            let running: Vec<&InstancePlan> =
                self.slots.iter().map(|slot| slot.plan.as_ref()).collect();
            order_of(&running, |_| false)
        });
        drop(widened);
        if let Ok(order) = order {
            let mut old: Vec<Option<Slot>> = std::mem::take(&mut self.slots)
                .into_iter()
                .map(Some)
                .collect();
            for place in order.0 {
                self.slots.extend(old.get_mut(place).and_then(Option::take));
            }
        }
        let mut pairs = Vec::new();
        for (place, slot) in self.slots.iter().enumerate() {
            let shadow = slot
                .shadow
                .iter()
                .map(|one| (Reader::Shadow, &one.slot.plan));
            for (reader, plan) in shadow.chain([(Reader::Running, &slot.plan)]) {
                for (input, bound) in (0_u32..).zip(&plan.inputs) {
                    let target = Target {
                        slot: place,
                        input,
                        reader,
                    };
                    pairs.push((bound.tag, target));
                }
            }
        }
        let tags: Vec<TagId> = pairs.iter().map(|(tag, _)| *tag).collect();
        self.history.keep_only(&tags, &self.current);
        self.routes = Routes::new(pairs);
        let written: BTreeSet<TagId> = self
            .slots
            .iter()
            .filter(|slot| slot.guest.is_some())
            .flat_map(|slot| slot.plan.outputs.iter().map(|output| output.tag))
            .collect();
        self.orphans.retain(|(tag, _)| !written.contains(tag));
    }
}

fn unset_timer(slot: &mut Slot) -> Option<TimerChange> {
    slot.memory.timer.take().map(|_| TimerChange {
        instance: slot.plan.name.clone(),
        wake_at: None,
    })
}

fn says_swapped(old: Option<&Slot>, new: &dyn Component) -> String {
    let version = component_version(new);
    match old {
        Some(old) => format!("{version} took the place of {}", version_of(old)),
        None => format!("{version} was added"),
    }
}

/// Whether a guest of one plan was given just what the other says.
pub(crate) fn same_work(one: &InstancePlan, other: &InstancePlan) -> bool {
    one.component == other.component
        && one.kind == other.kind
        && one.inputs == other.inputs
        && one.outputs == other.outputs
        && one.parameters == other.parameters
        && one.limits == other.limits
}
