//! From an engine's error to a kind and a sentence for people.

use std::time::Duration;

use andon_model::{CallError, CallErrorKind, Limits};
use wasmtime::Trap;
use wasmtime::component::ResourceTableError;
use wasmtime_wasi::I32Exit;

use crate::deadline::OutOfTime;
use crate::engine::GUEST_STACK_BYTES;
use crate::limits::{HANDLES_MAX, Refused};
use crate::text::clean;

/// Characters of the engine's own words in a sentence.
const DETAIL_CHARS: usize = 300;

/// What was going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The instance was being made; start functions run then.
    Making,
    /// The types of its exports were being checked.
    Checking,
    /// An exported function ran: `evaluate`.
    Calling(&'static str),
    /// `deliver` of a sink ran.
    Delivering {
        /// Time that it may compute.
        compute_time: Duration,
    },
}

/// What is known of a call that failed.
pub(crate) struct Failed<'a> {
    /// What was going on.
    pub(crate) stage: Stage,
    /// Wall time that it had.
    pub(crate) time: Duration,
    /// Its other bounds.
    pub(crate) limits: &'a Limits,
    /// What it wanted more of than it may have.
    pub(crate) refused: Option<Refused>,
    /// What it printed last on stderr; empty if nothing.
    pub(crate) said: String,
}

impl Failed<'_> {
    /// Explains an error of the engine.
    pub(crate) fn explain(&self, error: &wasmtime::Error) -> CallError {
        let trap = error.downcast_ref::<Trap>().copied();
        if error.is::<OutOfTime>() || trap == Some(Trap::Interrupt) {
            return self.out_of_time();
        }
        if let Some(refused) = self.refused {
            return self.out_of_bounds(refused);
        }
        let what = self.what();
        if trap == Some(Trap::StackOverflow) {
            let kib = GUEST_STACK_BYTES >> 10;
            let message =
                format!("{what} used up its stack of {kib} KiB: look for a recursion without end");
            return CallError::new(CallErrorKind::OutOfBounds, message);
        }
        if let Some(ResourceTableError::Full) = error.downcast_ref::<ResourceTableError>() {
            let message = format!(
                "{what} held more than {HANDLES_MAX} handles of streams and timers: look for one \
                 that is opened again and again and never given back"
            );
            return CallError::new(CallErrorKind::OutOfBounds, message);
        }
        if let Some(I32Exit(code)) = error.downcast_ref::<I32Exit>() {
            let message = format!(
                "{what} called exit({code}) instead of returning{}",
                self.said()
            );
            return CallError::new(CallErrorKind::Trap, message);
        }
        if let Some(trap) = trap {
            let message = format!("{what} trapped: {trap}{}", self.said());
            return CallError::new(CallErrorKind::Trap, message);
        }
        self.explain_without_trap(error)
    }

    /// What the engine, not the guest, ended.
    fn explain_without_trap(&self, error: &wasmtime::Error) -> CallError {
        let detail = detail(error);
        match self.stage {
            Stage::Making => CallError::new(
                CallErrorKind::Engine,
                format!("the instance cannot be made: {detail}"),
            ),
            Stage::Checking => CallError::new(
                CallErrorKind::Engine,
                format!(
                    "its exports have other types than the contract says: rebuild it with an SDK \
                     ({detail})"
                ),
            ),
            Stage::Calling(_) | Stage::Delivering { .. } => CallError::new(
                CallErrorKind::BadAnswer,
                format!(
                    "{} handed over something that cannot be read, or asked for more than any plugin \
                     gets: {detail}",
                    self.what()
                ),
            ),
        }
    }

    fn what(&self) -> String {
        match self.stage {
            Stage::Making | Stage::Checking => "the start of the instance".to_owned(),
            Stage::Calling(function) => format!("`{function}`"),
            Stage::Delivering { .. } => "`deliver`".to_owned(),
        }
    }

    /// The call used up its time.
    pub(crate) fn out_of_time(&self) -> CallError {
        let what = self.what();
        let message = match self.stage {
            Stage::Making | Stage::Checking | Stage::Calling(_) => format!(
                "{what} used up its {} ms: it computed for too long, or it waited; to be called \
                 again later, a plugin uses `timer.wake-at`",
                self.time.as_millis()
            ),
            Stage::Delivering { compute_time } => format!(
                "{what} used up its {} ms, or the {} ms of them that it may compute",
                self.time.as_millis(),
                compute_time.as_millis()
            ),
        };
        CallError::new(CallErrorKind::TimeOut, message)
    }

    fn out_of_bounds(&self, refused: Refused) -> CallError {
        let what = self.what();
        let message = match refused {
            Refused::Memory => format!(
                "{what} needed more than the {} of memory that the instance may have: \
                 raise that limit if the plugin is right",
                size(self.limits.memory_bytes)
            ),
            Refused::Table => format!(
                "{what} needed more than the {} table elements that the instance may have: \
                 raise that limit if the plugin is right",
                self.limits.table_elements
            ),
        };
        CallError::new(CallErrorKind::OutOfBounds, message)
    }

    fn said(&self) -> String {
        if self.said.is_empty() {
            return String::new();
        }
        format!("; its last words were: {}", self.said)
    }
}

/// The engine's words, in one line.
pub(crate) fn detail(error: &wasmtime::Error) -> String {
    clean(format!("{error:#}"), DETAIL_CHARS)
}

/// A size for people.
pub(crate) fn size(bytes: usize) -> String {
    if bytes >= 1 << 20 {
        format!("{} MiB", bytes >> 20)
    } else {
        format!("{} KiB", bytes.div_ceil(1 << 10))
    }
}
