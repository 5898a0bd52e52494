//! What every channel implements.

use std::sync::Arc;

use andon_model::{Delivery, Outcome, SinkEvent};
use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::ComponentSink;

/// Where sinks report what happened. Bounded: a full channel makes the sink wait.
pub type EventSender = mpsc::Sender<SinkEvent>;

/// What a provider knows of a delivery whose send has an unknown result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookUp {
    /// It was taken; this is the outcome to record.
    Found(Outcome),
    /// It surely was not taken.
    NotThere,
    /// The provider cannot say; the delivery goes out again marked "(repeat)".
    CannotTell,
}

/// A configured way out: an SMSC connection, a Twilio account.
#[async_trait]
pub trait Sink: Send + Sync + 'static {
    /// Name in the settings; channels of contacts name it.
    fn name(&self) -> &str;

    /// Keeps what the sink needs alive (a bound session, polling for receipts and replies) until
    /// `stop` is cancelled, then closes in order. Called once by the app; it does not return while
    /// the sink can recover. Reports receipts, incoming messages and up/down by `events`.
    async fn run(self: Arc<Self>, events: EventSender, stop: CancellationToken);

    /// Told by the app, once and before [`Sink::run`] and the first send, of messages that left
    /// before this sink was built and have no final receipt yet (ids as in [`Outcome::Sent`]): by
    /// an earlier run of the host, or by the sink of this name that it takes the place of. A sink
    /// that asks for receipts goes on asking for these; one that is told of them by itself has
    /// nothing to do.
    fn resume(&self, _provider_ids: Vec<String>) {}

    /// The messages that [`Sink::resume`] of a successor wants to know. Called by the app when the
    /// settings of a running sink changed, before its successor runs.
    fn awaited(&self) -> Vec<String> {
        Vec::new()
    }

    /// Sends one delivery's [`Delivery::wire_text`]. Called by the courier, at most
    /// [`Sink::window`] at a time; must answer within its own time-out and never panics.
    async fn send(&self, delivery: &Delivery) -> Outcome;

    /// Asks the provider whether an earlier send with unknown result was taken.
    async fn look_up(&self, delivery: &Delivery) -> LookUp;

    /// How many sends may be under way at once.
    fn window(&self) -> usize;

    /// The sink itself if it runs a component, for whoever loads components.
    fn runs_component(self: Arc<Self>) -> Option<Arc<ComponentSink>> {
        None
    }
}
