//! What `[alarms]` may say about delays, marks, suppression and floods.
//!
//! Only shapes and defaults live here; what they mean together is decided by [`crate::check_conditioning`].

use andon_model::DurationText;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::flood::FloodSettings;
use crate::selector::AlarmSelectorSettings;
use crate::suppression::{AlarmGroupSettings, SuppressionSettings};

/// Everything of `[alarms]` that stands between a rule and the people: the keys are those of the
/// settings file.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditioningSettings {
    /// `[[alarms.conditions]]`
    pub conditions: Vec<ConditionSettings>,
    /// `[[alarms.suppressions]]`
    pub suppressions: Vec<SuppressionSettings>,
    /// `[[alarms.groups]]`
    pub groups: Vec<AlarmGroupSettings>,
    /// `comm_loss_inhibits`
    pub comm_loss_inhibits: bool,
    /// `[alarms.chattering]`
    pub chattering: ChatteringSettings,
    /// `[alarms.fleeting]`
    pub fleeting: FleetingSettings,
    /// `[alarms.stale]`
    pub stale: StaleSettings,
    /// `[alarms.flood]`
    pub flood: FloodSettings,
}

impl Default for ConditioningSettings {
    fn default() -> Self {
        Self {
            conditions: Vec::new(),
            suppressions: Vec::new(),
            groups: Vec::new(),
            comm_loss_inhibits: true,
            chattering: ChatteringSettings::default(),
            fleeting: FleetingSettings::default(),
            stale: StaleSettings::default(),
            flood: FloodSettings::default(),
        }
    }
}

/// Delays of alarms at the host, whatever their rule does. Of several that mean an alarm the first
/// counts; `on_delay` and `off_delay` in the file of an instance count before it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConditionSettings {
    /// Which alarms; those that one of these means. An empty list means all.
    pub alarms: Vec<AlarmSelectorSettings>,
    /// For how long a condition must hold before it is an alarm. Keep it well below the time that
    /// people have to act.
    pub on_delay: Option<DurationText>,
    /// For how long a condition must be gone before its alarm is over.
    pub off_delay: Option<DurationText>,
    /// What a delay does while the tags of the alarm are of bad quality.
    pub on_bad_quality: OnBadQuality,
}

/// What a delay does while the tags of its alarm are of bad quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum OnBadQuality {
    /// It neither starts nor ends before the quality is good again.
    #[default]
    Hold,
    /// A raise passes at once; a clear waits as `hold` says.
    Force,
    /// Quality is not looked at.
    Ignore,
}

/// The delays that the file of one instance gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InstanceDelays {
    /// `on_delay`
    pub on_delay: Option<DurationText>,
    /// `off_delay`
    pub off_delay: Option<DurationText>,
}

impl InstanceDelays {
    /// Whether the file says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.on_delay.is_none() && self.off_delay.is_none()
    }
}

/// When an alarm counts as chattering: it comes and goes too often for anybody to act.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChatteringSettings {
    /// So many activations within `window` make it chattering.
    #[schemars(range(min = 2, max = 20))]
    pub count: u32,
    /// See `count`.
    pub window: DurationText,
    /// After so long without an activation it no longer is.
    pub quiet: DurationText,
    /// What is done beside the mark.
    pub on_chatter: OnChatter,
    /// With `on_chatter = "hold"`: the off-delay of an alarm while it chatters.
    pub hold: DurationText,
}

impl Default for ChatteringSettings {
    fn default() -> Self {
        Self {
            count: 3,
            window: DurationText::from_secs(60),
            quiet: DurationText::from_secs(600),
            on_chatter: OnChatter::default(),
            hold: DurationText::from_secs(60),
        }
    }
}

/// What is done about a chattering alarm beside marking it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "lowercase")]
pub enum OnChatter {
    /// Nothing.
    #[default]
    Mark,
    /// It gets an off-delay, so that it stays active while it chatters and people are told once.
    Hold,
}

/// When an alarm counts as fleeting: it was gone before anybody could act, and did not come again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FleetingSettings {
    /// It was active for less than this.
    pub shorter_than: DurationText,
    /// It did not come again for this long.
    pub no_repeat_for: DurationText,
}

impl Default for FleetingSettings {
    fn default() -> Self {
        Self {
            shorter_than: DurationText::from_secs(10),
            no_repeat_for: DurationText::from_secs(60),
        }
    }
}

/// When an alarm counts as stale: active for longer than an alarm should be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StaleSettings {
    /// It has been active for longer than this.
    pub after: DurationText,
    /// How often people hear which alarms are stale: one message of low priority.
    pub report_every: DurationText,
}

impl Default for StaleSettings {
    fn default() -> Self {
        Self {
            after: DurationText::from_secs(86_400),
            report_every: DurationText::from_secs(86_400),
        }
    }
}
