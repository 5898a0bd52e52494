//! Making an engine from what the store kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use andon_alarms::{AlarmBook, AlarmLimits, AlarmPolicy, Conditioning};
use andon_model::{
    AlarmId, AlarmRecord, Clock, Commit, Delivery, DeliveryId, OccurrenceId, TagTable, Timestamp,
};
use andon_plugins::{SampleHistory, Scheduler};
use andon_routing::{Desk, RoutingPlan};
use andon_sinks::courier::{Courier, CourierSettings};
use andon_store::{Loaded, Reader, Store, StoreError, Ticket};
use andon_web::Metrics;
use tokio::sync::mpsc;

use super::draft::Draft;
use super::landing::{LANDINGS_MAX, Landing, land};
use super::meter::Meter;
use super::ports::doors;
use super::{Engine, EngineClaims, EngineDoor, Ports};
use crate::recorder::Tap;

/// What an engine is made of.
pub(crate) struct Parts {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Store,
    pub(crate) loaded: Loaded,
    pub(crate) routing: Arc<RoutingPlan>,
    pub(crate) alarms: AlarmPolicy,
    pub(crate) courier: CourierSettings,
    pub(crate) window_samples: usize,
    pub(crate) metrics: Arc<Metrics>,
    /// Where batches are recorded.
    pub(crate) tap: Tap,
    /// Counts alarm figures of now.
    pub(crate) meter: Meter,
}

/// An engine that is ready to run, and what runs beside it.
pub(crate) struct Started {
    pub(crate) engine: Engine,
    pub(crate) ports: Ports,
    pub(crate) door: EngineDoor,
    pub(crate) courier: Courier,
    /// Waits for commits until the engine is dropped.
    pub(crate) landing: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Rows that a stage does not understand, each as a sentence.
    pub(crate) unreadable: Vec<String>,
}

/// Makes an engine that goes on where the store says that the last one ended: standing alarms,
/// what plugins remember, timers, and every message that is still owed.
///
/// # Errors
/// The database cannot be read.
pub(crate) async fn start(parts: Parts) -> Result<Started, StoreError> {
    let Parts {
        clock,
        store,
        loaded,
        routing,
        alarms,
        courier: settings,
        window_samples,
        metrics,
        tap,
        mut meter,
    } = parts;
    let (door, ports, news) = doors();
    let (courier, handle) = Courier::new(
        settings.clone(),
        Arc::new(EngineClaims(door.clone())),
        door.sink_events.clone(),
        Arc::clone(&clock),
    );
    let mut scheduler = Scheduler::new(Arc::new(SampleHistory::new(window_samples)));
    restore_memories(&mut scheduler, &loaded);
    let (mut book, unreadable) = restore_book(&loaded, alarms);
    let mut conditions = Conditioning::restore(&loaded.rows, clock.now());
    let reader = store.reader()?;
    let rows = remembered(&loaded, &reader)?;
    let stages = (&mut book, &mut conditions);
    let (desk, commit, owed) = reopen(stages, routing, rows, &loaded, &metrics, clock.now());
    tracing::info!(
        alarms = loaded.alarms.len(),
        owed = owed.len(),
        "went on where the last run ended"
    );
    meter.take(&commit.journal);
    let (landings, landings_out) = mpsc::channel(LANDINGS_MAX);
    hand_on(&landings, store.commit(commit).await, owed).await;
    let landing_clock = Arc::clone(&clock);
    let engine = Engine {
        clock,
        scheduler,
        book,
        conditions,
        desk,
        tags: Arc::new(TagTable::default()),
        policy: settings.policy(),
        courier: handle.clone(),
        store,
        reader,
        metrics: Arc::clone(&metrics),
        landings,
        links: BTreeMap::new(),
        sinks: BTreeMap::new(),
        shadows_ended: Arc::clone(&door.shadows_ended),
        tap,
        meter,
    };
    engine.gauge();
    Ok(Started {
        engine,
        ports,
        door,
        courier,
        landing: Box::pin(land(landings_out, handle, metrics, landing_clock, news)),
        unreadable,
    })
}

