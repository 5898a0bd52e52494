//! Days on which clocks are moved, by hand.

use super::{names, schedule, told, utc};

fn nights(zone: &str) -> String {
    format!(
        r#"
        [[schedules]]
        name = "shifts"
        time_zone = "{zone}"
        [[schedules.rotations]]
        people = ["ada", "ben"]
        every = "12h"
        starts = "2026-01-01 06:00"
        "#
    )
}

#[test]
fn a_night_of_twelve_hours_lasts_eleven_when_the_clock_is_put_forward() {
    let schedule = schedule(&nights("Europe/Berlin"), &[]);
    assert_eq!(
        told(&schedule, "2026-03-28T05:00:00Z", "2026-03-29T16:00:00Z"),
        [
            "2026-03-28T05:00..2026-03-28T17:00 ada",
            "2026-03-28T17:00..2026-03-29T04:00 ben",
            "2026-03-29T04:00..2026-03-29T16:00 ada",
        ]
    );
}

#[test]
fn a_night_of_twelve_hours_lasts_thirteen_when_the_clock_is_put_back() {
    let schedule = schedule(&nights("America/New_York"), &[]);
    assert_eq!(
        told(&schedule, "2026-10-31T10:00:00Z", "2026-11-01T23:00:00Z"),
        [
            "2026-10-31T10:00..2026-10-31T22:00 ada",
            "2026-10-31T22:00..2026-11-01T11:00 ben",
            "2026-11-01T11:00..2026-11-01T23:00 ada",
        ]
    );
}

#[test]
fn half_an_hour_of_daylight_saving_is_half_an_hour() {
    let schedule = schedule(&nights("Australia/Lord_Howe"), &[]);
    // Forward from 02:00 to 02:30 on 4 October 2026: +10:30 becomes +11.
    assert_eq!(
        told(&schedule, "2026-10-03T07:30:00Z", "2026-10-04T07:00:00Z"),
        [
            "2026-10-03T07:30..2026-10-03T19:00 ben",
            "2026-10-03T19:00..2026-10-04T07:00 ada",
        ]
    );
}

#[test]
fn a_handover_at_a_time_that_is_left_out_comes_with_the_change() {
    let schedule = schedule(
        r#"
        [[schedules]]
        name = "shifts"
        time_zone = "Europe/Berlin"
        [[schedules.rotations]]
        people = ["ada", "ben"]
        every = "day"
        starts = "2026-03-27 02:30"
        "#,
        &[],
    );
    assert_eq!(
        told(&schedule, "2026-03-28T01:30:00Z", "2026-03-31T00:30:00Z"),
        [
            "2026-03-28T01:30..2026-03-29T01:00 ben",
            "2026-03-29T01:00..2026-03-30T00:30 ada",
            "2026-03-30T00:30..2026-03-31T00:30 ben",
        ]
    );
}

#[test]
fn a_handover_at_a_time_that_comes_twice_takes_the_first() {
    let schedule = schedule(
        r#"
        [[schedules]]
        name = "shifts"
        time_zone = "Europe/Berlin"
        [[schedules.rotations]]
        people = ["ada", "ben"]
        every = "day"
        starts = "2026-10-24 02:30"
        "#,
        &[],
    );
    assert_eq!(names(&schedule, utc("2026-10-25T00:29:59Z")), ["ada"]);
    assert_eq!(names(&schedule, utc("2026-10-25T00:30:00Z")), ["ben"]);
    // 02:15 by the clock for the second time.
    assert_eq!(names(&schedule, utc("2026-10-25T01:15:00Z")), ["ben"]);
    assert_eq!(
        schedule.next_change(utc("2026-10-25T01:15:00Z")),
        Some(utc("2026-10-26T01:30:00Z"))
    );
}

#[test]
fn weeks_hand_over_at_the_same_time_of_the_day_all_year() {
    let schedule = schedule(
        r#"
        [[schedules]]
        name = "weeks"
        time_zone = "Europe/Berlin"
        [[schedules.rotations]]
        people = ["ada", "ben", "cyd"]
        starts = "2026-01-05 08:00"
        "#,
        &[],
    );
    let mut at = utc("2026-01-05T07:00:00Z");
    for week in 0..52 {
        assert_eq!(names(&schedule, at), [["ada", "ben", "cyd"][week % 3]]);
        at = schedule.next_change(at).expect("another handover");
        assert!(
            schedule.local(at).ends_with("08:00"),
            "{}",
            schedule.local(at)
        );
        assert!(
            schedule.local(at).starts_with("Mon"),
            "{}",
            schedule.local(at)
        );
    }
    assert_eq!(at, utc("2027-01-04T07:00:00Z"));
}

