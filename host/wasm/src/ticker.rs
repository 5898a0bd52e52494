//! The thread that moves the engine's epoch on.
//!
//! Guest code compares the epoch with its deadline at every loop and call; this is how an endless
//! loop is stopped. The thread belongs to the engine: it ends when the engine is dropped. It wakes
//! 200 times a second, which costs less than a thousandth of a core.

use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::time::Duration;

use wasmtime::Engine;

/// Time between two ticks: how exactly a computing guest is stopped, and how long it may keep a
/// worker thread before other tasks get their turn.
pub(crate) const TICK: Duration = Duration::from_millis(5);

/// Holds the thread; dropping it ends the thread.
pub(crate) struct Ticker {
    _stop: SyncSender<()>,
}

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::sync_channel::<()>(0);
        let engine = engine.weak();
        std::thread::Builder::new()
            .name("andon-wasm-tick".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    let Some(engine) = engine.upgrade() else {
                        return;
                    };
                    engine.increment_epoch();
                }
            })?;
        Ok(Self { _stop: stop })
    }
}
