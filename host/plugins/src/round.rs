//! What one batch came to: the answer of [`Scheduler::run`](crate::Scheduler::run).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{
    Action, CallErrorKind, InstancePlan, JournalEntry, JournalKind, Quality, Reason, SampleBatch,
    StateChange, TagId, TimerChange, Timestamp, Why,
};
use serde::Serialize;

use crate::shadow::DifferenceKind;

/// All that one batch changed. States, timers, what the alarms make of `fired` and the journal
/// of `incidents` belong into one commit.
#[derive(Debug, Default)]
pub struct Round {
    /// Samples of derived tags that changed, in the order in which functions gave them.
    pub derived: SampleBatch,
    /// What rules asked for, in the order in which they ran.
    pub fired: Vec<Fired>,
    /// What instances remember from now on.
    pub states: Vec<StateChange>,
    /// When instances wake up from now on.
    pub timers: Vec<TimerChange>,
    /// What happened to instances.
    pub incidents: Vec<Incident>,
    /// One entry a call, for metrics.
    pub calls: Vec<CallStat>,
    /// One entry for each shadow that had a part in it, for metrics.
    pub shadows: Vec<ShadowStat>,
}

/// The actions of one rule.
#[derive(Debug, Clone)]
pub struct Fired {
    /// The instance: its name, labels, and whether its alarms need an acknowledgement.
    pub plan: Arc<InstancePlan>,
    /// What it asks for, in its order; never empty.
    pub actions: Vec<Action>,
    /// What it was given: the last [`Fired::CAUSE_ROWS_MAX`] rows of the call, or the current
    /// samples of its inputs if it was called because of the time.
    pub cause: Vec<CauseSample>,
    /// Why it was called.
    pub trigger: Trigger,
    /// One of its inputs has a value that a person put there, so the alarm is a test.
    pub test: bool,
}

impl Fired {
    /// Most samples that are kept as the cause of an action.
    pub const CAUSE_ROWS_MAX: usize = 16;
}

/// Why an instance was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// There were new samples.
    Samples,
    /// It was time.
    WakeUp,
}

/// A sample that a rule was given.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CauseSample {
    /// Port of the instance.
    pub port: String,
    /// Which tag.
    pub tag: TagId,
    /// Its name.
    pub tag_name: Arc<str>,
    /// Engineering value; NaN (null in JSON) for a text.
    pub value: f64,
    /// OPC quality.
    pub quality: Quality,
    /// When the device was read.
    pub time: Timestamp,
}

/// The cost of one call.
#[derive(Debug, Clone)]
pub struct CallStat {
    /// Name of the instance.
    pub instance: Arc<str>,
    /// Rows that it was given.
    pub rows: usize,
    /// Wall time as the engine measured it; `None` for a call that failed.
    pub elapsed: Option<Duration>,
    /// How the call failed.
    pub failed: Option<CallErrorKind>,
}

/// The part of a shadow in a round.
#[derive(Debug, Clone)]
pub struct ShadowStat {
    /// Name of the instance.
    pub instance: Arc<str>,
    /// Its call, if it was called.
    pub call: Option<CallStat>,
    /// Differences that were found.
    pub differences: u64,
}

/// Something that happened to an instance, beside its normal work.
#[derive(Debug, Clone)]
pub struct Incident {
    /// When.
    pub at: Timestamp,
    /// The instance, with its policy for the alarms that it holds.
    pub plan: Arc<InstancePlan>,
    /// What.
    pub kind: IncidentKind,
    /// Why, for people.
    pub why: Why,
    /// The samples that it came from, where there are any.
    pub cause: Vec<CauseSample>,
}

/// What happens to instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentKind {
    /// The first of a row of declined calls; the further ones are only counted.
    Declined,
    /// A strike; its samples wait until the instance is called again.
    Strike {
        /// Strikes that count now.
        count: u32,
        /// When it is called again.
        retry_at: Timestamp,
    },
    /// The instance is down: raise `plugin.NAME.down` and apply the plan's `on_down`.
    Down {
        /// When it is tried again.
        retry_at: Timestamp,
    },
    /// Still down: a trial call failed.
    StillDown {
        /// When it is tried again.
        retry_at: Timestamp,
    },
    /// The instance works again: clear `plugin.NAME.down`. It saw no samples between.
    Back {
        /// Since when it was down.
        down_since: Timestamp,
    },
    /// More samples waited for a struck instance than it may keep; it gets the latest of each input.
    SamplesDropped {
        /// How many.
        rows: usize,
    },
    /// Its guest was made anew because its memory had grown.
    Renewed,
    /// It was to be made anew because its memory had grown, but that failed; the old guest goes on.
    RenewalFailed,
    /// It was added, or a new version took its place. If it was down before, it counts as down until
    /// `Back`; if the new guest goes down without a success between, `Down` is told again.
    Swapped,
    /// It left the settings: apply the plan's `on_down` to its alarms and clear `plugin.NAME.down`.
    Removed,
    /// A changed version runs beside it from now on.
    ShadowBegan,
    /// The shadow did something else than the running version, or at another time.
    ShadowDiffers(DifferenceKind),
    /// A call of the shadow failed.
    ShadowFailed,
    /// The time of the shadow is over and somebody must decide.
    ShadowWaits,
    /// The shadow takes over; `Swapped` follows.
    ShadowPromoted,
    /// The shadow is gone and the running version stays.
    ShadowRefused,
    /// The shadow is gone because what it stood for is gone.
    ShadowWithdrawn,
}

