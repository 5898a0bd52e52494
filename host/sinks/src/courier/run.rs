//! The loop of the courier and what it starts: claims, sends, look-ups, answers without a send.

use std::any::Any;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Delivery, DeliveryState, Outcome, Reason, SinkEvent, Timestamp, Why};
use futures::FutureExt;
use futures::future::join_all;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{BackOff, Courier, CourierSettings, Shared};
use crate::{LookUp, Sink};

/// The loop looks again at least so often, so that a clock that was set does not stall it.
const NAP_MAX: Duration = Duration::from_secs(30);

/// Waits after claims that failed.
const CLAIM_BACK_OFF: BackOff = BackOff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(30),
};

/// A sink's answer time beyond which a look-up counts as "cannot tell".
const LOOK_UP_TIME_MAX: Duration = Duration::from_secs(60);

impl Courier {
    /// Carries deliveries until `stop` is cancelled. Then nothing new is started, and sends that
    /// are under way may end within [`CourierSettings::drain_time_max`]; one that does not stays
    /// claimed in the store and is looked up after the next start. The receiver of the events must
    /// be read until this returns.
    pub async fn run(self, stop: CancellationToken) {
        let mut tasks = JoinSet::new();
        loop {
            let nap = start_due(&self.shared, &mut tasks);
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.shared.changed.notified() => {}
                () = tokio::time::sleep(nap) => {}
                Some(ended) = tasks.join_next() => note_end(&ended),
            }
        }
        let drain_time_max = self.shared.lock().settings.drain_time_max.0;
        let drain = async {
            while let Some(ended) = tasks.join_next().await {
                note_end(&ended);
            }
        };
        if tokio::time::timeout(drain_time_max, drain).await.is_err() {
            tracing::warn!(
                under_way = tasks.len(),
                "stopped with sends under way; they are looked up after the next start"
            );
        }
    }
}

/// A task of the courier never panics: what strangers do in it is caught. If one does, the slots
/// are free again by their guards, and the rows stay claimed in the store.
fn note_end(ended: &Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a task of the courier ended early");
    }
}

/// Starts all that is due; answers how long nothing more can become due by itself.
fn start_due(shared: &Arc<Shared>, tasks: &mut JoinSet<()>) -> Duration {
    let now = shared.clock.now();
    let mut state = shared.lock();
    let mut answers: Vec<(Delivery, Outcome)> = state
        .queue
        .take_expired(now)
        .into_iter()
        .map(|row| (row, expired()))
        .collect();
    let held = state.hold_until.is_some_and(|until| until > now);
    for name in state.queue.sinks() {
        let known = match &state.sinks {
            Some(sinks) => sinks.get(&name).cloned(),
            None => {
                // Rows become ready, so that none of them wakes the loop, and wait for their sinks.
                state.queue.take_due(&name, now, 0);
                continue;
            }
        };
        let Some(sink) = known else {
            let orphans = state.queue.take_due(&name, now, usize::MAX);
            answers.extend(orphans.into_iter().map(|row| {
                let outcome = removed(&row);
                (row, outcome)
            }));
            continue;
        };
        let free = sink.window().max(1).saturating_sub(state.queue.busy(&name));
        let count = if held { 0 } else { free };
        let rows = state.queue.take_due(&name, now, count);
        if !rows.is_empty() {
            let slots = rows
                .iter()
                .map(|_| Slot::new(shared, &mut state.queue, &name));
            let work = rows.iter().cloned().zip(slots).collect();
            tasks.spawn(carry(Arc::clone(shared), sink, work));
        }
    }
    if !answers.is_empty() {
        tasks.spawn(answer(Arc::clone(shared), answers));
    }
    let hold_until = state.hold_until.filter(|_| held);
    let wake = state.queue.next_wake().into_iter().chain(hold_until).min();
    wake.map_or(NAP_MAX, |at| at.since(now).min(NAP_MAX))
}

