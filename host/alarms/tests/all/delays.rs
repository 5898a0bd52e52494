//! On-delay and off-delay at the host.

use std::collections::BTreeMap;

use andon_alarms::InstanceDelays;
use andon_model::{Action, AlarmState, DurationText, Priority, Quality, Reason};
use proptest::prelude::*;
use serde_json::json;

use crate::plant::{Plant, request};

const KEY: &str = "tank0.level.high";

fn delayed(on: &str, off: &str) -> Plant {
    Plant::new(json!({ "conditions": [{ "on_delay": on, "off_delay": off }] }))
}

#[test]
fn a_raise_is_an_alarm_once_it_held_for_its_on_delay() {
    let mut plant = delayed("10s", "0s");
    plant.raise("tanks", KEY);
    plant.pass_secs(9);
    assert_eq!(plant.state("tanks", KEY), AlarmState::Normal);
    plant.raise("tanks", KEY);
    plant.pass_secs(1);
    assert!(plant.is_active("tanks", KEY));
    let (event, _) = &plant.said[0];
    assert_eq!(event.why.reason, Reason::OnDelay);
    assert_eq!(
        event.why.detail,
        "the condition held for 10s, its on-delay is 10s"
    );
    assert_eq!(plant.rows(), 1, "only the scope of floods is left");
}

#[test]
fn a_clear_within_the_on_delay_takes_the_raise_back() {
    let mut plant = delayed("10s", "0s");
    plant.raise("tanks", KEY);
    plant.pass_secs(9);
    plant.clear("tanks", KEY);
    plant.pass_secs(60);
    assert_eq!(plant.said, []);
    let line = &plant.journal[0];
    assert_eq!(
        (line.event.as_str(), line.subject.as_str()),
        ("not raised", "tanks/tank0.level.high")
    );
    assert_eq!(
        line.why.detail,
        "the condition held for 9s of its on-delay of 10s"
    );
    assert_eq!(plant.rows(), 0);
}

#[test]
fn raises_that_come_to_nothing_are_journalled_with_their_number() {
    let mut plant = delayed("10s", "0s");
    for _ in 0..200 {
        plant.raise("tanks", KEY);
        plant.pass_secs(5);
        plant.clear("tanks", KEY);
        plant.pass_secs(5);
    }
    assert_eq!(
        plant.journal.len(),
        4,
        "one in ten minutes: {:?}",
        plant.journal
    );
}

#[test]
fn an_alarm_is_over_once_its_condition_was_gone_for_its_off_delay() {
    let mut plant = delayed("0s", "30s");
    plant.raise("tanks", KEY);
    for _ in 0..5 {
        plant.clear("tanks", KEY);
        plant.pass_secs(29);
        plant.raise("tanks", KEY);
    }
    assert!(plant.is_active("tanks", KEY));
    plant.clear("tanks", KEY);
    plant.pass_secs(15);
    plant.clear("tanks", KEY);
    plant.pass_secs(15);
    assert_eq!(plant.state("tanks", KEY), AlarmState::Normal);
    assert_eq!(plant.told(), ["tanks/tank0.level.high"]);
    let (event, _) = plant.said.last().unwrap();
    assert_eq!(event.why.reason, Reason::OffDelay);
}

#[test]
fn a_restart_ends_a_delay_when_it_would_have_ended() {
    let mut plant = delayed("60s", "60s");
    plant.raise("tanks", KEY);
    plant.pass_secs(40);
    plant.restart_and_read();
    plant.pass_secs(19);
    assert!(!plant.is_active("tanks", KEY));
    plant.pass_secs(1);
    assert!(plant.is_active("tanks", KEY), "the delay is not begun anew");
    plant.clear("tanks", KEY);
    plant.pass_secs(40);
    plant.restart_and_read();
    plant.pass_secs(19);
    assert!(plant.is_active("tanks", KEY));
    plant.pass_secs(1);
    assert!(!plant.is_active("tanks", KEY));
}

#[test]
fn a_delay_that_ended_while_the_host_was_away_waits_for_a_first_sample() {
    let mut plant = delayed("60s", "0s");
    plant.raise("tanks", KEY);
    plant.now = plant.now.plus(std::time::Duration::from_secs(3_600));
    plant.restart();
    plant.pass_secs(5);
    assert!(
        !plant.is_active("tanks", KEY),
        "nobody knows whether it still holds"
    );
    plant.see("tank0.level", 99.0, Quality::GOOD);
    plant.pass_secs(1);
    assert!(plant.is_active("tanks", KEY));
}

#[test]
fn a_delay_does_not_wait_for_ever_for_a_first_sample() {
    let mut plant = delayed("60s", "0s");
    plant.raise("tanks", KEY);
    plant.now = plant.now.plus(std::time::Duration::from_secs(3_600));
    plant.restart();
    plant.pass_secs(30);
    assert!(plant.is_active("tanks", KEY));
}

#[test]
fn bad_quality_neither_starts_nor_ends_a_delay() {
    let mut plant = delayed("10s", "0s");
    plant.see("tank0.level", f64::NAN, Quality::BAD_SENSOR_FAILURE);
    plant.raise("tanks", KEY);
    plant.pass_secs(100);
    assert!(!plant.is_active("tanks", KEY), "it has not started");
    plant.see("tank0.level", 99.0, Quality::GOOD);
    plant.pass_secs(6);
    plant.see("tank0.level", f64::NAN, Quality::BAD_SENSOR_FAILURE);
    plant.pass_secs(100);
    assert!(!plant.is_active("tanks", KEY), "it has not ended");
    plant.see("tank0.level", 99.0, Quality::GOOD);
    plant.pass_secs(1);
    assert!(plant.is_active("tanks", KEY));
}

