//! The courier: carries deliveries from the outbox to the sinks, each sink at its own pace.
//!
//! It owns no decision about what an outcome means ([`settle`] does, and the ledger in `routing`
//! chooses the next channel) and no durable state: the app hands rows over after they are
//! committed, and the courier asks for a commit ([`Claims`]) before it touches the wire.
//!
//! ```text
//! commit ─▶ CourierHandle::put ─▶ queue ─▶ Claims::claim ─▶ Sink::send ─▶ SinkEvent::Outcome ─▶ settle ─▶ commit …
//! ```
//!
//! Bounds: [`DELIVERIES_MAX`] rows in memory; [`Sink::window`] sends at a time for each sink, so
//! that a slow or broken one keeps none of the others waiting; every send ends within
//! [`CourierSettings::send_time_max`]; the event channel is bounded and a full one makes sends wait.
//!
//! Never silently twice: a row found in state `Sending` when it is put (the host died between claim
//! and outcome), and a send whose result is unknown, are looked up at the provider first. If the
//! provider cannot tell, the text goes out again marked "(repeat)".

mod queue;
mod run;
mod settings;
mod settle;
#[cfg(test)]
mod settle_tests;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use andon_model::{Clock, Delivery, Timestamp};
use async_trait::async_trait;
use tokio::sync::Notify;

use self::queue::{Put, Queue};
pub use self::settings::{BackOff, CourierPolicy, CourierSettings};
pub use self::settle::{Settled, settle};
use crate::{EventSender, Sink};

/// Most deliveries that the courier holds. The ledger owes fewer; rows above the bound are given
/// back to the caller and stay owed in the store.
pub const DELIVERIES_MAX: usize = 100_000;

/// Makes claims durable. Implemented by the app with the store.
#[async_trait]
pub trait Claims: Send + Sync + 'static {
    /// Commits these rows as they are: state `Sending`, `attempts` one higher, `next_at` the moment
    /// of the claim. Called before the wire is touched, for one sink at a time, with at most its
    /// window of rows; claims of several sinks may be under way at once. Nothing is sent before it
    /// answers; after an error the rows wait and are claimed again.
    async fn claim(&self, deliveries: Vec<Delivery>) -> Result<Claimed, ClaimError>;
}

/// How a claim was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// On disk.
    Committed,
    /// Not on disk, and the app decided that telling people matters more (a full disk): a crash
    /// now could send these messages twice.
    Deferred,
}

/// A claim that was not taken: the sends wait.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the outbox could not be written: {0}")]
pub struct ClaimError(pub String);

/// Rows that did not fit; they are still owed and must be put again later.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the courier holds {DELIVERIES_MAX} deliveries and took {} fewer than it was given", .0.len())]
pub struct CourierFull(pub Vec<Delivery>);

/// Runs until it is stopped; see [`Courier::run`].
pub struct Courier {
    shared: Arc<Shared>,
}

/// Hands deliveries and sinks to a running [`Courier`]. Never waits.
#[derive(Clone)]
pub struct CourierHandle {
    shared: Arc<Shared>,
}

/// What the handle, the loop and the sends under way share.
struct Shared {
    state: Mutex<State>,
    /// Wakes the loop: something was put, a slot is free.
    changed: Notify,
    claims: Arc<dyn Claims>,
    events: EventSender,
    clock: Arc<dyn Clock>,
}

struct State {
    queue: Queue,
    /// `None` until they are given for the first time: then nobody can say which are gone.
    sinks: Option<BTreeMap<String, Arc<dyn Sink>>>,
    settings: CourierSettings,
    /// Claims that failed one after another, and until when no further one is made.
    claims_failed: u32,
    hold_until: Option<Timestamp>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Courier {
    /// A courier without sinks and deliveries, and the handle that gives it both.
    #[must_use]
    pub fn new(
        settings: CourierSettings,
        claims: Arc<dyn Claims>,
        events: EventSender,
        clock: Arc<dyn Clock>,
    ) -> (Self, CourierHandle) {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                queue: Queue::new(DELIVERIES_MAX),
                sinks: None,
                settings,
                claims_failed: 0,
                hold_until: None,
            }),
            changed: Notify::new(),
            claims,
            events,
            clock,
        });
        let handle = CourierHandle {
            shared: Arc::clone(&shared),
        };
        (Self { shared }, handle)
    }
}

impl CourierHandle {
    /// Takes over the delivery rows of a commit, after it is on disk.
    ///
    /// Put *every* row that a commit changed, in the order of the commits: an owed one is queued in
    /// place of the row with its id, one that is no longer owed takes it away. A row that the
    /// courier is just sending is left alone; its outcome will come. At start, put all owed rows at
    /// once, so that what comes after another delivery waits for it.
    ///
    /// # Errors
    /// [`CourierFull`] with the rows that did not fit.
    pub fn put(&self, deliveries: Vec<Delivery>) -> Result<(), CourierFull> {
        let mut refused = Vec::new();
        let mut state = self.shared.lock();
        for row in deliveries {
            if state.queue.put(&row) == Put::Full {
                refused.push(row);
            }
        }
        drop(state);
        self.shared.changed.notify_one();
        if refused.is_empty() {
            Ok(())
        } else {
            Err(CourierFull(refused))
        }
    }

    /// Sends through these sinks from now on. One that is unchanged is given as the same `Arc` and
    /// goes on undisturbed; sends under way by one that is gone end as they would; what is owed to
    /// one that is gone is answered with `SinkFailed` and reason `SinkRemoved`. Until this is
    /// called for the first time everything waits.
    pub fn apply(&self, sinks: Vec<Arc<dyn Sink>>, settings: &CourierSettings) {
        let mut state = self.shared.lock();
        let named = sinks.into_iter().map(|sink| (sink.name().to_owned(), sink));
        state.sinks = Some(named.collect());
        state.settings = settings.clone();
        drop(state);
        self.shared.changed.notify_one();
    }

    /// How many deliveries the courier knows: waiting, under way, or with an outcome whose row was
    /// not put back yet.
    #[must_use]
    pub fn held(&self) -> usize {
        self.shared.lock().queue.len()
    }

    /// How many sends are under way by each sink.
    #[must_use]
    pub fn under_way(&self) -> BTreeMap<String, usize> {
        let state = self.shared.lock();
        let sinks = state.sinks.iter().flat_map(BTreeMap::keys);
        sinks
            .map(|name| (name.clone(), state.queue.busy(name)))
            .collect()
    }
}
