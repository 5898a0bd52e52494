//! The time of a call, also while the guest waits in a host call.
//!
//! Two clocks watch. While the guest computes, the epoch stops it at every tick: it yields, so
//! that other tasks of the worker thread get their turn, and it is ended when its ticks are used
//! up. While it waits in a host call (a `wasi:clocks` sleep with `poll`) no guest code runs that
//! could notice an epoch, so a timer around the whole call ends that.
//!
//! A sleep waits really, within the time of the call, and then finds the clocks unmoved: it is
//! nearly always a mistake, and `timer.wake-at` is the way to be called later.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use wasmtime::{Store, UpdateDeadline};

use crate::host::Host;
use crate::ticker::TICK;

/// The call used up its time.
#[derive(Debug, thiserror::Error)]
#[error("out of time")]
pub(crate) struct OutOfTime;

/// Makes the store heed the ticks that [`start`] gives.
pub(crate) fn watch(store: &mut Store<Host>) {
    store.epoch_deadline_callback(|mut store| {
        let host = store.data_mut();
        if host.ticks_left == 0 {
            return Err(OutOfTime.into());
        }
        host.ticks_left -= 1;
        Ok(UpdateDeadline::Yield(1))
    });
}

/// Gives a call its ticks. The first one comes at any moment, so two more than fit.
pub(crate) fn start(store: &mut Store<Host>, limit: Duration) {
    let ticks = limit.as_nanos() / TICK.as_nanos() + 2;
    store.data_mut().ticks_left = u64::try_from(ticks).unwrap_or(u64::MAX);
    store.set_epoch_deadline(1);
}

/// Waits for a call, not longer than its limit. Most calls are done at the first look; only the
/// others pay for a timer.
///
/// # Errors
/// The time is up. The call was dropped half way, so its guest is lost.
pub(crate) async fn within<F: Future>(limit: Duration, call: F) -> Result<F::Output, OutOfTime> {
    let mut call = pin!(call);
    match poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await {
        Poll::Ready(answer) => Ok(answer),
        Poll::Pending => tokio::time::timeout(limit, call)
            .await
            .map_err(|_elapsed| OutOfTime),
    }
}
