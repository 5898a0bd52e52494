//! What `andon plugin list` tells of each instance.

use std::time::Duration;

use andon_model::{CallErrorKind, PluginKind, ShadowEnd, Timestamp};
use serde::Serialize;

use crate::scheduler::Scheduler;
use crate::shadow::{Difference, Shadow, ShadowCounts, ShadowOrigin};
use crate::slot::Slot;
use crate::strikes::Phase;

/// One instance, for people and machines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InstanceStatus {
    /// Name of the instance.
    pub name: String,
    /// File of its component.
    pub component: String,
    /// What the component calls itself.
    pub component_name: String,
    /// Version of the component.
    pub version: String,
    /// Version of the contract that it was built for.
    pub contract_version: String,
    /// SHA-256 of the file, hexadecimal.
    pub hash: String,
    /// Rule or function.
    pub kind: PluginKind,
    /// Whether it is called.
    pub state: RunState,
    /// Since when it is down, if it is.
    pub down_since: Option<Timestamp>,
    /// What keeps it from running, in a sentence.
    pub held_by: Option<String>,
    /// Its next wake-up.
    pub wake_at: Option<Timestamp>,
    /// Tags that it reads.
    pub inputs: Vec<String>,
    /// Tags that it writes.
    pub outputs: Vec<String>,
    /// Calls since it took its place.
    pub calls: u64,
    /// Samples that it was given.
    pub rows: u64,
    /// Calls that failed, declined ones included.
    pub failures: u64,
    /// Calls that it declined.
    pub declines: u64,
    /// Strikes that count now.
    pub strikes: u32,
    /// Strikes that quarantine it.
    pub strikes_max: u32,
    /// The last call that failed.
    pub last_error: Option<LastError>,
    /// Bytes of linear memory that its guest holds.
    pub memory_bytes: usize,
    /// Bytes that it may hold.
    pub memory_bytes_max: usize,
    /// How often its guest was made anew because its memory had grown.
    pub renewals: u64,
    /// Keys and values that it remembers, bytes.
    pub state_bytes: usize,
    /// Wall time of all calls that went well.
    pub busy: Duration,
    /// A changed version that runs beside it.
    pub shadow: Option<ShadowStatus>,
    /// The changed version that was refused last; until another one begins.
    pub shadow_refused: Option<RefusedShadow>,
}

/// A changed version that was refused.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RefusedShadow {
    /// Why, without a subject: `was refused: it differed 3 times from the running version`.
    pub says: String,
    /// How it compared at its end.
    pub report: ShadowStatus,
}

/// A changed version that runs beside an instance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShadowStatus {
    /// What the component calls itself.
    pub component_name: String,
    /// Version of the component.
    pub version: String,
    /// SHA-256 of the file, hexadecimal.
    pub hash: String,
    /// Whether a person put it there, not a changed file.
    pub by_hand: bool,
    /// Whether it is called.
    pub state: RunState,
    /// Since when it is compared.
    pub begun_at: Timestamp,
    /// When its time is over; `None` until somebody decides.
    pub ends_at: Option<Timestamp>,
    /// What becomes of it then.
    pub end: ShadowEnd,
    /// How it compares.
    pub counts: ShadowCounts,
    /// The last differences, the newest first; at most a hundred.
    pub differences: Vec<Difference>,
    /// The last call that failed.
    pub last_error: Option<LastError>,
    /// Bytes of linear memory that its guest holds.
    pub memory_bytes: usize,
    /// Wall time of all calls that went well.
    pub busy: Duration,
}

/// Whether an instance is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "until")]
pub enum RunState {
    /// With every batch.
    Running,
    /// After a strike: not before this moment.
    Struck(Timestamp),
    /// After repeated strikes: not before this moment.
    Quarantined(Timestamp),
}

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastError {
    /// When.
    pub at: Timestamp,
    /// What kind.
    pub kind: CallErrorKind,
    /// What happened.
    pub message: String,
}

impl Scheduler {
    /// All instances, in the order in which they run.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Vec<InstanceStatus> {
        self.slots.iter().map(|slot| status_of(slot, now)).collect()
    }
}

fn status_of(slot: &Slot, now: Timestamp) -> InstanceStatus {
    let plan = &slot.plan;
    let description = slot.component.description();
    let tally = &slot.tally;
    let last_error = last_error_of(slot);
    let state_bytes = slot.memory.state.iter().map(|(k, v)| k.len() + v.len());
    InstanceStatus {
        name: plan.name.clone(),
        component: plan.component.clone(),
        component_name: description.name.clone(),
        version: description.version.clone(),
        contract_version: slot.component.contract_version().to_owned(),
        hash: slot.component.hash().to_owned(),
        kind: plan.kind,
        state: run_state(slot),
        down_since: slot.health.down_since(),
        held_by: held_by(slot, last_error.as_ref()),
        wake_at: slot.memory.timer,
        inputs: plan.inputs.iter().map(|i| i.tag_name.to_string()).collect(),
        outputs: plan
            .outputs
            .iter()
            .map(|o| o.tag_name.to_string())
            .collect(),
        calls: tally.calls,
        rows: tally.rows,
        failures: tally.failures,
        declines: tally.declines,
        strikes: slot.health.strikes(now),
        strikes_max: plan.limits.strikes_max,
        last_error,
        memory_bytes: slot.guest.as_ref().map_or(0, |guest| guest.memory_bytes()),
        memory_bytes_max: plan.limits.memory_bytes,
        renewals: tally.renewals,
        state_bytes: state_bytes.sum(),
        busy: tally.busy,
        shadow: slot.shadow.as_deref().map(shadow_status),
        shadow_refused: slot.refusal.as_ref().map(|refusal| RefusedShadow {
            says: refusal.says.clone(),
            report: refusal.report.clone(),
        }),
    }
}

/// How a shadow does at this moment.
pub(crate) fn shadow_status(shadow: &Shadow) -> ShadowStatus {
    let slot = &shadow.slot;
    let description = slot.component.description();
    ShadowStatus {
        component_name: description.name.clone(),
        version: description.version.clone(),
        hash: slot.component.hash().to_owned(),
        by_hand: shadow.origin == ShadowOrigin::Hand,
        state: run_state(slot),
        begun_at: shadow.begun_at,
        ends_at: shadow.ends_at(),
        end: shadow.terms.end,
        counts: shadow.ledger.counts,
        differences: shadow.ledger.last(),
        last_error: last_error_of(slot),
        memory_bytes: slot.guest.as_ref().map_or(0, |guest| guest.memory_bytes()),
        busy: slot.tally.busy,
    }
}

fn run_state(slot: &Slot) -> RunState {
    match slot.health.phase() {
        Phase::Running => RunState::Running,
        Phase::Struck { until } => RunState::Struck(until),
        Phase::Quarantined { until } => RunState::Quarantined(until),
    }
}

fn last_error_of(slot: &Slot) -> Option<LastError> {
    let (at, error) = slot.tally.last_error.as_ref()?;
    Some(LastError {
        at: *at,
        kind: error.kind,
        message: error.message.clone(),
    })
}

fn held_by(slot: &Slot, last_error: Option<&LastError>) -> Option<String> {
    let message = last_error.map_or("", |error| error.message.as_str());
    match slot.health.phase() {
        Phase::Running if slot.health.down_since().is_some() && last_error.is_some() => {
            Some(format!("declines every call: {message}"))
        }
        Phase::Running => None,
        Phase::Struck { until } => Some(format!("a strike, until {until}: {message}")),
        Phase::Quarantined { until } => Some(format!("quarantine, until {until}: {message}")),
    }
}
