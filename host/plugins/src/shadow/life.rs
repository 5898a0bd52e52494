//! How shadows begin, take part in rounds and end: the part of the scheduler that knows them.

use std::borrow::Cow;
use std::sync::Arc;

use andon_model::{AlarmRequest, Component, InstancePlan, PluginKind, ShadowTerms, Timestamp};

use super::{Beginning, Judgement, Running, Shadow, ShadowOrigin};
use crate::change::{ChangeError, Prepared, same_work};
use crate::order::order_of;
use crate::round::{Incident, IncidentKind, Round, ShadowStat};
use crate::scheduler::{Applied, Scheduler};
use crate::slot::{Sight, Slot};
use crate::status::{ShadowStatus, shadow_status};
use crate::strikes::Phase;

/// The changed version of an instance that was refused last. One of a file is not begun again while
/// the file stays as it is.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    plan: Arc<InstancePlan>,
    pub(crate) says: String,
    /// How it compared at its end.
    pub(crate) report: ShadowStatus,
}

impl Refusal {
    fn is_of_file(&self) -> bool {
        !self.report.by_hand
    }
}

/// What a wanted version of an instance is to the one that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Candidate {
    /// Nothing of its name runs, or something else does.
    New,
    /// Just this runs.
    Runs,
    /// Just this runs as a shadow.
    InShadow,
    /// Just this was refused, for this reason.
    Refused(String),
    /// It cannot run beside the one that runs, for this reason.
    Unlike(String),
}

/// Where an instance stood before its part of a round.
pub(crate) struct Mark {
    fired: usize,
    calls: u64,
    failures: u64,
    sight: Sight,
}

impl Scheduler {
    /// What a plan with this component is to what runs under its name.
    #[must_use]
    pub fn candidate(&self, plan: &InstancePlan, component_hash: &str) -> Candidate {
        let Some(slot) = self.slot(&plan.name) else {
            return Candidate::New;
        };
        if self.keeps(plan, component_hash) {
            return Candidate::Runs;
        }
        if let Some(shadow) = &slot.shadow
            && shadow.slot.component.hash() == component_hash
            && same_work(&shadow.slot.plan, plan)
        {
            return Candidate::InShadow;
        }
        if let Some(refusal) = &slot.refusal
            && refusal.is_of_file()
            && refusal.report.hash == component_hash
            && same_work(&refusal.plan, plan)
        {
            return Candidate::Refused(refusal.says.clone());
        }
        match unlike(&slot.plan, plan) {
            Some(says) => Candidate::Unlike(says),
            None => Candidate::New,
        }
    }

    /// Lets a changed version run beside the instance of its name, in place of a shadow that is
    /// there. `held` is what stands of the instance's alarms.
    ///
    /// # Errors
    /// No such instance runs, the two cannot be compared, or the guest does not start from the state
    /// as it is now.
    pub async fn shadow(
        &mut self,
        now: Timestamp,
        prepared: Prepared,
        terms: ShadowTerms,
        origin: ShadowOrigin,
        held: Vec<AlarmRequest>,
    ) -> Result<Applied, ChangeError> {
        self.check_shadow(prepared.plan())?;
        let prepared = self.fresh(now, prepared).await?;
        let mut applied = Applied::default();
        self.put_beside(now, prepared, terms, origin, held, &mut applied);
        self.rebuild();
        Ok(applied)
    }

    /// Puts the shadow of an instance in its place, as any new version: from the state of the
    /// running version as it is now.
    ///
    /// # Errors
    /// There is no shadow, the instances do not go together, or it does not start; then it stays a
    /// shadow.
    pub async fn promote(&mut self, now: Timestamp, name: &str) -> Result<Applied, ChangeError> {
        let shadow = self
            .slot(name)
            .and_then(|slot| slot.shadow.as_ref())
            .ok_or_else(|| ChangeError::NoShadow(name.to_owned()))?;
        let plan = InstancePlan::clone(&shadow.slot.plan);
        let component = Arc::clone(&shadow.slot.component);
        let says = format!(
            "{} {}",
            version_of(&shadow.slot),
            compared(shadow, "takes over")
        );
        self.check_with(&plan)?;
        let preparation = self.preparation(now, plan, component);
        let prepared = preparation
            .start()
            .await
            .map_err(|error| ChangeError::Start {
                instance: name.to_owned(),
                error,
            })?;
        let mut applied = Applied::default();
        if let Some(slot) = self.slot_mut(name) {
            slot.shadow = None;
        }
        let plan = Arc::new(prepared.plan().clone());
        let kind = IncidentKind::ShadowPromoted;
        applied
            .incidents
            .push(Incident::new(now, &plan, kind, says));
        self.put(now, prepared, &mut applied);
        self.rebuild();
        Ok(applied)
    }

