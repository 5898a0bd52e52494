//! The host as its two doors see it: what is shown, and commands of the same machine.

use std::sync::Arc;
use std::time::Duration;

use andon_config::Problem;
use andon_model::{Clock, DeliveryId, JournalEntry, ShadowTerms, Timestamp};
use andon_store::{Health, JournalFilter, Reader, Store, StoreStatus};
use andon_tags::{DeviceSnapshot, Statistics, UnitSnapshot};
use andon_web::{
    Access, AlarmView, Command, DeliveryView, DeviceView, Host, Metrics, Overview, Refusal,
    SinkView,
};
use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::books::Readers;
use crate::commands::{explain, oncall};
use crate::engine::{EngineDoor, Request, Snapshot};
use crate::plugin_view::plugins;
use crate::recorder::{Order as RecordingOrder, RecorderDoor};
use crate::report;
use crate::workshop::{Order, ShadowOrder, WorkshopView, chain};

/// Most deliveries that the page shows.
const DELIVERIES_SHOWN: usize = 50;

/// Answers for the doors.
pub(crate) struct HostView {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) started_at: Timestamp,
    pub(crate) door: EngineDoor,
    pub(crate) orders: mpsc::Sender<Order>,
    pub(crate) workshop: watch::Receiver<WorkshopView>,
    pub(crate) store: Store,
    pub(crate) store_status: watch::Receiver<StoreStatus>,
    pub(crate) statistics: Arc<Statistics>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) broken: CancellationToken,
    pub(crate) recorder: RecorderDoor,
    pub(crate) access: Arc<Access>,
    pub(crate) readers: Arc<Readers>,
}

#[async_trait]
impl Host for HostView {
    fn sickness(&self) -> Vec<String> {
        if self.broken.is_cancelled() {
            vec!["a vital part of the host ended; it must be started again".into()]
        } else {
            Vec::new()
        }
    }

    fn unreadiness(&self) -> Vec<String> {
        let mut reasons = self.sickness();
        if !self.workshop.borrow().in_place {
            reasons.push("plugins are being loaded".into());
        }
        let store = self.store_status.borrow();
        if store.health == Health::Deferring {
            reasons.push(
                store
                    .why
                    .clone()
                    .unwrap_or_else(|| "the store does not reach its disk".into()),
            );
        }
        reasons
    }

    fn metrics_text(&self) -> String {
        let store = self.store_status.borrow();
        self.metrics
            .store_up
            .set(i64::from(store.health != Health::Deferring));
        self.metrics
            .store_pending
            .set(i64::try_from(store.backlog_rows).unwrap_or(i64::MAX));
        self.metrics.text()
    }

    async fn overview(&self) -> Overview {
        match self.door.look().await {
            Ok(snapshot) => self.overview_of(snapshot),
            Err(stopping) => Overview {
                troubles: vec![stopping.to_string()],
                ..Overview::default()
            },
        }
    }

    async fn command(&self, command: Command) -> Result<Value, Refusal> {
        match command {
            Command::Overview => to_json(&self.overview().await),
            Command::Alarms => to_json(&self.overview().await.alarms),
            Command::Plugins => to_json(&self.overview().await.plugins),
            Command::OnCall { schedule, at, days } => {
                self.on_call(schedule.as_deref(), at.as_deref(), days).await
            }
            Command::Acknowledge { alarm, by } => {
                self.door.ask(Request::Acknowledge { alarm, by }).await
            }
            Command::Silenced => self.silenced().await,
            Command::Life(request) => self.door.ask(Request::Life(request)).await,
            Command::Wish(wish) => self.door.ask(Request::Wish(wish)).await,
            Command::Inject { values } => self.door.ask(Request::Inject(values)).await,
            Command::SendTest {
                contact,
                every_channel,
            } => {
                self.door
                    .ask(Request::SendTest {
                        contact,
                        every_channel,
                    })
                    .await
            }
            Command::Deliveries { ids } => self.deliveries_of(ids),
            Command::Explain { alarm } => {
                let explained = explain::collect(&self.reader()?, &alarm)
                    .map_err(|error| Refusal::new(error.to_string()))?;
                to_json(&explained)
            }
            Command::Report { from, to, group } => {
                let asked = report::Asked { from, to, group };
                self.report(asked).await
            }
            Command::Rollback { component } => self.roll_back(component).await,
            Command::Record { file, millis, rows } => self.record(file, millis, rows).await,
            Command::Recording { stop } => self.recording(stop).await,
            Command::Shadow {
                instance,
                component,
                for_ms,
                end,
            } => {
                let terms = ShadowTerms {
                    run_for: for_ms.map(Duration::from_millis),
                    end,
                };
                self.shadow(ShadowOrder::Begin {
                    instance,
                    file: component.into(),
                    terms,
                })
                .await
            }
            Command::Promote { instance } => self.shadow(ShadowOrder::Promote(instance)).await,
            Command::Refuse { instance } => self.shadow(ShadowOrder::Refuse(instance)).await,
            Command::Reload => self.reload().await,
            Command::Token(command) => self.tokens(command).await,
        }
    }
}

