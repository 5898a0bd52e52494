//! Calendars in the shapes in which Google Calendar, Outlook and Thunderbird export them.

use andon_model::Severity;
use proptest::prelude::*;

use super::{checked, schedule, told, utc};

const GOOGLE: &str = include_str!("fixtures/google.ics");
const OUTLOOK: &str = include_str!("fixtures/outlook.ics");
/// Rules with their first occurrence and the first twelve days as python-dateutil expands them;
/// a point behind the last says that there are no more until the end of 2034.
const RULES: &str = include_str!("fixtures/rules.txt");
const THUNDERBIRD: &str = include_str!("fixtures/thunderbird.ics");

fn of(zone: &str) -> String {
    format!("[[schedules]]\nname = \"shifts\"\ntime_zone = \"{zone}\"\ncalendar = \"shifts.ics\"\n")
}

/// A calendar with one event of these properties.
fn one_event(properties: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nSUMMARY:ada\n{properties}\nEND:VEVENT\nEND:VCALENDAR\n"
    )
}

/// The beginnings of the shifts of one event within some days, local time of the zone.
fn begins(zone: &str, properties: &str, from: &str, to: &str) -> Vec<String> {
    let schedule = schedule(&of(zone), &[("shifts.ics", &one_event(properties))]);
    schedule
        .stretches(utc(from), utc(to))
        .iter()
        .filter(|one| !one.is_gap())
        .map(|one| schedule.local(one.from))
        .collect()
}

/// What is told of a calendar: line, what is wrong, what to do.
fn told_of(text: &str) -> Vec<String> {
    let (_, findings) = checked(&of("Europe/Berlin"), &[("shifts.ics", text)], None);
    findings
        .into_iter()
        .map(|one| {
            let (file, line) = *one.file.unwrap_or_default();
            let severity = match one.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            format!(
                "{file}:{line}: {severity}: {} ({})",
                one.says,
                one.hint.unwrap_or_default()
            )
        })
        .collect()
}

#[test]
fn an_export_of_google_calendar_is_read() {
    let expected = [
        "2026-03-02T00:00..2026-03-02T17:00 nobody",
        "2026-03-02T17:00..2026-03-03T05:00 ada",
        "2026-03-03T05:00..2026-03-03T17:00 nobody",
        "2026-03-03T17:00..2026-03-04T05:00 ada",
        "2026-03-04T05:00..2026-03-05T19:00 nobody",
        "2026-03-05T19:00..2026-03-06T05:00 ben",
        "2026-03-06T05:00..2026-03-06T23:00 nobody",
        "2026-03-06T23:00..2026-03-08T23:00 cyd",
        "2026-03-08T23:00..2026-03-09T17:00 nobody",
        "2026-03-09T17:00..2026-03-10T05:00 ada",
        "2026-03-10T05:00..2026-03-10T12:00 nobody",
    ];
    for text in [GOOGLE.to_owned(), GOOGLE.replace('\n', "\r\n")] {
        let schedule = schedule(&of("Europe/Berlin"), &[("shifts.ics", &text)]);
        assert_eq!(
            told(&schedule, "2026-03-02T00:00:00Z", "2026-03-10T12:00:00Z"),
            expected
        );
    }
}

#[test]
fn a_series_keeps_its_wall_clock_over_a_change_and_ends_with_until() {
    let schedule = schedule(&of("Europe/Berlin"), &[("shifts.ics", GOOGLE)]);
    assert_eq!(
        told(&schedule, "2026-03-30T00:00:00Z", "2026-03-31T12:00:00Z"),
        [
            "2026-03-30T00:00..2026-03-30T16:00 nobody",
            "2026-03-30T16:00..2026-03-31T04:00 ada",
            "2026-03-31T04:00..2026-03-31T12:00 nobody",
        ]
    );
    let last = schedule.next_change(utc("2026-04-30T12:00:00Z"));
    assert_eq!(last, Some(utc("2026-04-30T16:00:00Z")));
    assert_eq!(schedule.next_change(utc("2026-05-01T12:00:00Z")), None);
}

#[test]
fn what_says_so_is_the_event_with_its_line() {
    let schedule = schedule(&of("Europe/Berlin"), &[("shifts.ics", GOOGLE)]);
    let on_call = schedule.on_call(utc("2026-03-05T20:00:00Z"));
    assert_eq!(
        on_call[0].to_string(),
        "ben is on call by `Night shift` of shifts.ics, line 46 of schedule `shifts` until 2026-03-06T05:00:00.000Z"
    );
}