impl IncidentKind {
    /// The word as it is stored and shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Declined => "declined",
            Self::Strike { .. } => "strike",
            Self::Down { .. } => "down",
            Self::StillDown { .. } => "still down",
            Self::Back { .. } => "back",
            Self::SamplesDropped { .. } => "samples dropped",
            Self::Renewed => "renewed",
            Self::RenewalFailed => "renewal failed",
            Self::Swapped => "swapped",
            Self::Removed => "removed",
            Self::ShadowBegan => "shadow began",
            Self::ShadowDiffers(_) => "shadow differs",
            Self::ShadowFailed => "shadow failed",
            Self::ShadowWaits => "shadow waits",
            Self::ShadowPromoted => "shadow promoted",
            Self::ShadowRefused => "shadow refused",
            Self::ShadowWithdrawn => "shadow withdrawn",
        }
    }

    const fn reason(self) -> Reason {
        match self {
            Self::Declined => Reason::PluginDeclined,
            Self::Strike { .. } => Reason::PluginStrike,
            Self::Down { .. } | Self::StillDown { .. } => Reason::PluginQuarantined,
            Self::Back { .. } => Reason::PluginBack,
            Self::SamplesDropped { .. } | Self::RenewalFailed => Reason::LimitReached,
            Self::Renewed => Reason::PluginRenewed,
            Self::Swapped => Reason::PluginSwapped,
            Self::Removed => Reason::PluginRemoved,
            Self::ShadowPromoted => Reason::PluginSwapped,
            Self::ShadowRefused => Reason::PluginRefused,
            Self::ShadowBegan
            | Self::ShadowDiffers(_)
            | Self::ShadowFailed
            | Self::ShadowWaits
            | Self::ShadowWithdrawn => Reason::PluginShadow,
        }
    }
}

impl Incident {
    /// Something that happened, with the sentence that tells it.
    pub(crate) fn new(
        at: Timestamp,
        plan: &Arc<InstancePlan>,
        kind: IncidentKind,
        says: impl Into<String>,
    ) -> Self {
        Self {
            at,
            plan: Arc::clone(plan),
            kind,
            why: Why::new(kind.reason(), says),
            cause: Vec::new(),
        }
    }

    /// The key of the host's own alarm that says that this instance is down: raised with
    /// [`IncidentKind::Down`], cleared with `Back` and `Removed`.
    #[must_use]
    pub fn down_key(&self) -> String {
        format!("plugin.{}.down", self.plan.name)
    }

    /// The line of the journal.
    #[must_use]
    pub fn journal_entry(&self) -> JournalEntry {
        let mut data = serde_json::json!({ "component": self.plan.component });
        if let Some(fields) = data.as_object_mut() {
            match self.kind {
                IncidentKind::Strike { count, retry_at } => {
                    fields.insert("strikes".into(), count.into());
                    fields.insert("retry_at".into(), retry_at.to_string().into());
                }
                IncidentKind::Down { retry_at } | IncidentKind::StillDown { retry_at } => {
                    fields.insert("retry_at".into(), retry_at.to_string().into());
                }
                IncidentKind::Back { down_since } => {
                    fields.insert("down_from".into(), down_since.to_string().into());
                    fields.insert("down_to".into(), self.at.to_string().into());
                }
                IncidentKind::SamplesDropped { rows } => {
                    fields.insert("rows".into(), rows.into());
                }
                IncidentKind::ShadowDiffers(kind) => {
                    fields.insert("difference".into(), serde_json::json!(kind));
                }
                IncidentKind::Declined
                | IncidentKind::ShadowBegan
                | IncidentKind::ShadowFailed
                | IncidentKind::ShadowWaits
                | IncidentKind::ShadowPromoted
                | IncidentKind::ShadowRefused
                | IncidentKind::ShadowWithdrawn
                | IncidentKind::Renewed
                | IncidentKind::RenewalFailed
                | IncidentKind::Swapped
                | IncidentKind::Removed => {}
            }
            if !self.cause.is_empty() {
                fields.insert("samples".into(), serde_json::json!(self.cause));
            }
        }
        JournalEntry {
            at: self.at,
            kind: JournalKind::Plugin,
            occurrence: None,
            subject: self.plan.name.clone(),
            event: self.kind.word().to_owned(),
            why: self.why.clone(),
            data,
        }
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.plan.name, self.kind.word(), self.why)
    }
}