impl HostView {
    async fn on_call(
        &self,
        schedule: Option<&str>,
        at: Option<&str>,
        days: u16,
    ) -> Result<Value, Refusal> {
        let look = self.door.look().await;
        let people = look
            .map_err(|stopping| Refusal::new(stopping.to_string()))?
            .people;
        let told = oncall::view(&people, schedule, at, days, self.clock.now());
        to_json(&told.map_err(Refusal::bad)?)
    }

    fn deliveries_of(&self, ids: Vec<String>) -> Result<Value, Refusal> {
        let reader = self.reader()?;
        let rows = ids
            .into_iter()
            .filter_map(|id| reader.delivery(&DeliveryId::from_stored(id)).transpose());
        let rows: Result<Vec<_>, _> = rows.collect();
        to_json(&rows.map_err(|error| Refusal::new(chain(&error)))?)
    }

    async fn silenced(&self) -> Result<Value, Refusal> {
        match self.door.look().await {
            Ok(snapshot) => to_json(&snapshot.silenced),
            Err(stopping) => Err(Refusal::new(stopping.to_string())),
        }
    }

    async fn roll_back(&self, component: String) -> Result<Value, Refusal> {
        let hash = self
            .order(|reply| Order::RollBack {
                component: component.clone(),
                reply,
            })
            .await?
            .map_err(Refusal::new)?;
        Ok(json!({ "component": component, "runs": hash }))
    }

    /// Counts on a thread of its own: a long journal takes seconds.
    async fn report(&self, asked: report::Asked) -> Result<Value, Refusal> {
        let (reader, now) = (self.reader()?, self.clock.now());
        let plan = Arc::clone(&self.workshop.borrow().kpi);
        let counting =
            tokio::task::spawn_blocking(move || report::make(&reader, plan, &asked, now));
        let broken = |error| Refusal::new(format!("the report broke off: {error}"));
        let made = counting.await.map_err(broken)?;
        to_json(&made.map_err(|error| Refusal::new(error.to_string()))?)
    }

    async fn shadow(&self, order: ShadowOrder) -> Result<Value, Refusal> {
        self.order(|reply| Order::Shadow(order, reply)).await?
    }

    async fn reload(&self) -> Result<Value, Refusal> {
        let problems: Result<(), Vec<Problem>> = self.order(Order::Reload).await?;
        let says = |problems: Vec<Problem>| {
            problems
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        };
        problems
            .map(|()| json!({ "reloaded": true }))
            .map_err(|problems| Refusal::new(says(problems)))
    }

    async fn recording(&self, stop: bool) -> Result<Value, Refusal> {
        let now = self.clock.now();
        let status = if stop {
            self.recorder.stop(now).await
        } else {
            self.recorder.status(now).await
        };
        to_json(&status)
    }

    async fn record(&self, file: String, millis: u64, rows: u64) -> Result<Value, Refusal> {
        let now = self.clock.now();
        let order = RecordingOrder {
            file: file.into(),
            now,
            until: now.plus(Duration::from_millis(millis)),
            rows_max: rows,
        };
        let status = self.recorder.start(order).await.map_err(Refusal::new)?;
        to_json(&status)
    }