    /// Ends the shadow of an instance; the running version stays.
    ///
    /// # Errors
    /// There is none.
    pub fn refuse(
        &mut self,
        now: Timestamp,
        name: &str,
        why: &str,
    ) -> Result<Applied, ChangeError> {
        let mut applied = Applied::default();
        let none = || ChangeError::NoShadow(name.to_owned());
        let slot = self.slot_mut(name).ok_or_else(none)?;
        let shadow = slot.shadow.take().ok_or_else(none)?;
        let says = compared(&shadow, why);
        let is_of_hand = shadow.origin == ShadowOrigin::Hand;
        // A file that was refused stays refused, whatever a person tried meanwhile.
        let known = slot
            .refusal
            .take()
            .filter(|known| is_of_hand && known.is_of_file());
        slot.refusal = Some(known.unwrap_or_else(|| Refusal {
            plan: Arc::clone(&shadow.slot.plan),
            says: why.to_owned(),
            report: shadow_status(&shadow),
        }));
        let kind = IncidentKind::ShadowRefused;
        let last = shadow.ledger.last().into_iter().next();
        let last = last.map_or_else(String::new, |last| format!("; the last: {}", last.says));
        let says = format!("{} {says}{last}", version_of(&shadow.slot));
        applied
            .incidents
            .push(Incident::new(now, &shadow.slot.plan, kind, says));
        self.rebuild();
        Ok(applied)
    }

    /// Whether an instance of this name runs and is not down: then a changed version can be compared
    /// with it.
    #[must_use]
    pub fn is_well(&self, name: &str) -> bool {
        self.slot(name)
            .is_some_and(|slot| slot.health.down_since().is_none())
    }

    /// Whether a changed version may run beside the instance of its name.
    ///
    /// # Errors
    /// No such instance runs, or the two cannot be compared.
    pub fn check_shadow(&self, plan: &InstancePlan) -> Result<(), ChangeError> {
        let slot = self
            .slot(&plan.name)
            .ok_or_else(|| ChangeError::NotRunning(plan.name.clone()))?;
        match unlike(&slot.plan, plan) {
            Some(says) => Err(ChangeError::Unlike {
                instance: plan.name.clone(),
                says,
            }),
            None => self.check_with(plan),
        }
    }

    /// Whether the instances would go together with this plan in place of that of its name.
    fn check_with(&self, plan: &InstancePlan) -> Result<(), ChangeError> {
        let running = self.slots.iter().map(|slot| slot.plan.as_ref());
        let mut plans: Vec<&InstancePlan> =
            running.filter(|other| other.name != plan.name).collect();
        plans.push(plan);
        order_of(&plans, |_| false)
            .map(drop)
            .map_err(ChangeError::Order)
    }

    /// Puts a prepared guest beside its instance; the index is mended by [`Scheduler::rebuild`].
    pub(crate) fn put_beside(
        &mut self,
        now: Timestamp,
        prepared: Prepared,
        terms: ShadowTerms,
        origin: ShadowOrigin,
        held: Vec<AlarmRequest>,
        applied: &mut Applied,
    ) {
        let memory = self.memory_for(&prepared.plan().name, prepared.component().as_ref());
        let memory = memory.cloned().unwrap_or_default();
        self.withdraw(
            now,
            &prepared.plan().name.clone(),
            "another one takes its place",
            applied,
        );
        let (plan, component, started) = prepared.into_parts();
        let place = self
            .slots
            .iter()
            .position(|slot| slot.plan.name == plan.name);
        let Some(slot) = place.and_then(|place| self.slots.get_mut(place)) else {
            return;
        };
        let beginning = Beginning {
            plan,
            component,
            memory,
            terms,
            origin,
            held,
        };
        let mut shadow = Shadow::new(beginning, now, &self.current);
        if let Ok(started) = started {
            // What `configure` wrote stays with the shadow.
            let mut aside = Round::default();
            let (states, timers) = (&mut aside.states, &mut aside.timers);
            shadow.slot.take_started(started, now, states, timers);
        }
        let until = shadow.ends_at().map_or_else(
            || "until somebody decides".to_owned(),
            |at| format!("until {at}"),
        );
        let says = format!(
            "{} runs beside {} {until} ({}); what it asks for is compared and not sent",
            version_of(&shadow.slot),
            version_of(slot),
            terms.end
        );
        let kind = IncidentKind::ShadowBegan;
        applied
            .incidents
            .push(Incident::new(now, &shadow.slot.plan, kind, says));
        let refusal = slot.refusal.take();
        slot.refusal = refusal.filter(|one| origin == ShadowOrigin::Hand && one.is_of_file());
        slot.shadow = Some(Box::new(shadow));
    }

