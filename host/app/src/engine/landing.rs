//! What waits for a commit to be on the disk: the courier, and whoever asked.
//!
//! The engine goes on with the next batch while earlier commits land, in their order. At most
//! [`LANDINGS_MAX`] are on their way; then the engine waits, which slows reading, not telling.

use andon_model::{Clock, Delivery, Timestamp};
use andon_sinks::courier::{ClaimError, Claimed, CourierFull, CourierHandle};
use andon_store::{CommitError, Ticket};
use andon_web::{Metrics, Refusal};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Most commits on their way to the disk.
pub(super) const LANDINGS_MAX: usize = 256;

/// How soon rows that the courier had no room for are offered again.
const AGAIN: Duration = Duration::from_secs(1);

/// Somebody who is answered once the commit landed.
pub(super) enum Answer {
    /// A person.
    Person(
        oneshot::Sender<Result<Value, Refusal>>,
        Result<Value, Refusal>,
    ),
    /// The courier, which must not send before.
    Claim(oneshot::Sender<Result<Claimed, ClaimError>>),
}

/// A commit on its way.
pub(super) struct Landing {
    /// When it was handed to the store; nothing if it held nothing.
    pub(super) begun: Option<Timestamp>,
    pub(super) ticket: Ticket,
    pub(super) deliveries: Vec<Delivery>,
    pub(super) answer: Option<Answer>,
}

/// Waits for commits in their order; ends when the engine does.
pub(super) async fn land(
    mut landings: mpsc::Receiver<Landing>,
    courier: CourierHandle,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
    news: watch::Sender<u64>,
) {
    let mut left: Vec<Delivery> = Vec::new();
    loop {
        let landing = tokio::select! {
            landing = landings.recv() => landing,
            () = tokio::time::sleep(AGAIN), if !left.is_empty() => {
                left = offer(&courier, std::mem::take(&mut left));
                continue;
            }
        };
        let Some(Landing {
            begun,
            ticket,
            mut deliveries,
            answer,
        }) = landing
        else {
            return;
        };
        // What waits for something that the courier knows nothing of comes here again.
        deliveries.retain(|row| !row.is_held());
        let landed = ticket.await;
        if let Some(begun) = begun {
            let took = clock.now().since(begun);
            metrics.commit_seconds.observe(took.as_secs_f64());
            news.send_modify(|count| *count = count.wrapping_add(1));
        }
        if let Err(error) = &landed {
            tracing::error!(%error, "a commit is not on the disk");
            metrics.commits_late.inc();
        }
        // Telling people matters more than the record of it: what could not be written goes out
        // all the same. After a crash it may go out once more.
        if !matches!(landed, Err(CommitError::Closed)) {
            // A row that is here as it is now takes the place of the one that waited for room.
            left.retain(|row| deliveries.iter().all(|newer| newer.id != row.id));
            left.extend(offer(&courier, deliveries));
        }
        reply(answer, landed);
    }
}

fn offer(courier: &CourierHandle, deliveries: Vec<Delivery>) -> Vec<Delivery> {
    if deliveries.is_empty() {
        return deliveries;
    }
    match courier.put(deliveries) {
        Ok(()) => Vec::new(),
        Err(CourierFull(rest)) => {
            tracing::error!(
                left = rest.len(),
                "the courier is full; what is left is offered again"
            );
            rest
        }
    }
}

fn reply(answer: Option<Answer>, landed: Result<(), CommitError>) {
    match answer {
        None => {}
        // Whoever asked may have gone away; then there is nobody to tell.
        Some(Answer::Person(reply, result)) => drop(reply.send(result)),
        Some(Answer::Claim(reply)) => drop(reply.send(match landed {
            Ok(()) => Ok(Claimed::Committed),
            Err(CommitError::Deferred(_) | CommitError::Full(_) | CommitError::Refused(_)) => {
                Ok(Claimed::Deferred)
            }
            Err(error @ CommitError::Closed) => Err(ClaimError(error.to_string())),
        })),
    }
}
