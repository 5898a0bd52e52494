//! Suppression by design, the loss of a device, and first-out.

use std::collections::BTreeSet;
use std::time::Duration;

use andon_model::{Acknowledgement, AlarmState, Mark, Priority, Quality};
use proptest::prelude::*;
use serde_json::json;

use crate::plant::{LOST, Plant, request};

fn trip() -> Plant {
    Plant::new(json!({ "suppressions": [{
        "name": "trip",
        "when": { "instance": "trips" },
        "suppresses": [{ "instance": "tanks", "priority_max": "high" }, { "instance": "trips" }],
        "reason": "the line stands",
        "delay_off": "30s",
    }] }))
}

#[test]
fn an_alarm_silences_others_while_it_is_active() {
    let mut plant = trip();
    plant.raise("tanks", "before");
    plant.raise("trips", "main");
    plant.raise("tanks", "during");
    plant.raise_at("tanks", "urgent", Priority::Critical);
    plant.raise("pumps", "other");
    assert_eq!(
        plant.suppressed_by("tanks", "before").as_deref(),
        Some("trip")
    );
    assert_eq!(
        plant.suppressed_by("tanks", "during").as_deref(),
        Some("trip")
    );
    assert_eq!(
        plant.suppressed_by("trips", "main"),
        None,
        "never what it looks at"
    );
    assert_eq!(
        plant.told(),
        ["tanks/before", "trips/main", "tanks/urgent", "pumps/other"]
    );
    let record = plant.get("tanks", "during").unwrap();
    assert_eq!(record.flags.letters(), "F");
    let reason = &record.flags.suppressed.as_ref().unwrap().reason;
    assert_eq!(reason, "the line stands");
}

#[test]
fn what_still_holds_after_the_delay_is_told_and_what_is_over_is_not() {
    let mut plant = trip();
    plant.raise("trips", "main");
    plant.raise("tanks", "stays");
    plant.raise("tanks", "goes");
    plant.clear("trips", "main");
    plant.pass_secs(20);
    plant.clear("tanks", "goes");
    plant.pass_secs(9);
    assert_eq!(plant.told(), ["trips/main"]);
    plant.pass_secs(1);
    assert_eq!(plant.told(), ["trips/main", "tanks/stays"]);
    assert_eq!(plant.suppressed_by("tanks", "stays"), None);
}

#[test]
fn a_trip_that_comes_again_within_the_delay_goes_on_silencing() {
    let mut plant = trip();
    plant.raise("trips", "main");
    plant.raise("tanks", "level");
    for _ in 0..3 {
        plant.clear("trips", "main");
        plant.pass_secs(29);
        plant.raise("trips", "main");
    }
    plant.pass_secs(100);
    assert!(!plant.told().contains(&"tanks/level".to_owned()));
}

#[test]
fn a_restart_neither_lets_alarms_out_nor_keeps_them_in() {
    let mut plant = trip();
    plant.raise("trips", "main");
    plant.raise("tanks", "level");
    plant.restart_and_read();
    plant.pass_secs(100);
    assert_eq!(
        plant.suppressed_by("tanks", "level").as_deref(),
        Some("trip")
    );
    plant.clear("trips", "main");
    plant.pass_secs(20);
    plant.restart_and_read();
    plant.pass_secs(9);
    assert_eq!(plant.told(), ["trips/main"]);
    plant.pass_secs(1);
    assert_eq!(plant.told(), ["trips/main", "tanks/level"]);
}

#[test]
fn alarms_of_one_moment_are_told_only_if_none_of_them_silences_them() {
    let mut plant = trip();
    let mut events = Vec::new();
    for (instance, key) in [("tanks", "low"), ("trips", "main")] {
        let source = andon_alarms::Source {
            instance,
            ..andon_alarms::Source::host()
        };
        let raise = andon_model::Action::Raise(request(key, Priority::Medium));
        events.extend(plant.book.apply(plant.now, &source, vec![raise]).events);
    }
    plant.settle(events);
    assert_eq!(plant.told(), ["trips/main"]);
}

#[test]
fn the_value_of_a_tag_silences_and_bad_quality_changes_nothing() {
    let mut plant = Plant::new(json!({ "suppressions": [{
        "name": "pump stands",
        "when": { "tag": "pump0.flow", "below": 0.5 },
        "suppresses": [{ "instance": "tanks" }],
        "reason": "no flow without the pump",
    }] }));
    plant.see("pump0.flow", 0.0, Quality::GOOD);
    plant.raise("tanks", "low");
    assert_eq!(
        plant.suppressed_by("tanks", "low").as_deref(),
        Some("pump stands")
    );
    plant.see("pump0.flow", 9.0, Quality::BAD_SENSOR_FAILURE);
    plant.restart();
    plant.pass_secs(100);
    assert!(
        plant.suppressed_by("tanks", "low").is_some(),
        "also over a restart"
    );
    plant.see("pump0.flow", 9.0, Quality::GOOD);
    assert_eq!(plant.told(), ["tanks/low"]);
}

