//! What stands between a rule and the people: delays, marks, suppression by design, floods.
//!
//! ```text
//! actions of a rule ─▶ admit ─▶ AlarmBook ─▶ settle ─▶ events, each with how it is told
//!                     (delays)              (groups, marks, suppression, floods)
//! samples ─▶ see                 time ─▶ on_time ─▶ the same
//! ```
//! [`Conditioning`] is the whole of it, one per host, beside the one [`AlarmBook`] whose records it
//! changes. It is pure like the book; what must survive a restart is rows
//! ([`Conditioning::take_rows`]), committed with what caused them.
//!
//! Until the first [`Conditioning::replace`] after a start it is asleep: it knows neither tags nor
//! instances then, so it ends no delay, lets nothing out of a suppression, and lets events through as
//! they are.

mod delays;
mod marks;
mod plan;
mod settings;

use std::collections::BTreeMap;

use andon_model::{
    Action, AlarmEvent, AlarmId, JournalEntry, Mark, Reason, SampleBatch, Stage, StageRow, TagId,
    TagTable, Timestamp, Transition, Why,
};

use delays::{Delays, Gate};
use marks::{Marking, Marks};
pub use plan::{ConditioningPlan, check_conditioning, check_instance_delays};
pub(crate) use plan::{check_name, check_selectors, within};
pub use settings::{
    ChatteringSettings, ConditionSettings, ConditioningSettings, FleetingSettings, InstanceDelays,
    OnBadQuality, OnChatter, StaleSettings,
};

use crate::book::AlarmBook;
use crate::flood::{FloodDigest, Floods, Telling};
use crate::reach::{Reach, TagStates};
use crate::source::Source;
use crate::suppression::{self, Suppressions};

/// Delays, marks, suppression and floods of one host.
#[derive(Debug, Default)]
pub struct Conditioning {
    plan: ConditioningPlan,
    reach: Reach,
    states: TagStates,
    delays: Delays,
    marks: Marks,
    suppressions: Suppressions,
    floods: Floods,
    awake: bool,
}

/// What of a rule's actions is done now.
#[derive(Debug, Default)]
pub struct Admitted {
    /// For [`AlarmBook::apply`].
    pub actions: Vec<Action>,
    /// Alarms that were marked meanwhile, for [`Conditioning::settle`].
    pub events: Vec<AlarmEvent>,
    /// Raises that came to nothing.
    pub journal: Vec<JournalEntry>,
}

/// An event and how it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What happened, with the record after all of it.
    pub event: AlarmEvent,
    /// How people hear of it, if they do.
    pub telling: Telling,
    /// Which of the given events it is; nothing for one that followed from them.
    pub given: Option<usize>,
}

/// What came of events, or of time.
#[derive(Debug, Default)]
pub struct Settled {
    /// All events in their order, the given ones among them.
    pub steps: Vec<Step>,
    /// What is journalled beside the events.
    pub journal: Vec<JournalEntry>,
    /// For the alarm book, under [`AlarmId::HOST`].
    pub host: Vec<Action>,
    /// Alarms that are told together now.
    pub digests: Vec<FloodDigest>,
}

impl Conditioning {
    /// What was kept over a restart. It sleeps until [`Conditioning::replace`].
    #[must_use]
    pub fn restore(rows: &[StageRow], now: Timestamp) -> Self {
        Self {
            delays: Delays::restore(rows, now),
            marks: Marks::restore(rows),
            suppressions: Suppressions::restore(rows),
            floods: Floods::restore(rows),
            ..Self::default()
        }
    }

    /// Works by other settings, tags and instances from now on. What waits goes on waiting. The
    /// caller gives the current samples of [`Conditioning::watched`] to [`Conditioning::see`] and
    /// then calls [`Conditioning::settle`].
    pub fn replace(
        &mut self,
        plan: ConditioningPlan,
        reach: Reach,
        tags: &TagTable,
        book: &AlarmBook,
        now: Timestamp,
    ) {
        self.plan = plan;
        self.reach = reach;
        self.awake = true;
        let lost: Vec<TagId> = self.states.lost().collect();
        self.suppressions.replace(
            &self.plan.suppression,
            &self.reach,
            lost.into_iter(),
            tags,
            book,
            now,
        );
        self.marks.replace(&self.plan, book);
    }

