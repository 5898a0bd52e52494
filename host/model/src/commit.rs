//! What one batch changes for good. It is written at once or not at all.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{AlarmRecord, Delivery, OccurrenceId, Timestamp, Why};

/// All durable changes of one batch or one input.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Commit {
    /// What instances remember.
    pub states: Vec<StateChange>,
    /// When instances wake up.
    pub timers: Vec<TimerChange>,
    /// Alarms as they are now; an occurrence whose state is `Normal` leaves the table of standing
    /// alarms and stays in the journal.
    pub alarms: Vec<AlarmRecord>,
    /// What happened.
    pub journal: Vec<JournalEntry>,
    /// Deliveries, new or changed; the row is replaced as a whole.
    pub deliveries: Vec<Delivery>,
    /// The highest occurrence number given so far, where it grew.
    pub last_occurrence: Option<OccurrenceId>,
    /// Messages from phones that were taken in, to know a repeated one: sink and provider's id.
    pub incoming: Vec<(String, String)>,
    /// What stages keep of their own: delays, shelvings, escalations, bundles.
    pub rows: Vec<StageRow>,
}

impl Commit {
    /// Whether nothing durable changed; such a commit touches no disk.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
            && self.timers.is_empty()
            && self.alarms.is_empty()
            && self.journal.is_empty()
            && self.deliveries.is_empty()
            && self.last_occurrence.is_none()
            && self.incoming.is_empty()
            && self.rows.is_empty()
    }
}

/// A change of what an instance remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    /// Name of the instance.
    pub instance: String,
    /// Key within it.
    pub key: String,
    /// The new value; `None` deletes the key.
    pub value: Option<Arc<[u8]>>,
}

/// A change of when an instance wakes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerChange {
    /// Name of the instance.
    pub instance: String,
    /// When; `None` removes the timer.
    pub wake_at: Option<Timestamp>,
}

/// A part of the host that keeps rows of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Delays before an alarm begins or ends.
    Conditioning,
    /// Conditions that are shelved or out of service, whether an alarm of them stands or not.
    Silence,
    /// What is suppressed by design, and groups with their first alarm.
    Suppression,
    /// Chattering, stale alarms and floods.
    Flood,
    /// Who is told next if nobody answers.
    Escalation,
    /// Messages that wait to be told in one.
    Bundling,
    /// On-call schedules.
    OnCall,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Conditioning,
        Self::Silence,
        Self::Suppression,
        Self::Flood,
        Self::Escalation,
        Self::Bundling,
        Self::OnCall,
    ];

    /// The word as it is stored.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Conditioning => "conditioning",
            Self::Silence => "silence",
            Self::Suppression => "suppression",
            Self::Flood => "flood",
            Self::Escalation => "escalation",
            Self::Bundling => "bundling",
            Self::OnCall => "on-call",
        }
    }
}

/// A row of a stage, or that it is gone. What the record means, its times included, is the
/// stage's own affair; it is committed with whatever else the same input changed.
#[derive(Debug, Clone, PartialEq)]
pub struct StageRow {
    /// Whose.
    pub stage: Stage,
    /// Unique within the stage.
    pub key: String,
    /// The record as JSON; `None` deletes it.
    pub record: Option<serde_json::Value>,
}

/// What an entry of the journal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JournalKind {
    /// A step in an alarm's life.
    Alarm,
    /// A step in a delivery's life.
    Delivery,
    /// A person did something.
    Operator,
    /// A plugin was loaded, swapped, struck, quarantined.
    Plugin,
    /// A device came or went.
    Device,
    /// The host itself.
    System,
}

impl JournalKind {
    /// The word as it is stored and shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alarm => "alarm",
            Self::Delivery => "delivery",
            Self::Operator => "operator",
            Self::Plugin => "plugin",
            Self::Device => "device",
            Self::System => "system",
        }
    }
}

/// One line of the journal: who, what, when, why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub kind: JournalKind,
    /// Of which occurrence, where there is one: `andon explain` collects by it.
    pub occurrence: Option<OccurrenceId>,
    /// The alarm, delivery, plugin or device.
    pub subject: String,
    /// What happened, one word or two: `raised`, `sent`, `quarantined`.
    pub event: String,
    /// Why.
    pub why: Why,
    /// More, for machines: samples that a rule saw, provider's ids.
    pub data: serde_json::Value,
}