/// A place in a sink's window, free again when this is dropped.
struct Slot {
    shared: Arc<Shared>,
    sink: String,
}

impl Slot {
    fn new(shared: &Arc<Shared>, queue: &mut super::Queue, sink: &str) -> Self {
        queue.occupy(sink);
        Self {
            shared: Arc::clone(shared),
            sink: sink.to_owned(),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.shared.lock().queue.vacate(&self.sink);
        self.shared.changed.notify_one();
    }
}

/// Carries rows of one sink: those with an unknown result are looked up, the others claimed at
/// once and sent side by side.
async fn carry(shared: Arc<Shared>, sink: Arc<dyn Sink>, work: Vec<(Delivery, Slot)>) {
    let (unknown, queued): (Vec<_>, Vec<_>) = work
        .into_iter()
        .partition(|(row, _)| row.state == DeliveryState::Sending);
    let look_ups = join_all(
        unknown
            .into_iter()
            .map(|(row, slot)| recover(&shared, sink.as_ref(), row, slot)),
    );
    futures::join!(look_ups, claim_and_send(&shared, sink.as_ref(), queued));
}

/// Finds out what became of a send that a crash cut off. Unless the provider has it, the row waits
/// for a claim again, marked as a repeat if the provider cannot tell.
async fn recover(shared: &Shared, sink: &dyn Sink, mut row: Delivery, slot: Slot) {
    match look_up(sink, &row).await {
        LookUp::Found(outcome) => return tell(shared, &row, outcome, slot).await,
        LookUp::NotThere => {}
        LookUp::CannotTell => row.repeat = true,
    }
    tracing::info!(
        delivery = %row.id,
        sink = sink.name(),
        repeat = row.repeat,
        "a send that was cut off is made again"
    );
    row.state = DeliveryState::Queued;
    shared.lock().queue.give_back(row);
}

async fn claim_and_send(shared: &Shared, sink: &dyn Sink, work: Vec<(Delivery, Slot)>) {
    if work.is_empty() {
        return;
    }
    let now = shared.clock.now();
    let claimed: Vec<Delivery> = work.iter().map(|(row, _)| claim_of(row, now)).collect();
    if let Err(error) = claim(shared, claimed.clone()).await {
        return hold(shared, &error, work);
    }
    {
        let mut state = shared.lock();
        state.claims_failed = 0;
        state.hold_until = None;
    }
    let slots = work.into_iter().map(|(_, slot)| slot);
    join_all(
        claimed
            .into_iter()
            .zip(slots)
            .map(|(row, slot)| send_one(shared, sink, row, slot)),
    )
    .await;
}

/// The row as it is committed before the wire is touched. `next_at` keeps the moment, so that a
/// look-up after a crash knows from when on to search.
fn claim_of(row: &Delivery, now: Timestamp) -> Delivery {
    Delivery {
        state: DeliveryState::Sending,
        attempts: row.attempts.saturating_add(1),
        next_at: now,
        ..row.clone()
    }
}

async fn claim(shared: &Shared, rows: Vec<Delivery>) -> Result<(), String> {
    match caught(shared.claims.claim(rows)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => Err(panic),
    }
}

/// Nothing was sent: the rows wait, and so does every other claim for a while.
fn hold(shared: &Shared, error: &str, work: Vec<(Delivery, Slot)>) {
    let now = shared.clock.now();
    let mut state = shared.lock();
    state.claims_failed = state.claims_failed.saturating_add(1);
    let wait = CLAIM_BACK_OFF.after(state.claims_failed);
    state.hold_until = Some(now.plus(wait));
    let mut slots = Vec::with_capacity(work.len());
    for (row, slot) in work {
        state.queue.give_back(row);
        slots.push(slot);
    }
    drop(state);
    // A slot takes the lock when it is dropped.
    drop(slots);
    tracing::error!(
        error,
        wait_s = wait.as_secs(),
        "deliveries wait: the outbox could not be written before sending"
    );
}

async fn send_one(shared: &Shared, sink: &dyn Sink, row: Delivery, slot: Slot) {
    let settings = shared.lock().settings.clone();
    let sent = tokio::time::timeout(settings.send_time_max.0, caught(sink.send(&row))).await;
    let outcome = match sent {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => unknown(format!("sink {} broke off: {panic}", sink.name())),
        Err(_) => unknown(format!(
            "sink {} did not answer within {}",
            sink.name(),
            settings.send_time_max
        )),
    };
    let outcome = if let Outcome::Unknown { why } = outcome {
        resolve(sink, &row, why, &settings).await
    } else {
        outcome
    };
    tell(shared, &row, outcome, slot).await;
}

/// Asks the provider what became of a send with unknown result, after a pause in which a request
/// that is still under way can arrive there.
async fn resolve(sink: &dyn Sink, row: &Delivery, why: Why, settings: &CourierSettings) -> Outcome {
    tokio::time::sleep(settings.look_up_after.0).await;
    match look_up(sink, row).await {
        LookUp::Found(outcome) => outcome,
        LookUp::NotThere => Outcome::Retry { after: None, why },
        LookUp::CannotTell => Outcome::Unknown { why },
    }
}

async fn look_up(sink: &dyn Sink, row: &Delivery) -> LookUp {
    match tokio::time::timeout(LOOK_UP_TIME_MAX, caught(sink.look_up(row))).await {
        // A look-up that finds an unknown result has not found anything.
        Ok(Ok(LookUp::Found(Outcome::Unknown { .. }))) | Err(_) => LookUp::CannotTell,
        Ok(Ok(found)) => found,
        Ok(Err(panic)) => {
            tracing::error!(sink = sink.name(), panic, "a look-up broke off");
            LookUp::CannotTell
        }
    }
}

/// Tells outcomes of rows that never reached the wire.
async fn answer(shared: Arc<Shared>, answers: Vec<(Delivery, Outcome)>) {
    for (row, outcome) in answers {
        post(&shared, &row, outcome).await;
    }
}

/// Tells an outcome; the slot is free only then, so that a full event channel slows sending down.
async fn tell(shared: &Shared, row: &Delivery, outcome: Outcome, slot: Slot) {
    post(shared, row, outcome).await;
    drop(slot);
}

async fn post(shared: &Shared, row: &Delivery, outcome: Outcome) {
    // Before the event: the row that it makes may be put back at once.
    shared.lock().queue.told(&row.id, row.attempts);
    let event = SinkEvent::Outcome {
        delivery: row.id.clone(),
        attempt: row.attempts,
        outcome,
        at: shared.clock.now(),
    };
    if shared.events.send(event).await.is_err() {
        tracing::error!(
            delivery = %row.id,
            "nobody takes outcomes any more; the delivery stays claimed in the store"
        );
    }
}

/// Runs what somebody else wrote; a panic becomes its message.
async fn caught<T>(work: impl Future<Output = T>) -> Result<T, String> {
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .map_err(|panic| panic_message(panic.as_ref()))
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

fn unknown(detail: String) -> Outcome {
    Outcome::Unknown {
        why: Why::new(Reason::ResultUnknown, detail),
    }
}

fn expired() -> Outcome {
    Outcome::Expired {
        why: Why::new(
            Reason::Expired,
            "older than its limit; it would wake somebody for nothing",
        ),
    }
}

/// The outcome of a row whose sink is gone. If a crash cut its send off, nobody can be asked, so
/// what goes out next is a repeat.
fn removed(row: &Delivery) -> Outcome {
    let why = Why::new(
        Reason::SinkRemoved,
        format!("sink {} is no longer in the settings", row.channel.sink),
    );
    if row.state == DeliveryState::Sending {
        Outcome::Unknown { why }
    } else {
        Outcome::SinkFailed { why }
    }
}