#[test]
fn alarms_of_the_host_are_never_silenced_but_for_devices() {
    let mut plant = Plant::new(json!({ "suppressions": [{
        "name": "everything",
        "when": { "instance": "trips" },
        "suppresses": [{ "instance": "*" }],
        "reason": "quiet",
    }] }));
    plant.raise("trips", "main");
    plant.raise("andon", "contact.anna.unreached");
    plant.raise("andon", "sink.sms.down");
    plant.comm("plc", 1, true);
    let silenced: BTreeSet<String> = plant.suppressed();
    assert_eq!(
        silenced,
        BTreeSet::from(["andon/device.plc.unit1.comm".to_owned()])
    );
}

#[test]
fn a_lost_device_silences_what_begins_because_of_it() {
    let mut plant = Plant::new(json!({}));
    plant.raise("tanks", "tank0.level.high");
    plant.pass_secs(1);
    // The samples come before the host's alarm about the device.
    for tag in ["tank0.level", "tank1.level", "tank2.level", "tank3.level"] {
        plant.see(tag, f64::NAN, LOST);
    }
    plant.raise("tanks", "tank1.level.bad");
    plant.raise("tanks", "all.bad");
    plant.comm("plc", 1, true);
    plant.raise("tanks", "tank2.level.bad");
    plant.see("mean.level", f64::NAN, LOST);
    plant.raise("means", "mean.level.bad");
    plant.raise("pumps", "pump0.flow.bad");
    let by = "device.plc.unit1.comm";
    assert_eq!(
        plant.suppressed_by("tanks", "tank1.level.bad").as_deref(),
        Some(by)
    );
    assert_eq!(
        plant.suppressed_by("means", "mean.level.bad").as_deref(),
        Some(by)
    );
    let told = [
        "tanks/tank0.level.high",
        "andon/device.plc.unit1.comm",
        "pumps/pump0.flow.bad",
    ];
    assert_eq!(plant.told(), told);
    assert_eq!(
        plant.suppressed_by("tanks", "tank0.level.high"),
        None,
        "it stood before"
    );
}

#[test]
fn a_device_that_is_back_lets_out_what_still_holds() {
    let mut plant = Plant::new(json!({}));
    plant.see("tank0.level", f64::NAN, LOST);
    plant.comm("plc", 1, true);
    plant.raise("tanks", "tank0.level.bad");
    plant.raise("tanks", "tank1.level.high");
    plant.pass_secs(600);
    plant.restart();
    plant.pass_secs(600);
    assert_eq!(plant.suppressed().len(), 2);
    // The word that it answers may come before its samples.
    plant.comm("plc", 1, false);
    plant.pass_secs(1);
    plant.see("tank0.level", 7.0, Quality::GOOD);
    plant.clear("tanks", "tank0.level.bad");
    assert_eq!(plant.told(), ["andon/device.plc.unit1.comm"]);
    plant.pass_secs(2);
    assert_eq!(
        plant.told(),
        ["andon/device.plc.unit1.comm", "tanks/tank1.level.high"]
    );
}

#[test]
fn bad_tags_alone_silence_nothing_for_long() {
    let mut plant = Plant::new(json!({}));
    for tag in ["tank0.level", "tank1.level", "tank2.level", "tank3.level"] {
        plant.see(tag, f64::NAN, LOST);
    }
    plant.raise("tanks", "tank0.level.bad");
    plant.pass_secs(10);
    plant.pass_secs(2);
    assert_eq!(
        plant.told(),
        ["tanks/tank0.level.bad"],
        "nobody was told of the device"
    );
}

#[test]
fn an_alarm_of_many_inputs_is_silenced_only_if_all_are_lost() {
    let mut plant = Plant::new(json!({}));
    plant.comm("plc", 2, true);
    plant.raise("pumps", "sum");
    plant.raise("pumps", "pump0.flow.low");
    plant.raise("pumps", "pump1.flow.low");
    assert_eq!(
        plant.suppressed(),
        BTreeSet::from(["pumps/pump0.flow.low".to_owned()])
    );
    plant.comm("far", 1, true);
    plant.raise("pumps", "sum of all");
    assert!(plant.suppressed_by("pumps", "sum of all").is_some());
}

