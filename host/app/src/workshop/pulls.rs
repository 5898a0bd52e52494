//! Fetches components from registries, in a task of its own, so that a slow registry holds up
//! nothing.
//!
//! ```text
//! workshop ─▶ Wanted (watch) ─▶ cache or registry ─▶ Arrival (bounded) ─▶ workshop
//!                    ▲              │ failed: again after 2 s, 4 s, … 5 min
//!                    └──────────────┘
//! ```
//! Four are fetched at once, the others wait. Each reference is fetched once in a round, and a
//! round begins at the start and with each reload of the settings; so is a moved tag noticed.
//! Wherever a registry fails, all that was fetched before goes on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use andon_provenance::{PullError, Pulled, Puller, Reference};
use futures::StreamExt as _;
use futures::future::{AbortHandle, Abortable, BoxFuture, abortable};
use futures::stream::FuturesUnordered;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_util::sync::CancellationToken;

/// How many are fetched at once: each may hold 64 MiB.
const AT_ONCE: usize = 4;
/// First wait after a failure; it doubles with each further one.
const RETRY_MIN: Duration = Duration::from_secs(2);
/// Longest wait after a failure.
const RETRY_MAX: Duration = Duration::from_secs(300);

/// What shall be fetched.
#[derive(Clone)]
pub(crate) struct Wanted {
    /// Who fetches it.
    pub(crate) puller: Arc<Puller>,
    /// References by their text.
    pub(crate) references: BTreeMap<String, Reference>,
    /// A new number asks for all of them again.
    pub(crate) round: u64,
}

/// What came of a reference.
pub(crate) struct Arrival {
    /// Text of the reference.
    pub(crate) text: String,
    /// The component, or why it cannot be had; it is tried again then.
    pub(crate) result: Result<Pulled, PullError>,
}

/// One reference on its way.
#[derive(Clone)]
struct Job {
    text: String,
    reference: Reference,
    puller: Arc<Puller>,
    failures: u32,
}

/// Fetches until `stop`, or until nobody wants anything any more.
pub(crate) async fn fetch_wanted(
    mut wanted: watch::Receiver<Wanted>,
    arrivals: mpsc::Sender<Arrival>,
    stop: CancellationToken,
) {
    let mut fetching = Fetching {
        places: Arc::new(Semaphore::new(AT_ONCE)),
        arrivals,
        begun: BTreeMap::new(),
        under_way: FuturesUnordered::new(),
    };
    let mut round = None;
    loop {
        let now = wanted.borrow_and_update().clone();
        if round.replace(now.round) != Some(now.round) {
            // What is under way asks by old settings.
            fetching.end_all_but(&BTreeMap::new());
        }
        fetching.end_all_but(&now.references);
        fetching.begin(&now);
        tokio::select! {
            () = stop.cancelled() => return,
            changed = wanted.changed() => if changed.is_err() { return },
            Some(ended) = fetching.under_way.next(), if !fetching.under_way.is_empty() => {
                if let Ok(Some(failed)) = ended {
                    fetching.start(failed);
                }
            }
        }
    }
}

/// What is being fetched.
struct Fetching {
    places: Arc<Semaphore>,
    arrivals: mpsc::Sender<Arrival>,
    /// What was begun and is still wanted, fetched or not, with what ends its try.
    begun: BTreeMap<String, AbortHandle>,
    /// At most one try for each reference that is wanted.
    under_way: FuturesUnordered<Abortable<BoxFuture<'static, Option<Job>>>>,
}

impl Fetching {
    fn end_all_but(&mut self, references: &BTreeMap<String, Reference>) {
        self.begun.retain(|text, end| {
            let stays = references.contains_key(text);
            if !stays {
                end.abort();
            }
            stays
        });
    }

    fn begin(&mut self, wanted: &Wanted) {
        for (text, reference) in &wanted.references {
            if !self.begun.contains_key(text) {
                self.start(Job {
                    text: text.clone(),
                    reference: reference.clone(),
                    puller: Arc::clone(&wanted.puller),
                    failures: 0,
                });
            }
        }
    }

    fn start(&mut self, job: Job) {
        let text = job.text.clone();
        let trying = try_once(job, Arc::clone(&self.places), self.arrivals.clone());
        let trying: BoxFuture<'static, Option<Job>> = Box::pin(trying);
        let (trying, end) = abortable(trying);
        self.under_way.push(trying);
        self.begun.insert(text, end);
    }
}

/// One try, after its wait and in its turn; gives the job back if it failed.
async fn try_once(
    job: Job,
    places: Arc<Semaphore>,
    arrivals: mpsc::Sender<Arrival>,
) -> Option<Job> {
    tokio::time::sleep(wait_after(job.failures)).await;
    // Nobody closes it.
    let _place = places.acquire().await.ok()?;
    let arrived = |result| Arrival {
        text: job.text.clone(),
        result,
    };
    let result = job.puller.pull(&job.reference).await;
    let failed = result.is_err();
    arrivals.send(arrived(result)).await.ok()?;
    failed.then(|| Job {
        failures: job.failures.saturating_add(1),
        ..job.clone()
    })
}

fn wait_after(failures: u32) -> Duration {
    let Some(doublings) = failures.checked_sub(1) else {
        return Duration::ZERO;
    };
    RETRY_MIN
        .saturating_mul(2_u32.saturating_pow(doublings))
        .min(RETRY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_their_bound() {
        let waits: Vec<u64> = (0..10)
            .map(|failures| wait_after(failures).as_secs())
            .collect();
        assert_eq!(waits, [0, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert_eq!(wait_after(u32::MAX), RETRY_MAX);
    }
}
