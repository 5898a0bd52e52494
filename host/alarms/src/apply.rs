//! What a rule's actions make of the alarms.

use andon_model::{
    Action, AlarmEvent, AlarmFlags, AlarmId, AlarmRecord, AlarmRequest, AlarmState, Labels,
    OccurrenceId, OnDown, Origin, Reason, Timestamp, Transition, Why,
};

use crate::book::AlarmBook;
use crate::codes::code_for;
use crate::source::{AcknowledgementNeed, Source};

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
                    .filter_map(|occurrence| {
                        let why = Why::new(Reason::RuleGone, detail);
                        self.return_to_normal(now, occurrence, source.acknowledgement, why)
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
            Some((AlarmState::ReturnedUnacknowledged, _)) => {
                let why = Why::new(
                    Reason::ReAlarm,
                    format!(
                        "came again before the return of occurrence {occurrence} was acknowledged"
                    ),
                );
                applied.events.push(self.begin(now, id, wish, why));
            }
            // Whoever was told of a test must be told when it is real.
            Some((_, true)) if wish.origin == Origin::Device => {
                let over = Why::new(Reason::Test, "a real one takes the place of the test");
                let need = AcknowledgementNeed::NotNeeded;
                let test = self.return_to_normal(now, occurrence, need, over);
                let why = Why::new(
                    Reason::FirstRaise,
                    format!("real, while occurrence {occurrence} of a test stood"),
                );
                applied.events.extend(test);
                applied.events.push(self.begin(now, id, wish, why));
            }
            _ => applied.events.extend(self.update(now, occurrence, wish)),
        }
    }

    /// Begins an occurrence in B, in the place of one of the same condition that waits in D: that
    /// one was cleared before, so it leaves without an event of its own.
    fn begin(&mut self, now: Timestamp, id: AlarmId, wish: Wish, why: Why) -> AlarmEvent {
        if let Some(mut older) = self
            .standing
            .find(&id)
            .and_then(|older| self.standing.remove(older))
        {
            older.state = AlarmState::Normal;
            self.remember(older);
        }
        let record = self.fresh(now, id, wish, AlarmState::Unacknowledged);
        self.standing.insert(record.clone());
        event(Transition::Raised, record, now, why)
    }

    fn fresh(&mut self, now: Timestamp, id: AlarmId, wish: Wish, state: AlarmState) -> AlarmRecord {
        let occurrence = self.next_occurrence();
        let code = code_for(occurrence, self.standing.len(), |code| {
            self.standing.find_code(code).is_some()
        });
        AlarmRecord {
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
            flags: AlarmFlags::default(),
        }
    }

    fn update(
        &mut self,
        now: Timestamp,
        occurrence: OccurrenceId,
        wish: Wish,
    ) -> Option<AlarmEvent> {
        let record = self.standing.get_mut(occurrence)?;
        record.raises = record.raises.saturating_add(1);
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
        Some(event(Transition::Updated, record.clone(), now, why))
    }

    pub(crate) fn clear(
        &mut self,
        now: Timestamp,
        source: &Source<'_>,
        key: String,
    ) -> Option<AlarmEvent> {
        let occurrence = self.standing.find(&AlarmId::new(source.instance, key))?;
        let why = Why::new(Reason::RuleCleared, "the condition no longer holds");
        self.return_to_normal(now, occurrence, source.acknowledgement, why)
    }

    /// B to D or A, C to A; nothing for D.
    fn return_to_normal(
        &mut self,
        now: Timestamp,
        occurrence: OccurrenceId,
        need: AcknowledgementNeed,
        why: Why,
    ) -> Option<AlarmEvent> {
        let record = self.standing.get_mut(occurrence)?;
        record.state = match (record.state, need) {
            (AlarmState::Unacknowledged, AcknowledgementNeed::Needed) => {
                AlarmState::ReturnedUnacknowledged
            }
            (AlarmState::Unacknowledged, AcknowledgementNeed::NotNeeded)
            | (AlarmState::Acknowledged, _) => AlarmState::Normal,
            (AlarmState::ReturnedUnacknowledged | AlarmState::Latched | AlarmState::Normal, _) => {
                return None;
            }
        };
        record.changed_at = now;
        record.cleared_at = Some(now);
        let record = self.end_if_normal(occurrence)?;
        Some(event(Transition::Cleared, record, now, why))
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
}

const fn event(transition: Transition, record: AlarmRecord, at: Timestamp, why: Why) -> AlarmEvent {
    AlarmEvent {
        transition,
        record,
        at,
        why,
    }
}
