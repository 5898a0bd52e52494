//! The clock as an argument: shells that must ask the time are given one.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::Timestamp;

/// Tells the time. The real one is in `host/app`; stages take it as an argument.
pub trait Clock: Send + Sync + 'static {
    /// Now. Never earlier than what it told before, even when the machine's clock is set back.
    fn now(&self) -> Timestamp;
}

/// A clock that a test moves by hand.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at this moment.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.nanos()))
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let moved = self.now().plus(by);
        self.0.store(moved.nanos(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::SeqCst))
    }
}