    /// Takes a shadow away because what it stood for is gone.
    pub(crate) fn withdraw(
        &mut self,
        now: Timestamp,
        name: &str,
        why: &str,
        applied: &mut Applied,
    ) {
        if let Some(slot) = self.slot_mut(name) {
            applied.incidents.extend(withdrawn(slot, now, why));
        }
    }

    /// Where an instance stands before its part of a round, if it has a shadow to be compared with.
    pub(crate) fn mark(&self, place: usize, round: &Round) -> Option<Mark> {
        let slot = self.slots.get(place)?;
        slot.shadow.as_ref()?;
        Some(Mark {
            fired: round.fired.len(),
            calls: slot.tally.calls,
            failures: slot.tally.failures,
            sight: slot.sight,
        })
    }

    /// The part of a shadow in a round.
    pub(crate) async fn visit_shadow(
        &mut self,
        place: usize,
        mark: Mark,
        now: Timestamp,
        round: &mut Round,
    ) {
        let Some(slot) = self.slots.get_mut(place) else {
            return;
        };
        let Some(mut shadow) = slot.shadow.take() else {
            return;
        };
        let called = slot.tally.calls > mark.calls;
        let fired = round.fired.get(mark.fired);
        let running = Running {
            actions: fired.map_or(&[], |fired| fired.actions.as_slice()),
            called,
            failed: slot.tally.failures > mark.failures,
            fresh: called && mark.sight == Sight::Everything,
            well: slot.health.phase() == Phase::Running && slot.sight == Sight::News,
        };
        let heard = shadow
            .visit(now, running, &self.current, &self.history)
            .await;
        if heard.call.is_some() || heard.differences > 0 {
            round.shadows.push(ShadowStat {
                instance: Arc::clone(&slot.name),
                call: heard.call,
                differences: heard.differences,
            });
        }
        round.incidents.extend(heard.incidents);
        slot.shadow = Some(shadow);
    }

    /// Ends the shadows whose end has come. A promotion starts a guest, so there is at most one in
    /// a round; the next one comes with the next round, at once.
    pub(crate) async fn end_shadows(&mut self, now: Timestamp, round: &mut Round) {
        let mut promoted = false;
        for (name, judgement) in self.judgements(now) {
            let applied = match judgement {
                Judgement::GoesOn => continue,
                Judgement::Promote if promoted => continue,
                Judgement::Waits => self.tell_waits(now, &name),
                Judgement::Refuse(why) => self.refuse(now, &name, &format!("was refused: {why}")),
                Judgement::Promote => {
                    promoted = true;
                    match self.promote(now, &name).await {
                        Ok(applied) => Ok(applied),
                        Err(error) => {
                            let why = format!("was refused: it could not take over: {error}");
                            self.refuse(now, &name, &why)
                        }
                    }
                }
            };
            // All of them have a shadow, so none of this fails.
            let applied = applied.unwrap_or_default();
            round.states.extend(applied.states);
            round.timers.extend(applied.timers);
            round.incidents.extend(applied.incidents);
        }
    }

    fn judgements(&mut self, now: Timestamp) -> Vec<(String, Judgement)> {
        let slots = self.slots.iter_mut();
        slots
            .filter_map(|slot| {
                let shadow = slot.shadow.as_mut()?;
                Some((slot.plan.name.clone(), shadow.judge(now)))
            })
            .collect()
    }

    fn tell_waits(&self, now: Timestamp, name: &str) -> Result<Applied, ChangeError> {
        let shadow = self.slot(name).and_then(|slot| slot.shadow.as_ref());
        let shadow = shadow.ok_or_else(|| ChangeError::NoShadow(name.to_owned()))?;
        let why = format!(
            "waits: `andon plugin promote {name}` lets it take over, `andon plugin refuse {name}` ends it"
        );
        let says = format!("{} {}", version_of(&shadow.slot), compared(shadow, &why));
        let kind = IncidentKind::ShadowWaits;
        let mut applied = Applied::default();
        applied
            .incidents
            .push(Incident::new(now, &shadow.slot.plan, kind, says));
        Ok(applied)
    }

