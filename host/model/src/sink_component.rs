//! How a sink and the engine behind a sink component meet: what one message says, what the
//! component answers, and how it reaches the network. Only `wasm` implements [`SinkGuest`] for
//! real, and only `sinks` implements [`HttpClient`].
//!
//! Bodies are whole, never streams: both directions have a bound, and a message is small.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{CallError, DeliveryKind, Limits, Priority, Timestamp};

/// One message to one address: all that a sink component sees of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Key of the delivery; the same at every try.
    pub id: String,
    /// Where to, in the sink's own terms.
    pub address: String,
    /// The text as it goes on the wire.
    pub text: String,
    /// What it tells.
    pub kind: DeliveryKind,
    /// Of the alarm.
    pub priority: Priority,
    /// Number of this try, from 1.
    pub attempt: u32,
    /// When it became owed.
    pub created_at: Timestamp,
    /// From when on it is noise.
    pub expires_at: Timestamp,
}

/// What a component made of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// The provider took it, with the id that it gave.
    Taken {
        /// The provider's id, where it gives one.
        id: Option<String>,
    },
    /// It was not taken, or nobody knows.
    Not {
        /// What to do about it.
        setback: Setback,
        /// What a person reads.
        message: String,
    },
}

/// What shall be done about a message that was not delivered, as the component judges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setback {
    /// Surely not taken; try again.
    Retry,
    /// Surely not taken; asked to slow down, for so long where known.
    Throttled(Option<Duration>),
    /// This message will never be taken.
    Message,
    /// Nothing will reach this address.
    Address,
    /// The account can send nothing.
    Account,
    /// It may or may not have been taken.
    Unknown,
}

/// What a new guest of a sink component is given.
#[derive(Clone)]
pub struct SinkSetup {
    /// Name of the sink, for its log.
    pub instance: String,
    /// Bounds; `call_time` is the wall time of a delivery, waiting included.
    pub limits: Limits,
    /// Time that the guest may compute within one delivery.
    pub compute_time: Duration,
    /// The JSON for `configure`.
    pub configuration: String,
    /// Its way to the network.
    pub http: Arc<dyn HttpClient>,
    /// Now.
    pub now: Timestamp,
}

impl fmt::Debug for SinkSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkSetup")
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

/// A configured guest of a sink component.
#[async_trait]
pub trait SinkGuest: Send {
    /// Hands one message over and waits for what became of it, at most `call_time`. After an error,
    /// or when this future is dropped half way, the guest must be dropped.
    ///
    /// # Errors
    /// The guest trapped or left its bounds; whether the message was taken is not known from that.
    async fn deliver(
        &mut self,
        now: Timestamp,
        notification: &Notification,
    ) -> Result<Delivered, CallError>;

    /// Bytes of linear memory that the guest holds now.
    fn memory_bytes(&self) -> usize;
}

/// A request of a sink component, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `POST`.
    pub method: String,
    /// Scheme, host, port, path and query.
    pub url: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body; empty where there is none.
    pub body: Vec<u8>,
    /// Longest time that the component wants to wait for the answer; the client has a bound of its
    /// own beside it.
    pub time_max: Option<Duration>,
}

/// An answer, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// Its status code.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The settings do not allow the request; nothing left.
    #[error("not allowed: {0}")]
    Denied(String),
    /// The connection failed before the request could leave.
    #[error("no connection: {0}")]
    NotSent(String),
    /// The request left, or may have; no whole answer came.
    #[error("no answer: {0}")]
    Lost(String),
    /// The answer has more bytes than are read.
    #[error("the answer has more than {0} bytes")]
    TooLarge(u64),
}

/// The way of one guest to the network.
#[async_trait]
pub trait HttpClient: Send + Sync {
    /// Sends a request and reads the whole answer. Called while a guest waits; dropping the future
    /// gives the request up.
    ///
    /// # Errors
    /// See [`HttpError`].
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError>;
}