#[test]
fn the_loss_of_a_device_silences_nothing_if_the_settings_say_so() {
    let mut plant = Plant::new(json!({ "comm_loss_inhibits": false }));
    plant.comm("plc", 1, true);
    plant.raise("tanks", "tank0.level.bad");
    assert_eq!(plant.told().len(), 2);
}

fn grouped(suppress_followers: bool) -> Plant {
    Plant::new(json!({ "groups": [{
        "name": "boiler",
        "members": [{ "instance": "boiler" }],
        "suppress_followers": suppress_followers,
    }] }))
}

#[test]
fn the_first_of_a_group_is_marked_until_the_group_is_normal() {
    let mut plant = grouped(false).acknowledged();
    plant.raise("boiler", "water low");
    plant.raise("boiler", "flame out");
    let is_first = |plant: &Plant, key| {
        let record = plant.get("boiler", key).unwrap();
        record.flags.marks.contains(&Mark::FirstOut)
    };
    assert!(is_first(&plant, "water low") && !is_first(&plant, "flame out"));
    assert!(
        plant.said[0].0.record.flags.marks.contains(&Mark::FirstOut),
        "as it is told"
    );
    plant.clear("boiler", "water low");
    plant.restart_and_read();
    plant.raise("boiler", "fan off");
    assert!(!is_first(&plant, "fan off"), "the group was not normal");
    for key in ["flame out", "fan off"] {
        plant.clear("boiler", key);
    }
    let by = Acknowledgement {
        by: "ola".into(),
        at: plant.now,
        how: "sms".into(),
    };
    let events = plant.book.acknowledge_all(None, &by);
    plant.settle(events);
    plant.raise("boiler", "flame out");
    assert!(is_first(&plant, "flame out"));
}

#[test]
fn followers_are_silenced_while_the_first_is_active() {
    let mut plant = grouped(true).acknowledged();
    plant.raise("boiler", "water low");
    plant.raise("boiler", "flame out");
    plant.raise_at("boiler", "pressure", Priority::High);
    assert_eq!(plant.told(), ["boiler/water low", "boiler/pressure"]);
    plant.clear("boiler", "water low");
    assert_eq!(
        plant.told(),
        ["boiler/water low", "boiler/pressure", "boiler/flame out"]
    );
    assert_eq!(
        plant.state("boiler", "water low"),
        AlarmState::ReturnedUnacknowledged
    );
}

/// One thing that happens, by number of the alarm.
#[derive(Debug, Clone, Copy)]
enum Input {
    Raise(usize),
    Clear(usize),
    Pass(u64),
    Restart,
}

const ALARMS: [(&str, &str); 4] = [
    ("trips", "a"),
    ("trips", "b"),
    ("tanks", "c"),
    ("tanks", "d"),
];

proptest! {
    #[test]
    fn an_alarm_is_silenced_just_while_and_shortly_after_a_trip_is_active(
        inputs in prop::collection::vec(
            prop_oneof![
                4 => (0..4_usize).prop_map(Input::Raise),
                4 => (0..4_usize).prop_map(Input::Clear),
                4 => (1..40_u64).prop_map(Input::Pass),
                1 => Just(Input::Restart),
            ],
            1..60,
        ),
    ) {
        let mut plant = trip();
        let mut active = [false; 4];
        // Seconds since the start, and when the last trip ended.
        let (mut clock, mut ended) = (0_u64, None::<u64>);
        for input in inputs {
            let tripped = active[0] || active[1];
            match input {
                Input::Raise(one) => {
                    active[one] = true;
                    plant.raise(ALARMS[one].0, ALARMS[one].1);
                }
                Input::Clear(one) => {
                    active[one] = false;
                    plant.clear(ALARMS[one].0, ALARMS[one].1);
                }
                Input::Pass(secs) => {
                    clock += secs;
                    plant.pass(Duration::from_secs(secs));
                }
                Input::Restart => plant.restart_and_read(),
            }
            if active[0] || active[1] {
                ended = None;
            } else if tripped {
                ended = Some(clock);
            }
            let silences = active[0] || active[1] || ended.is_some_and(|at| clock < at + 30);
            let expected: BTreeSet<String> = [2, 3]
                .into_iter()
                .filter(|one| silences && active[*one])
                .map(|one| format!("{}/{}", ALARMS[one].0, ALARMS[one].1))
                .collect();
            prop_assert_eq!(plant.suppressed(), expected, "after {:?}", input);
        }
    }
}