    fn slot_mut(&mut self, name: &str) -> Option<&mut Slot> {
        self.slots.iter_mut().find(|slot| &*slot.name == name)
    }
}

/// An instance of the old set that is in the new one.
pub(crate) enum Staying {
    /// It is what is wanted.
    Wanted(Box<InstancePlan>),
    /// Something else is wanted, and runs as a shadow on these terms or not at all.
    Unwanted(Option<ShadowTerms>),
}

impl Staying {
    /// Brings the instance and its shadow up to date.
    pub(crate) fn settle(self, slot: &mut Slot, now: Timestamp) -> Option<Incident> {
        let terms = match self {
            Self::Wanted(plan) => {
                // A shadow may have been promoted since the set was prepared: then what runs was
                // given another plan, and whoever is told of the promotion prepares the set anew.
                if same_work(&slot.plan, &plan) {
                    slot.plan = Arc::from(plan);
                }
                slot.refusal.take_if(|refusal| refusal.is_of_file());
                None
            }
            Self::Unwanted(terms) => terms,
        };
        let shadow = slot.shadow.as_mut()?;
        match (shadow.origin, terms) {
            (ShadowOrigin::Hand, _) => None,
            (ShadowOrigin::File, Some(terms)) => {
                shadow.agree(terms);
                None
            }
            (ShadowOrigin::File, None) => {
                let why = "its file no longer asks for it";
                withdrawn(slot, now, why)
            }
        }
    }
}

/// Takes the shadow off an instance; answers what people are told.
pub(crate) fn withdrawn(slot: &mut Slot, now: Timestamp, why: &str) -> Option<Incident> {
    let shadow = slot.shadow.take()?;
    let says = format!(
        "{} ran as a shadow and is gone: {why}",
        version_of(&shadow.slot)
    );
    let kind = IncidentKind::ShadowWithdrawn;
    Some(Incident::new(now, &shadow.slot.plan, kind, says))
}

/// `limits 1.1.0 (0123456789ab)`.
pub(crate) fn version_of(slot: &Slot) -> String {
    component_version(slot.component.as_ref())
}

/// The same of a component.
pub(crate) fn component_version(component: &dyn Component) -> String {
    let about = component.description();
    let hash: String = component.hash().chars().take(12).collect();
    format!("{} {} ({hash})", about.name, about.version)
}

/// A plan that also reads what its shadow reads, for the order of a round.
pub(crate) fn with_inputs_of_shadow(slot: &Slot) -> Cow<'_, InstancePlan> {
    match &slot.shadow {
        Some(shadow) if shadow.slot.plan.inputs != slot.plan.inputs => {
            let mut plan = InstancePlan::clone(&slot.plan);
            plan.inputs.extend(shadow.slot.plan.inputs.iter().cloned());
            Cow::Owned(plan)
        }
        _ => Cow::Borrowed(slot.plan.as_ref()),
    }
}

/// Why two plans cannot be compared, if they cannot.
fn unlike(running: &InstancePlan, changed: &InstancePlan) -> Option<String> {
    let tags = |plan: &InstancePlan| {
        let mut tags: Vec<_> = plan.outputs.iter().map(|output| output.tag).collect();
        tags.sort();
        tags
    };
    if running.kind != changed.kind {
        return Some(format!(
            "a {} cannot be compared with a {}",
            changed.kind, running.kind
        ));
    }
    (running.kind == PluginKind::Function && tags(running) != tags(changed))
        .then(|| "it computes other tags than the running version".to_owned())
}

/// What became of a shadow and what it came to, in one sentence.
fn compared(shadow: &Shadow, became: &str) -> String {
    let counts = &shadow.ledger.counts;
    format!(
        "{became}; since {}: {} calls, {} failed; {} the same, {} different \
         (only the running version {}, only the shadow {}, changed {}, at another time {})",
        shadow.begun_at,
        counts.calls,
        counts.failures(),
        counts.same,
        counts.differences(),
        counts.only_running,
        counts.only_shadow,
        counts.changed,
        counts.shifted
    )
}
