//! What deciding who is told of new alarms costs the desk, with two people each: a thousand in a
//! small plant, and a thousand and ten thousand among 500 people and 250 routes. It shows where work
//! grows faster than the alarms: ten times as many may cost little more than ten times. Prints lines
//! `NAME VALUE UNIT`; `cargo xtask bench` reads them.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench measures with the real clock and prints"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use andon_model::{
    AlarmEvent, AlarmFlags, AlarmId, AlarmRecord, AlarmState, Labels, OccurrenceId, Priority,
    Reason, ShortCode, Timestamp, Transition, Why,
};
use andon_routing::{AddressForm, Desk, KnownSink, PeopleSettings, RoutingPlan, check};

const ALARMS: u64 = 1_000;

/// Measurements of which the median is taken.
const ROUNDS: u64 = 21;

const PEOPLE: &str = r#"
[[contacts]]
name = "anna"
phone = "+4790000001"
channels = ["smsc", "twilio"]

[[contacts]]
name = "bo"
phone = "+4790000002"
channels = ["smsc", "twilio"]

[[routes]]
name = "dosing"
labels = { area = "dosing" }
to = ["bo"]

[[routes]]
name = "tanks"
labels = { instance = "tank*" }
priority = "medium"
to = ["anna", "bo"]

[routing]
fallback = ["anna"]
"#;

fn main() {
    let small = plan(PEOPLE);
    let large = plan(&many());
    println!("desk_tell_1000 {:.2} ms", median(&small, ALARMS, ROUNDS));
    let thousand = median(&large, ALARMS, ROUNDS);
    let ten_thousand = median(&large, 10 * ALARMS, 5);
    println!("desk_tell_1000_to_500 {thousand:.2} ms");
    println!("desk_tell_10000_to_500 {ten_thousand:.2} ms");
    println!("desk_tell_growth {:.2} times", ten_thousand / thousand);
}

/// 500 people, two for each of 250 areas.
fn many() -> String {
    let mut text = String::new();
    for number in 0..500 {
        text.push_str(&format!(
            "[[contacts]]\nname = \"p{number}\"\nphone = \"+4790000{number:03}\"\nchannels = [\"smsc\", \"twilio\"]\n"
        ));
    }
    for area in 0..250 {
        text.push_str(&format!(
            "[[routes]]\nname = \"a{area}\"\nlabels = {{ area = \"a{area}\" }}\nto = [\"p{}\", \"p{}\"]\n",
            2 * area,
            2 * area + 1
        ));
    }
    text.push_str("[routing]\nfallback = [\"p0\", \"p1\"]\n");
    text
}

/// Milliseconds for so many alarms.
fn median(plan: &Arc<RoutingPlan>, alarms: u64, rounds: u64) -> f64 {
    let now = Timestamp::from_secs(1_700_000_000);
    let mut millis = Vec::new();
    for round in 0..rounds {
        let events: Vec<AlarmEvent> = (0..alarms)
            .map(|alarm| raised(round * alarms + alarm + 1, now))
            .collect();
        let (mut desk, _) = Desk::restore(Arc::clone(plan), Vec::new(), &[], &[], now);
        let began = Instant::now();
        let mut rows = 0;
        for event in &events {
            rows += black_box(desk.on_alarm(event, now)).deliveries.len();
        }
        millis.push(began.elapsed().as_secs_f64() * 1e3);
        assert_eq!(rows as u64, 2 * alarms);
    }
    millis.sort_by(f64::total_cmp);
    millis[millis.len() / 2]
}

fn plan(people: &str) -> Arc<RoutingPlan> {
    let settings: PeopleSettings = toml::from_str(people).unwrap();
    let sinks = ["smsc", "twilio"].map(|name| KnownSink {
        name: name.to_owned(),
        address: AddressForm::Phone,
    });
    Arc::new(
        check(&settings, &sinks)
            .0
            .expect("people as they should be"),
    )
}

fn raised(number: u64, at: Timestamp) -> AlarmEvent {
    AlarmEvent {
        transition: Transition::Raised,
        record: AlarmRecord {
            id: AlarmId::new("tanks", format!("tank{number}.level.high")),
            occurrence: OccurrenceId(number),
            code: ShortCode::from_number(number, 2),
            state: AlarmState::Unacknowledged,
            priority: Priority::High,
            message: format!("Tank {number}: level is 93.2 %, above 90 %"),
            labels: Labels::from([
                ("instance".to_owned(), "tanks".to_owned()),
                ("area".to_owned(), format!("a{}", number % 250)),
            ]),
            raised_at: at,
            changed_at: at,
            cleared_at: None,
            acknowledged: None,
            raises: 1,
            test: false,
            flags: AlarmFlags::default(),
        },
        at,
        why: Why::new(Reason::FirstRaise, "the condition began to hold"),
    }
}
