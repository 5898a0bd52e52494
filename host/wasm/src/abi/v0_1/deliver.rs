//! Messages between the contract's types and the nouns of the model.
//!
//! What a sink says is cleaned and cut (see `text`); an empty id is no id.

use std::time::Duration;

use andon_model::{Delivered, DeliveryKind, Limits, Notification, Priority, Setback};

use crate::limits::PROVIDER_ID_CHARS_MAX;
use crate::text::clean;

use super::bindings::andon::plugin::types;
use super::bindings::exports::andon::plugin::sink;

/// A message, lent for a call.
pub(super) fn lend(notification: &Notification) -> sink::Notification<'_> {
    sink::Notification {
        id: &notification.id,
        address: &notification.address,
        text: &notification.text,
        occasion: match notification.kind {
            // Contract 0.1 has four occasions; these call for a person as an alert does.
            DeliveryKind::Alert | DeliveryKind::Digest | DeliveryKind::Reminder => {
                sink::Occasion::Alert
            }
            // That somebody answered is, for who reads it, that it is over.
            DeliveryKind::Resolved | DeliveryKind::Notice => sink::Occasion::Resolved,
            DeliveryKind::Answer => sink::Occasion::Answer,
            DeliveryKind::Test => sink::Occasion::Test,
        },
        priority: match notification.priority {
            Priority::Diagnostic => types::Priority::Diagnostic,
            Priority::Low => types::Priority::Low,
            Priority::Medium => types::Priority::Medium,
            Priority::High => types::Priority::High,
            Priority::Critical => types::Priority::Critical,
        },
        attempt: notification.attempt,
        created_at: notification.created_at.nanos(),
        expires_at: notification.expires_at.nanos(),
        attributes: &[],
    }
}

/// What the sink made of it.
pub(super) fn delivered(
    answer: Result<sink::Receipt, sink::Failure>,
    limits: &Limits,
) -> Delivered {
    match answer {
        Ok(receipt) => Delivered::Taken {
            id: receipt
                .id
                .map(|id| clean(id, PROVIDER_ID_CHARS_MAX))
                .filter(|id| !id.is_empty()),
        },
        Err(failure) => Delivered::Not {
            setback: match failure.setback {
                sink::Setback::Retry => Setback::Retry,
                sink::Setback::Throttled(wait) => {
                    Setback::Throttled(wait.map(Duration::from_millis))
                }
                sink::Setback::Message => Setback::Message,
                sink::Setback::Address => Setback::Address,
                sink::Setback::Account => Setback::Account,
                sink::Setback::Unknown => Setback::Unknown,
            },
            message: clean(failure.message, limits.message_chars),
        },
    }
}