#[test]
fn an_export_of_outlook_is_read_with_the_zone_that_it_describes() {
    let schedule = schedule(&of("Europe/Oslo"), &[("shifts.ics", OUTLOOK)]);
    assert_eq!(
        told(&schedule, "2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"),
        [
            "2026-01-01T00:00..2026-01-05T07:00 nobody",
            "2026-01-05T07:00..2026-01-05T15:00 ada",
            "2026-01-05T15:00..2026-02-02T07:00 nobody",
            "2026-02-02T07:00..2026-02-02T15:00 ada",
            "2026-02-02T15:00..2026-03-02T07:00 nobody",
            "2026-03-02T07:00..2026-03-02T15:00 ada",
            "2026-03-02T15:00..2026-03-27T23:00 nobody",
            "2026-03-27T23:00..2026-03-28T17:00 ada+cyd",
            "2026-03-28T17:00..2026-03-28T23:00 ada+cyd+ben",
            "2026-03-28T23:00..2026-03-29T04:00 ben",
            "2026-03-29T04:00..2026-04-01T06:00 nobody",
            "2026-04-01T06:00..2026-04-01T14:00 ada",
            "2026-04-01T14:00..2026-06-01T00:00 nobody",
        ]
    );
}

#[test]
fn an_event_that_names_nobody_is_told_with_its_line() {
    assert_eq!(
        told_of(&OUTLOOK.replace("Berg, Ada", "Berg, Adam")),
        [
            "shifts.ics:25: warning: event `First working day` names nobody of [[contacts]], so it is no shift (put a contact's name or display_name into its summary, or invite the contact by an address that it has here)"
        ]
    );
}

#[test]
fn an_export_of_thunderbird_is_read_with_durations_by_the_stop_watch() {
    let schedule = schedule(&of("Europe/Oslo"), &[("shifts.ics", THUNDERBIRD)]);
    assert_eq!(
        told(&schedule, "2026-10-30T00:00:00Z", "2026-11-12T00:00:00Z"),
        [
            "2026-10-30T00:00..2026-10-30T23:00 nobody",
            "2026-10-30T23:00..2026-10-31T11:00 ben",
            "2026-10-31T11:00..2026-11-02T00:00 nobody",
            "2026-11-02T00:00..2026-11-02T12:00 ben",
            "2026-11-02T12:00..2026-11-04T00:00 nobody",
            "2026-11-04T00:00..2026-11-04T12:00 ben",
            "2026-11-04T12:00..2026-11-05T07:00 nobody",
            "2026-11-05T07:00..2026-11-05T15:00 ada+ben",
            "2026-11-05T15:00..2026-11-06T07:00 nobody",
            "2026-11-06T07:00..2026-11-06T08:00 cyd",
            "2026-11-06T08:00..2026-11-11T00:00 nobody",
            "2026-11-11T00:00..2026-11-11T12:00 ben",
            "2026-11-11T12:00..2026-11-12T00:00 nobody",
        ]
    );
}

#[test]
fn rules_give_the_days_that_the_standard_gives() {
    let hour = |start: &str, rule: &str| format!("DTSTART:{start}\nDURATION:PT1H\nRRULE:{rule}");
    let days = |properties: &str, from: &str, to: &str| -> Vec<String> {
        let begins = begins("America/New_York", properties, from, to);
        begins
            .iter()
            .map(|begin| begin.split(' ').nth(1).expect("a date").to_owned())
            .collect()
    };
    let year = ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    let cases: [(&str, &str, &[&str]); 9] = [
        // Weeks that begin on Monday and on Sunday differ where every second one counts.
        (
            "20260804T090000",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
            &["2026-08-04", "2026-08-09", "2026-08-18", "2026-08-23"],
        ),
        (
            "20260804T090000",
            "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
            &["2026-08-04", "2026-08-16", "2026-08-18", "2026-08-30"],
        ),
        (
            "20260904T090000",
            "FREQ=MONTHLY;COUNT=3;BYDAY=1FR",
            &["2026-09-04", "2026-10-02", "2026-11-06"],
        ),
        (
            "20260928T090000",
            "FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=3",
            &["2026-09-28", "2026-10-29", "2026-11-28"],
        ),
        (
            "20260131T090000",
            "FREQ=MONTHLY;COUNT=4",
            &["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31"],
        ),
        (
            "20260213T090000",
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
            &["2026-02-13", "2026-03-13", "2026-11-13"],
        ),
        (
            "20261103T090000",
            "FREQ=YEARLY;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
            &["2026-11-03"],
        ),
        ("20260518T090000", "FREQ=YEARLY;BYDAY=20MO", &["2026-05-18"]),
        (
            "20260130T090000",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;UNTIL=20260401",
            &["2026-01-30", "2026-02-27", "2026-03-31"],
        ),
    ];
    for (start, rule, expected) in cases {
        assert_eq!(days(&hour(start, rule), year.0, year.1), expected, "{rule}");
    }
    let leap = hour("20240229T090000", "FREQ=YEARLY");
    assert_eq!(
        days(&leap, "2024-03-01T00:00:00Z", "2032-12-31T00:00:00Z"),
        ["2028-02-29", "2032-02-29"]
    );
}

