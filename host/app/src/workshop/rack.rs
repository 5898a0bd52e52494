//! The sinks that run: built from settings, kept over a reload where their settings are the same.
//!
//! A new sink is told of the messages that left by its name and have no final receipt yet, so that
//! a restart or a changed setting ends no watch: those that the store knew at the start of the
//! host, or those of the sink that it takes the place of.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use andon_model::{Clock, Delivery, DeliveryState};
use andon_sinks::{EventSender, Sink, SinkSettings};
use tokio_util::sync::CancellationToken;

use super::loading::chain;
use crate::tasks::{Tasks, Weight};

/// Sinks by name, each with the settings that made it and what ends it.
pub(crate) struct SinkRack {
    running: BTreeMap<String, Racked>,
    /// Provider's ids of messages without a final receipt, by sinks that have not run yet.
    awaited: BTreeMap<String, Vec<String>>,
    tasks: Tasks,
    events: EventSender,
    clock: Arc<dyn Clock>,
    /// Ends all of them at the stop.
    stop: CancellationToken,
}

struct Racked {
    settings: SinkSettings,
    sink: Arc<dyn Sink>,
    stop: CancellationToken,
}

/// Sinks that are built and not yet running: the new ones, and those that stay.
pub(crate) struct NextRack(Vec<(SinkSettings, Arc<dyn Sink>)>);

impl NextRack {
    /// The sinks, for the courier.
    pub(crate) fn sinks(&self) -> Vec<Arc<dyn Sink>> {
        self.0.iter().map(|(_, sink)| Arc::clone(sink)).collect()
    }
}

impl SinkRack {
    /// An empty rack; sinks end with `stop`. `awaited` is what [`awaited`] found at the start.
    pub(crate) fn new(
        awaited: BTreeMap<String, Vec<String>>,
        tasks: Tasks,
        events: EventSender,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            running: BTreeMap::new(),
            awaited,
            tasks,
            events,
            clock,
            stop,
        }
    }

    /// Builds what the settings ask for; nothing runs or ends yet.
    ///
    /// # Errors
    /// The first sink that cannot be built, with the reason.
    pub(crate) fn prepare(&self, settings: &[SinkSettings]) -> Result<NextRack, String> {
        let build = |settings: &SinkSettings| match self.running.get(settings.name()) {
            Some(racked) if racked.settings == *settings => Ok(Arc::clone(&racked.sink)),
            Some(_) | None => self.build(settings),
        };
        let built: Result<Vec<_>, String> = settings
            .iter()
            .map(|settings| build(settings).map(|sink| (settings.clone(), sink)))
            .collect();
        built.map(NextRack)
    }

    /// Builds a sink and tells it what is on its way. That comes before anybody else has the sink:
    /// a look-up must know which messages belong to other deliveries.
    fn build(&self, settings: &SinkSettings) -> Result<Arc<dyn Sink>, String> {
        let sink =
            andon_sinks::build(settings, Arc::clone(&self.clock)).map_err(|error| chain(&error))?;
        let on_their_way = match self.running.get(settings.name()) {
            Some(racked) => racked.sink.awaited(),
            None => self
                .awaited
                .get(settings.name())
                .cloned()
                .unwrap_or_default(),
        };
        if !on_their_way.is_empty() {
            tracing::info!(
                sink = settings.name(),
                messages = on_their_way.len(),
                "asks on for receipts of messages that left earlier"
            );
            sink.resume(on_their_way);
        }
        Ok(sink)
    }

    /// The sinks that run.
    pub(crate) fn sinks(&self) -> Vec<Arc<dyn Sink>> {
        let racked = self.running.values();
        racked.map(|racked| Arc::clone(&racked.sink)).collect()
    }

    /// Those of the next sinks that do not run yet.
    pub(crate) fn new_among(&self, next: &NextRack) -> Vec<Arc<dyn Sink>> {
        let runs = |sink: &Arc<dyn Sink>| {
            let racked = self.running.get(sink.name());
            racked.is_some_and(|racked| Arc::ptr_eq(&racked.sink, sink))
        };
        next.sinks()
            .into_iter()
            .filter(|sink| !runs(sink))
            .collect()
    }

    /// Starts what is new and ends what is gone.
    pub(crate) fn install(&mut self, next: NextRack) {
        let mut old = std::mem::take(&mut self.running);
        for (settings, sink) in next.0 {
            let name = settings.name().to_owned();
            self.awaited.remove(&name);
            let stays = old
                .remove(&name)
                .filter(|racked| Arc::ptr_eq(&racked.sink, &sink));
            let racked = stays.unwrap_or_else(|| self.start(settings, sink));
            self.running.insert(name, racked);
        }
        for racked in old.into_values() {
            racked.stop.cancel();
        }
    }

    fn start(&self, settings: SinkSettings, sink: Arc<dyn Sink>) -> Racked {
        let stop = self.stop.child_token();
        self.tasks.spawn(
            "sink",
            Weight::Helper,
            Arc::clone(&sink).run(self.events.clone(), stop.clone()),
        );
        Racked {
            settings,
            sink,
            stop,
        }
    }
}

/// The provider's ids whose receipts may still come, by the sink that the messages left by.
pub(crate) fn awaited(deliveries: &[Delivery]) -> BTreeMap<String, Vec<String>> {
    let mut by_sink: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in deliveries {
        if let DeliveryState::Sent { provider_ids } = &row.state {
            let ids = by_sink.entry(row.channel.sink.clone()).or_default();
            ids.extend(provider_ids.iter().cloned());
        }
    }
    by_sink
}
