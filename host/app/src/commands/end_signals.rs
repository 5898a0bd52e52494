//! The signals by which a host is asked to end.
//!
//! They are listened for before anything is started: a signal that comes while the host still
//! starts waits until it may be obeyed, and the host drains as it would at any other time.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT, from [`EndSignals::listen`] on.
pub(super) struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl EndSignals {
    /// Listens from now on.
    ///
    /// # Errors
    /// If the system refuses the handler.
    pub(super) fn listen() -> anyhow::Result<Self> {
        let of = |kind, name| signal(kind).with_context(|| format!("listen for {name}"));
        Ok(Self {
            terminate: of(SignalKind::terminate(), "SIGTERM")?,
            interrupt: of(SignalKind::interrupt(), "SIGINT")?,
        })
    }

    /// Waits for one and names it.
    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "Ctrl-C",
        }
    }
}
