//! Sinks: ways to reach people that the host lacks.
//!
//! A sink gets one message with its address and text, and says what became of it. It knows no
//! contact and no secret. The network is reached through [`Web`], for the hosts that the settings
//! allow; the host adds headers with secrets on the way.

use std::time::Duration;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{About, Failure, HttpError, Priority, Response, Timestamp, Web};

/// A way to reach people; export it with [`crate::export_sink!`].
pub trait Sink: Sized {
    /// What the settings say; `()` for none.
    type Parameters: DeserializeOwned + JsonSchema;

    /// Who the component is; it has no inputs and no outputs.
    fn about() -> About;

    /// Makes the sink from its parameters.
    ///
    /// # Errors
    /// The parameters make no sense; told to the person who wrote them.
    fn configure(parameters: Self::Parameters) -> Result<Self, Failure>;

    /// Sends one message, within the call's time (10 s unless the settings say otherwise). Called
    /// again with the same [`Notification::id`] after a failure.
    ///
    /// # Errors
    /// It was not delivered, or nobody knows; the host decides from [`Setback`] what comes next.
    fn deliver(
        &mut self,
        notification: &Notification,
        web: &dyn Web,
    ) -> Result<Receipt, Undelivered>;
}

/// One message to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Names the message; the same at every try, so it can serve as an idempotency key.
    pub id: String,
    /// Where to, in this sink's own terms, as the settings of the contact give it.
    pub address: String,
    /// The whole text, complete in itself.
    pub text: String,
    /// What it tells.
    pub occasion: Occasion,
    /// Of the alarm.
    pub priority: Priority,
    /// Number of this try, from 1.
    pub attempt: u32,
    /// The only clock.
    pub now: Timestamp,
    /// When it became owed.
    pub created_at: Timestamp,
    /// From when on it is noise.
    pub expires_at: Timestamp,
}

/// What a message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Occasion {
    /// A condition holds, or something happened once.
    Alert,
    /// The condition is over.
    Resolved,
    /// What became of somebody's reply.
    Answer,
    /// Somebody tries whether the channel works.
    Test,
}

/// The provider took the message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// The provider's id of it, where it gives one.
    pub id: Option<String>,
}

/// What the host shall do about a message that was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setback {
    /// Surely not taken: try again, each time later.
    Retry,
    /// Surely not taken, and asked to slow down: not before so long, where known.
    Throttled(Option<Duration>),
    /// This message will never be taken.
    Message,
    /// Nothing will ever reach this address: the contact's next channel.
    Address,
    /// The account can send nothing at all: the next channel, and an alarm of the sink.
    Account,
    /// It may or may not have been taken: what goes out next is marked as a repeat.
    Unknown,
}

/// A message that was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// What to do about it.
    pub setback: Setback,
    /// What a person reads: who refused, and why.
    pub message: String,
}

impl Undelivered {
    /// A setback with its sentence.
    #[must_use]
    pub fn new(setback: Setback, message: impl Into<String>) -> Self {
        Self {
            setback,
            message: message.into(),
        }
    }

    /// What an answer other than a success usually means: 429 is throttled; 401 is the account; 403,
    /// 404 and 410 are the address; 400, 413 and 422 are the message; anything else is tried again.
    /// `provider` names who answered.
    #[must_use]
    pub fn by_status(provider: &str, answer: &Response, says: &str) -> Self {
        let setback = match answer.status {
            429 => Setback::Throttled(answer.retry_after()),
            401 => Setback::Account,
            403 | 404 | 410 => Setback::Address,
            400 | 413 | 422 => Setback::Message,
            _ => Setback::Retry,
        };
        let message = if says.is_empty() {
            format!("{provider} answered {}", answer.status)
        } else {
            format!("{provider} answered {}: {says}", answer.status)
        };
        Self::new(setback, message)
    }
}

/// What no answer means: a request that surely did not leave is tried again, one that may have is
/// unknown, and one that the settings do not allow is a matter of the account.
impl From<HttpError> for Undelivered {
    fn from(error: HttpError) -> Self {
        let setback = match error {
            HttpError::Denied(_) => Setback::Account,
            HttpError::NotSent(_) => Setback::Retry,
            HttpError::Lost(_) => Setback::Unknown,
        };
        Self::new(setback, error.to_string())
    }
}
