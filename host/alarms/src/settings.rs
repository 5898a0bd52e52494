//! The life of alarms as a person writes it: `[alarms.shelving]` and `[alarms.PRIORITY]`.

use std::time::Duration;

use andon_model::{DurationText, Finding, Priority};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::policy::{AlarmPolicy, PerPriority, ReAlarm};

/// A shelving longer than this is no shelving any more.
const SHELVING_MAX: Duration = Duration::from_secs(30 * 86_400);

/// Alarms that come back more often than this are noise.
const RE_ALARM_MIN: Duration = Duration::from_secs(60);

/// For how long people may shelve alarms, by priority.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ShelvingSettings {
    /// Longest time for diagnostic alarms; `0s`: they cannot be shelved. It bounds one-shot
    /// shelving as well; the same for the four below.
    pub diagnostic: DurationText,
    /// Longest time for low alarms.
    pub low: DurationText,
    /// Longest time for medium alarms.
    pub medium: DurationText,
    /// Longest time for high alarms.
    pub high: DurationText,
    /// Longest time for critical alarms.
    pub critical: DurationText,
    /// How long before the end whoever shelved an alarm is reminded; `0s`: never. A shelving that
    /// is shorter than this ends without a reminder.
    pub remind_before: DurationText,
}

impl Default for ShelvingSettings {
    fn default() -> Self {
        let policy = AlarmPolicy::default();
        let max = |priority| DurationText(*policy.shelving_max.of(priority));
        Self {
            diagnostic: max(Priority::Diagnostic),
            low: max(Priority::Low),
            medium: max(Priority::Medium),
            high: max(Priority::High),
            critical: max(Priority::Critical),
            remind_before: DurationText(policy.remind_before),
        }
    }
}

/// What holds for alarms of one priority.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PrioritySettings {
    /// How long after it was acknowledged an alarm that still holds is told again, as if it had
    /// just been raised; without this key never.
    pub re_alarm_after: Option<DurationText>,
    /// How often one occurrence is told again so at most.
    #[schemars(range(min = 1, max = 1000))]
    pub re_alarms_max: u32,
}

impl Default for PrioritySettings {
    fn default() -> Self {
        Self {
            re_alarm_after: None,
            re_alarms_max: 10,
        }
    }
}

/// Checks the settings. Paths of findings begin below `[alarms]`.
#[must_use]
pub fn check(
    shelving: &ShelvingSettings,
    priorities: &PerPriority<&PrioritySettings>,
) -> (AlarmPolicy, Vec<Finding>) {
    let max = PerPriority {
        diagnostic: shelving.diagnostic.0,
        low: shelving.low.0,
        medium: shelving.medium.0,
        high: shelving.high.0,
        critical: shelving.critical.0,
    };
    let mut findings = Vec::new();
    for priority in Priority::ALL {
        let name = priority.name();
        let longest = *max.of(priority);
        if longest > SHELVING_MAX {
            findings.push(
                Finding::error(
                    format!("/shelving/{name}"),
                    format!("{} is longer than 30d", DurationText(longest)),
                )
                .hint("what is silent for longer is out of service: `andon service out ALARM`"),
            );
        }
        let after = priorities.of(priority).re_alarm_after;
        if let Some(after) = after.filter(|after| after.0 < RE_ALARM_MIN) {
            findings.push(
                Finding::error(
                    format!("/{name}/re_alarm_after"),
                    format!("{after} is shorter than 1m"),
                )
                .hint(
                    "who was just told and answered needs time to act: write 30m, or leave it out",
                ),
            );
        }
    }
    let remind = shelving.remind_before.0;
    let longest = Priority::ALL.into_iter().map(|one| *max.of(one)).max();
    if longest.is_some_and(|longest| !longest.is_zero() && remind >= longest) {
        findings.push(
            Finding::warning(
                "/shelving/remind_before",
                format!(
                    "no shelving is as long as {}, so nobody is ever reminded",
                    DurationText(remind)
                ),
            )
            .hint("write a shorter time, or 0s to remind nobody"),
        );
    }
    let policy = AlarmPolicy {
        shelving_max: max,
        remind_before: remind,
        re_alarm: PerPriority {
            diagnostic: re_alarm(priorities.diagnostic),
            low: re_alarm(priorities.low),
            medium: re_alarm(priorities.medium),
            high: re_alarm(priorities.high),
            critical: re_alarm(priorities.critical),
        },
    };
    (policy, findings)
}

fn re_alarm(settings: &PrioritySettings) -> Option<ReAlarm> {
    settings.re_alarm_after.map(|after| ReAlarm {
        after: after.0,
        times_max: settings.re_alarms_max,
    })
}
