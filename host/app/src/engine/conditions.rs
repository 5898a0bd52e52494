//! What stands between rules and people, in the draft: delays, suppression, floods.
//!
//! Events of one input are settled together and then recorded, so that a commit holds each alarm
//! with what silences it, and nobody is told what another alarm of the same moment silences.

use andon_alarms::{FloodDigest, Settled, Source, Step, Telling};
use andon_model::{Action, AlarmEvent, SampleBatch, TagId, Transition};
use andon_routing::Decision;
use andon_web::Metrics;
use serde_json::Value;

use super::Engine;
use super::draft::Draft;

impl Draft<'_> {
    /// Takes in samples, before what the rules say of them.
    pub(super) fn see(&mut self, batch: &SampleBatch) {
        self.conditions.see(self.now, batch);
    }

    /// The actions of a rule that are done now; the others wait. What was marked by that comes back.
    pub(super) fn admit(&mut self, source: &Source<'_>, actions: Vec<Action>) -> Vec<Action> {
        let admitted = self.conditions.admit(self.now, self.book, source, actions);
        self.commit.journal.extend(admitted.journal);
        self.events(&admitted.events, None);
        admitted.actions
    }

    /// Settles events that one input caused, records them and tells people. The cause of an event
    /// is kept with its line of the journal if it told people something.
    pub(super) fn settle(&mut self, caused: Vec<(AlarmEvent, Option<Value>)>) {
        let (events, causes): (Vec<AlarmEvent>, Vec<Option<Value>>) = caused.into_iter().unzip();
        let settled = self.conditions.settle(self.now, self.book, events);
        self.take_settled(settled, &causes);
    }

    fn take_settled(&mut self, settled: Settled, causes: &[Option<Value>]) {
        self.commit.rows.extend(self.conditions.take_rows());
        self.commit.journal.extend(settled.journal);
        let mut follow_up = Decision::default();
        for step in &settled.steps {
            let first = self.commit.journal.len();
            let event = std::slice::from_ref(&step.event);
            self.book.record(event, &mut self.commit);
            let cause = step.given.and_then(|given| causes.get(given)?.as_ref());
            let tells = !matches!(step.event.transition, Transition::Acknowledged);
            if let (Some(cause), true, Some(line)) =
                (cause, tells, self.commit.journal.get_mut(first))
                && let Some(fields) = line.data.as_object_mut()
            {
                fields.insert("cause".into(), cause.clone());
            }
            follow_up.extend(self.tell(step));
        }
        // What the book keeps beside events is committed without them too.
        self.book.record(&[], &mut self.commit);
        self.decision(follow_up);
        for digest in &settled.digests {
            self.tell_digest(digest);
        }
        if !settled.host.is_empty() {
            let applied = self.book.apply(self.now, &Source::host(), settled.host);
            self.events(&applied.events, None);
        }
    }

    fn tell(&mut self, step: &Step) -> Decision {
        let event = &step.event;
        let label = Metrics::label("step", event.transition.word());
        self.metrics.transitions.get_or_create(&label).inc();
        tracing::info!(
            alarm = %event.record.id,
            code = %event.record.code,
            occurrence = event.record.occurrence.0,
            priority = %event.record.priority,
            step = event.transition.word(),
            text = event.record.message,
            why = %event.why,
            "alarm"
        );
        match step.telling {
            Telling::Now => self.desk.on_alarm(event, self.now),
            Telling::InDigest => self.desk.hold_for_digest(event, self.now),
            Telling::AfterAll => {
                let mut decision = self.desk.on_alarm(event, self.now);
                let raised = AlarmEvent {
                    transition: Transition::Raised,
                    ..event.clone()
                };
                decision.extend(self.desk.on_alarm(&raised, self.now));
                decision
            }
        }
    }

    /// Tells alarms that were held in one message to each contact, as they are by now.
    fn tell_digest(&mut self, digest: &FloodDigest) {
        let number = self.book.next_occurrence();
        self.commit.last_occurrence = self.commit.last_occurrence.max(Some(number));
        let held = digest.held.iter().map(|held| {
            let now = self.book.by_occurrence(held.occurrence);
            andon_routing::Held {
                record: now.unwrap_or(held).clone(),
                stands: now.is_some_and(|record| record.state.is_active()),
            }
        });
        let digest = andon_routing::Digest {
            number,
            scope: digest.scope.clone(),
            since: digest.since,
            over: digest.over,
            held: held.collect(),
            more: digest.more,
        };
        tracing::info!(
            occurrence = number.0,
            alarms = digest.held.len(),
            over = digest.over,
            "digest of a flood"
        );
        let decision = self.desk.digest(&digest, self.now);
        self.decision(decision);
    }

    /// Does what is due by the time of the draft: ends of delays and suppressions, marks, digests.
    pub(super) fn conditions_due(&mut self) {
        let settled = self.conditions.on_time(self.now, self.book);
        self.take_settled(settled, &[]);
    }
}

impl Engine {
    /// The current samples of some tags, for who begins to look at them.
    pub(super) fn current_samples(&self, tags: &[TagId]) -> SampleBatch {
        let mut batch = SampleBatch::with_capacity(tags.len());
        for tag in tags {
            if let Some((value, quality, time)) = self.scheduler.current(*tag) {
                batch.push(*tag, value, quality, time);
            }
        }
        batch
    }
}
