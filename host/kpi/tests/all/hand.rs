//! Small journals and what they come to, worked out by hand in comments.

use serde_json::json;

use crate::diary::{DAY, Diary, at, figure};

const HOUR: i64 = 3_600;

#[test]
fn rates_are_per_ten_minutes_per_hour_and_per_day() {
    let mut diary = Diary::default();
    // Twelve in the first interval of day 1 (0 to 600 s), 50 s apart: the twelfth at 550 s.
    for number in 0..12 {
        diary.raise(number * 50, &format!("tanks/{number}"));
    }
    // Two on day 2, half an hour apart; one at the very end of day 10.
    diary.raise(DAY, "tanks/a");
    diary.raise(DAY + 1_800, "tanks/b");
    diary.raise(10 * DAY - 1, "tanks/c");
    // Not in the period any more.
    diary.raise(10 * DAY, "tanks/d");
    let plant = diary.plant();

    assert_eq!((plant.activations, plant.annunciations), (15, 15));
    // 10 days are 1,440 intervals: 15 / 1440 = 0.0104; 240 hours: 0.0625; 1.5 a day.
    assert_eq!(plant.intervals, 1_440);
    assert!((plant.per_10_minutes - 15.0 / 1_440.0).abs() < 1e-9);
    assert!((plant.per_hour - 0.0625).abs() < 1e-9);
    assert!((plant.per_day - 1.5).abs() < 1e-9);
    assert_eq!(
        (
            plant.per_10_minutes_peak,
            plant.per_hour_peak,
            plant.per_day_peak
        ),
        (12, 12, 12)
    );
    // One interval of 1,440 has more than ten: 0.069 %, below 1 %; but the peak is above 10.
    assert_eq!(plant.intervals_above_10, 1);
    assert_eq!(figure(&plant, "intervals-above-10").1, "holds");
    assert_eq!(figure(&plant, "per-10-minutes").1, "holds");
    assert_eq!(
        figure(&plant, "per-10-minutes-peak"),
        (Some(12.0), "missed")
    );
    let days: Vec<u64> = plant.days.iter().map(|day| day.annunciations).collect();
    assert_eq!(days, [12, 2, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(plant.days[0].date, "2026-09-01");
}

#[test]
fn a_flood_begins_with_the_eleventh_and_ends_when_four_are_left() {
    let mut diary = Diary::default();
    // One every 30 s from 1000 s on, twelve of them: 1000, 1030, ... 1330.
    for number in 0..12 {
        diary.raise(1_000 + number * 30, &format!("tanks/{number}"));
    }
    let plant = diary.plant();
    // The eleventh is at 1300. Each counts for 600 s; fewer than five are left once the eighth of
    // the twelve (1210) is over, at 1810: those of 1240, 1270, 1300 and 1330 are left.
    let flood = &plant.largest_floods[0];
    assert_eq!((flood.from, flood.seconds), (at(1_300), 510));
    assert_eq!((plant.floods, flood.annunciations), (1, 12));
    // 510 s of 864,000 s.
    assert!((plant.flood_percent - 510.0 / 8_640.0).abs() < 1e-9);
    assert_eq!(plant.days[0].flood_seconds, 510);
}

#[test]
fn a_flood_goes_on_as_long_as_five_are_left() {
    let mut diary = Diary::default();
    for number in 0..11 {
        diary.raise(number, &format!("tanks/{number}"));
    }
    // From then on one every 110 s, so that any ten minutes hold five or six of them.
    for number in 1..=20 {
        diary.raise(10 + number * 110, &format!("valves/{number}"));
    }
    let plant = diary.plant();
    assert_eq!(plant.floods, 1);
    // It began at 10 s. The last are at 1770, 1880, 1990, 2100 and 2210; the first of these five is
    // over at 2370.
    assert_eq!(plant.largest_floods[0].from, at(10));
    assert_eq!(plant.largest_floods[0].seconds, 2_360);
    assert_eq!(plant.largest_floods[0].annunciations, 31);
}

#[test]
fn a_flood_that_began_before_the_period_counts_from_its_begin() {
    let mut diary = Diary::default();
    for number in 0..20 {
        diary.raise(-300 + number, &format!("tanks/{number}"));
    }
    let plant = diary.plant();
    // Nothing of it is of the period, but the flood lasts until the sixteenth of twenty (-285) is
    // over at 315.
    assert_eq!(plant.annunciations, 0);
    assert_eq!(plant.flood_seconds, 315);
    assert_eq!(figure(&plant, "top-ten"), (None, ""));
}

#[test]
fn a_shelved_alarm_is_activated_but_not_annunciated() {
    let mut diary = Diary::default();
    let shelved = json!({ "shelved": { "kind": "timed", "until": at(4 * HOUR), "by": "anna", "at": at(-HOUR), "how": "sms", "reason": "known" } });
    // Comes while it is shelved, and again; the second time the shelving ends while it holds.
    let mut first = diary.raise(HOUR, "pumps/dry");
    diary.edit(|data| data["flags"] = shelved.clone());
    diary.clear(2 * HOUR, &mut first);
    diary.edit(|data| data["flags"] = shelved.clone());
    let second = diary.raise(3 * HOUR, "pumps/dry");
    diary.edit(|data| data["flags"] = shelved.clone());
    diary.step(4 * HOUR, &second, "unshelved", 'B', json!({}));
    let plant = diary.plant();
    assert_eq!((plant.activations, plant.annunciations), (2, 1));
    assert_eq!(plant.acknowledgements.waiting, 1);
    // Shelved for the hours 1 to 2 (B), 2 to 3 (D) and 3 to 4 (B); then B until the end.
    assert_eq!(plant.time_in_state.shelved_seconds, 3 * 3_600);
    assert_eq!(
        plant.time_in_state.unacknowledged_seconds,
        10 * 86_400 - 4 * 3_600
    );
}

#[test]
fn answers_make_up_all_annunciations() {
    let mut diary = Diary::default();
    // Acknowledged after 30, 60, 90 and 600 s.
    for (number, wait) in [30, 60, 90, 600].into_iter().enumerate() {
        let begin = 1_000 * (number as i64 + 1);
        let mut alarm = diary.raise(begin, &format!("tanks/{number}"));
        diary.acknowledge(begin + wait, &mut alarm);
    }
    // Shelved after a minute, over before anybody did anything, replaced by a new one, waiting.
    let alarm = diary.raise(10_000, "tanks/shelved");
    diary.step(
        10_060,
        &alarm,
        "shelved",
        'B',
        json!({ "shelved": { "at": at(10_060) } }),
    );
    diary.blip(11_000, 11_500, "tanks/over");
    let mut old = diary.raise(12_000, "tanks/again");
    diary.clear(12_100, &mut old);
    diary.raise(13_000, "tanks/again");
    let plant = diary.plant();

    let answers = &plant.acknowledgements;
    assert_eq!(plant.annunciations, 8);
    assert_eq!(
        (
            answers.acknowledged,
            answers.silenced,
            answers.never,
            answers.waiting
        ),
        (4, 1, 2, 1)
    );
    // 30, 60, 90, 600: the second is the median, the fourth is 95 % and the longest.
    assert_eq!(answers.median_seconds, Some(60));
    assert_eq!(answers.percentile_95_seconds, Some(600));
    assert_eq!(answers.longest_seconds, Some(600));
    assert_eq!(answers.never_percent, Some(25.0));
    assert_eq!(plant.silences.shelved, 1);
}

#[test]
fn an_alarm_that_is_told_again_is_annunciated_but_not_activated_again() {
    let mut diary = Diary::default();
    let mut alarm = diary.raise(0, "tanks/high");
    diary.acknowledge(60, &mut alarm);
    diary.step(1_860, &alarm, "re-alarmed", 'B', json!({ "re_alarms": 1 }));
    diary.step(
        1_900,
        &alarm,
        "acknowledged",
        'C',
        json!({ "re_alarms": 1 }),
    );
    let plant = diary.plant();
    assert_eq!(
        (plant.activations, plant.annunciations, plant.re_alarms),
        (1, 2, 1)
    );
    // 60 s and 40 s.
    assert_eq!(plant.acknowledgements.acknowledged, 2);
    assert_eq!(plant.acknowledgements.longest_seconds, Some(60));
}

#[test]
fn three_activations_in_less_than_a_minute_chatter() {
    let mut diary = Diary::default();
    // 0, 29, 58: the third is 58 s after the first. 80 is 51 s after 29. Then a pause.
    for begin in [0, 29, 58, 80] {
        diary.blip(begin, begin + 5, "tanks/chatters");
    }
    // Exactly a minute apart is not less than a minute.
    for begin in [200, 230, 260] {
        diary.blip(begin, begin + 15, "valves/slow");
    }
    // A second bout.
    for begin in [1_000, 1_010, 1_020] {
        diary.blip(begin, begin + 5, "tanks/chatters");
    }
    let plant = diary.sorted().plant();
    assert_eq!(plant.chattering_count, 1);
    let one = &plant.chattering[0];
    assert_eq!(one.alarm, "tanks/chatters");
    // 58 and 80 of the first bout, 1020 of the second.
    assert_eq!((one.bouts, one.activations), (2, 3));
    assert_eq!(figure(&plant, "chattering"), (Some(1.0), "missed"));
}

#[test]
fn a_short_stay_that_is_alone_is_fleeting() {
    let mut diary = Diary::default();
    // 9.x s and alone: fleeting. Ten seconds: not. Two within a minute: neither of both.
    diary.blip(0, 9, "tanks/a");
    diary.blip(1_000, 1_010, "tanks/a");
    diary.blip(2_000, 2_005, "tanks/b");
    diary.blip(2_050, 2_055, "tanks/b");
    // A minute after the end of the one before is alone again.
    diary.blip(3_000, 3_005, "tanks/c");
    diary.blip(3_065, 3_070, "tanks/c");
    let plant = diary.sorted().plant();
    assert_eq!(plant.fleeting_count, 2);
    let found: Vec<(&str, u64)> = plant
        .fleeting
        .iter()
        .map(|one| (one.alarm.as_str(), one.times))
        .collect();
    assert_eq!(found, [("tanks/c", 2), ("tanks/a", 1)]);
}

#[test]
fn an_alarm_is_stale_on_each_day_after_its_first_twenty_four_hours() {
    let mut diary = Diary::default();
    // Active from noon of day 1 to noon of day 4: stale from noon of day 2, so on days 2, 3, 4.
    let mut alarm = diary.raise(12 * HOUR, "tanks/stale");
    diary.acknowledge(13 * HOUR, &mut alarm);
    diary.clear(3 * DAY + 12 * HOUR, &mut alarm);
    // Exactly a day is not stale.
    let mut short = diary.raise(5 * DAY, "tanks/day");
    diary.clear(6 * DAY, &mut short);
    // Stands at the end since day 8: stale on days 9 and 10.
    diary.raise(7 * DAY, "tanks/stands");
    let plant = diary.sorted().plant();
    let stale: Vec<u64> = plant.days.iter().map(|day| day.stale).collect();
    assert_eq!(stale, [0, 1, 1, 1, 0, 0, 0, 0, 1, 1]);
    let standing: Vec<u64> = plant.days.iter().map(|day| day.standing_at_end).collect();
    assert_eq!(standing, [1, 1, 1, 0, 0, 1, 0, 1, 1, 1]);
    assert_eq!((plant.stale_at_end, plant.standing_at_end), (1, 1));
    assert_eq!(plant.stale[0].alarm, "tanks/stands");
    assert_eq!(plant.stale[0].since, at(7 * DAY));
    // 3 days, 1 day and 3 days of standing in 10 days.
    assert!((plant.standing - 0.7).abs() < 1e-9);
    // B for an hour, for a day, and for the last three days; C for the rest of the first.
    assert_eq!(
        plant.time_in_state.unacknowledged_seconds,
        (HOUR + 4 * DAY) as u64
    );
    assert_eq!(
        plant.time_in_state.acknowledged_seconds,
        (3 * DAY - HOUR) as u64
    );
}

#[test]
fn what_stood_before_the_journal_is_read_is_known_from_its_later_lines() {
    let mut diary = Diary::default();
    // Raised ten days before the period, acknowledged an hour later, cleared on day 2: its raise
    // is before the lead of a day and is not read.
    let mut long = diary.raise(-10 * DAY, "tanks/long");
    long.acknowledged = Some(-10 * DAY + HOUR);
    long.cleared = Some(DAY + HOUR);
    let mut read = Diary::default();
    read.step(DAY + HOUR, &long, "cleared", 'A', json!({}));
    let plant = read.plant();
    assert_eq!((plant.activations, plant.annunciations), (0, 0));
    assert_eq!(
        plant.time_in_state.acknowledged_seconds,
        (DAY + HOUR) as u64
    );
    // Stale all the time: on days 1 and 2.
    let stale: Vec<u64> = plant.days.iter().map(|day| day.stale).collect();
    assert_eq!(stale, [1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);

    // The same if nothing happened to it before a time after the period.
    let mut after = Diary::default();
    long.cleared = Some(12 * DAY);
    after.step(12 * DAY, &long, "cleared", 'A', json!({}));
    let plant = after.plant();
    assert_eq!(plant.time_in_state.acknowledged_seconds, 10 * DAY as u64);
    assert_eq!((plant.standing_at_end, plant.stale_at_end), (1, 1));
    assert_eq!(plant.stale_on_a_day_peak, 1);
}

#[test]
fn tests_are_left_out_and_said_so() {
    let mut diary = Diary::default();
    let mut test = diary.raise(100, "tanks/test");
    diary.edit(|data| data["test"] = json!(true));
    diary.clear(200, &mut test);
    diary.edit(|data| data["test"] = json!(true));
    let report = diary.report_of("", 10);
    assert_eq!(report.groups[0].activations, 0);
    assert_eq!(report.left_out.tests, 1);
    assert!(report.notes.iter().any(|note| note.contains("tests")));
}

#[test]
fn diagnostics_and_one_time_messages_are_no_annunciations() {
    let mut diary = Diary::default();
    diary.raise_as(0, "tanks/trace", "diagnostic", json!({}));
    let note = diary.raise_as(10, "tanks/note", "high", json!({}));
    // The line before as a one-time message: it never stood.
    let mut told = Diary::default();
    told.raise_as(0, "tanks/trace", "diagnostic", json!({}));
    told.step(10, &note, "notified", 'A', json!({}));
    let plant = told.plant();
    assert_eq!(
        (plant.activations, plant.annunciations, plant.messages),
        (1, 0, 1)
    );
}

#[test]
fn priorities_are_held_against_80_15_5() {
    let mut diary = Diary::default();
    let count = |priority| match priority {
        "low" => 78,
        "medium" => 15,
        "high" => 5,
        _ => 2,
    };
    let mut time = 0;
    for priority in ["low", "medium", "high", "critical"] {
        for number in 0..count(priority) {
            time += 700;
            diary.raise_as(time, &format!("{priority}/{number}"), priority, json!({}));
        }
    }
    let plant = diary.plant();
    assert_eq!(figure(&plant, "priority-low"), (Some(78.0), "missed"));
    assert_eq!(figure(&plant, "priority-medium"), (Some(15.0), "holds"));
    assert_eq!(figure(&plant, "priority-high"), (Some(5.0), "holds"));
    assert_eq!(figure(&plant, "priority-critical"), (Some(2.0), "missed"));
}

#[test]
fn the_ten_most_frequent_and_their_share() {
    let mut diary = Diary::default();
    let mut time = 0;
    // Alarm 0 comes twelve times, alarm 1 eleven times, down to alarm 11 once: 78 in all.
    for number in 0..12 {
        for _ in number..12 {
            time += 700;
            diary.blip(time, time + 100, &format!("tanks/{number:02}"));
        }
    }
    let plant = diary.plant();
    assert_eq!(plant.annunciations, 78);
    assert_eq!(plant.top_ten.len(), 10);
    assert_eq!(plant.top_ten[0].alarm, "tanks/00");
    assert_eq!(plant.top_ten[0].annunciations, 12);
    // 12 + 11 + ... + 3 = 75 of 78.
    let share = plant.top_ten_percent.unwrap();
    assert!((share - 7_500.0 / 78.0).abs() < 1e-9);
}

#[test]
fn a_clock_that_was_set_back_is_noticed() {
    let mut diary = Diary::default();
    for number in 0..9 {
        diary.raise(10_000 + number, &format!("tanks/{number}"));
    }
    // The clock goes back by an hour: nine more look as if they had come before those.
    for number in 0..9 {
        diary.raise(6_400 + number, &format!("valves/{number}"));
    }
    let report = diary.report_of("", 10);
    assert_eq!(report.groups[0].annunciations, 18);
    assert_eq!(report.groups[0].floods, 0);
    assert_eq!(report.left_out.out_of_order, 9);
}

#[test]
fn a_short_period_says_that_it_is_short() {
    let report = Diary::default().report_of("", 10);
    assert!(!report.period.long_enough);
    assert!(report.notes[0].contains("30"), "{:?}", report.notes);
    assert!(Diary::default().report_of("", 30).period.long_enough);
}

#[test]
fn lines_about_conditions_of_which_no_alarm_stands_count_as_silences_alone() {
    let mut diary = Diary::default();
    // Shelved while it is normal, and a raise that its on-delay withheld: neither has a number.
    diary.about(
        "tanks/high",
        100,
        "shelved",
        json!({ "state": "A", "priority": null }),
    );
    diary.about(
        "tanks/high",
        200,
        "not raised",
        json!({ "message": "words" }),
    );
    let report = diary.report_of("", 10);
    let plant = &report.groups[0];
    assert_eq!(plant.silences.shelved, 1);
    assert_eq!((plant.activations, plant.annunciations), (0, 0));
    assert_eq!(report.left_out.unreadable, 0);
}

#[test]
fn lines_that_cannot_be_understood_are_counted() {
    let mut diary = Diary::default();
    diary.raise(0, "tanks/a");
    diary.edit(|data| data["state"] = json!(null));
    diary.raise(10, "tanks/b");
    diary.edit(|data| *data = json!("no record at all"));
    diary.raise(20, "tanks/c");
    let report = diary.report_of("", 10);
    assert_eq!(report.groups[0].activations, 1);
    assert_eq!(report.left_out.unreadable, 2);
}

#[test]
fn a_clock_that_was_ahead_at_the_first_line_does_not_shorten_the_time() {
    let mut diary = Diary::default();
    diary.raise(2 * DAY, "tanks/a");
    // The host was started with its clock a week ahead, then the clock was set.
    let ahead = diary.report_since("", 10, Some(9 * DAY));
    assert!((ahead.period.days - 8.0).abs() < 1e-9, "{:?}", ahead.period);
    let right = diary.report_since("", 10, Some(DAY));
    assert!((right.period.days - 9.0).abs() < 1e-9, "{:?}", right.period);
}