    /// Tags that suppressions look at.
    #[must_use]
    pub fn watched(&self) -> Vec<TagId> {
        self.suppressions.watched()
    }

    /// Takes in new samples, before the rules that see them speak. [`Conditioning::settle`] must
    /// follow, also if the rules said nothing.
    pub fn see(&mut self, now: Timestamp, batch: &SampleBatch) {
        let mut links = Vec::new();
        self.states.see(batch, |change| links.push(change));
        self.suppressions.see_links(&self.reach, &links, now);
        if !self.suppressions.looks_at_tags() {
            return;
        }
        for (tag, value, quality, _) in batch.rows() {
            if !quality.is_bad() && !value.is_nan() {
                self.suppressions
                    .see_value(&self.plan.suppression, tag, value, now);
            }
        }
    }

    /// What of a rule's actions is done now; the rest waits for its delay, or took one back.
    pub fn admit(
        &mut self,
        now: Timestamp,
        book: &mut AlarmBook,
        source: &Source<'_>,
        actions: Vec<Action>,
    ) -> Admitted {
        let mut admitted = Admitted::default();
        for action in actions {
            let (plan, marks) = (&self.plan, &self.marks);
            let trust = |key: &str| self.reach.trust(&self.states, source.instance, key);
            let hold = |id: &AlarmId| plan.chatter_hold().filter(|_| marks.chatters(id));
            let gate = Gate {
                now,
                plan,
                book,
                source,
                trust: &trust,
                hold: &hold,
            };
            let passed = self.delays.admit(&gate, action);
            admitted.actions.extend(passed.action);
            admitted.journal.extend(passed.journal);
            if let Some(id) = passed.active_again
                && self.marks.activated(&self.plan, &id, now)
            {
                admitted.events.extend(self.mark_chatter(now, book, &id));
            }
        }
        admitted
    }

    fn mark_chatter(
        &self,
        now: Timestamp,
        book: &mut AlarmBook,
        id: &AlarmId,
    ) -> Option<AlarmEvent> {
        let chattering = &self.plan.chattering;
        let detail = format!(
            "chattering: {} activations within {}",
            chattering.count, chattering.window
        );
        let occurrence = book.get(id)?.occurrence;
        let why = Why::new(Reason::Chattering, detail);
        book.mark(now, occurrence, Mark::Chattering, Marking::On, why)
    }

    /// Takes steps in alarms' lives that one input caused, all at once, so that none is told that
    /// another of them silences.
    pub fn settle(
        &mut self,
        now: Timestamp,
        book: &mut AlarmBook,
        events: Vec<AlarmEvent>,
    ) -> Settled {
        let mut settled = Settled::default();
        if !self.awake {
            let given = events.into_iter().enumerate();
            settled.steps = given.map(|(index, event)| as_given(index, event)).collect();
            return settled;
        }
        let firsts: Vec<Option<String>> = events
            .iter()
            .map(|event| self.take_note(now, event))
            .collect();
        for (index, (event, first)) in events.into_iter().zip(firsts).enumerate() {
            self.settle_one(now, book, (index, event), first, &mut settled.steps);
        }
        let plan = &self.plan.suppression;
        let events = self.suppressions.review(plan, &self.reach, book, now);
        settled.steps.extend(events.into_iter().map(follows));
        for step in &mut settled.steps {
            let (telling, begun) = self.floods.note(&self.plan.flood, &step.event, now);
            step.telling = telling;
            settled.host.extend(begun);
        }
        settled
    }

    /// Lets all parts know of an event; the group of which it is the first.
    fn take_note(&mut self, now: Timestamp, event: &AlarmEvent) -> Option<String> {
        let (plan, record) = (&self.plan.suppression, &event.record);
        if event.transition == Transition::Notified {
            return None;
        }
        self.suppressions.note(plan, record, now);
        if event.transition == Transition::Raised {
            self.marks.raised(&self.plan, record);
            return self.suppressions.enter_groups(plan, record);
        }
        if event.transition == Transition::Cleared {
            self.marks.cleared(&self.plan, record, now);
        }
        self.suppressions.note_groups(plan, record);
        None
    }

