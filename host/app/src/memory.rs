//! Giving memory back after plugins were compiled.
//!
//! Compiling leaves some tens of megabytes free inside the allocator. It hands pages back to the
//! system when they have been free for a second, but looks only when a large block is freed, and
//! a host at rest frees none. So one is freed for it, a while after plugins were put in place.

use std::hint::black_box;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How long a thread for blocking work, such as compiling, waits for more of it.
pub(crate) const THREADS_KEPT: Duration = Duration::from_secs(2);

/// Longer than such a thread lives on, and than the allocator lets pages lie free.
const REST: Duration = Duration::from_secs(4);

/// A block that the allocator takes from and gives to its large store, bytes.
const LARGE_BYTES: usize = 8 << 20;

/// Blocks that are freed one after another, each after a rest: pages that the first one finds are
/// handed back with the second.
const ROUNDS: usize = 2;

/// Gives memory back after each change of what is watched, until `stop`.
pub(crate) async fn give_back<T>(mut changes: watch::Receiver<T>, stop: CancellationToken) {
    let work = async {
        while changes.changed().await.is_ok() {
            for _ in 0..ROUNDS {
                tokio::time::sleep(REST).await;
                drop(black_box(Vec::<u8>::with_capacity(LARGE_BYTES)));
            }
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}
