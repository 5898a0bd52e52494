//! A running instance: one call after another, each kept whole or discarded whole.

use std::sync::Arc;

use andon_model::{CallError, CallErrorKind, Columns, Guest, Limits, Reply, Timestamp};
use async_trait::async_trait;
use wasmtime::Store;

use crate::abi::{Answer, Exports};
use crate::deadline;
use crate::engine::Shared;
use crate::failure::{Failed, Stage};
use crate::host::Host;

/// An instance of a component.
pub(crate) struct WasmGuest {
    store: Store<Host>,
    exports: Exports,
    limits: Limits,
    /// Outputs that a function may name.
    outputs: usize,
    /// Keeps the ticker alive too, without which no call would ever be ended.
    shared: Arc<Shared>,
    life: Life,
}

/// Whether the guest may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Ready,
    /// A call trapped, left its bounds, or was dropped half way.
    Lost,
}

impl WasmGuest {
    /// A guest that is configured.
    pub(crate) fn new(
        store: Store<Host>,
        exports: Exports,
        limits: Limits,
        outputs: usize,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            store,
            exports,
            limits,
            outputs,
            shared,
            life: Life::Ready,
        }
    }

    /// Runs the call and puts what it answers into the nouns of the model.
    async fn answer(&mut self, now: Timestamp, samples: &Columns) -> Result<Answer, CallError> {
        let time = self.limits.call_time;
        deadline::start(&mut self.store, time);
        let answer = deadline::within(
            time,
            self.exports
                .call(&mut self.store, now, samples, &self.limits, self.outputs),
        )
        .await;
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failed().explain(&error)),
            Err(_) => Err(self.failed().out_of_time()),
        }
    }

    fn failed(&mut self) -> Failed<'_> {
        let said = self.store.data_mut().forget();
        Failed {
            stage: Stage::Calling(self.exports.function()),
            time: self.limits.call_time,
            limits: &self.limits,
            refused: self.store.data().holdings.refused,
            said,
        }
    }

    fn discard(&mut self, error: CallError) -> CallError {
        self.store.data_mut().forget();
        error
    }
}

#[async_trait]
impl Guest for WasmGuest {
    async fn call(&mut self, now: Timestamp, samples: &Columns) -> Result<Reply, CallError> {
        if self.life == Life::Lost {
            return Err(CallError::new(
                CallErrorKind::Engine,
                "the instance was lost in an earlier call: make a new one",
            ));
        }
        let began = self.shared.clock.now();
        // Until it is known better: the caller may drop this future half way.
        self.life = Life::Lost;
        self.store.data_mut().begin(now);
        match self.answer(now, samples).await? {
            Answer::Output(output) => {
                self.life = Life::Ready;
                let (state, wake_at) = self.store.data_mut().keep();
                Ok(Reply {
                    output,
                    state,
                    wake_at,
                    elapsed: self.shared.clock.now().since(began),
                })
            }
            Answer::Declined(declined) => {
                self.life = Life::Ready;
                let function = self.exports.function();
                let error = declined.into_error(function, self.limits.message_chars);
                Err(self.discard(error))
            }
            Answer::Nonsense(message) => {
                let message = format!("`{}` {message}", self.exports.function());
                Err(self.discard(CallError::new(CallErrorKind::BadAnswer, message)))
            }
        }
    }

    fn memory_bytes(&self) -> usize {
        self.store.data().holdings.memory_bytes()
    }
}
