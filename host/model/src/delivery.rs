//! A message owed to a contact: one row of the outbox.

use std::fmt;
use std::ops::Not;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Channel, OccurrenceId, Priority, ShortCode, Timestamp, Why};

/// Key of a delivery: a hash of occurrence, kind, step, contact and channel, so that the same
/// debt can never stand in the outbox twice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(String);

impl DeliveryId {
    /// The key of a debt. `step` counts escalation steps (or answers) of one occurrence.
    #[must_use]
    pub fn of(
        occurrence: OccurrenceId,
        kind: DeliveryKind,
        step: u32,
        contact: &str,
        channel: &Channel,
    ) -> Self {
        let mut hash = Sha256::new();
        for part in [
            &occurrence.to_string(),
            kind.word(),
            &step.to_string(),
            contact,
            &channel.sink,
            &channel.address,
        ] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let nibbles = digest
            .iter()
            .take(12)
            .flat_map(|byte| [byte >> 4, byte & 15]);
        let digits = nibbles.filter_map(|nibble| char::from_digit(u32::from(nibble), 16));
        Self(digits.collect())
    }

    /// Stands in [`Delivery::after`] for something that is no delivery: the end of quiet hours, a
    /// digest that is being made. Such a row is not given to the courier until that is over.
    #[must_use]
    pub fn waits_for(what: &str) -> Self {
        Self(format!("waits/{what}"))
    }

    /// Whether it is what [`DeliveryId::waits_for`] gives.
    #[must_use]
    pub fn is_wait(&self) -> bool {
        self.0.starts_with("waits/")
    }

    /// A key that was stored.
    #[must_use]
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The key as it is stored: 24 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a delivery tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryKind {
    /// The condition holds; or a one-time message.
    Alert,
    /// The condition is over; only to those who were told of it.
    Resolved,
    /// What happened with a reply.
    Answer,
    /// `andon send-test`.
    Test,
    /// Several alarms in one message.
    Digest,
    /// Something that somebody left open comes to its end, such as a shelving.
    Reminder,
    /// Somebody else answered; only to those who were told.
    Notice,
}

impl DeliveryKind {
    /// The word as it is stored and shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Resolved => "resolved",
            Self::Answer => "answer",
            Self::Test => "test",
            Self::Digest => "digest",
            Self::Reminder => "reminder",
            Self::Notice => "notice",
        }
    }
}

/// Where a delivery is in its life: `queued → sending → sent → delivered | failed`, or `expired`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum DeliveryState {
    /// Owed; may be tried from `next_at` on.
    Queued,
    /// Committed just before the wire is touched. A row found so after a crash has an unknown
    /// result and goes out again only marked "(repeat)".
    Sending,
    /// The provider took it.
    Sent {
        /// The provider's ids, one a segment where it gives so many; those whose receipt said
        /// "delivered" are taken out, so what is here is still awaited.
        provider_ids: Vec<String>,
    },
    /// The provider says that it arrived.
    Delivered,
    /// It will not arrive by this channel.
    Failed,
    /// Too old to send.
    Expired,
}

impl DeliveryState {
    /// The word as it is stored and shown.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent { .. } => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }

    /// Whether the courier still has to do something (queued, sending).
    #[must_use]
    pub const fn is_owed(&self) -> bool {
        matches!(self, Self::Queued | Self::Sending)
    }

    /// Whether the contact was told, as far as anyone knows (sent, delivered).
    #[must_use]
    pub const fn has_left(&self) -> bool {
        matches!(self, Self::Sent { .. } | Self::Delivered)
    }
}

/// One message owed to one contact by one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Key.
    pub id: DeliveryId,
    /// Of which occurrence; for answers to a reply that names none, and tests, a fresh number.
    pub occurrence: OccurrenceId,
    /// What it tells.
    pub kind: DeliveryKind,
    /// Escalation step, from 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub step: u32,
    /// Name of the contact; empty for an answer to somebody unknown.
    pub contact: String,
    /// By what.
    pub channel: Channel,
    /// Place of the channel in the contact's list, from 0; failover goes to the next.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub channel_index: u32,
    /// All channels of the contact for this message, in failover order.
    pub channels: Vec<Channel>,
    /// Goes out in this order.
    pub priority: Priority,
    /// The whole text, without the "(repeat)" mark.
    pub text: String,
    /// Code to reply with, where a reply makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ShortCode>,
    /// When it became owed.
    pub created_at: Timestamp,
    /// From when on it is noise.
    pub expires_at: Timestamp,
    /// Where it is in its life.
    pub state: DeliveryState,
    /// How often the wire was touched.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    /// Not before.
    pub next_at: Timestamp,
    /// An earlier send has an unknown result: the text goes out marked "(repeat)".
    #[serde(default, skip_serializing_if = "Not::not")]
    pub repeat: bool,
    /// Not before that delivery has left or failed: a "resolved" never overtakes its alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<DeliveryId>,
    /// Why it is in its state.
    pub why: Why,
    /// Came from a test.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub test: bool,
}

/// What nearly all rows have need not be written in each.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Delivery {
    /// Whether it waits for something that the courier knows nothing of; see
    /// [`DeliveryId::waits_for`].
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.state.is_owed() && self.after.as_ref().is_some_and(DeliveryId::is_wait)
    }

    /// The text as it goes on the wire.
    #[must_use]
    pub fn wire_text(&self) -> String {
        if self.repeat {
            format!("(repeat) {}", self.text)
        } else {
            self.text.clone()
        }
    }
}
