//! What `[[alarms.suppressions]]` and `[[alarms.groups]]` may say.

use std::collections::BTreeMap;

use andon_model::{DurationText, Priority};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::selector::AlarmSelectorSettings;

/// Silences alarms by design while something else holds (ISA-18.2, state F). They are watched and
/// journalled all the same, and told afterwards if they still hold.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressionSettings {
    /// Unique among suppressions; alarms that it silences name it.
    pub name: String,
    /// What must hold.
    pub when: WhenSettings,
    /// Which alarms are silenced; those that one of these means, but never one that is meant by
    /// `when`, and of the host's own alarms only those about devices.
    pub suppresses: Vec<AlarmSelectorSettings>,
    /// Why, as people read it.
    pub reason: String,
    /// For how long alarms stay silenced after `when` is over, so that what is about to return to
    /// normal is not told first.
    #[serde(default)]
    pub delay_off: Option<DurationText>,
}

/// What must hold: an alarm that stands and is active, or the value of a tag.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WhenSettings {
    /// An alarm is active whose instance matches this pattern, and whatever else is given here.
    pub instance: Option<String>,
    /// Pattern for the key of that alarm.
    pub key: Option<String>,
    /// Labels that that alarm carries; each value is a pattern.
    pub labels: BTreeMap<String, String>,
    /// The lowest priority of that alarm.
    pub priority_min: Option<Priority>,
    /// Instead of an alarm: the name of a tag. It needs one of `equals`, `above` and `below`. While
    /// its quality is bad, what held before holds on.
    pub tag: Option<String>,
    /// The tag has this value.
    pub equals: Option<f64>,
    /// The tag is above this value.
    pub above: Option<f64>,
    /// The tag is below this value.
    pub below: Option<f64>,
}

/// A group of alarms of which the first is marked: it is most likely the cause of the others.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmGroupSettings {
    /// Unique among groups of alarms.
    pub name: String,
    /// Which alarms; those that one of these means.
    pub members: Vec<AlarmSelectorSettings>,
    /// Whether the others are silenced while the first is active. Those of a higher priority never
    /// are.
    #[serde(default)]
    pub suppress_followers: bool,
}
