//! `[kpi]` as a person writes it: operator groups, and what counts as chattering, fleeting, stale.
//!
//! Only shapes and defaults live here; what they mean is decided by [`crate::check`].
//! Thresholds of floods and of the ten-minute rate are those of the standards and no settings.

use std::collections::BTreeMap;

use andon_model::DurationText;
use schemars::JsonSchema;
use serde::Deserialize;

/// How alarm figures are counted, for `andon report` and metrics.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KpiSettings {
    /// Label whose values are the operator groups, like `area`: one group a value. Alarms without
    /// the label count as "all others".
    pub group_by: Option<String>,
    /// Operator groups by patterns of labels; the first that matches counts, before `group_by`.
    pub groups: Vec<KpiGroupSettings>,
    /// Whose days are counted, a name of the IANA database: `Europe/Oslo`.
    pub time_zone: String,
    /// Which alarms chatter.
    pub chattering: ChatteringSettings,
    /// Which alarms are fleeting.
    pub fleeting: FleetingSettings,
    /// For how long an alarm is active before it is stale.
    pub stale_after: DurationText,
}

impl Default for KpiSettings {
    fn default() -> Self {
        Self {
            group_by: None,
            groups: Vec::new(),
            time_zone: "UTC".to_owned(),
            chattering: ChatteringSettings::default(),
            fleeting: FleetingSettings::default(),
            stale_after: DurationText::from_secs(24 * 60 * 60),
        }
    }
}

/// An operator group: alarms that one operator position answers for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KpiGroupSettings {
    /// Unique among groups.
    pub name: String,
    /// Labels that an alarm must carry, all of them; values are patterns as in routes.
    pub labels: BTreeMap<String, String>,
}

/// An alarm chatters if its condition begins too often in a short time. A starting value; sites
/// differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChatteringSettings {
    /// So many activations, 2 to 100.
    #[schemars(range(min = 2, max = 100))]
    pub activations: u32,
    /// In less than this time.
    pub within: DurationText,
}

impl Default for ChatteringSettings {
    fn default() -> Self {
        Self {
            activations: 3,
            within: DurationText::from_secs(60),
        }
    }
}

/// An alarm is fleeting if its condition ends before anybody could act, and it neither came just
/// before nor comes again soon. A starting value; sites differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FleetingSettings {
    /// It lasts less than this time.
    pub shorter_than: DurationText,
    /// It does not come for at least this time before and after.
    pub alone_for: DurationText,
}

impl Default for FleetingSettings {
    fn default() -> Self {
        Self {
            shorter_than: DurationText::from_secs(10),
            alone_for: DurationText::from_secs(60),
        }
    }
}