    /// The event with its marks and what silences it, and what follows from that.
    fn settle_one(
        &mut self,
        now: Timestamp,
        book: &mut AlarmBook,
        (index, mut event): (usize, AlarmEvent),
        first: Option<String>,
        steps: &mut Vec<Step>,
    ) {
        let mut following = Vec::new();
        if event.transition == Transition::Raised {
            let (id, occurrence) = (event.record.id.clone(), event.record.occurrence);
            if let Some(group) = first {
                let why = Why::new(Reason::FirstOut, format!("first out of {group}"));
                following.extend(book.mark(now, occurrence, Mark::FirstOut, Marking::On, why));
            }
            let begins = self.marks.activated(&self.plan, &id, now);
            if begins {
                following.extend(self.mark_chatter(now, book, &id));
            } else if self.marks.chatters(&id) {
                // It chatters already: the new occurrence is marked without a line of its own.
                let why = Why::new(Reason::Chattering, "");
                book.mark(now, occurrence, Mark::Chattering, Marking::On, why);
            }
            let plan = &self.plan.suppression;
            let verdict = self
                .suppressions
                .verdict(plan, &self.reach, book, &event.record);
            if verdict.is_some() {
                following.extend(suppression::set(book, occurrence, verdict, now));
            }
            if let Some(record) = book.by_occurrence(occurrence) {
                event.record.flags = record.flags.clone();
            }
        }
        steps.push(as_given(index, event));
        steps.extend(following.into_iter().map(follows));
    }

    /// When [`Conditioning::on_time`] has something to do next.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        if !self.awake {
            return None;
        }
        [
            self.delays.next_wake(),
            self.marks.next_wake(&self.plan),
            self.suppressions.next_wake(),
            self.floods.next_wake(&self.plan.flood),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due: ends of delays and suppressions, marks, digests.
    pub fn on_time(&mut self, now: Timestamp, book: &mut AlarmBook) -> Settled {
        if !self.awake {
            return Settled::default();
        }
        let ripe = self.delays.on_time(now, |id| {
            self.reach.trust(&self.states, &id.instance, &id.key)
        });
        let mut events = Vec::new();
        for ripe in ripe {
            let source = Source {
                instance: &ripe.id.instance,
                labels: &ripe.labels,
                acknowledgement: ripe.acknowledgement,
                reset: ripe.reset,
                origin: ripe.origin,
            };
            let applied = book.apply(now, &source, vec![ripe.action]);
            events.extend(applied.events.into_iter().map(|event| {
                let of_this = event.record.id == ripe.id
                    && matches!(event.transition, Transition::Raised | Transition::Cleared);
                let why = if of_this { ripe.why.clone() } else { event.why };
                AlarmEvent { why, ..event }
            }));
        }
        self.suppressions.on_time(&self.plan.suppression, now);
        let noticed = self.marks.on_time(&self.plan, book, now);
        events.extend(noticed.events);
        let mut settled = self.settle(now, book, events);
        let due = self.floods.on_time(&self.plan.flood, now);
        settled.journal.extend(noticed.journal);
        settled.host.extend(noticed.host);
        settled.host.extend(due.host);
        settled.digests.extend(due.digests);
        settled
    }

    /// A rule left the settings: what it raised and still waits comes to nothing.
    pub fn forget_raises(&mut self, instance: &str, now: Timestamp) -> Vec<JournalEntry> {
        self.delays.forget_raises(instance, now)
    }

    /// Rows that changed and are not in a commit yet, each key once, as it is now.
    pub fn take_rows(&mut self) -> Vec<StageRow> {
        let mut rows = self.delays.take_rows();
        rows.extend(self.marks.take_rows());
        rows.extend(self.suppressions.take_rows());
        rows.extend(self.floods.take_rows());
        let last: BTreeMap<(Stage, String), StageRow> = rows
            .into_iter()
            .map(|row| ((row.stage, row.key.clone()), row))
            .collect();
        last.into_values().collect()
    }
}

/// A step that was given, told as always.
const fn as_given(index: usize, event: AlarmEvent) -> Step {
    Step {
        event,
        telling: Telling::Now,
        given: Some(index),
    }
}

/// A step that nobody gave.
const fn follows(event: AlarmEvent) -> Step {
    Step {
        event,
        telling: Telling::Now,
        given: None,
    }
}
