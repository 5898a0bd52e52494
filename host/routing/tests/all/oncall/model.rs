//! Schedules against a naive model, by minutes or quarters of an hour over years, in zones that move
//! their clocks by an hour, by half an hour and not at all.
//!
//! The model has no turns and no windows. It holds that what counts is the latest time that the
//! clock on the wall has ever shown: a time that was left out was passed by the change, and a time
//! that comes twice was passed the first time. Of that time alone it reckons who is on call.

use std::fmt::Write as _;
use std::time::Duration;

use andon_model::Timestamp;
use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::{schedule, utc};

const ZONES: [&str; 4] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
];
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
struct Rotation {
    layer: u8,
    people: Vec<&'static str>,
    hours: i64,
    starts: DateTime,
    ends: Option<DateTime>,
    days: [bool; 7],
    from: i64,
    to: i64,
    holidays: &'static str,
}

#[derive(Debug, Clone)]
struct Override {
    from: DateTime,
    to: DateTime,
    person: &'static str,
}

#[derive(Debug, Clone)]
struct Plan {
    zone: &'static str,
    rotations: Vec<Rotation>,
    overrides: Vec<Override>,
    holidays: Vec<Date>,
}

fn minutes(from: DateTime, to: DateTime) -> i64 {
    to.duration_since(from).as_secs() / 60
}

impl Rotation {
    fn on_call(&self, shown: DateTime, holidays: &[Date]) -> Option<&'static str> {
        let since = minutes(self.starts, shown);
        if since < 0 || self.ends.is_some_and(|ends| shown >= ends) {
            return None;
        }
        let of_day = i64::from(shown.hour()) * 60 + i64::from(shown.minute());
        let began = |day: Date, minute: i64| {
            let length = if self.to <= self.from {
                self.to + 1_440
            } else {
                self.to
            } - self.from;
            let weekday = usize::try_from(day.weekday().to_monday_zero_offset()).expect("a day");
            let holiday = holidays.contains(&day);
            let counts = match self.holidays {
                "only" => holiday,
                "except" => !holiday,
                _ => true,
            };
            self.days[weekday] && counts && (0..length).contains(&(minute - self.from))
        };
        let yesterday = shown.date().yesterday().expect("a day before");
        let counts = began(shown.date(), of_day) || began(yesterday, of_day + 1_440);
        let turn = since / (self.hours * 60);
        let place = usize::try_from(turn).expect("not negative") % self.people.len();
        counts.then(|| self.people[place])
    }

    fn write(&self, text: &mut String) {
        let time = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let days: Vec<&str> = names
            .iter()
            .zip(self.days)
            .filter_map(|(name, chosen)| chosen.then_some(*name))
            .collect();
        writeln!(
            text,
            "[[schedules.rotations]]\nlayer = {}\npeople = {:?}\nevery = \"{}h\"\nstarts = \"{}\"\n\
             on = {days:?}\nfrom = \"{}\"\nto = \"{}\"\nholidays = \"{}\"",
            self.layer,
            self.people,
            self.hours,
            self.starts,
            time(self.from),
            time(self.to),
            self.holidays
        )
        .expect("a String takes all");
        if let Some(ends) = self.ends {
            writeln!(text, "ends = \"{ends}\"").expect("a String takes all");
        }
    }
}

impl Plan {
    fn text(&self) -> String {
        let holidays: Vec<String> = self.holidays.iter().map(ToString::to_string).collect();
        let mut text = format!(
            "[[schedules]]\nname = \"s\"\ntime_zone = \"{}\"\nholidays = {holidays:?}\n",
            self.zone
        );
        for rotation in &self.rotations {
            rotation.write(&mut text);
        }
        for one in &self.overrides {
            writeln!(
                text,
                "[[schedules.overrides]]\nfrom = \"{}\"\nto = \"{}\"\npeople = [\"{}\"]",
                one.from, one.to, one.person
            )
            .expect("a String takes all");
        }
        text
    }

    /// Who is on call when the clock has shown this.
    fn on_call(&self, shown: DateTime) -> Vec<&'static str> {
        let overriding = self
            .overrides
            .iter()
            .filter(|one| one.from <= shown && shown < one.to);
        let mut people: Vec<&str> = overriding.map(|one| one.person).collect();
        let mut top = None;
        if people.is_empty() {
            for rotation in &self.rotations {
                let Some(person) = rotation.on_call(shown, &self.holidays) else {
                    continue;
                };
                if top.is_none_or(|top| rotation.layer > top) {
                    top = Some(rotation.layer);
                    people.clear();
                }
                if top == Some(rotation.layer) {
                    people.push(person);
                }
            }
        }
        people.sort_unstable();
        people.dedup();
        people
    }

    /// Compares all steps of a time, and single questions here and there.
    fn compare(&self, from: Timestamp, to: Timestamp, step: Duration) {
        let schedule = schedule(&self.text(), &[]);
        let zone = TimeZone::get(self.zone).expect("a zone");
        let local = |at: Timestamp| {
            let moment = jiff::Timestamp::from_nanosecond(i128::from(at.nanos()));
            zone.to_datetime(moment.expect("in range"))
        };
        let stretches = schedule.stretches(from, to);
        let mut coming = stretches.iter().peekable();
        let mut current = coming.next().expect("one at least");
        assert_eq!(
            (current.from, stretches.last().map(|one| one.to)),
            (from, Some(to))
        );
        // The clock of the day before may have shown a later time.
        let mut shown = local(from.minus(MINUTE * 1_440));
        for back in (0..1_440).rev() {
            shown = shown.max(local(from.minus(MINUTE * back)));
        }
        let (mut at, mut count) = (from, 0_u32);
        while at < to {
            shown = shown.max(local(at));
            while let Some(next) = coming.next_if(|next| next.from <= at) {
                assert_eq!(current.to, next.from);
                current = next;
            }
            let mut people: Vec<&str> = current.on_duty.iter().map(|one| &*one.contact).collect();
            people.sort_unstable();
            let expected = self.on_call(shown);
            assert_eq!(
                people,
                expected,
                "{} {at} ({shown})\n{}",
                self.zone,
                self.text()
            );
            // Single moments cost more, so not each of them; 977 is prime, so all times of the day.
            if count.is_multiple_of(977) {
                let mut single: Vec<String> = schedule
                    .on_call(at)
                    .into_iter()
                    .map(|one| one.contact.to_string())
                    .collect();
                single.sort_unstable();
                assert_eq!(single, expected, "{} {at}", self.zone);
                let change = schedule.next_change(at);
                assert!(change.is_none_or(|change| change == current.to || current.to == to));
            }
            at = at.plus(step);
            count += 1;
        }
    }
}