#[test]
fn bad_quality_of_another_tag_holds_nothing() {
    let mut plant = delayed("10s", "0s");
    plant.see("tank1.level", f64::NAN, Quality::BAD_SENSOR_FAILURE);
    plant.raise("tanks", KEY);
    plant.pass_secs(10);
    assert!(plant.is_active("tanks", KEY));
}

#[test]
fn bad_quality_can_be_told_to_force_or_to_be_ignored() {
    let with = |word: &str| {
        Plant::new(json!({ "conditions": [{ "on_delay": "10s", "on_bad_quality": word }] }))
    };
    let mut forced = with("force");
    forced.see("tank0.level", f64::NAN, Quality::BAD_SENSOR_FAILURE);
    forced.raise("tanks", KEY);
    assert!(forced.is_active("tanks", KEY), "at once");
    let mut ignored = with("ignore");
    ignored.see("tank0.level", f64::NAN, Quality::BAD_SENSOR_FAILURE);
    ignored.raise("tanks", KEY);
    ignored.pass_secs(9);
    assert!(!ignored.is_active("tanks", KEY));
    ignored.pass_secs(1);
    assert!(ignored.is_active("tanks", KEY));
}

#[test]
fn the_first_condition_that_means_an_alarm_counts_and_its_own_file_before_it() {
    let own = InstanceDelays {
        on_delay: Some(DurationText::from_secs(3)),
        off_delay: None,
    };
    let conditions = json!({ "conditions": [
        { "alarms": [{ "key": "*.high", "priority_max": "medium" }], "on_delay": "10s" },
        { "alarms": [{ "instance": "pump*" }, { "key": "*.high" }], "on_delay": "20s" },
    ] });
    let mut plant = Plant::with_own(conditions, BTreeMap::from([("means".into(), own)]));
    plant.raise("tanks", "tank0.level.high");
    plant.raise_at("tanks", "tank1.level.high", Priority::High);
    plant.raise("tanks", "tank2.level.low");
    plant.raise("pumps", "pump0.flow.low");
    plant.raise("means", "mean.level.high");
    let active = |plant: &Plant| -> Vec<String> {
        plant
            .book
            .standing()
            .map(|record| record.id.key.clone())
            .collect()
    };
    assert_eq!(active(&plant), ["tank2.level.low"]);
    plant.pass_secs(3);
    assert_eq!(
        active(&plant),
        ["tank2.level.low"],
        "the mean was never read"
    );
    plant.see("mean.level", 9.0, Quality::GOOD);
    plant.pass_secs(7);
    assert_eq!(
        active(&plant),
        ["tank2.level.low", "mean.level.high", "tank0.level.high"]
    );
    plant.pass_secs(20);
    assert_eq!(active(&plant).len(), 5);
}

#[test]
fn what_a_rule_that_is_gone_was_about_to_raise_comes_to_nothing() {
    let mut plant = delayed("10s", "0s");
    plant.raise("tanks", KEY);
    plant.raise("pumps", "pump0.flow.low");
    let lines = plant.conditions.forget_raises("tanks", plant.now);
    assert_eq!(lines.len(), 1);
    plant.pass_secs(20);
    assert!(!plant.is_active("tanks", KEY));
    assert!(plant.is_active("pumps", "pump0.flow.low"));
}

#[test]
fn a_message_that_is_told_once_is_never_delayed() {
    let mut plant = delayed("10s", "10s");
    plant.act(
        "tanks",
        vec![Action::Notify(request("note", Priority::Low))],
    );
    assert_eq!(plant.told(), ["tanks/note"]);
}

/// What a second does to the plant.
#[derive(Debug, Clone, Copy)]
enum Second {
    Same,
    Other,
    Restart,
}

proptest! {
    #[test]
    fn an_alarm_follows_its_condition_as_a_stopwatch_would(
        seconds in prop::collection::vec(
            prop_oneof![
                6 => Just(Second::Same),
                3 => Just(Second::Other),
                1 => Just(Second::Restart),
            ],
            1..120,
        ),
        on in 0_u64..8,
        off in 0_u64..8,
        acknowledged in any::<bool>(),
    ) {
        let mut plant = delayed(&format!("{on}s"), &format!("{off}s"));
        if acknowledged {
            plant = plant.acknowledged();
        }
        let (mut holds, mut since, mut active) = (false, 0_u64, false);
        for (at, second) in (0_u64..).zip(&seconds) {
            match second {
                Second::Same => {}
                Second::Restart => plant.restart_and_read(),
                Second::Other => {
                    holds = !holds;
                    since = at;
                    if holds {
                        plant.raise("tanks", KEY);
                    } else {
                        plant.clear("tanks", KEY);
                    }
                }
            }
            plant.pass_secs(0);
            if holds != active && at - since >= if holds { on } else { off } {
                active = holds;
            }
            prop_assert_eq!(plant.is_active("tanks", KEY), active, "second {}", at);
            plant.pass(std::time::Duration::from_millis(999));
            plant.now = plant.now.plus(std::time::Duration::from_millis(1));
        }
    }
}
