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

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use andon_model::{
    CallError, Component, Finding, InstancePlan, Setup, Started, TagId, TimerChange, Timestamp,
};

use crate::order::order_of;
use crate::round::{Incident, IncidentKind};
use crate::routes::{Routes, Target};
use crate::scheduler::{Applied, Scheduler, tell};
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
            let runs = &slot.plan;
            slot.component.hash() == component_hash
                && runs.component == plan.component
                && runs.kind == plan.kind
                && runs.inputs == plan.inputs
                && runs.outputs == plan.outputs
                && runs.parameters == plan.parameters
                && runs.limits == plan.limits
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
        let mut stay = BTreeMap::new();
        for replacement in set {
            match replacement {
                Replacement::Keep(plan) => {
                    stay.insert(plan.name.clone(), plan);
                }
                Replacement::New(prepared) => fresh.push(self.fresh(now, prepared).await?),
            }
        }
        let mut applied = Applied::default();
        let come: BTreeSet<String> = fresh.iter().map(|f| f.plan.name.clone()).collect();
        for mut slot in std::mem::take(&mut self.slots) {
            match stay.remove(&*slot.name) {
                Some(plan) => {
                    slot.plan = Arc::new(plan);
                    self.slots.push(slot);
                }
                None if come.contains(&*slot.name) => self.slots.push(slot),
                None => self.retire(now, slot, Remember::Keep, &mut applied),
            }
        }
        for fresh in fresh {
            self.put(now, fresh, &mut applied);
        }
        self.rebuild();
        Ok(applied)
    }

    pub(crate) fn slot(&self, name: &str) -> Option<&Slot> {
        self.slots.iter().find(|slot| &*slot.name == name)
    }

    fn check_set(&self, set: &[Replacement]) -> Result<(), ChangeError> {
        let plans: Vec<&InstancePlan> = set
            .iter()
            .map(|replacement| match replacement {
                Replacement::Keep(plan) => plan,
                Replacement::New(prepared) => &prepared.plan,
            })
            .collect();
        order_of(&plans, |_| false).map_err(ChangeError::Order)?;
        for replacement in set {
            if let Replacement::Keep(plan) = replacement
                && self.slot(&plan.name).is_none()
            {
                return Err(ChangeError::NotRunning(plan.name.clone()));
            }
        }
        Ok(())
    }

    /// What the instance of this name remembers, if this component may have it: state belongs to
    /// the instance while its component says the same name of itself, whatever the file is called.
    fn memory_for(&self, name: &str, component: &dyn Component) -> Option<&Memory> {
        match self.slot(name) {
            Some(slot) if slot.component.description().name == component.description().name => {
                Some(&slot.memory)
            }
            Some(_) => None,
            None => self.memories.get(name),
        }
    }

    /// Makes sure that the guest was made from the state as it is now.
    async fn fresh(&mut self, now: Timestamp, prepared: Prepared) -> Result<Prepared, ChangeError> {
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
    fn put(&mut self, now: Timestamp, prepared: Prepared, applied: &mut Applied) {
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
    fn rebuild(&mut self) {
        let plans: Vec<&InstancePlan> = self.slots.iter().map(|slot| slot.plan.as_ref()).collect();
        // The order was checked before anything changed; taking some away cannot break it.
        if let Ok(order) = order_of(&plans, |_| false) {
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
            for (input, bound) in (0_u32..).zip(&slot.plan.inputs) {
                pairs.push((bound.tag, Target { slot: place, input }));
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
    let version = |component: &dyn Component| {
        let description = component.description();
        let hash: String = component.hash().chars().take(12).collect();
        format!("{} {} ({hash})", description.name, description.version)
    };
    match old {
        Some(old) => format!(
            "{} took the place of {}",
            version(new),
            version(old.component.as_ref())
        ),
        None => format!("{} was added", version(new)),
    }
}
