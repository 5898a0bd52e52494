//! Rows to write, and a store in a folder of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{
    AlarmFlags, AlarmId, AlarmRecord, AlarmState, Channel, Commit, Delivery, DeliveryId,
    DeliveryKind, DeliveryState, JournalEntry, JournalKind, Labels, ManualClock, OccurrenceId,
    Priority, Reason, ShortCode, StateChange, Timestamp, Why,
};
use andon_store::{Loaded, Store, StoreError, StoreOptions};

pub(crate) const START: i64 = 1_800_000_000;

pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) options: StoreOptions,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::at(Timestamp::from_secs(START))),
            options: StoreOptions {
                reserve_bytes: 0,
                busy_timeout: Duration::ZERO,
                retry_min: Duration::from_millis(1),
                retry_max: Duration::from_millis(5),
                ..StoreOptions::default()
            },
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("andon.db")
    }

    pub(crate) fn open(&self) -> (Store, Loaded) {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<(Store, Loaded), StoreError> {
        Store::open(
            &self.path(),
            self.options.clone(),
            Arc::clone(&self.clock) as _,
        )
    }
}

pub(crate) fn alarm(occurrence: u64, key: &str, state: AlarmState) -> AlarmRecord {
    let at = Timestamp::from_secs(START);
    AlarmRecord {
        id: AlarmId::new("tanks", key),
        occurrence: OccurrenceId(occurrence),
        code: ShortCode::from_number(occurrence, 2),
        state,
        priority: Priority::High,
        message: format!("Tank {occurrence}: level is 93.2 %, above 90 %"),
        labels: Labels::from([("area".into(), "north".into())]),
        raised_at: at,
        changed_at: at,
        cleared_at: None,
        acknowledged: None,
        raises: 1,
        test: false,
        flags: AlarmFlags::default(),
    }
}

pub(crate) fn line(occurrence: Option<u64>, event: &str) -> JournalEntry {
    JournalEntry {
        at: Timestamp::from_secs(START),
        kind: JournalKind::Alarm,
        occurrence: occurrence.map(OccurrenceId),
        subject: "tanks/high".into(),
        event: event.into(),
        why: Why::new(Reason::FirstRaise, "the condition began to hold"),
        data: serde_json::json!({ "code": ShortCode::from_number(occurrence.unwrap_or(0), 2) }),
    }
}

pub(crate) fn delivery(occurrence: u64, step: u32, state: DeliveryState) -> Delivery {
    let at = Timestamp::from_secs(START);
    let channel = Channel {
        sink: "smsc".into(),
        address: "+4790000001".into(),
    };
    let occurrence = OccurrenceId(occurrence);
    Delivery {
        id: DeliveryId::of(occurrence, DeliveryKind::Alert, step, "ola", &channel),
        occurrence,
        kind: DeliveryKind::Alert,
        step,
        contact: "ola".into(),
        channels: vec![channel.clone()],
        channel,
        channel_index: 0,
        priority: Priority::High,
        text: "Tank 1: level is 93.2 %, above 90 %".into(),
        code: Some(ShortCode::from_number(occurrence.0, 2)),
        created_at: at,
        expires_at: at.plus(Duration::from_secs(3_600)),
        state,
        attempts: 0,
        next_at: at,
        repeat: false,
        after: None,
        why: Why::new(Reason::RouteMatched, "route night"),
        test: false,
    }
}

pub(crate) fn state(instance: &str, key: &str, value: Option<&[u8]>) -> StateChange {
    StateChange {
        instance: instance.into(),
        key: key.into(),
        value: value.map(Arc::from),
    }
}

/// What raising one alarm commits.
pub(crate) fn raised(occurrence: u64) -> Commit {
    Commit {
        states: vec![state("tanks", &occurrence.to_string(), Some(b"on"))],
        alarms: vec![alarm(
            occurrence,
            &format!("k{occurrence}"),
            AlarmState::Unacknowledged,
        )],
        journal: vec![
            line(Some(occurrence), "raised"),
            line(Some(occurrence), "routed"),
        ],
        deliveries: vec![delivery(occurrence, 0, DeliveryState::Queued)],
        last_occurrence: Some(OccurrenceId(occurrence)),
        ..Commit::default()
    }
}