#[test]
fn nobody_is_on_call_before_a_rotation_starts_and_after_it_ends() {
    let schedule = schedule(
        r#"
        [[schedules]]
        name = "month"
        time_zone = "Asia/Kolkata"
        [[schedules.rotations]]
        people = ["ada"]
        every = "month"
        starts = "2026-01-31 00:00"
        ends = "2026-03-15 12:00"
        "#,
        &[],
    );
    assert_eq!(
        told(&schedule, "2026-01-01T00:00:00Z", "2026-12-31T00:00:00Z"),
        [
            "2026-01-01T00:00..2026-01-30T18:30 nobody",
            "2026-01-30T18:30..2026-03-15T06:30 ada",
            "2026-03-15T06:30..2026-12-31T00:00 nobody",
        ]
    );
    assert_eq!(schedule.next_change(utc("2026-12-31T00:00:00Z")), None);
}

#[test]
fn overrides_beat_layers_and_layers_beat_each_other() {
    let schedule = schedule(
        r#"
        [[schedules]]
        name = "layers"
        time_zone = "UTC"
        [[schedules.rotations]]
        people = ["ada"]
        starts = "2026-01-01 00:00"
        [[schedules.rotations]]
        name = "nights"
        layer = 1
        people = ["crew"]
        every = "day"
        starts = "2026-01-01 00:00"
        from = "22:00"
        to = "06:00"
        on = ["fri..sat"]
        [[schedules.overrides]]
        from = "2026-01-03 04:00"
        to = "2026-01-03 05:00"
        people = ["cyd"]
        reason = "swap"
        "#,
        &[],
    );
    assert_eq!(
        told(&schedule, "2026-01-02T12:00:00Z", "2026-01-04T12:00:00Z"),
        [
            "2026-01-02T12:00..2026-01-02T22:00 ada",
            "2026-01-02T22:00..2026-01-03T04:00 ada+ben",
            "2026-01-03T04:00..2026-01-03T05:00 cyd",
            "2026-01-03T05:00..2026-01-03T06:00 ada+ben",
            "2026-01-03T06:00..2026-01-03T22:00 ada",
            "2026-01-03T22:00..2026-01-04T06:00 ada+ben",
            "2026-01-04T06:00..2026-01-04T12:00 ada",
        ]
    );
    let swap = schedule.on_call(utc("2026-01-03T04:30:00Z"));
    assert_eq!(
        swap[0].to_string(),
        "cyd is on call by override 1 (swap) of schedule `layers` until 2026-01-03T05:00:00.000Z"
    );
    let night = schedule.on_call(utc("2026-01-02T23:00:00Z"));
    assert!(
        night[0].to_string().contains("by rotation `nights`"),
        "{}",
        night[0]
    );
}

#[test]
fn holidays_count_by_the_day_on_which_a_window_begins() {
    let schedule = schedule(
        r#"
        [[schedules]]
        name = "days"
        time_zone = "Europe/Oslo"
        holidays = ["12-25", "2026-12-26", "more.ics"]
        [[schedules.rotations]]
        people = ["ada"]
        starts = "2026-01-01 00:00"
        from = "20:00"
        to = "06:00"
        holidays = "except"
        [[schedules.rotations]]
        people = ["ben"]
        starts = "2026-01-01 00:00"
        from = "20:00"
        to = "06:00"
        holidays = "only"
        "#,
        &[(
            "more.ics",
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20201228\nRRULE:FREQ=YEARLY\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR\n",
        )],
    );
    assert_eq!(
        told(&schedule, "2026-12-24T12:00:00Z", "2026-12-29T12:00:00Z"),
        [
            "2026-12-24T12:00..2026-12-24T19:00 nobody",
            "2026-12-24T19:00..2026-12-25T05:00 ada",
            "2026-12-25T05:00..2026-12-25T19:00 nobody",
            "2026-12-25T19:00..2026-12-26T05:00 ben",
            "2026-12-26T05:00..2026-12-26T19:00 nobody",
            "2026-12-26T19:00..2026-12-27T05:00 ben",
            "2026-12-27T05:00..2026-12-27T19:00 nobody",
            "2026-12-27T19:00..2026-12-28T05:00 ada",
            "2026-12-28T05:00..2026-12-28T19:00 nobody",
            "2026-12-28T19:00..2026-12-29T05:00 ben",
            "2026-12-29T05:00..2026-12-29T12:00 nobody",
        ]
    );
}
