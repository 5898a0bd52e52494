//! The host's alarms about schedules with nobody.

use std::time::Duration;

use andon_model::{Action, AlarmId, AlarmRecord, Timestamp};
use andon_routing::Desk;

use super::{checked, utc};
use crate::office::pump;

const WEEKDAYS: &str = r#"
[[schedules]]
name = "days"
time_zone = "UTC"
warn_before = "12h"
[[schedules.rotations]]
people = ["ada"]
starts = "2026-01-01 00:00"
on = ["mon..fri"]
"#;

fn desk(schedules: &str, standing: &[AlarmRecord], now: Timestamp) -> Desk {
    let (plan, findings) = checked(schedules, &[], None);
    let plan = plan.unwrap_or_else(|| panic!("refused: {findings:?}"));
    Desk::restore(plan.into(), Vec::new(), standing, &[], now).0
}

/// Lets time pass until `end` and tells when the desk asked for what.
fn watched(desk: &mut Desk, mut now: Timestamp, end: Timestamp) -> Vec<String> {
    let mut told = Vec::new();
    let mut looks = 0;
    while now < end {
        for action in desk.on_time(now).host {
            told.push(match action {
                Action::Raise(request) => format!("{now} raise {}", request.key),
                Action::Clear(key) => format!("{now} clear {key}"),
                other => format!("{now} {other:?}"),
            });
        }
        looks += 1;
        assert!(looks < 2_000, "it looks all the time");
        let wake = desk.next_wake().expect("it looks again");
        assert!(wake > now, "time passes");
        assert!(
            wake <= now.plus(Duration::from_secs(3_600)),
            "at least once an hour"
        );
        now = wake;
    }
    told
}

#[test]
fn a_weekend_with_nobody_is_told_ahead_and_while_it_lasts() {
    let now = utc("2026-01-07T10:00:00Z");
    let mut desk = desk(WEEKDAYS, &[], now);
    assert_eq!(
        watched(&mut desk, now, utc("2026-01-13T00:00:00Z")),
        [
            "2026-01-09T12:00:00.000Z raise oncall.days.soon-nobody",
            "2026-01-10T00:00:00.000Z raise oncall.days.nobody",
            "2026-01-10T00:00:00.000Z clear oncall.days.soon-nobody",
            "2026-01-12T00:00:00.000Z clear oncall.days.nobody",
        ]
    );
}

#[test]
fn gaps_that_are_meant_are_not_told() {
    let now = utc("2026-01-10T10:00:00Z");
    let text = WEEKDAYS.replace("warn_before = \"12h\"", "gaps = \"allowed\"");
    let mut desk = desk(&text, &[], now);
    assert_eq!(desk.on_time(now).host, []);
    assert_eq!(desk.next_wake(), None);
}

#[test]
fn an_alarm_that_stood_before_a_restart_is_cleared_after_it_and_not_raised_twice() {
    let standing = AlarmRecord {
        id: AlarmId::new(AlarmId::HOST, "oncall.days.nobody"),
        ..pump(1)
    };
    let weekend = utc("2026-01-10T10:00:00Z");
    let mut during = desk(WEEKDAYS, std::slice::from_ref(&standing), weekend);
    assert_eq!(during.on_time(weekend).host, []);
    let monday = utc("2026-01-12T10:00:00Z");
    let mut after = desk(WEEKDAYS, &[standing], monday);
    assert_eq!(
        after.on_time(monday).host,
        [Action::Clear("oncall.days.nobody".to_owned())]
    );
}

#[test]
fn a_schedule_that_left_the_settings_takes_its_alarm_with_it() {
    let weekend = utc("2026-01-10T10:00:00Z");
    let mut desk = desk(WEEKDAYS, &[], weekend);
    assert_eq!(desk.on_time(weekend).host.len(), 1);
    let (plan, _) = checked("", &[], None);
    desk.replace_plan(plan.expect("a plan").into());
    let later = weekend.plus(Duration::from_secs(1));
    assert_eq!(
        desk.on_time(later).host,
        [Action::Clear("oncall.days.nobody".to_owned())]
    );
    assert_eq!(desk.next_wake(), None);
}
