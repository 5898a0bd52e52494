//! What deciding who is told of a thousand new alarms costs the desk, with two people each. Nothing
//! is promised of it; it shows where work grows faster than the alarms. Prints lines
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
    let plan = plan();
    let now = Timestamp::from_secs(1_700_000_000);
    let mut millis = Vec::new();
    for round in 0..ROUNDS {
        let events: Vec<AlarmEvent> = (0..ALARMS)
            .map(|alarm| raised(round * ALARMS + alarm + 1, now))
            .collect();
        let (mut desk, _) = Desk::restore(Arc::clone(&plan), Vec::new(), &[], &[], now);
        let began = Instant::now();
        let mut rows = 0;
        for event in &events {
            rows += black_box(desk.on_alarm(event, now)).deliveries.len();
        }
        millis.push(began.elapsed().as_secs_f64() * 1e3);
        assert_eq!(rows as u64, 2 * ALARMS);
    }
    millis.sort_by(f64::total_cmp);
    println!("desk_tell_1000 {:.2} ms", millis[millis.len() / 2]);
}

fn plan() -> Arc<RoutingPlan> {
    let settings: PeopleSettings = toml::from_str(PEOPLE).unwrap();
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
            labels: Labels::from([("instance".to_owned(), "tanks".to_owned())]),
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
