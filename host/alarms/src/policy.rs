//! What the settings say about the life of all alarms, checked and ready to decide by.

use std::time::Duration;

use andon_model::Priority;

/// What holds for the life of alarms, by priority.
///
/// The settings of the moment count for what happens from now on; a shelving that was granted
/// stays as it was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmPolicy {
    /// The longest time for which an alarm may be shelved, timed or one-shot; zero: not at all.
    pub shelving_max: PerPriority<Duration>,
    /// How long before the end of a shelving whoever shelved it is reminded; zero: never.
    pub remind_before: Duration,
    /// When an alarm that stays acknowledged is told again; `None`: never.
    pub re_alarm: PerPriority<Option<ReAlarm>>,
}

impl Default for AlarmPolicy {
    /// Shelving for 24 hours (diagnostic, low), 12 (medium), 8 (high), never (critical); a
    /// reminder a quarter of an hour before; nothing is told again.
    fn default() -> Self {
        let hours = |count: u64| Duration::from_secs(count * 3_600);
        Self {
            shelving_max: PerPriority {
                diagnostic: hours(24),
                low: hours(24),
                medium: hours(12),
                high: hours(8),
                critical: Duration::ZERO,
            },
            remind_before: Duration::from_secs(900),
            re_alarm: PerPriority::default(),
        }
    }
}

impl AlarmPolicy {
    /// The longest time for which an alarm of this priority may be shelved. While nobody knows the
    /// priority, the shortest that the settings allow for any.
    pub(crate) fn shelving_max(&self, priority: Option<Priority>) -> Duration {
        match priority {
            Some(priority) => *self.shelving_max.of(priority),
            None => Priority::ALL
                .into_iter()
                .map(|priority| *self.shelving_max.of(priority))
                .filter(|time| !time.is_zero())
                .min()
                .unwrap_or_default(),
        }
    }
}

/// When an alarm that stays acknowledged is told again (OPC UA `ReAlarmTime`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReAlarm {
    /// How long after it was acknowledged it goes back to unacknowledged, if it still holds.
    pub after: Duration,
    /// How often one occurrence does so at most (OPC UA `ReAlarmRepeatCount`).
    pub times_max: u32,
}

/// One value for each priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PerPriority<T> {
    /// Of diagnostic alarms.
    pub diagnostic: T,
    /// Of low ones.
    pub low: T,
    /// Of medium ones.
    pub medium: T,
    /// Of high ones.
    pub high: T,
    /// Of critical ones.
    pub critical: T,
}

impl<T> PerPriority<T> {
    /// The value of a priority.
    #[must_use]
    pub const fn of(&self, priority: Priority) -> &T {
        match priority {
            Priority::Diagnostic => &self.diagnostic,
            Priority::Low => &self.low,
            Priority::Medium => &self.medium,
            Priority::High => &self.high,
            Priority::Critical => &self.critical,
        }
    }
}
