//! A guest that is being made anew beside the batches.
//!
//! Making a guest may take `Limits::start_time`, which is seconds, and a rule that was struck must
//! not hold up the others for so long. So the first look at a start is taken in the round that
//! wants the guest, which is all that most guests need; one that is not done then goes on in
//! [`Scheduler::progress`], which the owner waits on together with everything else. A guest that
//! computes yields every few milliseconds, and that is how long a batch may wait for it.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use andon_model::{CallError, Component, Setup, Started, Timestamp};

use crate::scheduler::Scheduler;

/// Guests that are made at the same time. Each may keep a batch waiting for one of its turns, so
/// there are few; others wait for their place.
const STARTS_AT_ONCE: usize = 4;

/// A start that nobody helped on for this long beyond its time goes on in the rounds of batches:
/// an owner that never calls [`Scheduler::progress`] gets its guests too.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(1);

type Work = Pin<Box<dyn Future<Output = Result<Started, CallError>> + Send>>;

/// A start that was begun.
pub(crate) struct Starting {
    stage: Stage,
    since: Timestamp,
    time: Duration,
}

enum Stage {
    Working(Work),
    Done(Result<Started, CallError>),
}

impl Starting {
    /// Begins; nothing happens before the first look.
    pub(crate) fn new(component: Arc<dyn Component>, setup: Setup) -> Self {
        Self {
            since: setup.now,
            time: setup.limits.start_time,
            stage: Stage::Working(Box::pin(async move { component.start(setup).await })),
        }
    }

    /// Lets it work until it yields or is done.
    pub(crate) async fn look(&mut self) {
        poll_fn(|context| {
            self.poll(context);
            Poll::Ready(())
        })
        .await;
    }

    /// Whether it is done now and was not before.
    fn poll(&mut self, context: &mut Context<'_>) -> bool {
        let Stage::Working(work) = &mut self.stage else {
            return false;
        };
        match work.as_mut().poll(context) {
            Poll::Ready(result) => {
                self.stage = Stage::Done(result);
                true
            }
            Poll::Pending => false,
        }
    }

    pub(crate) const fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done(_))
    }

    /// Whether it should have ended by itself.
    pub(crate) fn is_forgotten(&self, now: Timestamp) -> bool {
        now.since(self.since) > self.time.saturating_add(FORGOTTEN_AFTER)
    }

    /// What came of it, or itself if it is not done.
    pub(crate) fn into_result(self) -> Result<Result<Started, CallError>, Self> {
        match self.stage {
            Stage::Done(result) => Ok(result),
            stage @ Stage::Working(_) => Err(Self { stage, ..self }),
        }
    }
}

impl fmt::Debug for Starting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Starting")
            .field("since", &self.since)
            .field("is_done", &self.is_done())
            .finish_non_exhaustive()
    }
}

impl Scheduler {
    /// Goes on making guests that could not be made within their round, until one is done:
    /// [`Scheduler::run`] is to be called then. Waits for ever where there is none. The owner waits
    /// on it beside its batches, and may drop it at any time: nothing is lost.
    pub async fn progress(&mut self) {
        poll_fn(|context| {
            let mut done = false;
            for slot in &mut self.slots {
                let shadow = slot.shadow.as_mut();
                let of_shadow = shadow.and_then(|shadow| shadow.slot.starting.as_mut());
                for starting in slot.starting.iter_mut().chain(of_shadow) {
                    done |= starting.poll(context);
                }
            }
            if done { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Whether there is something for [`Scheduler::progress`] to do.
    #[must_use]
    pub fn is_making_guests(&self) -> bool {
        self.being_made() > 0
    }

    /// Whether no further guest may be begun now.
    pub(crate) fn starts_are_full(&self) -> bool {
        self.being_made() >= STARTS_AT_ONCE
    }

    fn being_made(&self) -> usize {
        let shadows = self.slots.iter().filter_map(|slot| slot.shadow.as_ref());
        let shadows = shadows.map(|shadow| &shadow.slot);
        let slots = self.slots.iter().chain(shadows);
        let starting = slots.filter_map(|slot| slot.starting.as_ref());
        starting.filter(|starting| !starting.is_done()).count()
    }
}
