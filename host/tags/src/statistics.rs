//! Counters of the readers, for metrics and the status page.
//!
//! Readers count with relaxed atomics; whoever shows them takes a snapshot. Counters live as long as
//! the device is in the settings.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use andon_model::Timestamp;

use crate::modbus::Fault;
use crate::plan::ReadPlan;
use crate::readers::Link;

/// Exception codes that are counted one by one; higher ones are counted at 0.
const CODES: usize = 12;

/// The counters of all devices.
#[derive(Debug, Default)]
pub struct Statistics {
    devices: Mutex<BTreeMap<Arc<str>, Arc<DeviceStatistics>>>,
}

/// What was counted of one device since it came into the settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceSnapshot {
    /// Name of the device.
    pub device: String,
    /// Whether there is a connection now.
    pub connected: bool,
    /// Connections opened.
    pub connects: u64,
    /// Connections that could not be opened.
    pub connect_failures: u64,
    /// Poll cycles done.
    pub cycles: u64,
    /// Poll cycles left out because the one before took too long.
    pub cycles_skipped: u64,
    /// Units behind the device, by unit id.
    pub units: Vec<UnitSnapshot>,
}

/// What was counted of one unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnitSnapshot {
    /// Modbus unit id.
    pub unit_id: u8,
    /// Whether it answers; unknown before the first contact.
    pub link: Option<Link>,
    /// Requests sent, repeated ones too.
    pub requests: u64,
    /// Answers taken, without exceptions.
    pub answers: u64,
    /// Requests without an answer in time.
    pub timeouts: u64,
    /// Requests during which the connection ended.
    pub closed: u64,
    /// Answers that were not an answer to the request: broken, of another transaction, of another
    /// unit or function, of a wrong length.
    pub framing: u64,
    /// Exceptions by code, those that came; codes above 11 are summed at 0.
    pub exceptions: BTreeMap<u8, u64>,
    /// Places that the unit refuses to be read, now.
    pub refused: u64,
    /// When it answered last, exceptions too.
    pub last_answer: Option<Timestamp>,
    /// How long the last answer took.
    pub round_trip: Duration,
    /// How long the slowest answer took.
    pub round_trip_max: Duration,
}

/// Counters of one device.
#[derive(Debug, Default)]
pub(crate) struct DeviceStatistics {
    pub(crate) connected: AtomicBool,
    pub(crate) connects: AtomicU64,
    pub(crate) connect_failures: AtomicU64,
    pub(crate) cycles: AtomicU64,
    pub(crate) cycles_skipped: AtomicU64,
    units: Mutex<BTreeMap<u8, Arc<UnitStatistics>>>,
}

/// Counters of one unit.
#[derive(Debug, Default)]
pub(crate) struct UnitStatistics {
    pub(crate) requests: AtomicU64,
    pub(crate) refused: AtomicU64,
    answers: AtomicU64,
    timeouts: AtomicU64,
    closed: AtomicU64,
    framing: AtomicU64,
    exceptions: [AtomicU64; CODES],
    last_answer: AtomicI64,
    round_trip_nanos: AtomicU64,
    round_trip_max_nanos: AtomicU64,
    link: Mutex<Option<Link>>,
}

impl Statistics {
    /// All counters as they are now, by name of the device.
    #[must_use]
    pub fn snapshot(&self) -> Vec<DeviceSnapshot> {
        let devices = lock(&self.devices);
        devices
            .iter()
            .map(|(name, device)| device.snapshot(name))
            .collect()
    }

    pub(crate) fn device(&self, name: &Arc<str>) -> Arc<DeviceStatistics> {
        Arc::clone(lock(&self.devices).entry(Arc::clone(name)).or_default())
    }

    /// Forgets what the plan does not have.
    pub(crate) fn retain(&self, plan: &ReadPlan) {
        lock(&self.devices).retain(|name, statistics| {
            let kept = plan.devices.iter().find(|device| device.name == *name);
            if let Some(device) = kept {
                let has = |id: &u8| device.units.iter().any(|unit| unit.unit_id == *id);
                lock(&statistics.units).retain(|id, _| has(id));
            }
            kept.is_some()
        });
    }
}

impl DeviceStatistics {
    pub(crate) fn unit(&self, unit_id: u8) -> Arc<UnitStatistics> {
        Arc::clone(lock(&self.units).entry(unit_id).or_default())
    }

    fn snapshot(&self, name: &str) -> DeviceSnapshot {
        let units = lock(&self.units);
        DeviceSnapshot {
            device: name.into(),
            connected: self.connected.load(Relaxed),
            connects: self.connects.load(Relaxed),
            connect_failures: self.connect_failures.load(Relaxed),
            cycles: self.cycles.load(Relaxed),
            cycles_skipped: self.cycles_skipped.load(Relaxed),
            units: units.iter().map(|(id, unit)| unit.snapshot(*id)).collect(),
        }
    }
}

impl UnitStatistics {
    pub(crate) fn answered(&self, at: Timestamp, took: Duration) {
        self.answers.fetch_add(1, Relaxed);
        self.heard(at, took);
    }

    pub(crate) fn failed(&self, fault: &Fault, at: Timestamp, took: Duration) {
        match fault {
            Fault::Timeout => &self.timeouts,
            Fault::Closed(_) => &self.closed,
            Fault::Framing(_) => &self.framing,
            // Counted by the device.
            Fault::Connect(_) => return,
            Fault::Exception(code) => {
                self.heard(at, took);
                let [other, ..] = &self.exceptions;
                self.exceptions.get(usize::from(*code)).unwrap_or(other)
            }
        }
        .fetch_add(1, Relaxed);
    }

    fn heard(&self, at: Timestamp, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.last_answer.store(at.nanos(), Relaxed);
        self.round_trip_nanos.store(nanos, Relaxed);
        self.round_trip_max_nanos.fetch_max(nanos, Relaxed);
    }

    pub(crate) fn set_link(&self, link: Link) {
        *lock(&self.link) = Some(link);
    }

    fn snapshot(&self, unit_id: u8) -> UnitSnapshot {
        let counted = self.exceptions.iter().map(|count| count.load(Relaxed));
        let heard = self.last_answer.load(Relaxed);
        UnitSnapshot {
            unit_id,
            link: *lock(&self.link),
            requests: self.requests.load(Relaxed),
            answers: self.answers.load(Relaxed),
            timeouts: self.timeouts.load(Relaxed),
            closed: self.closed.load(Relaxed),
            framing: self.framing.load(Relaxed),
            exceptions: (0..).zip(counted).filter(|(_, count)| *count > 0).collect(),
            refused: self.refused.load(Relaxed),
            last_answer: (heard != 0).then(|| Timestamp::from_nanos(heard)),
            round_trip: Duration::from_nanos(self.round_trip_nanos.load(Relaxed)),
            round_trip_max: Duration::from_nanos(self.round_trip_max_nanos.load(Relaxed)),
        }
    }
}

/// Nothing is left half done under these locks, so a poisoned one is as good as another.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
