//! What a rule's actions make of the alarms.

use andon_model::{
    Action, AlarmEvent, AlarmFlags, AlarmId, AlarmRecord, AlarmRequest, AlarmState, Labels,
    OccurrenceId, OnDown, Origin, Reason, Timestamp, Transition, Why,
};

use crate::book::AlarmBook;
use crate::codes::code_for;
use crate::source::{AcknowledgementNeed, ResetNeed, Source};

/// What came of a list of actions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Applied {
    /// What happened, in order; empty if nothing durable did. A `Raised` also ends the older
    /// occurrence of the same condition that may have waited in D.
    pub events: Vec<AlarmEvent>,
    /// Raises that were refused at a bound, in order; the host's alarm about it is in `events` or
    /// stands already.
    pub refused: Vec<AlarmId>,
}

impl AlarmBook {
    /// Applies the actions of one call of a rule, in their order.
    pub fn apply(&mut self, now: Timestamp, source: &Source<'_>, actions: Vec<Action>) -> Applied {
        let mut applied = Applied::default();
        for action in actions {
            match action {
                Action::Raise(request) => self.raise(now, source, request, &mut applied),
                Action::Clear(key) => applied.events.extend(self.clear(now, source, key)),
                Action::Notify(request) => applied.events.push(self.notify(now, source, request)),
            }
        }
        if source.instance != AlarmId::HOST {
            applied.events.extend(self.clear_full(now));
        }
        applied
    }

    /// Does to the alarms of a rule that is down or gone what its settings say.
    ///
    /// Under [`OnDown::Keep`] and [`OnDown::Raise`] they stay as they are; under the latter the
    /// caller raises the rule-down alarm with [`AlarmBook::highest_priority`].
    pub fn instance_down(
        &mut self,
        now: Timestamp,
        source: &Source<'_>,
        on_down: OnDown,
        detail: &str,
    ) -> Vec<AlarmEvent> {
        match on_down {
            OnDown::Keep | OnDown::Raise => Vec::new(),
            OnDown::Clear => {
                let active: Vec<OccurrenceId> = self
                    .of_instance(source.instance)
                    .filter(|record| record.state.is_active())
                    .map(|record| record.occurrence)
                    .collect();
                let mut events: Vec<AlarmEvent> = active
                    .into_iter()
                    .flat_map(|occurrence| {
                        let why = Why::new(Reason::RuleGone, detail);
                        self.return_to_normal(now, occurrence, Terms::of(source), why)
                    })
                    .collect();
                events.extend(self.clear_full(now));
                events
            }
        }
    }

    fn raise(
        &mut self,
        now: Timestamp,
        source: &Source<'_>,
        request: AlarmRequest,
        applied: &mut Applied,
    ) {
        let id = AlarmId::new(source.instance, request.key);
        let wish = Wish {
            priority: request.priority,
            message: request.message,
            labels: source.labels_with(request.attributes),
            origin: source.origin,
            reset: source.reset,
        };
        let Some(occurrence) = self.standing.find(&id) else {
            if let Some(full) = self.full_for(source.instance) {
                self.refused_total = self.refused_total.saturating_add(1);
                applied.refused.push(id);
                let event = self.raise_full(now, full, source.instance);
                applied.events.extend(event);
                return;
            }
            let why = Why::new(Reason::FirstRaise, "the condition began to hold");
            applied.events.push(self.begin(now, id, wish, why));
            return;
        };
        match self.standing.get(occurrence).map(|r| (r.state, r.test)) {
            Some((state @ (AlarmState::ReturnedUnacknowledged | AlarmState::Latched), _)) => {
                let owed = if state == AlarmState::Latched {
                    "reset"
                } else {
                    "acknowledged"
                };
                let why = Why::new(
                    Reason::ReAlarm,
                    format!("came again before the return of occurrence {occurrence} was {owed}"),
                );
                applied.events.push(self.begin(now, id, wish, why));
            }
            // Whoever was told of a test must be told when it is real.
            Some((_, true)) if wish.origin == Origin::Device => {
                let over = Why::new(Reason::Test, "a real one takes the place of the test");
                let test = self.return_to_normal(now, occurrence, Terms::END, over);
                let why = Why::new(
                    Reason::FirstRaise,
                    format!("real, while occurrence {occurrence} of a test stood"),
                );
                applied.events.extend(test);
                applied.events.push(self.begin(now, id, wish, why));
            }
            _ => {
                let end = self.fit_shelving(now, &id, wish.priority);
                applied.events.extend(self.update(now, occurrence, wish));
                if let Some(why) = end {
                    applied.events.extend(self.end_shelving(now, &id, why));
                }
            }
        }
    }

    /// Begins an occurrence in B, in the place of one of the same condition that waits in D or
    /// latched: that one was cleared before, so it leaves without an event of its own.
    fn begin(&mut self, now: Timestamp, id: AlarmId, wish: Wish, why: Why) -> AlarmEvent {
        let mut suppressed = None;
        if let Some(mut older) = self
            .standing
            .find(&id)
            .and_then(|older| self.standing.remove(older))
        {
            older.state = AlarmState::Normal;
            suppressed.clone_from(&older.flags.suppressed);
            self.remember(older);
        }
        if let Some(why) = self.fit_shelving(now, &id, wish.priority) {
            // No alarm of the condition stands, so there is no event: a line of the journal.
            let _none = self.end_shelving(now, &id, why);
        }
        let mut record = self.fresh(now, id, wish, AlarmState::Unacknowledged);
        record.flags.suppressed = suppressed;
        self.standing.insert(record.clone());
        event(Transition::Raised, record, now, why)
    }

