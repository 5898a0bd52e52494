//! The sinks that run: built from settings, kept over a reload where their settings are the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use andon_model::Clock;
use andon_sinks::{EventSender, Sink, SinkSettings};
use tokio_util::sync::CancellationToken;

use super::loading::chain;
use crate::tasks::{Tasks, Weight};

/// Sinks by name, each with the settings that made it and what ends it.
pub(crate) struct SinkRack {
    running: BTreeMap<String, Racked>,
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
    /// An empty rack; sinks end with `stop`.
    pub(crate) fn new(
        tasks: Tasks,
        events: EventSender,
        clock: Arc<dyn Clock>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            running: BTreeMap::new(),
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
            Some(_) | None => {
                andon_sinks::build(settings, Arc::clone(&self.clock)).map_err(|error| chain(&error))
            }
        };
        let built: Result<Vec<_>, String> = settings
            .iter()
            .map(|settings| build(settings).map(|sink| (settings.clone(), sink)))
            .collect();
        built.map(NextRack)
    }

    /// Starts what is new and ends what is gone.
    pub(crate) fn install(&mut self, next: NextRack) {
        let mut old = std::mem::take(&mut self.running);
        for (settings, sink) in next.0 {
            let name = settings.name().to_owned();
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
