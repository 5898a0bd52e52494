//! The engine: the one task that takes every input through the stages and commits what it
//! changed. It is the only place where the order of things is decided.
//!
//! ```text
//! samples ──┐
//! people ───┼─▶ functions, rules ─▶ alarm book ─▶ desk ─▶ one commit ─▶ landing ─▶ courier
//! receipts ─┘        (Draft collects what changed)
//! ```
//!
//! It owns the state of all pure stages and knows nothing of sockets, files or settings.

mod conditions;
mod draft;
mod dry_run;
#[cfg(test)]
mod failover_tests;
mod input;
mod landing;
mod life;
mod meter;
mod people;
mod ports;
mod rounds;
mod shadows;
#[cfg(test)]
mod simulation;
mod start;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use andon_alarms::{AlarmBook, Conditioning, comm_key};
use andon_model::{
    Clock, Commit, JournalEntry, JournalKind, Origin, Priority, Quality, Reason, SampleBatch,
    SinkEvent, TagTable, Timestamp, ValueType, Why,
};
use andon_plugins::{Replacement, Scheduler};
use andon_routing::Desk;
use andon_sinks::courier::{CourierHandle, CourierPolicy};
use andon_store::{Reader, Store};
use andon_tags::{DeviceEvent, Link};
use andon_web::{Metrics, Refusal};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use draft::Draft;
pub(crate) use dry_run::DryRun;
pub(crate) use input::{
    Concern, Input, NewConditions, NewPeople, NewSet, Plot, Ready, Request, Wanted,
};
use landing::{Answer, Landing};
pub(crate) use meter::Meter;
pub(crate) use ports::{EngineClaims, EngineDoor, Ports, Stopping};
pub(crate) use shadows::ShadowRequest;
pub(crate) use start::{Parts, start};
pub(crate) use view::Snapshot;

use crate::recorder::Tap;

/// How long a sink may be down before people are told: a reconnect is no news.
const SINK_GRACE: Duration = Duration::from_secs(15);

/// Longest sleep between two looks at the timers, so that a clock that was set stalls nothing.
const NAP_MAX: Duration = Duration::from_secs(1);

/// Whether a sink can send.
#[derive(Debug, Clone)]
struct SinkState {
    up: bool,
    why: String,
    since: Timestamp,
    told: bool,
}

/// The state of all pure stages.
pub(crate) struct Engine {
    clock: Arc<dyn Clock>,
    scheduler: Scheduler,
    book: AlarmBook,
    conditions: Conditioning,
    desk: Desk,
    tags: Arc<TagTable>,
    policy: CourierPolicy,
    courier: CourierHandle,
    store: Store,
    reader: Reader,
    metrics: Arc<Metrics>,
    landings: mpsc::Sender<Landing>,
    links: BTreeMap<(String, u8), (bool, String)>,
    sinks: BTreeMap<String, SinkState>,
    /// Told when a shadow was promoted or refused.
    shadows_ended: Arc<Notify>,
    tap: Tap,
    meter: Meter,
}

impl Engine {
    /// Takes inputs until `stop`; what is taken is committed before it returns.
    pub(crate) async fn run(mut self, mut ports: Ports, stop: CancellationToken) {
        loop {
            let nap = self.nap();
            tokio::select! {
                () = stop.cancelled() => break,
                Some(batch) = ports.batches.recv() => self.samples(&batch, None).await,
                Some(event) = ports.sink_events.recv() => self.sink_event(event).await,
                Some(event) = ports.device_events.recv() => self.device_event(event).await,
                Some(input) = ports.inputs.recv() => self.input(input).await,
                () = tokio::time::sleep(nap) => self.timers().await,
                () = self.scheduler.progress() => self.samples(&SampleBatch::default(), None).await,
            }
        }
    }

    fn nap(&self) -> Duration {
        let now = self.clock.now();
        let sinks = self
            .sinks
            .values()
            .filter(|sink| !sink.up && !sink.told)
            .map(|sink| sink.since.plus(SINK_GRACE));
        let wake = sinks
            .chain(self.scheduler.next_wake())
            .chain(self.book.next_wake())
            .chain(self.conditions.next_wake())
            .chain(self.desk.next_wake())
            .chain([self.meter.next_wake()])
            .min();
        wake.map_or(NAP_MAX, |at| at.since(now).min(NAP_MAX))
    }