    fn fresh(&mut self, now: Timestamp, id: AlarmId, wish: Wish, state: AlarmState) -> AlarmRecord {
        let occurrence = self.next_occurrence();
        let code = code_for(occurrence, self.standing.len(), |code| {
            self.standing.find_code(code).is_some()
        });
        let mut record = AlarmRecord {
            id,
            occurrence,
            code,
            state,
            priority: wish.priority,
            message: wish.message,
            labels: wish.labels,
            raised_at: now,
            changed_at: now,
            cleared_at: None,
            acknowledged: None,
            raises: 1,
            test: wish.origin == Origin::Test,
            flags: AlarmFlags {
                latching: wish.reset == ResetNeed::Needed,
                ..AlarmFlags::default()
            },
        };
        self.dress(&mut record);
        record
    }

    fn update(
        &mut self,
        now: Timestamp,
        occurrence: OccurrenceId,
        wish: Wish,
    ) -> Option<AlarmEvent> {
        let record = self.standing.get_mut(occurrence)?;
        record.raises = record.raises.saturating_add(1);
        record.flags.latching = wish.reset == ResetNeed::Needed;
        let changed: Vec<&str> = [
            (record.message != wish.message, "message"),
            (record.priority != wish.priority, "priority"),
            (record.labels != wish.labels, "labels"),
        ]
        .into_iter()
        .filter_map(|(differs, name)| differs.then_some(name))
        .collect();
        if changed.is_empty() {
            return None;
        }
        record.message = wish.message;
        record.priority = wish.priority;
        record.labels = wish.labels;
        record.changed_at = now;
        let why = Why::new(
            Reason::RaiseUpdate,
            format!("raised again with another {}", changed.join(", ")),
        );
        let event = event(Transition::Updated, record.clone(), now, why);
        self.time_re_alarm(occurrence);
        Some(event)
    }

    pub(crate) fn clear(
        &mut self,
        now: Timestamp,
        source: &Source<'_>,
        key: String,
    ) -> Vec<AlarmEvent> {
        let Some(occurrence) = self.standing.find(&AlarmId::new(source.instance, key)) else {
            return Vec::new();
        };
        let why = Why::new(Reason::RuleCleared, "the condition no longer holds");
        self.return_to_normal(now, occurrence, Terms::of(source), why)
    }

    /// B to D, latched or A, C to latched or A; nothing for D and latched. A one-shot shelving
    /// ends with it.
    fn return_to_normal(
        &mut self,
        now: Timestamp,
        occurrence: OccurrenceId,
        terms: Terms,
        why: Why,
    ) -> Vec<AlarmEvent> {
        let Some(record) = self.standing.get_mut(occurrence) else {
            return Vec::new();
        };
        let ended = match terms.reset {
            ResetNeed::Needed => AlarmState::Latched,
            ResetNeed::NotNeeded => AlarmState::Normal,
        };
        record.state = match (record.state, terms.acknowledgement) {
            (AlarmState::Unacknowledged, AcknowledgementNeed::Needed) => {
                AlarmState::ReturnedUnacknowledged
            }
            (AlarmState::Unacknowledged, AcknowledgementNeed::NotNeeded)
            | (AlarmState::Acknowledged, _) => ended,
            (AlarmState::ReturnedUnacknowledged | AlarmState::Latched | AlarmState::Normal, _) => {
                return Vec::new();
            }
        };
        record.flags.latching = terms.reset == ResetNeed::Needed;
        record.changed_at = now;
        record.cleared_at = Some(now);
        self.time_re_alarm(occurrence);
        let Some(record) = self.end_if_normal(occurrence) else {
            return Vec::new();
        };
        // A test must not use up what a person shelved for the real one.
        let condition = (!record.test).then(|| record.id.clone());
        let cleared = event(Transition::Cleared, record, now, why);
        let over = condition.and_then(|id| self.one_shot_over(now, &id));
        std::iter::once(cleared).chain(over).collect()
    }

    /// The record as it is now, taken out of the book if it is over.
    pub(crate) fn end_if_normal(&mut self, occurrence: OccurrenceId) -> Option<AlarmRecord> {
        let record = self.standing.get(occurrence)?.clone();
        if record.state == AlarmState::Normal {
            self.standing.remove(occurrence);
            self.remember(record.clone());
        }
        Some(record)
    }

    fn notify(&mut self, now: Timestamp, source: &Source<'_>, request: AlarmRequest) -> AlarmEvent {
        let wish = Wish {
            priority: request.priority,
            message: request.message,
            labels: source.labels_with(request.attributes),
            origin: source.origin,
            reset: ResetNeed::NotNeeded,
        };
        let id = AlarmId::new(source.instance, request.key);
        let record = self.fresh(now, id, wish, AlarmState::Normal);
        self.remember(record.clone());
        let why = Why::new(Reason::RuleNotified, "to be told once");
        event(Transition::Notified, record, now, why)
    }
}

/// What a raise asks a record to be.
struct Wish {
    priority: andon_model::Priority,
    message: String,
    labels: Labels,
    origin: Origin,
    reset: ResetNeed,
}

/// What an alarm waits for after its return to normal, as the settings of the moment say.
#[derive(Debug, Clone, Copy)]
struct Terms {
    acknowledgement: AcknowledgementNeed,
    reset: ResetNeed,
}

impl Terms {
    /// For nothing: it is over at once.
    const END: Self = Self {
        acknowledgement: AcknowledgementNeed::NotNeeded,
        reset: ResetNeed::NotNeeded,
    };

    const fn of(source: &Source<'_>) -> Self {
        Self {
            acknowledgement: source.acknowledgement,
            reset: source.reset,
        }
    }
}

const fn event(transition: Transition, record: AlarmRecord, at: Timestamp, why: Why) -> AlarmEvent {
    AlarmEvent {
        transition,
        record,
        at,
        why,
    }
}
