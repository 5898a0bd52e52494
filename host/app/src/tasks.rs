//! The one place where tasks are started: each has a name, and its end is watched.
//!
//! A vital task that ends while the host runs takes the host down with it: a process that still
//! answers but no longer alerts is worse than one that is started again.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often a stopping host looks whether its tasks have ended.
const LOOK: Duration = Duration::from_millis(20);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the host can do without a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It cannot: its end before the stop ends the host.
    Vital,
    /// It may end.
    Helper,
}

/// Starts tasks and waits for them.
#[derive(Clone)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    stopping: Arc<AtomicBool>,
    /// Names of tasks that live.
    live: Arc<Mutex<Vec<&'static str>>>,
    /// Cancelled when a vital task ended by itself.
    pub(crate) broken: CancellationToken,
}

impl Tasks {
    /// No tasks yet.
    pub(crate) fn new() -> Self {
        Self {
            tracker: TaskTracker::new(),
            stopping: Arc::default(),
            live: Arc::default(),
            broken: CancellationToken::new(),
        }
    }

    /// Starts a task.
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        weight: Weight,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let (stopping, broken, live) = (
            Arc::clone(&self.stopping),
            self.broken.clone(),
            Arc::clone(&self.live),
        );
        lock(&live).push(name);
        let watched = async move {
            let ended = AssertUnwindSafe(work).catch_unwind().await;
            let mut names = lock(&live);
            if let Some(place) = names.iter().position(|each| *each == name) {
                names.swap_remove(place);
            }
            drop(names);
            if let Err(panic) = &ended {
                let says = panic
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned());
                tracing::error!(
                    task = name,
                    panic = says.unwrap_or_default(),
                    "a task broke off; this is a mistake in andon, please report it"
                );
            }
            if weight == Weight::Vital && !stopping.load(Ordering::SeqCst) {
                tracing::error!(
                    task = name,
                    "a vital task ended; the host stops so that it can be started again"
                );
                broken.cancel();
            }
        };
        // The tracker spawns on the runtime; this is the one place that does.
        drop(self.tracker.spawn(watched));
    }

    /// From now on ends of tasks are expected.
    pub(crate) fn expect_ends(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// Waits until no task of this name lives.
    pub(crate) async fn ended(&self, name: &str) {
        while lock(&self.live).contains(&name) {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until no task but those of these names lives.
    pub(crate) async fn only_left(&self, names: &[&str]) {
        while lock(&self.live).iter().any(|name| !names.contains(name)) {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until all tasks have ended.
    pub(crate) async fn all_ended(&self) {
        self.tracker.close();
        self.tracker.wait().await;
    }
}
