//! Quiet hours of a contact, as a person writes them.

use andon_model::Priority;
use schemars::JsonSchema;
use serde::Deserialize;

/// When a person is not to be woken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietSettings {
    /// Local time at which they begin: `22:00`.
    pub from: String,
    /// Local time at which they end: `06:00`. One that is not after `from` is on the next day.
    pub to: String,
    /// Days on which they begin; every day if it is left out.
    #[serde(default)]
    pub days: Vec<DayName>,
    /// IANA name of the time zone: `Europe/Oslo`. Default `time_zone` of `[routing]`.
    pub time_zone: Option<String>,
    /// The lowest priority that is told all the same.
    #[serde(default = "critical")]
    pub through: Priority,
}

const fn critical() -> Priority {
    Priority::Critical
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DayName {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}
