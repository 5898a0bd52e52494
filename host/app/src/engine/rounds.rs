//! What a round of the plugins makes of alarms, people and the store.

use andon_alarms::Source;
use andon_model::{AlarmEvent, OnDown, Origin, Priority};
use andon_plugins::{CallStat, Fired, Incident, IncidentKind, Round, ShadowStat};
use andon_web::Metrics;
use serde_json::{Value, json};

use super::draft::Draft;
use super::input::Concern;

impl Draft<'_> {
    /// Takes a whole round into the draft.
    pub(super) fn round(&mut self, round: Round) {
        self.commit.states.extend(round.states);
        self.commit.timers.extend(round.timers);
        for call in &round.calls {
            self.count(call);
        }
        for part in &round.shadows {
            self.count_shadow(part);
        }
        self.see(&round.derived);
        let mut caused = Vec::new();
        for fired in round.fired {
            self.fired(fired, &mut caused);
        }
        // Also without events: what was just seen may silence alarms, or let them out.
        self.settle(caused);
        for incident in &round.incidents {
            self.incident(incident);
        }
    }

    fn count(&self, call: &CallStat) {
        let label = Metrics::label("instance", &call.instance);
        self.metrics.plugin_calls.get_or_create(&label).inc();
        match busy_us(call) {
            Some(micros) => {
                let busy = self.metrics.plugin_busy_us.get_or_create(&label);
                busy.inc_by(micros);
            }
            None => {
                self.metrics.plugin_failures.get_or_create(&label).inc();
            }
        }
    }

    fn count_shadow(&self, part: &ShadowStat) {
        let label = Metrics::label("instance", &part.instance);
        if let Some(call) = &part.call {
            self.metrics.shadow_calls.get_or_create(&label).inc();
            let failed = u64::from(call.failed.is_some());
            let failures = self.metrics.shadow_failures.get_or_create(&label);
            failures.inc_by(failed);
            let busy = self.metrics.shadow_busy_us.get_or_create(&label);
            busy.inc_by(busy_us(call).unwrap_or_default());
        }
        let differences = self.metrics.shadow_differences.get_or_create(&label);
        differences.inc_by(part.differences);
    }

    /// Applies what a rule asks for; the events are settled with those of the whole round.
    fn fired(&mut self, fired: Fired, caused: &mut Vec<(AlarmEvent, Option<Value>)>) {
        let cause = json!({ "trigger": fired.trigger, "samples": fired.cause });
        let origin = if fired.test {
            Origin::Test
        } else {
            Origin::Device
        };
        let source = Source::of(&fired.plan, origin);
        let actions = self.admit(&source, fired.actions);
        let applied = self.book.apply(self.now, &source, actions);
        for refused in &applied.refused {
            tracing::error!(alarm = %refused, "alarm refused: too many stand");
        }
        let events = applied.events.into_iter();
        caused.extend(events.map(|event| (event, Some(cause.clone()))));
    }

    /// Journals what happened to an instance, and raises or clears its rule-down alarm.
    pub(super) fn incident(&mut self, incident: &Incident) {
        let quiet = matches!(
            incident.kind,
            IncidentKind::Swapped
                | IncidentKind::Renewed
                | IncidentKind::ShadowBegan
                | IncidentKind::ShadowPromoted
        );
        let (instance, event) = (&incident.plan.name, incident.kind.word());
        if quiet {
            tracing::info!(instance, component = incident.plan.component, event, why = %incident.why, "plugin");
        } else {
            tracing::warn!(instance, component = incident.plan.component, event, why = %incident.why, "plugin");
        }
        self.commit.journal.push(incident.journal_entry());
        match incident.kind {
            IncidentKind::Down { .. } => self.down(incident),
            IncidentKind::Back { .. } => self.concern(Concern::clear(incident.down_key())),
            IncidentKind::Removed => {
                self.on_down(incident, "its rule left the plugins folder or the settings");
                let lines = self.conditions.forget_raises(&incident.plan.name, self.now);
                self.commit.journal.extend(lines);
                self.concern(Concern::clear(incident.down_key()));
            }
            IncidentKind::Swapped
            | IncidentKind::Declined
            | IncidentKind::Strike { .. }
            | IncidentKind::StillDown { .. }
            | IncidentKind::SamplesDropped { .. }
            | IncidentKind::Renewed
            | IncidentKind::RenewalFailed
            | IncidentKind::ShadowBegan
            | IncidentKind::ShadowDiffers(_)
            | IncidentKind::ShadowFailed
            | IncidentKind::ShadowWaits
            | IncidentKind::ShadowPromoted
            | IncidentKind::ShadowRefused
            | IncidentKind::ShadowWithdrawn => {}
        }
    }

    fn down(&mut self, incident: &Incident) {
        let plan = &incident.plan;
        let held = match plan.on_down {
            OnDown::Raise => self.book.highest_priority(&plan.name),
            OnDown::Keep | OnDown::Clear => None,
        };
        self.on_down(incident, "its rule is down");
        let priority = held.unwrap_or(Priority::High).max(Priority::High);
        let message = format!("{} {} does not run: {}", plan.kind, plan.name, incident.why);
        let concern = Concern::raise(incident.down_key(), priority, message)
            .label("plugin", &plan.name)
            .label("component", &plan.component);
        self.concern(concern);
    }

    fn on_down(&mut self, incident: &Incident, detail: &str) {
        let source = Source::of(&incident.plan, Origin::Device);
        let events = self
            .book
            .instance_down(self.now, &source, incident.plan.on_down, detail);
        self.events(&events, None);
    }
}

/// Microseconds that a call took, in full ones; `None` for one that failed.
fn busy_us(call: &CallStat) -> Option<u64> {
    let micros = call.elapsed?.as_micros();
    Some(u64::try_from(micros).unwrap_or(u64::MAX))
}
