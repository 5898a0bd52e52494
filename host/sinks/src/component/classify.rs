//! What a component's answer means for the delivery: pure.

use andon_model::{CallError, CallErrorKind, Delivered, Outcome, Reason, Setback, Why};

/// The outcome of a call that came back.
pub(super) fn of_answer(answer: Delivered, denied: Option<&str>) -> Outcome {
    let (setback, message) = match answer {
        Delivered::Taken { id } => {
            return Outcome::Sent {
                provider_ids: id.into_iter().collect(),
            };
        }
        Delivered::Not { setback, message } => (setback, message),
    };
    let said = if message.is_empty() {
        "the component gave no reason".to_owned()
    } else {
        message
    };
    let detail = match denied {
        Some(denied) => format!("{said} ({denied})"),
        None => said,
    };
    let why = |reason| Why::new(reason, detail.clone());
    match setback {
        Setback::Retry => Outcome::Retry {
            after: None,
            why: why(Reason::ProviderFailed),
        },
        Setback::Throttled(after) => Outcome::Retry {
            after,
            why: why(Reason::Throttled),
        },
        Setback::Message => Outcome::Dead {
            why: why(Reason::MessageRefused),
        },
        Setback::Address => Outcome::Dead {
            why: why(Reason::RecipientRefused),
        },
        Setback::Account => Outcome::SinkFailed {
            why: why(Reason::SinkMisconfigured),
        },
        Setback::Unknown => Outcome::Unknown {
            why: why(Reason::ResultUnknown),
        },
    }
}

/// Whether anything left the host during a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// No request could have reached a provider.
    Nothing,
    /// One may have.
    Something,
}

/// The outcome of a call that failed: unknown only if something may have been taken.
pub(super) fn of_failure(error: &CallError, left: Left) -> Outcome {
    match left {
        Left::Something => Outcome::Unknown {
            why: Why::new(Reason::ResultUnknown, error.message.clone()),
        },
        Left::Nothing => Outcome::Retry {
            after: None,
            why: Why::new(Reason::PluginStrike, error.message.clone()),
        },
    }
}

/// The outcome of an instance that could not be made: nothing can be sent by this sink now.
pub(super) fn of_start(error: &CallError) -> Outcome {
    let reason = match error.kind {
        CallErrorKind::Declined => Reason::SinkMisconfigured,
        CallErrorKind::TimeOut
        | CallErrorKind::OutOfBounds
        | CallErrorKind::Trap
        | CallErrorKind::BadAnswer
        | CallErrorKind::Engine => Reason::PluginStrike,
    };
    Outcome::SinkFailed {
        why: Why::new(reason, error.message.clone()),
    }
}
