//! One reader a device, started, replaced and ended as the plan says.
//!
//! A new plan changes what it changes: a device whose part of the plan is the same is not touched, one
//! whose part is another goes on with its connection, its grid and its values.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Clock, SampleBatch, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::modbus::Dial;
use crate::modbus::device::{ReceiverGone, read_device};
use crate::plan::{DevicePlan, ReadPlan};
use crate::statistics::Statistics;

/// After a reader failed by a fault of ours, it is started again after this time.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// What readers work with and where their results go.
#[derive(Clone)]
pub struct Surroundings {
    /// Takes the samples, a batch for each poll cycle that changed anything. Bounded: a reader waits
    /// while it is full, and cycles that are late by that are skipped and counted.
    pub batches: mpsc::Sender<SampleBatch>,
    /// Takes news of devices. Bounded: a reader waits while it is full, so it must be emptied.
    pub events: mpsc::Sender<DeviceEvent>,
    /// Counters, for metrics and status.
    pub statistics: Arc<Statistics>,
    /// Gives samples their time.
    pub clock: Arc<dyn Clock>,
    /// Opens connections; [`crate::modbus::TcpDial`] in earnest.
    pub dial: Arc<dyn Dial>,
}

/// Whether a unit of a device answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Link {
    /// It answers, be it with exceptions.
    Up,
    /// It does not answer.
    Down,
    /// It is no longer in the settings.
    Removed,
}

/// A unit began or ceased to answer. The first contact is told too, whichever way it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceEvent {
    /// Name of the device.
    pub device: Arc<str>,
    /// Modbus unit id.
    pub unit_id: u8,
    /// What it does now.
    pub link: Link,
    /// Why, for people.
    pub why: String,
    /// When it was noticed.
    pub at: Timestamp,
}

/// Reads all devices until told to stop, by the latest plan. Ends by itself when nobody takes the
/// batches or sends plans any more.
pub async fn run(
    mut plans: watch::Receiver<Arc<ReadPlan>>,
    surroundings: Surroundings,
    stop: CancellationToken,
) {
    let mut readers = Readers {
        surroundings,
        plan: Arc::default(),
        senders: BTreeMap::new(),
        names: HashMap::new(),
        tasks: JoinSet::new(),
    };
    // Readers are dropped with their tasks, each at the point where it waits.
    stop.run_until_cancelled(async {
        loop {
            let plan = Arc::clone(&plans.borrow_and_update());
            readers.apply(plan).await?;
            loop {
                tokio::select! {
                    changed = plans.changed() => {
                        changed.map_err(|_| ReceiverGone)?;
                        break;
                    }
                    Some(ended) = readers.tasks.join_next_with_id() => readers.ended(ended)?,
                }
            }
        }
    })
    .await
    .unwrap_or(Ok::<(), ReceiverGone>(()))
    .unwrap_or_else(|ReceiverGone| tracing::debug!("readers end: nobody takes their samples"));
}

struct Readers {
    surroundings: Surroundings,
    plan: Arc<ReadPlan>,
    senders: BTreeMap<Arc<str>, watch::Sender<Arc<DevicePlan>>>,
    names: HashMap<Id, Arc<str>>,
    tasks: JoinSet<Result<(), ReceiverGone>>,
}

impl Readers {
    async fn apply(&mut self, plan: Arc<ReadPlan>) -> Result<(), ReceiverGone> {
        let old = std::mem::replace(&mut self.plan, Arc::clone(&plan));
        self.senders
            .retain(|name, _| plan.devices.iter().any(|device| device.name == *name));
        for device in &plan.devices {
            match self.senders.get(&device.name) {
                Some(sender) => {
                    sender.send_if_modified(|current| {
                        let changed = **current != **device;
                        *current = Arc::clone(device);
                        changed
                    });
                }
                None => self.start(Arc::clone(device), Duration::ZERO),
            }
        }
        self.surroundings.statistics.retain(&plan);
        self.tell_removed(&old, &plan).await
    }

    fn start(&mut self, device: Arc<DevicePlan>, after: Duration) {
        let name = Arc::clone(&device.name);
        let (sender, receiver) = watch::channel(device);
        let surroundings = self.surroundings.clone();
        // A reader ends when its sender is dropped, at the latest after the request under way.
        let task = self.tasks.spawn(async move {
            sleep(after).await;
            read_device(receiver, surroundings).await
        });
        self.names.insert(task.id(), Arc::clone(&name));
        self.senders.insert(name, sender);
    }

    fn ended(
        &mut self,
        ended: Result<(Id, Result<(), ReceiverGone>), JoinError>,
    ) -> Result<(), ReceiverGone> {
        match ended {
            Ok((id, result)) => {
                self.names.remove(&id);
                result
            }
            Err(error) => {
                let name = self.names.remove(&error.id());
                tracing::error!(device = name.as_deref(), error = %error, "reader failed and is started again");
                let device = self
                    .plan
                    .devices
                    .iter()
                    .find(|device| Some(&device.name) == name.as_ref());
                if let Some(device) = device.cloned() {
                    self.start(device, RESTART_PAUSE);
                }
                Ok(())
            }
        }
    }

    async fn tell_removed(&self, old: &ReadPlan, new: &ReadPlan) -> Result<(), ReceiverGone> {
        for device in &old.devices {
            let same = new.devices.iter().find(|other| other.name == device.name);
            for unit in &device.units {
                let stays =
                    same.is_some_and(|other| other.units.iter().any(|u| u.unit_id == unit.unit_id));
                if stays {
                    continue;
                }
                let event = DeviceEvent {
                    device: Arc::clone(&device.name),
                    unit_id: unit.unit_id,
                    link: Link::Removed,
                    why: "no tag is read from it any more".into(),
                    at: self.surroundings.clock.now(),
                };
                self.surroundings
                    .events
                    .send(event)
                    .await
                    .map_err(|_| ReceiverGone)?;
            }
        }
        Ok(())
    }
}