/// The alarms that stand and what silences them, and a sentence for each row that nobody understands.
pub(super) fn restore_book(loaded: &Loaded, policy: AlarmPolicy) -> (AlarmBook, Vec<String>) {
    let mut book = AlarmBook::restore(
        loaded.alarms.clone(),
        loaded.last_occurrence,
        AlarmLimits::default(),
    );
    let unreadable = book.restore_rows(&loaded.rows, policy);
    (book, unreadable)
}

/// The first landing: what the start decided, and what the courier must send.
async fn hand_on(landings: &mpsc::Sender<Landing>, ticket: Ticket, owed: Vec<Delivery>) {
    let first = Landing {
        begun: None,
        ticket,
        deliveries: owed,
        answer: None,
    };
    if landings.send(first).await.is_err() {
        tracing::debug!("the receiver is held until the engine runs");
    }
}

/// What the desk must know: every delivery that is open, and of each alarm that stands or has such
/// a delivery, also those that are over. Without these a channel that is dead would look untried.
fn remembered(loaded: &Loaded, reader: &Reader) -> Result<Vec<Delivery>, StoreError> {
    let mut rows = loaded.open_deliveries.clone();
    let standing = loaded.alarms.iter().map(|record| record.occurrence);
    let owed = rows.iter().filter(|row| row.state.is_owed());
    let occurrences: BTreeSet<OccurrenceId> =
        standing.chain(owed.map(|row| row.occurrence)).collect();
    for occurrence in occurrences {
        rows.extend(reader.deliveries_of(occurrence)?);
    }
    let mut seen = BTreeSet::new();
    rows.retain(|row| seen.insert(row.id.clone()));
    Ok(rows)
}

/// A desk with these rows, what it decided at once, and all rows that are owed after that.
pub(super) fn reopen(
    (book, conditions): (&mut AlarmBook, &mut Conditioning),
    routing: Arc<RoutingPlan>,
    rows: Vec<Delivery>,
    loaded: &Loaded,
    metrics: &Metrics,
    now: Timestamp,
) -> (Desk, Commit, Vec<Delivery>) {
    let ids: BTreeSet<DeliveryId> = rows.iter().map(|row| row.id.clone()).collect();
    let in_order: Vec<DeliveryId> = rows.iter().map(|row| row.id.clone()).collect();
    let (mut desk, decision) = Desk::restore(routing, rows, &loaded.alarms, &loaded.rows, now);
    let mut draft = Draft {
        now,
        book,
        conditions,
        desk: &mut desk,
        metrics,
        commit: Commit::default(),
    };
    draft.decision(decision);
    let commit = draft.commit;
    // All owed rows at once, as they are after what the desk just decided.
    let mut owed: Vec<Delivery> = in_order
        .iter()
        .filter_map(|id| desk.delivery(id))
        .filter(|row| row.state.is_owed() && !row.is_held())
        .cloned()
        .collect();
    let new = commit
        .deliveries
        .iter()
        .filter(|row| !ids.contains(&row.id));
    owed.extend(
        new.filter(|row| row.state.is_owed() && !row.is_held())
            .cloned(),
    );
    (desk, commit, owed)
}

fn restore_memories(scheduler: &mut Scheduler, loaded: &Loaded) {
    let mut names: Vec<&String> = loaded.states.keys().chain(loaded.timers.keys()).collect();
    names.extend(
        loaded
            .alarms
            .iter()
            .filter_map(|record| down_instance(record).map(|(name, _)| name)),
    );
    names.sort();
    names.dedup();
    for name in names {
        let down = loaded
            .alarms
            .iter()
            .find_map(|record| down_instance(record).filter(|(instance, _)| *instance == name));
        scheduler.restore(
            name,
            loaded.states.get(name).cloned().unwrap_or_default(),
            loaded.timers.get(name).copied(),
            down.map(|(_, since)| since),
        );
    }
}

/// The instance whose rule-down alarm this is, and since when it is down.
fn down_instance(record: &AlarmRecord) -> Option<(&String, Timestamp)> {
    let plugin = record.labels.get("plugin")?;
    let is_down = record.id == AlarmId::new(AlarmId::HOST, format!("plugin.{plugin}.down"));
    (is_down && record.state.is_active()).then_some((plugin, record.raised_at))
}