fn local_minute() -> impl Strategy<Value = DateTime> {
    // Often within the night, in which clocks are moved.
    let minute = prop_oneof![0..1_440_i64, 60..240_i64];
    // Mostly before the days that are compared, so that there is something to compare.
    let day = prop_oneof![3 => 0..120_i64, 1 => 0..900_i64];
    (day, minute).prop_map(|(day, minute)| {
        let start: DateTime = "2024-11-01T00:00".parse().expect("a local time");
        start + SignedDuration::from_hours(day * 24) + SignedDuration::from_mins(minute)
    })
}

fn rotation() -> impl Strategy<Value = Rotation> {
    let people = prop::sample::subsequence(vec!["ada", "ben", "cyd"], 1..=3);
    let hours = prop::sample::select(vec![1_i64, 7, 8, 12, 24, 36, 48, 168, 336]);
    let ends = prop::option::weighted(0.2, local_minute());
    let days = prop_oneof![Just([true; 7]), any::<[bool; 7]>()];
    let window = prop_oneof![
        Just((0, 1_440)),
        (0..1_440_i64, 0..=1_440_i64),
        (60..240_i64, 60..240_i64)
    ];
    let holidays = prop::sample::select(vec!["any", "any", "only", "except"]);
    (
        0..3_u8,
        people,
        hours,
        local_minute(),
        ends,
        days,
        window,
        holidays,
    )
        .prop_map(
            |(layer, people, hours, starts, ends, mut days, (from, to), holidays)| {
                if days == [false; 7] {
                    days = [true; 7];
                }
                Rotation {
                    layer,
                    people,
                    hours,
                    starts,
                    ends: ends.filter(|ends| *ends > starts),
                    days,
                    from,
                    to,
                    holidays,
                }
            },
        )
}

fn plan() -> impl Strategy<Value = Plan> {
    let overrides =
        (local_minute(), 1..20_000_i64, 0..3_usize).prop_map(|(from, long, who)| Override {
            from,
            to: from + SignedDuration::from_mins(long),
            person: ["ada", "ben", "cyd"][who],
        });
    let holidays = prop::collection::vec(local_minute().prop_map(|local| local.date()), 1..30);
    (
        prop::sample::select(ZONES.to_vec()),
        prop::collection::vec(rotation(), 1..4),
        prop::collection::vec(overrides, 0..4),
        holidays,
    )
        .prop_map(|(zone, rotations, overrides, holidays)| Plan {
            zone,
            rotations,
            overrides,
            holidays,
        })
}

/// A day of 2025 within a month before which some zone moves its clock, or any other day. Days are
/// counted from 1 January.
fn first_day(zone: &str) -> BoxedStrategy<i64> {
    let near: &[i64] = match zone {
        "Europe/Berlin" => &[70, 280],
        "America/New_York" => &[50, 290],
        "Australia/Lord_Howe" => &[80, 265],
        _ => &[0],
    };
    prop_oneof![
        3 => prop::sample::select(near.to_vec()),
        1 => 0..700_i64
    ]
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_schedule_agrees_with_the_clock_on_the_wall(
        (plan, day) in plan().prop_flat_map(|plan| {
            let day = first_day(plan.zone);
            (Just(plan), day)
        }),
    ) {
        let day = u32::try_from(day).expect("small");
        let from = utc("2025-01-01T00:00:00Z").plus(MINUTE * (day * 1_440));
        plan.compare(from, from.plus(MINUTE * (30 * 1_440)), MINUTE);
    }
}

#[test]
fn three_years_of_shifts_agree_with_the_clock_on_the_wall_in_every_zone() {
    for zone in ZONES {
        let shift = |layer, hours, from, to, holidays| Rotation {
            layer,
            people: vec!["ada", "ben", "cyd"],
            hours,
            starts: "2025-01-01T02:15".parse().expect("a local time"),
            ends: None,
            days: [true, true, false, true, true, true, true],
            from,
            to,
            holidays,
        };
        let plan = Plan {
            zone,
            rotations: vec![
                shift(0, 12, 0, 1_440, "any"),
                shift(1, 168, 22 * 60, 6 * 60, "except"),
                shift(1, 24, 150, 165, "any"),
            ],
            overrides: Vec::new(),
            holidays: vec!["2026-03-29".parse().expect("a date")],
        };
        // All of these shifts change on the quarter.
        let (from, to) = (utc("2024-12-30T00:00:00Z"), utc("2028-01-01T00:00:00Z"));
        plan.compare(from, to, MINUTE * 15);
    }
}