    async fn order<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<T>) -> Order,
    ) -> Result<T, Refusal> {
        let stopping = || Refusal::new("the host is stopping");
        let (reply, answer) = oneshot::channel();
        self.orders
            .send(order(reply))
            .await
            .map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }

    fn reader(&self) -> Result<Reader, Refusal> {
        self.store
            .reader()
            .map_err(|error| Refusal::new(chain(&error)))
    }

    fn overview_of(&self, snapshot: Snapshot) -> Overview {
        let reader = self.store.reader();
        let workshop = self.workshop.borrow().clone();
        let told = |record: &andon_model::AlarmRecord| {
            let rows = reader
                .as_ref()
                .ok()
                .and_then(|reader| reader.deliveries_of(record.occurrence).ok())
                .unwrap_or_default();
            let mut names: Vec<String> = rows
                .into_iter()
                .map(|row| format!("{} ({})", row.contact, row.state.word()))
                .collect();
            names.dedup();
            names
        };
        let deliveries = reader
            .as_ref()
            .ok()
            .and_then(|reader| reader.latest_deliveries(DELIVERIES_SHOWN).ok())
            .unwrap_or_default();
        Overview {
            version: env!("CARGO_PKG_VERSION").into(),
            started_at: self.started_at,
            now: self.clock.now(),
            troubles: self.troubles(&workshop),
            alarms: snapshot
                .alarms
                .into_iter()
                .take(500)
                .map(|record| AlarmView {
                    told: told(&record),
                    record,
                })
                .collect(),
            on_call: oncall::brief(&snapshot.people, self.clock.now()),
            devices: self.devices(&snapshot.links),
            plugins: plugins(&snapshot.instances, &workshop),
            sinks: sinks(&workshop, &snapshot.sinks),
            owed: snapshot.figures.owed,
            deliveries: deliveries
                .into_iter()
                .map(|row| DeliveryView {
                    id: row.id.to_string(),
                    created_at: row.created_at,
                    contact: row.contact,
                    sink: row.channel.sink,
                    kind: row.kind.word().into(),
                    state: row.state.word().into(),
                    text: row.text,
                    why: row.why.to_string(),
                })
                .collect(),
            tags: snapshot.tags,
            tag_count: snapshot.tag_count,
        }
    }

    fn troubles(&self, workshop: &WorkshopView) -> Vec<String> {
        let store = self.store_status.borrow();
        let mut troubles: Vec<String> = store.why.clone().into_iter().collect();
        if let Some(first) = workshop.settings_problems.first() {
            troubles.push(format!(
                "New settings are refused, the old ones go on ({} problems): {first}",
                workshop.settings_problems.len()
            ));
        }
        troubles.extend(workshop.folder_problems.iter().cloned());
        troubles.extend(self.recorder.trouble());
        troubles.extend(self.access.trouble());
        troubles
    }

    fn devices(&self, links: &[(String, u8, bool, String)]) -> Vec<DeviceView> {
        self.statistics
            .snapshot()
            .into_iter()
            .map(|device| {
                let units: Vec<&(String, u8, bool, String)> = links
                    .iter()
                    .filter(|link| link.0 == device.device)
                    .collect();
                let state: Vec<String> = units
                    .iter()
                    .map(|(_, unit, up, why)| {
                        format!(
                            "unit {unit} {}",
                            if *up {
                                "up".to_owned()
                            } else {
                                format!("down: {why}")
                            }
                        )
                    })
                    .collect();
                DeviceView {
                    name: device.device.clone(),
                    state: if state.is_empty() {
                        "not tried yet".into()
                    } else {
                        state.join(", ")
                    },
                    detail: detail(&device),
                    up: !units.is_empty() && units.iter().all(|unit| unit.2),
                }
            })
            .collect()
    }
}

fn detail(device: &DeviceSnapshot) -> String {
    let sum = |count: fn(&UnitSnapshot) -> u64| device.units.iter().map(count).sum::<u64>();
    let slowest = device
        .units
        .iter()
        .map(|unit| unit.round_trip_max)
        .max()
        .unwrap_or_default();
    format!(
        "{} requests, {} time-outs, {} broken answers, {} exceptions, slowest answer {:.1} ms, {} connections",
        sum(|unit| unit.requests),
        sum(|unit| unit.timeouts),
        sum(|unit| unit.framing),
        sum(|unit| unit.exceptions.values().sum()),
        slowest.as_secs_f64() * 1e3,
        device.connects
    )
}

fn sinks(workshop: &WorkshopView, states: &[(String, bool, String)]) -> Vec<SinkView> {
    let known = workshop.sinks.iter();
    known
        .map(|(name, kind)| {
            let state = states.iter().find(|state| state.0 == *name);
            SinkView {
                name: name.clone(),
                kind: kind.clone(),
                up: state.is_some_and(|state| state.1),
                why: state.map_or_else(|| "not tried yet".to_owned(), |state| state.2.clone()),
            }
        })
        .collect()
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<Value, Refusal> {
    serde_json::to_value(value)
        .map_err(|error| Refusal::new(format!("the answer could not be written: {error}")))
}

/// Lines of the journal of one occurrence, oldest first.
pub(crate) fn journal_of(
    reader: &Reader,
    occurrence: andon_model::OccurrenceId,
) -> Result<Vec<JournalEntry>, andon_store::StoreError> {
    let filter = JournalFilter {
        occurrence: Some(occurrence),
        limit: 10_000,
        ..JournalFilter::default()
    };
    let mut lines: Vec<JournalEntry> = reader
        .journal(&filter)?
        .into_iter()
        .map(|row| row.entry)
        .collect();
    lines.reverse();
    Ok(lines)
}