    /// Opens a draft, lets `work` fill it, and sends it to the disk.
    async fn commit<T>(&mut self, work: impl FnOnce(&mut Draft<'_>) -> T) -> (T, Landing) {
        let mut draft = Draft {
            now: self.clock.now(),
            book: &mut self.book,
            conditions: &mut self.conditions,
            desk: &mut self.desk,
            metrics: &self.metrics,
            commit: Commit::default(),
        };
        let done = work(&mut draft);
        let commit = draft.commit;
        self.meter.take(&commit.journal);
        if !commit.alarms.is_empty() || !commit.deliveries.is_empty() {
            self.gauge();
        }
        let deliveries = commit.deliveries.clone();
        let begun = (!commit.is_empty()).then(|| self.clock.now());
        let ticket = self.store.commit(commit).await;
        (
            done,
            Landing {
                begun,
                ticket,
                deliveries,
                answer: None,
            },
        )
    }

    /// Takes `&mut self` although it changes nothing: guests may be sent between threads, not shared.
    async fn land(&mut self, landing: Landing) {
        if self.landings.send(landing).await.is_err() {
            tracing::error!("nobody waits for commits any more; the host is stopping");
        }
    }

    async fn change(&mut self, work: impl FnOnce(&mut Draft<'_>)) {
        let ((), landing) = self.commit(work).await;
        self.land(landing).await;
    }

    fn gauge(&self) {
        let counts = self.book.counts();
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.metrics.alarms_standing.set(gauge(counts.standing));
        self.metrics
            .alarms_unacknowledged
            .set(gauge(counts.unacknowledged));
        self.metrics
            .deliveries_owed
            .set(gauge(self.desk.figures().owed));
    }

    /// One batch through all stages. Nothing durable, no disk.
    async fn samples(&mut self, batch: &SampleBatch, answer: Option<Answer>) {
        let begun = self.clock.now();
        self.metrics.samples.inc_by(batch.len() as u64);
        self.metrics.batches.inc();
        self.tap.take(begun, batch, &self.tags);
        let round = self.scheduler.run(begun, batch).await;
        self.tell_ended(&round);
        let injected = (batch.origin == Origin::Test).then(|| injected(&self.tags, batch));
        let ((), mut landing) = self
            .commit(|draft| {
                if let Some(data) = injected {
                    draft.journal_operator(
                        "inject",
                        "injected",
                        "values were pushed by hand, marked as a test".into(),
                        data,
                    );
                }
                draft.see(batch);
                draft.round(round);
            })
            .await;
        landing.answer = answer;
        self.land(landing).await;
        self.metrics
            .batch_seconds
            .observe(self.clock.now().since(begun).as_secs_f64());
    }

    async fn timers(&mut self) {
        let now = self.clock.now();
        if self.scheduler.next_wake().is_some_and(|at| at <= now) {
            self.samples(&SampleBatch::default(), None).await;
        }
        if self.conditions.next_wake().is_some_and(|at| at <= now) {
            self.change(|draft| draft.conditions_due()).await;
        }
        let due = self.book.next_wake().into_iter();
        if due.chain(self.desk.next_wake()).any(|at| at <= now) {
            self.change(|draft| draft.due()).await;
        }
        self.meter.show(now);
        let late: Vec<(String, String)> = self
            .sinks
            .iter_mut()
            .filter(|(_, sink)| !sink.up && !sink.told && sink.since.plus(SINK_GRACE) <= now)
            .map(|(name, sink)| {
                sink.told = true;
                (name.clone(), sink.why.clone())
            })
            .collect();
        for (name, why) in late {
            let message = format!("Messages cannot go out by {name}: {why}");
            let concern =
                Concern::raise(sink_key(&name), Priority::High, message).label("sink", &name);
            self.change(|draft| draft.concern(concern)).await;
        }
    }

    async fn sink_event(&mut self, event: SinkEvent) {
        match event {
            SinkEvent::Outcome {
                delivery,
                attempt,
                outcome,
                ..
            } => {
                let jitter = rand::random_range(-1.0..1.0);
                let policy = self.policy.clone();
                self.change(|draft| draft.outcome(&policy, &delivery, attempt, outcome, jitter))
                    .await;
            }
            SinkEvent::Receipt { sink, receipt, .. } => {
                self.change(|draft| draft.receipt(&sink, &receipt)).await
            }
            SinkEvent::Incoming { sink, message, .. } => {
                tracing::info!(
                    sink,
                    from = message.from,
                    text = message.text,
                    "message from a phone"
                );
                let known = !message.provider_id.is_empty()
                    && self
                        .store
                        .incoming_seen(&self.reader, &sink, &message.provider_id)
                        .unwrap_or(false);
                if !known {
                    self.change(|draft| draft.incoming(&sink, &message)).await;
                }
            }
            SinkEvent::State { sink, up, why, at } => self.sink_state(sink, up, &why, at).await,
        }
    }

    async fn sink_state(&mut self, name: String, up: bool, why: &Why, at: Timestamp) {
        let gauge = self
            .metrics
            .sink_up
            .get_or_create(&Metrics::label("sink", &name))
            .clone();
        gauge.set(i64::from(up));
        tracing::info!(sink = name, up, why = %why, "sink");
        let was = self.sinks.get(&name).cloned();
        let (was_up, told, since) = was
            .as_ref()
            .map_or((true, false, at), |sink| (sink.up, sink.told, sink.since));
        let since = if was_up == up && was.is_some() {
            since
        } else {
            at
        };
        let state = SinkState {
            up,
            why: why.to_string(),
            since,
            told: told && !up,
        };
        self.sinks.insert(name.clone(), state);
        if was.is_none() || was_up != up {
            let entry = entry(
                JournalKind::System,
                &name,
                if up { "sink up" } else { "sink down" },
                why.clone(),
                at,
            );
            self.change(|draft| {
                draft.commit.journal.push(entry);
                if up {
                    draft.concern(Concern::clear(sink_key(&name)));
                }
            })
            .await;
        }
    }

    async fn device_event(&mut self, event: DeviceEvent) {
        let device = event.device.to_string();
        let up = event.link == Link::Up;
        let key = comm_key(&device, event.unit_id);
        let gauge = self
            .metrics
            .device_up
            .get_or_create(&vec![
                ("device".to_owned(), device.clone()),
                ("unit".to_owned(), event.unit_id.to_string()),
            ])
            .clone();
        gauge.set(i64::from(up));
        tracing::info!(device, unit = event.unit_id, up, why = event.why, "device");
        let place = (device.clone(), event.unit_id);
        let (word, concern) = match event.link {
            Link::Up => ("up", Concern::clear(key)),
            Link::Removed => ("removed", Concern::clear(key)),
            Link::Down => {
                let message = format!(
                    "Device {device} unit {} does not answer: {}",
                    event.unit_id, event.why
                );
                (
                    "down",
                    Concern::raise(key, Priority::High, message).label("device", &device),
                )
            }
        };
        if event.link == Link::Removed {
            self.links.remove(&place);
        } else {
            self.links.insert(place, (up, event.why.clone()));
        }
        let why = Why::new(Reason::System, event.why);
        let entry = entry(
            JournalKind::Device,
            &format!("{device} unit {}", event.unit_id),
            word,
            why,
            event.at,
        );
        self.change(|draft| {
            draft.commit.journal.push(entry);
            draft.concern(concern);
        })
        .await;
    }

    async fn input(&mut self, input: Input) {
        match input {
            Input::Claim { rows, reply } => {
                let ((), landing) = self.commit(|draft| draft.claim(rows)).await;
                // The rows are with the courier already; only the disk is waited for.
                let landing = Landing {
                    deliveries: Vec::new(),
                    answer: Some(Answer::Claim(reply)),
                    ..landing
                };
                self.land(landing).await;
            }
            Input::Ask { request, reply } => self.ask(request, reply).await,
            Input::Look { reply } => drop(reply.send(self.snapshot())),
            Input::Tags { question, reply } => drop(reply.send(self.tag_page(&question))),
            Input::Prepare { instances, reply } => {
                let plots = instances.into_iter().map(|wanted| self.plot(wanted));
                drop(reply.send(plots.collect()));
            }
            Input::Replace { set, reply } => {
                let result = self.replace(*set).await;
                drop(reply.send(result));
            }
            Input::Shadow(request) => self.shadow(request).await,
            Input::Concern(concern) => self.change(|draft| draft.concern(concern)).await,
        }
    }

    async fn ask(
        &mut self,
        request: Request,
        reply: tokio::sync::oneshot::Sender<Result<Value, Refusal>>,
    ) {
        let (result, landing) = match request {
            Request::Acknowledge { alarm, by } => {
                self.commit(|draft| draft.acknowledge(&alarm, &by)).await
            }
            Request::Life(request) => match self.live(request).await {
                Ok(done) => done,
                Err(refusal) => return drop(reply.send(Err(refusal))),
            },
            Request::Wish(wish) => self.commit(|draft| draft.wish(&wish)).await,
            Request::Note(line) => self.commit(|draft| draft.note(*line)).await,
            Request::SendTest {
                contact,
                every_channel,
            } => {
                self.commit(|draft| draft.send_test(&contact, every_channel))
                    .await
            }
            Request::Inject(values) => match batch_of(&self.tags, &values, self.clock.now()) {
                Ok(batch) => {
                    let done = json!({ "injected": values.len() });
                    return self
                        .samples(&batch, Some(Answer::Person(reply, Ok(done))))
                        .await;
                }
                Err(refusal) => return drop(reply.send(Err(refusal))),
            },
        };
        self.land(Landing {
            answer: Some(Answer::Person(reply, result)),
            ..landing
        })
        .await;
    }

    /// Takes a whole new set between two batches, or changes nothing.
    async fn replace(&mut self, set: NewSet) -> Result<(), String> {
        let now = self.clock.now();
        let instances = set.instances.into_iter().map(|ready| match ready {
            Ready::Keep(plan) => Replacement::Keep(plan),
            Ready::New(prepared) => Replacement::New(prepared),
            Ready::Stay { name, terms } => Replacement::Stay { name, terms },
            Ready::Shadow(prepared, terms) => Replacement::Shadow {
                held: self.held(prepared.plan()),
                prepared,
                terms,
            },
        });
        let instances: Vec<Replacement> = instances.collect();
        let applied = self
            .scheduler
            .replace(now, instances)
            .await
            .map_err(|error| error.to_string())?;
        self.tags = set.tags;
        if let Some(policy) = set.alarms {
            self.book.set_policy(policy);
        }
        if let Some(new) = set.conditions {
            self.conditions
                .replace(new.plan, new.reach, &self.tags, &self.book, now);
        }
        let current = self.current_samples(&self.conditions.watched());
        let decision = set.people.map(|people| {
            self.policy = people.courier.policy();
            let names: Vec<String> = people
                .sinks
                .iter()
                .map(|sink| sink.name().to_owned())
                .collect();
            self.sinks.retain(|name, _| names.contains(name));
            self.courier.apply(people.sinks, &people.courier);
            self.meter.replace_plan(people.kpi, self.book.standing());
            self.desk.replace_plan(people.routing)
        });
        self.change(|draft| {
            draft.commit.states.extend(applied.states);
            draft.commit.timers.extend(applied.timers);
            for incident in &applied.incidents {
                draft.incident(incident);
            }
            draft.decision(decision.unwrap_or_default());
            draft.see(&current);
            draft.settle(Vec::new());
        })
        .await;
        // New instances see the current values of their inputs now, not with the next change.
        self.samples(&SampleBatch::default(), None).await;
        Ok(())
    }
}

fn sink_key(name: &str) -> String {
    format!("sink.{name}.down")
}

fn entry(kind: JournalKind, subject: &str, event: &str, why: Why, at: Timestamp) -> JournalEntry {
    JournalEntry {
        at,
        kind,
        occurrence: None,
        subject: subject.to_owned(),
        event: event.to_owned(),
        why,
        data: Value::Null,
    }
}

fn injected(tags: &TagTable, batch: &SampleBatch) -> Value {
    let values: BTreeMap<&str, f64> = batch
        .rows()
        .map(|(tag, value, _, _)| (tags.name(tag), value))
        .collect();
    json!(values)
}

/// The batch that a person's values are, or what is wrong with them.
fn batch_of(
    tags: &TagTable,
    values: &[(String, String)],
    now: Timestamp,
) -> Result<SampleBatch, Refusal> {
    let mut batch = SampleBatch {
        origin: Origin::Test,
        ..SampleBatch::with_capacity(values.len())
    };
    for (name, text) in values {
        let id = tags.find(name).ok_or_else(|| {
            Refusal::new(format!(
                "there is no tag `{name}`: `andon check --tags` lists them"
            ))
        })?;
        let value_type = tags.get(id).map_or(ValueType::F64, |tag| tag.value_type);
        if value_type == ValueType::Text {
            batch.push_text(id, text.as_str().into(), Quality::GOOD_LOCAL_OVERRIDE, now);
            continue;
        }
        let number = match (value_type, text.as_str()) {
            (ValueType::Bool, "true" | "on" | "1") => Some(1.0),
            (ValueType::Bool, "false" | "off" | "0") => Some(0.0),
            (ValueType::Bool, _) => None,
            (_, text) => text.parse::<f64>().ok().filter(|number| number.is_finite()),
        };
        let number = number.ok_or_else(|| {
            Refusal::new(format!(
                "`{text}` is no value for `{name}`, which is {value_type}"
            ))
        })?;
        batch.push(id, number, Quality::GOOD_LOCAL_OVERRIDE, now);
    }
    Ok(batch)
}
