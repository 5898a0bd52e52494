//! The doors of the engine: channels into it, and handles that others hold.

use std::sync::Arc;

use andon_model::{Delivery, SampleBatch, SinkEvent};
use andon_sinks::courier::{ClaimError, Claimed, Claims};
use andon_tags::DeviceEvent;
use andon_web::{Page, Refusal, TagQuestion, TagView};
use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::input::{Concern, Input, NewSet, Plot, Request, Wanted};
use super::shadows::ShadowRequest;
use super::view::Snapshot;

/// Batches that may wait; a reader that finds the queue full waits, and reads newer values after.
pub(super) const BATCHES_MAX: usize = 64;
/// Events of sinks and devices that may wait; whoever has one more waits.
pub(super) const EVENTS_MAX: usize = 1_024;
/// Other inputs that may wait.
pub(super) const INPUTS_MAX: usize = 256;

/// Where inputs come out, inside the engine.
pub(crate) struct Ports {
    pub(super) batches: mpsc::Receiver<SampleBatch>,
    pub(super) sink_events: mpsc::Receiver<SinkEvent>,
    pub(super) device_events: mpsc::Receiver<DeviceEvent>,
    pub(super) inputs: mpsc::Receiver<Input>,
}

/// Where inputs go in.
#[derive(Clone)]
pub(crate) struct EngineDoor {
    /// Samples.
    pub(crate) batches: mpsc::Sender<SampleBatch>,
    /// What sinks tell.
    pub(crate) sink_events: mpsc::Sender<SinkEvent>,
    /// What devices tell.
    pub(crate) device_events: mpsc::Sender<DeviceEvent>,
    /// Told when a shadow was promoted or refused by itself: what runs is no longer what was put
    /// in place.
    pub(crate) shadows_ended: Arc<Notify>,
    /// Changes whenever a commit reached the disk.
    pub(crate) news: watch::Receiver<u64>,
    inputs: mpsc::Sender<Input>,
}

/// The doors of a new engine.
pub(super) fn doors() -> (EngineDoor, Ports, watch::Sender<u64>) {
    let (news, news_out) = watch::channel(0);
    let (batches, batches_out) = mpsc::channel(BATCHES_MAX);
    let (sink_events, sink_events_out) = mpsc::channel(EVENTS_MAX);
    let (device_events, device_events_out) = mpsc::channel(EVENTS_MAX);
    let (inputs, inputs_out) = mpsc::channel(INPUTS_MAX);
    let ports = Ports {
        batches: batches_out,
        sink_events: sink_events_out,
        device_events: device_events_out,
        inputs: inputs_out,
    };
    (
        EngineDoor {
            batches,
            sink_events,
            device_events,
            shadows_ended: Arc::default(),
            news: news_out,
            inputs,
        },
        ports,
        news,
    )
}

/// The engine has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the host is stopping")]
pub(crate) struct Stopping;

impl EngineDoor {
    async fn ask_engine<T>(
        &self,
        input: impl FnOnce(oneshot::Sender<T>) -> Input,
    ) -> Result<T, Stopping> {
        let (reply, answer) = oneshot::channel();
        self.inputs.send(input(reply)).await.map_err(|_| Stopping)?;
        answer.await.map_err(|_| Stopping)
    }

    /// Does what a person asks; answered once it is on disk.
    pub(crate) async fn ask(&self, request: Request) -> Result<Value, Refusal> {
        self.ask_engine(|reply| Input::Ask { request, reply })
            .await
            .unwrap_or_else(|stopping| Err(Refusal::unable(stopping.to_string())))
    }

    /// What the engine knows at this moment.
    pub(crate) async fn look(&self) -> Result<Snapshot, Stopping> {
        self.ask_engine(|reply| Input::Look { reply }).await
    }

    /// Some of the tags, by name.
    pub(crate) async fn tags(&self, question: TagQuestion) -> Result<Page<TagView>, Stopping> {
        self.ask_engine(|reply| Input::Tags { question, reply })
            .await
    }

    /// What has to be started for a set of instances.
    pub(crate) async fn prepare(&self, instances: Vec<Wanted>) -> Result<Vec<Plot>, Stopping> {
        self.ask_engine(|reply| Input::Prepare { instances, reply })
            .await
    }

    /// Does what a person wants of a shadow; answered once it is on disk.
    pub(crate) async fn shadow<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> ShadowRequest,
    ) -> Result<T, Stopping> {
        self.ask_engine(|reply| Input::Shadow(request(reply))).await
    }

    /// Puts a whole new set in place, or says why not.
    pub(crate) async fn replace(&self, set: NewSet) -> Result<(), String> {
        self.ask_engine(|reply| Input::Replace {
            set: Box::new(set),
            reply,
        })
        .await
        .map_err(|stopping| stopping.to_string())?
    }

    /// Raises or clears an alarm of the host itself.
    pub(crate) async fn concern(&self, concern: Concern) {
        if self.inputs.send(Input::Concern(concern)).await.is_err() {
            tracing::debug!("a concern came while the host was stopping");
        }
    }
}

/// Claims rows for the courier by a commit of the engine.
pub(crate) struct EngineClaims(pub(crate) EngineDoor);

#[async_trait]
impl Claims for EngineClaims {
    async fn claim(&self, rows: Vec<Delivery>) -> Result<Claimed, ClaimError> {
        self.0
            .ask_engine(|reply| Input::Claim { rows, reply })
            .await
            .map_err(|stopping| ClaimError(stopping.to_string()))?
    }
}
