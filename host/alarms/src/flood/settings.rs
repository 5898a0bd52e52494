//! What `[alarms.flood]` may say.

use andon_model::{DurationText, Priority};
use schemars::JsonSchema;
use serde::Deserialize;

/// When there are more alarms than people can act on, and what is done then: those that can wait
/// are told together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FloodSettings {
    /// Whether floods are looked for.
    pub enabled: bool,
    /// More alarms than this within `window` begin a flood.
    #[schemars(range(min = 2, max = 1000))]
    pub start: u32,
    /// Fewer than this within `window` end it.
    #[schemars(range(min = 1, max = 1000))]
    pub end: u32,
    /// See `start`.
    pub window: DurationText,
    /// From this priority on alarms are told one by one during a flood too.
    pub tell_from: Priority,
    /// How often the others are told together while the flood lasts, and once when it ends.
    pub digest_every: DurationText,
    /// Name of a label: alarms of each of its values are counted by themselves, such as those of
    /// each operator. Without it all are counted together.
    pub per_label: Option<String>,
}

impl Default for FloodSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            start: 10,
            end: 5,
            window: DurationText::from_secs(600),
            tell_from: Priority::High,
            digest_every: DurationText::from_secs(600),
            per_label: None,
        }
    }
}
