//! What `[alarms]` may say about the life of alarms.

use std::time::Duration;

use andon_alarms::{AlarmPolicy, PerPriority, PrioritySettings, ReAlarm, ShelvingSettings, check};
use andon_model::{DurationText, Finding};

fn checked(
    shelving: &ShelvingSettings,
    high: &PrioritySettings,
) -> (AlarmPolicy, Vec<(String, String)>) {
    let plain = PrioritySettings::default();
    let priorities = PerPriority {
        diagnostic: &plain,
        low: &plain,
        medium: &plain,
        high,
        critical: &plain,
    };
    let (policy, findings) = check(shelving, &priorities);
    let said = findings
        .into_iter()
        .map(|Finding { path, says, .. }| (path, says))
        .collect();
    (policy, said)
}

#[test]
fn without_a_word_the_defaults_hold() {
    let (policy, said) = checked(&ShelvingSettings::default(), &PrioritySettings::default());
    assert_eq!(policy, AlarmPolicy::default());
    assert_eq!(said, vec![]);
}

#[test]
fn a_re_alarm_time_is_taken() {
    let high = PrioritySettings {
        re_alarm_after: Some(DurationText::from_secs(1_800)),
        re_alarms_max: 4,
    };
    let (policy, said) = checked(&ShelvingSettings::default(), &high);
    assert_eq!(said, vec![]);
    assert_eq!(
        policy.re_alarm.high,
        Some(ReAlarm {
            after: Duration::from_secs(1_800),
            times_max: 4
        })
    );
    assert_eq!(policy.re_alarm.low, None);
}

#[test]
fn what_makes_no_sense_is_told_with_its_key() {
    let shelving = ShelvingSettings {
        low: DurationText::from_secs(31 * 86_400),
        remind_before: DurationText::from_secs(32 * 86_400),
        ..ShelvingSettings::default()
    };
    let high = PrioritySettings {
        re_alarm_after: Some(DurationText::from_secs(59)),
        ..PrioritySettings::default()
    };
    let (_, said) = checked(&shelving, &high);
    let paths: Vec<&str> = said.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/shelving/low",
            "/high/re_alarm_after",
            "/shelving/remind_before"
        ]
    );
    assert_eq!(said[1].1, "59s is shorter than 1m");
}
