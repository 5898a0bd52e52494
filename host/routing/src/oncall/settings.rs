//! `[[schedules]]` as a person writes them. Only shapes and defaults live here; what they mean is
//! decided by [`super::check`].

use andon_model::DurationText;
use schemars::JsonSchema;
use serde::Deserialize;

/// Who is on call when. Its name stands wherever a contact or a group may.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSettings {
    /// Unique among contacts, groups and schedules: letters, digits and `. _ -`.
    pub name: String,
    /// Whose wall clock all local times are read by, a name of the IANA database: `Europe/Oslo`.
    pub time_zone: String,
    /// How many people should be on call at once. `andon check` tells of times with more or fewer;
    /// left out, any number is fine.
    #[schemars(range(min = 1, max = 100))]
    pub people: Option<usize>,
    /// Whether times with nobody on call are meant.
    #[serde(default)]
    pub gaps: Gaps,
    /// How long before a time with nobody on call the host raises an alarm of low priority about
    /// it, at most 7 days; `0s` for never.
    #[serde(default = "a_day")]
    pub warn_before: DurationText,
    /// People who take turns.
    #[serde(default)]
    pub rotations: Vec<RotationSettings>,
    /// Exceptions; while one holds, only its people are on call.
    #[serde(default)]
    pub overrides: Vec<OverrideSettings>,
    /// An iCalendar file (`.ics`) with more shifts, beside the settings; each event names its
    /// people in its summary or as attendees. It counts like a rotation of layer 0.
    pub calendar: Option<String>,
    /// Days that `holidays` of the rotations is about: dates such as `2026-05-01`, days of each
    /// year such as `12-25`, and iCalendar files whose all-day events are the days.
    #[serde(default)]
    pub holidays: Vec<String>,
}

/// Whether times with nobody on call are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Gaps {
    /// They are not: `andon check` tells of them, and the host raises an alarm while one lasts.
    #[default]
    Told,
    /// They are; alarms go to the fallback then.
    Allowed,
}

const fn a_day() -> DurationText {
    DurationText::from_secs(86_400)
}

/// People who take turns.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotationSettings {
    /// What `andon oncall` and `andon explain` call it; its number if it is left out.
    pub name: Option<String>,
    /// Of the rotations that have somebody on call, only those of the highest layer count.
    #[serde(default)]
    pub layer: u8,
    /// Whose turn it is, in order: contacts, or groups that take their turn together.
    pub people: Vec<String>,
    /// How long a turn lasts by the wall clock: `12h`, `day`, `week`, `2 weeks`, `month`.
    #[serde(default = "a_week")]
    pub every: String,
    /// When the first person's first turn begins, local time: `2026-01-05 08:00`. Nobody is on
    /// call by this rotation before.
    pub starts: String,
    /// When the rotation is over, local time; left out, never.
    pub ends: Option<String>,
    /// Only on these days of the week (`mon`, …, `sun`, or `mon..fri`); every day if left out.
    #[serde(default)]
    pub on: Vec<String>,
    /// Only from this time of the day on: `06:00`.
    pub from: Option<String>,
    /// Only until this time of the day; at or before `from` it is that of the next day, and the
    /// day on which it began decides about `on` and `holidays`.
    pub to: Option<String>,
    /// What holidays of the schedule mean here.
    #[serde(default)]
    pub holidays: HolidayUse,
}

fn a_week() -> String {
    "week".to_owned()
}

/// What holidays mean to a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HolidayUse {
    /// Nothing.
    #[default]
    Any,
    /// It holds on holidays alone.
    Only,
    /// It does not hold on holidays.
    Except,
}

/// An exception: somebody stands in for whoever would be on call.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideSettings {
    /// When it begins, local time: `2026-12-24 18:00`.
    pub from: String,
    /// When it ends, local time.
    pub to: String,
    /// Contacts or groups who are on call in between.
    pub people: Vec<String>,
    /// Why; `andon explain` tells it.
    #[serde(default)]
    pub reason: String,
}
