//! A running instance of a sink component: one message after another.
//!
//! Its wall time and its computing time are bounded apart, because it waits for the network: a
//! guest that computes is ended by the epoch after `compute_time`, one that waits by a timer after
//! `call_time`. Nothing of it is kept between two messages but its own memory.

use std::sync::Arc;
use std::time::Duration;

use andon_model::{
    CallError, CallErrorKind, Delivered, Limits, Notification, SinkGuest, Timestamp,
};
use async_trait::async_trait;
use wasmtime::Store;

use crate::abi::{Exports, SinkAnswer};
use crate::deadline;
use crate::engine::Shared;
use crate::failure::{Failed, Stage};
use crate::host::Host;

/// An instance of a sink component.
pub(crate) struct WasmSinkGuest {
    store: Store<Host>,
    exports: Exports,
    limits: Limits,
    compute_time: Duration,
    life: Life,
    /// Keeps the ticker alive, without which no call would ever be ended.
    _shared: Arc<Shared>,
}

/// Whether the guest may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Ready,
    /// A call trapped, left its bounds, or was dropped half way.
    Lost,
}

impl WasmSinkGuest {
    /// A guest that is configured.
    pub(crate) fn new(
        store: Store<Host>,
        exports: Exports,
        limits: Limits,
        compute_time: Duration,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            store,
            exports,
            limits,
            compute_time,
            life: Life::Ready,
            _shared: shared,
        }
    }

    fn failed(&mut self) -> Failed<'_> {
        let said = self.store.data_mut().forget();
        Failed {
            stage: Stage::Delivering {
                compute_time: self.compute_time,
            },
            time: self.limits.call_time,
            limits: &self.limits,
            refused: self.store.data().holdings.refused,
            said,
        }
    }
}

#[async_trait]
impl SinkGuest for WasmSinkGuest {
    async fn deliver(
        &mut self,
        now: Timestamp,
        notification: &Notification,
    ) -> Result<Delivered, CallError> {
        if self.life == Life::Lost {
            return Err(CallError::new(
                CallErrorKind::Engine,
                "the instance was lost in an earlier call: make a new one",
            ));
        }
        // Until it is known better: the caller may drop this future half way.
        self.life = Life::Lost;
        self.store.data_mut().begin(now);
        deadline::start(&mut self.store, self.compute_time);
        let answer = deadline::within(
            self.limits.call_time,
            self.exports
                .deliver(&mut self.store, now, notification, &self.limits),
        )
        .await;
        match answer {
            Ok(Ok(SinkAnswer::Delivered(delivered))) => {
                self.life = Life::Ready;
                self.store.data_mut().keep();
                Ok(delivered)
            }
            Ok(Ok(SinkAnswer::NotASink)) => Err(CallError::new(
                CallErrorKind::Engine,
                "the component is no sink",
            )),
            Ok(Err(error)) => Err(self.failed().explain(&error)),
            Err(_) => Err(self.failed().out_of_time()),
        }
    }

    fn memory_bytes(&self) -> usize {
        self.store.data().holdings.memory_bytes()
    }
}
