//! What `andon check` says of schedules.

use andon_model::{Finding, Severity, Timestamp};

use super::{checked, utc};

fn lines(schedules: &str, now: Option<Timestamp>) -> Vec<String> {
    let (plan, findings) = checked(schedules, &[], now);
    let refused = findings.iter().any(|one| one.severity == Severity::Error);
    assert_eq!(plan.is_none(), refused);
    findings.iter().map(Finding::to_string).collect()
}

#[test]
fn every_problem_of_a_schedule_is_found_at_once_with_its_place_and_a_hint() {
    let found = lines(
        r#"
        [[schedules]]
        name = "ada"
        time_zone = "Europe/Berlin"
        warn_before = "8d"
        holidays = ["25.12.2026"]
        [[schedules.rotations]]
        people = ["adda", "nights", "crew"]
        every = "fortnight"
        starts = "2026-01-05"
        ends = "2026-01-04 08:00"
        on = ["monday..fri", "day"]
        from = "24:00"
        to = "25:00"
        [[schedules.rotations]]
        people = []
        starts = "2026-01-05 08:00"
        ends = "2026-01-05 08:00"
        [[schedules.overrides]]
        from = "2026-01-05 08:00"
        to = "2026-01-04 08:00"
        people = ["ben"]
        [[schedules]]
        name = "nights"
        time_zone = "Europe/Berln"
        [[schedules]]
        name = "crew"
        time_zone = "UTC"
        [[schedules.rotations]]
        people = ["ben"]
        starts = "2026-01-05 08:00"
        holidays = "only"
        [[schedules]]
        name = "empty one"
        time_zone = "UTC"
        "#,
        None,
    );
    let expected = [
        "/schedules/0/name: `ada` is the name of a contact as well (give the schedule a name of its own)",
        "/schedules/0/warn_before: warn_before must be at most 7d (write 24h)",
        "/schedules/0/holidays/0: `25.12.2026` is not a date (write 2026-05-01, 12-25 for each year, or a file.ics)",
        "/schedules/0/rotations/0/people/0: there is no contact or group named `adda` (did you mean `ada`?)",
        "/schedules/0/rotations/0/people/1: `nights` is or holds a schedule, which cannot be on call itself (name contacts, or groups of contacts)",
        "/schedules/0/rotations/0/every: `fortnight` is not a turn (write 12h, day, week, 2 weeks or month, an hour to a year)",
        "/schedules/0/rotations/0/starts: `2026-01-05` is not a local time (write it like 2026-01-05 08:00)",
        "/schedules/0/rotations/0/on/1: `day` is not a day of the week (write mon, tue, wed, thu, fri, sat, sun, or mon..fri)",
        "/schedules/0/rotations/0/to: `25:00` is not a time of the day (write 06:00, 18:30 or 24:00)",
        "/schedules/0/rotations/0/from: a time of the day cannot begin at 24:00 (write 00:00)",
        "/schedules/0/rotations/1/people: nobody is named (name contacts or groups)",
        "/schedules/0/rotations/1/ends: the rotation ends at 2026-01-05T08:00:00 and starts at 2026-01-05T08:00:00 (let it end after it starts)",
        "/schedules/0/overrides/0/to: the override ends at 2026-01-04T08:00:00 and begins at 2026-01-05T08:00:00 (let it end after it begins)",
        "/schedules/1/time_zone: `Europe/Berln` is not a time zone (use a name of the IANA database, such as Europe/Oslo or America/New_York)",
        "/schedules/2/name: `crew` is the name of a group as well (give the schedule a name of its own)",
        "/schedules/2/rotations/0/holidays: the schedule has no holidays (list them: holidays = [\"12-25\", \"2026-05-01\", \"holidays.ics\"])",
        "/schedules/3/name: `empty one` is not a name of a schedule (use 1 to 64 letters, digits and . _ -)",
        "/schedules/3: schedule `empty one` never has anybody on call (add [[schedules.rotations]] or a calendar)",
    ];
    for line in expected {
        assert!(
            found.iter().any(|one| one == line),
            "missing: {line}\n{found:#?}"
        );
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

const WEEKDAYS: &str = r#"
[[schedules]]
name = "days"
time_zone = "Europe/Berlin"
people = 1
[[schedules.rotations]]
people = ["ada"]
starts = "2026-01-01 00:00"
on = ["mon..fri"]
[[schedules.overrides]]
from = "2026-01-10 00:00"
to = "2026-03-01 00:00"
people = ["crew"]
"#;

#[test]
fn gaps_and_overlaps_of_the_next_60_days_are_warnings_by_the_local_clock() {
    let found = lines(WEEKDAYS, Some(utc("2026-01-01T12:00:00Z")));
    assert_eq!(
        found,
        [
            "/schedules/0: nobody is on call by schedule `days` from Sat 2026-01-03 00:00 to Mon 2026-01-05 00:00 (fill it with a rotation or an override, or set gaps = \"allowed\")",
            "/schedules/0: nobody is on call by schedule `days` from Sun 2026-03-01 00:00 to Mon 2026-03-02 00:00 (fill it with a rotation or an override, or set gaps = \"allowed\")",
            "/schedules/0: by schedule `days` all of ada, ben are on call from Sat 2026-01-10 00:00 to Sun 2026-03-01 00:00, and people = 1 (put one source into a higher layer, or raise people)",
        ]
    );
}

#[test]
fn too_few_are_told_as_well() {
    let text = WEEKDAYS
        .replace("people = 1", "people = 2")
        .replace("on = [\"mon..fri\"]", "");
    assert_eq!(
        lines(&text, Some(utc("2026-02-27T12:00:00Z"))),
        [
            "/schedules/0: by schedule `days` only ada is on call from Sun 2026-03-01 00:00 on, for the rest of 60 days, and people = 2 (add a rotation to the same layer, or lower people)"
        ]
    );
}

#[test]
fn many_gaps_are_told_in_few_lines() {
    let text = WEEKDAYS
        .split("[[schedules.overrides]]")
        .next()
        .expect("the rotation");
    let found = lines(text, Some(utc("2026-02-07T12:00:00Z")));
    assert_eq!(found.len(), 6, "{found:#?}");
    assert!(
        found[0].contains("from now to Mon 2026-02-09 00:00"),
        "{}",
        found[0]
    );
    assert!(
        found[5].contains("and 4 times more within 60 days"),
        "{}",
        found[5]
    );
}

#[test]
fn gaps_that_are_allowed_are_not_told() {
    let text = WEEKDAYS.replace("people = 1", "gaps = \"allowed\"");
    assert_eq!(
        lines(&text, Some(utc("2026-01-01T12:00:00Z"))),
        Vec::<String>::new()
    );
}
