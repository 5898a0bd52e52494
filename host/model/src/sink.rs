//! What comes back from the ways out: outcomes, receipts, replies. Data, never errors.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{DeliveryId, Timestamp, Why};

/// How one try to send ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider took it.
    Sent {
        /// The provider's ids, one a segment where it gives so many.
        provider_ids: Vec<String>,
    },
    /// Surely not taken; try again, not before `after` if the provider said so.
    Retry {
        /// What the provider asked for.
        after: Option<Duration>,
        /// Why.
        why: Why,
    },
    /// This message will never go by this channel: text refused, recipient refused.
    Dead {
        /// Why.
        why: Why,
    },
    /// The sink cannot send anything now (credentials, account, down): next channel of the
    /// contact at once, and an alarm of the sink.
    SinkFailed {
        /// Why.
        why: Why,
    },
    /// Not sent: the delivery was already older than its limit. The courier's answer, not a sink's.
    Expired {
        /// Why.
        why: Why,
    },
    /// It may or may not have been taken (time-out, connection lost after the request left).
    Unknown {
        /// Why.
        why: Why,
    },
}

/// What a provider says of a message later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptStatus {
    /// On its way; nothing is decided.
    Underway,
    /// It arrived.
    Delivered,
    /// It will not arrive.
    Failed,
}

/// A delivery report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The provider's id of the message (or of one segment).
    pub provider_id: String,
    /// What it says.
    pub status: ReceiptStatus,
    /// The provider's words for it.
    pub detail: String,
}

/// A message from a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The provider's id, to know a repeated one; empty where there is none.
    pub provider_id: String,
    /// Sender as the provider gives it; E.164 with `+` where it can be told.
    pub from: String,
    /// Our number or name that it was sent to.
    pub to: String,
    /// The text, put together from its parts.
    pub text: String,
}

/// What a sink tells the host.
#[derive(Debug, Clone, PartialEq)]
pub enum SinkEvent {
    /// A try ended.
    Outcome {
        /// Of which delivery.
        delivery: DeliveryId,
        /// The number of the try, from 1.
        attempt: u32,
        /// How.
        outcome: Outcome,
        /// When.
        at: Timestamp,
    },
    /// A delivery report came.
    Receipt {
        /// From which sink.
        sink: String,
        /// What it says.
        receipt: Receipt,
        /// When.
        at: Timestamp,
    },
    /// A message from a phone came.
    Incoming {
        /// From which sink.
        sink: String,
        /// The message.
        message: Incoming,
        /// When.
        at: Timestamp,
    },
    /// The sink came up or went down.
    State {
        /// Which sink.
        sink: String,
        /// Whether it can send.
        up: bool,
        /// Why.
        why: Why,
        /// When.
        at: Timestamp,
    },
}
