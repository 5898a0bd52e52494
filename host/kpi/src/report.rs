//! What comes out: plain data, the same for the command line, the API and pages.

use andon_model::{Priority, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::figures::Figure;

/// Alarm figures of a period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// When it was made.
    #[schemars(with = "i64")]
    pub made_at: Timestamp,
    /// What it is about.
    pub period: PeriodFigures,
    /// What a reader must know to judge it, in sentences.
    pub notes: Vec<String>,
    /// The whole plant first, then the groups by name, the rest, the host itself.
    pub groups: Vec<GroupReport>,
    /// What was not counted.
    pub left_out: LeftOut,
}

impl Report {
    /// The same with one group alone.
    ///
    /// # Errors
    /// There is no such group; the names of those that there are.
    pub fn only(mut self, group: &str) -> Result<Self, Vec<String>> {
        if self.groups.iter().all(|one| one.name != group) {
            return Err(self.groups.into_iter().map(|one| one.name).collect());
        }
        self.groups.retain(|one| one.name == group);
        Ok(self)
    }
}

/// The period of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PeriodFigures {
    /// Begin.
    #[schemars(with = "i64")]
    pub from: Timestamp,
    /// End, itself not part of it.
    #[schemars(with = "i64")]
    pub to: Timestamp,
    /// Begin in words of the plant.
    pub from_text: String,
    /// End in words of the plant.
    pub to_text: String,
    /// Name of the time zone whose days are counted.
    pub time_zone: String,
    /// From when on there is a journal, where that is later than `from`; averages count from then.
    #[schemars(with = "i64")]
    pub counted_from: Timestamp,
    /// How many days are counted.
    pub days: f64,
    /// Whether that is as long as the standards want, thirty days.
    pub long_enough: bool,
}

/// What a group of a report is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum GroupKind {
    /// Every alarm of the plant.
    Plant,
    /// An operator group.
    Group,
    /// Alarms that no group holds.
    Others,
    /// Alarms of the host itself.
    Host,
}

/// Figures of one operator group. Counts without another word are of annunciations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupReport {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: GroupKind,
    /// The figures that have a name, with targets and marks.
    pub figures: Vec<Figure>,
    /// How often conditions began to hold, whether anybody was told or not.
    pub activations: u64,
    /// How often an alarm called for a person.
    pub annunciations: u64,
    /// How often of these because its re-alarm time was over.
    pub re_alarms: u64,
    /// Messages that rules sent once; they are no alarms and not among the annunciations.
    pub messages: u64,
    /// On average.
    pub per_10_minutes: f64,
    /// In the interval that had most.
    pub per_10_minutes_peak: u64,
    /// Intervals of the period, those counted that have begun.
    pub intervals: u64,
    /// Intervals with more than ten.
    pub intervals_above_10: u64,
    /// Share of these.
    pub intervals_above_10_percent: f64,
    /// On average.
    pub per_hour: f64,
    /// In the hour that had most; hours begin with the period.
    pub per_hour_peak: u64,
    /// On average.
    pub per_day: f64,
    /// On the day that had most.
    pub per_day_peak: u64,
    /// Floods.
    pub floods: u64,
    /// Time in flood.
    pub flood_seconds: u64,
    /// Share of the time.
    pub flood_percent: f64,
    /// The longest.
    pub flood_longest_seconds: u64,
    /// The largest, at most twenty.
    pub largest_floods: Vec<FloodReport>,
    /// The most frequent alarms, at most ten.
    pub top_ten: Vec<FrequentAlarm>,
    /// Their share; `None` without annunciations.
    pub top_ten_percent: Option<f64>,
    /// How many alarms chattered.
    pub chattering_count: u64,
    /// The ten that chattered most.
    pub chattering: Vec<ChatteringAlarm>,
    /// How many alarms were fleeting.
    pub fleeting_count: u64,
    /// The ten that were it most often.
    pub fleeting: Vec<FleetingAlarm>,
    /// Most alarms that were stale on one day.
    pub stale_on_a_day_peak: u64,
    /// Alarms that are stale at the end of the period.
    pub stale_at_end: u64,
    /// Those that have stood longest, at most a hundred.
    pub stale: Vec<StaleAlarm>,
    /// Standing alarms that nothing silences, on average over time.
    pub standing: f64,
    /// The same at the end of the period.
    pub standing_at_end: u64,
    /// By priority, lowest first.
    pub priorities: Vec<PriorityShare>,
    /// How annunciations were answered.
    pub acknowledgements: Acknowledgements,
    /// Time that alarms spent in each state, summed over all of them.
    pub time_in_state: TimeInState,
    /// How often alarms were silenced.
    pub silences: Silences,
    /// Day by day.
    pub days: Vec<DayFigures>,
}