#[test]
fn three_hundred_rules_give_the_days_that_another_program_gives() {
    let mut wrong = Vec::new();
    for line in RULES.lines() {
        let mut parts = line.split(' ');
        let mut part = || parts.next().expect("three parts");
        let (rule, start, days) = (part(), part(), part());
        let ends = days.ends_with('.');
        let expected: Vec<&str> = days.trim_end_matches(['.', '+']).split(',').collect();
        let properties = format!("DTSTART:{start}\nDURATION:PT15M\nRRULE:{rule}");
        let begins = begins(
            "UTC",
            &properties,
            "2024-01-01T00:00:00Z",
            "2035-01-01T00:00:00Z",
        );
        let days = begins
            .iter()
            .map(|begin| begin.split(' ').nth(1).expect("a date").replace('-', ""));
        let days: Vec<String> = if ends {
            days.collect()
        } else {
            days.take(12).collect()
        };
        if days != expected {
            wrong.push(format!("{rule} from {start}: {days:?}, not {expected:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        RULES.lines().count(),
        wrong.join("\n")
    );
}

#[test]
fn every_time_that_is_refused_says_its_line_and_what_to_do() {
    let start = "DTSTART:20260105T080000";
    let cases = [
        (
            "DTEND:20260105T090000",
            "3: error: the event has no DTSTART",
        ),
        (
            "DTSTART:2026-01-05",
            "6: error: DTSTART: `2026-01-05` is not a date or a time",
        ),
        (
            "DTSTART;TZID=Mars/Olympus:20260105T080000",
            "6: error: nobody knows the time zone `Mars/Olympus`",
        ),
        (
            &format!("{start}\nDTEND:20260105T070000"),
            "7: error: the event ends at 20260105T070000 and begins",
        ),
        (
            &format!("{start}\nDURATION:12 hours"),
            "7: error: `12 hours` is not a duration",
        ),
        (
            &format!("{start}\nDURATION:P500D"),
            "6: error: the event is longer than 366 days",
        ),
        (
            "what is this",
            "6: error: `what is this` is not `NAME:VALUE`",
        ),
    ];
    assert_told(&cases);
}

#[test]
fn every_recurrence_that_is_refused_says_its_line_and_what_to_do() {
    let start = "DTSTART:20260105T080000";
    let cases: [(&str, &str); 8] = [
        (
            &format!("{start}\nDURATION:PT1H\nRRULE:FREQ=HOURLY"),
            "8: error: FREQ=HOURLY of the rule is not supported",
        ),
        (
            &format!("{start}\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYHOUR=6"),
            "8: error: BYHOUR of the rule is not supported",
        ),
        (
            &format!("{start}\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=9999999"),
            "8: error: COUNT=9999999 is more than",
        ),
        (
            &format!("{start}\nDURATION:PT1H\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2"),
            "8: error: the rule comes to 1 occurrences",
        ),
        (
            &format!("{start}\nDURATION:PT1H\nRRULE:INTERVAL=2"),
            "8: error: the rule has no FREQ",
        ),
        (
            &format!("{start}\nDURATION:PT1H\nEXRULE:FREQ=DAILY"),
            "8: error: EXRULE is not supported",
        ),
        (
            &format!("{start}\nDURATION:PT1H\nRDATE;VALUE=PERIOD:20260106T080000/PT1H"),
            "8: error: a period in RDATE is not supported",
        ),
        (
            &format!("{start}\nDURATION:PT1H\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260106T080000"),
            "8: error: RECURRENCE-ID with RANGE",
        ),
    ];
    assert_told(&cases);
}

/// The properties of the only event begin on line 6.
fn assert_told(cases: &[(&str, &str)]) {
    for (properties, expected) in cases {
        let told = told_of(&one_event(properties));
        let expected = format!("shifts.ics:{expected}");
        assert!(
            told.iter()
                .any(|one| one.starts_with(&expected) && !one.ends_with("()")),
            "{properties}: {told:?}"
        );
    }
}

#[test]
fn files_that_are_no_calendar_are_refused() {
    for (text, expected) in [
        ("", "this is not an iCalendar file"),
        ("<html></html>", "is not `NAME:VALUE`"),
        (
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260105T080000\n",
            "BEGIN:VCALENDAR has no END: the file is cut off",
        ),
        ("BEGIN:VCALENDAR\nEND:VEVENT\n", "END:VEVENT has no BEGIN"),
        (&"BEGIN:X\n".repeat(20), "more than 8 BEGIN"),
    ] {
        let told = told_of(text);
        assert!(
            told.iter().any(|one| one.contains(expected)),
            "{text}: {told:?}"
        );
    }
    let (plan, findings) = checked(&of("Europe/Berlin"), &[], None);
    assert!(plan.is_none());
    assert!(
        findings[0]
            .says
            .contains("cannot read shifts.ics: no such file"),
        "{findings:?}"
    );
}

#[test]
fn a_calendar_that_is_too_large_is_refused() {
    let event = "BEGIN:VEVENT\nDTSTART:20260105T080000\nDURATION:PT1H\nSUMMARY:ada\nEND:VEVENT\n";
    let many = format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", event.repeat(10_001));
    assert!(
        told_of(&many)
            .iter()
            .any(|one| one.contains("more than 10000 events"))
    );
    let long = format!(
        "BEGIN:VCALENDAR\nX-LONG:{}\nEND:VCALENDAR\n",
        "x".repeat(5 << 20)
    );
    assert!(
        told_of(&long)
            .iter()
            .any(|one| one.contains("at most 4194304 are read"))
    );
}

#[test]
fn names_are_found_as_words_and_the_longest_counts() {
    let text = |summary: &str| {
        one_event("DTSTART:20260105T080000\nDURATION:PT1H")
            .replace("SUMMARY:ada", &format!("SUMMARY:{summary}"))
    };
    for (summary, expected) in [
        ("ADA BERG", "ada"),
        ("Pumps/ben/nights", "ben"),
        ("crew + Cyd", "ada+ben+cyd"),
        ("Ada Berg and ben", "ada+ben"),
    ] {
        let schedule = schedule(&of("UTC"), &[("shifts.ics", &text(summary))]);
        assert_eq!(
            told(&schedule, "2026-01-05T08:00:00Z", "2026-01-05T09:00:00Z"),
            [format!("2026-01-05T08:00..2026-01-05T09:00 {expected}")],
            "{summary}"
        );
    }
    for summary in ["Adam", "benjamin", "holidays", ""] {
        assert_eq!(told_of(&text(summary)).len(), 1, "{summary}");
    }
}

proptest! {
    /// Whatever stands in a file: it is read or refused, and questions about it end.
    #[test]
    fn no_calendar_breaks_the_reader(
        source in prop::sample::select(vec![GOOGLE, OUTLOOK, THUNDERBIRD]),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), "[\\PC\n;:,=\"\\\\0-9TZ+-]{0,12}"), 1..6),
    ) {
        let mut text = source.to_owned();
        for (index, put) in cuts {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let at = places[index.index(places.len())];
            let end = (at + 7).min(text.len());
            if text.is_char_boundary(end) {
                text.replace_range(at..end, &put);
            }
        }
        let (plan, findings) = checked(&of("Europe/Berlin"), &[("shifts.ics", &text)], None);
        for finding in &findings {
            prop_assert!(finding.severity == Severity::Warning || finding.hint.is_some());
        }
        if let Some(plan) = plan {
            let schedule = plan.schedule("shifts").expect("the schedule");
            let stretches = schedule.stretches(utc("2026-01-01T00:00:00Z"), utc("2027-01-01T00:00:00Z"));
            prop_assert!(stretches.windows(2).all(|two| two[0].to == two[1].from));
            prop_assert!(stretches.iter().all(|one| one.from < one.to));
        }
    }

    /// A rule asked for a year at a time gives what it gives when it is asked for all at once.
    #[test]
    fn a_rule_gives_the_same_from_wherever_it_is_asked(
        frequency in prop::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
        interval in 1..5_u32,
        part in prop::sample::select(vec![
            "", ";BYDAY=MO,FR", ";BYMONTHDAY=1,15,-1", ";BYMONTH=1,6", ";BYDAY=SA;WKST=SU", ";COUNT=17",
            ";BYMONTH=3;BYMONTHDAY=29", ";UNTIL=20271231T000000Z",
        ]),
        day in 1..29_u32,
    ) {
        let event = one_event(&format!(
            "DTSTART:202501{day:02}T023000\nDURATION:PT6H\nRRULE:FREQ={frequency};INTERVAL={interval}{part}"
        ));
        let schedule = schedule(&of("Europe/Berlin"), &[("shifts.ics", &event)]);
        let whole = schedule.stretches(utc("2025-01-01T00:00:00Z"), utc("2029-01-01T00:00:00Z"));
        for one in whole.iter().take(200) {
            let middle = one.from.plus(one.to.since(one.from) / 2);
            let people = |duties: &[andon_routing::OnDuty]| duties.len();
            prop_assert_eq!(people(&schedule.on_call(middle)), people(&one.on_duty));
            prop_assert_eq!(people(&schedule.on_call(one.from)), people(&one.on_duty));
        }
    }
}