/// A flood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FloodReport {
    /// When it began.
    #[schemars(with = "i64")]
    pub from: Timestamp,
    /// The same in words of the plant.
    pub from_text: String,
    /// How long it lasted.
    pub seconds: u64,
    /// Annunciations in it, those that made it included.
    pub annunciations: u64,
}

/// An alarm that comes often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FrequentAlarm {
    /// `INSTANCE/KEY`.
    pub alarm: String,
    /// How often it called for a person.
    pub annunciations: u64,
    /// How often its condition began.
    pub activations: u64,
    /// Share of all annunciations of the group.
    pub percent: f64,
}

/// An alarm that chattered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatteringAlarm {
    /// `INSTANCE/KEY`.
    pub alarm: String,
    /// How many times it began to chatter.
    pub bouts: u64,
    /// Activations that came too fast.
    pub activations: u64,
}

/// An alarm that was gone before anybody could act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FleetingAlarm {
    /// `INSTANCE/KEY`.
    pub alarm: String,
    /// How many times.
    pub times: u64,
}

/// An alarm that has been active for too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StaleAlarm {
    /// `INSTANCE/KEY`.
    pub alarm: String,
    /// Since when.
    #[schemars(with = "i64")]
    pub since: Timestamp,
    /// The same in words of the plant.
    pub since_text: String,
}

/// Annunciations of one priority.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PriorityShare {
    /// The priority.
    pub priority: Priority,
    /// How many.
    pub annunciations: u64,
    /// Share; `None` if there are none at all.
    pub percent: Option<f64>,
}

/// How annunciations of the period were answered. The four counts make up all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Acknowledgements {
    /// Acknowledged by a person.
    pub acknowledged: u64,
    /// Shelved, suppressed or taken out of service before that.
    pub silenced: u64,
    /// Over, or begun anew, before that.
    pub never: u64,
    /// Not answered when the period ended.
    pub waiting: u64,
    /// Share that nobody ever acknowledged; `None` without annunciations.
    pub never_percent: Option<f64>,
    /// Half of the acknowledged took no longer.
    pub median_seconds: Option<u64>,
    /// 95 % of the acknowledged took no longer.
    pub percentile_95_seconds: Option<u64>,
    /// The longest.
    pub longest_seconds: Option<u64>,
}

/// Seconds that alarms spent in each state, summed over all of them. What is silenced counts as
/// that alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct TimeInState {
    /// B.
    pub unacknowledged_seconds: u64,
    /// C.
    pub acknowledged_seconds: u64,
    /// D.
    pub returned_seconds: u64,
    /// Returned and latched.
    pub latched_seconds: u64,
    /// E.
    pub shelved_seconds: u64,
    /// F.
    pub suppressed_seconds: u64,
    /// G.
    pub out_of_service_seconds: u64,
}

/// How often alarms were silenced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Silences {
    /// Shelved by a person.
    pub shelved: u64,
    /// Suppressed by design.
    pub suppressed: u64,
    /// Taken out of service.
    pub out_of_service: u64,
}

/// Figures of one day of the plant; the first and the last may be shorter than a day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct DayFigures {
    /// `2026-11-24`.
    pub date: String,
    /// Annunciations.
    pub annunciations: u64,
    /// Activations.
    pub activations: u64,
    /// Time in flood.
    pub flood_seconds: u64,
    /// Alarms that were stale at some time of it.
    pub stale: u64,
    /// Alarms that stood when it ended.
    pub standing_at_end: u64,
}

/// What was not counted, or not by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    /// Alarms of tests.
    pub tests: u64,
    /// Lines that say nothing of an alarm.
    pub unreadable: u64,
    /// Lines with a time before that of the line before: the clock was set back.
    pub out_of_order: u64,
    /// Steps of conditions beyond the bound: counted, but in no list.
    pub conditions: u64,
    /// Steps of groups beyond the bound: counted as "all others".
    pub groups: u64,
}
