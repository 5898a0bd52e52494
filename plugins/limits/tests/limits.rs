//! The rule on the bench: limits, deadband, delays, bad quality, memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that goes wrong must fail loudly, also in what its tests share"
)]

use andon_plugin::prelude::*;
use limits::Limits;

fn bench(parameters: serde_json::Value) -> RuleBench<Limits> {
    RuleBench::new(parameters)
        .typed_input("inputs", "tank1.level", "f64", Some("%"))
        .input("inputs", "tank2.level")
        .start()
        .unwrap()
}

fn declined(parameters: serde_json::Value) -> String {
    match RuleBench::<Limits>::new(parameters)
        .input("inputs", "a")
        .start()
    {
        Ok(_) => panic!("the parameters were taken"),
        Err(failure) => failure.message,
    }
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn raises_beyond_a_limit_and_says_tag_value_unit_and_limit() {
    let mut bench = bench(json!({ "high": 80.0 }));
    bench.set("tank1.level", 80.0);
    assert_eq!(bench.lines(), [""; 0]);
    bench.set("tank1.level", 80.5);
    bench.set("tank2.level", 99.0);
    assert_eq!(
        bench.lines(),
        [
            "raise tank1.level.high high: tank1.level high: 80.5 % is above 80 %",
            "raise tank2.level.high high: tank2.level high: 99 is above 80",
        ]
    );
    bench.set("tank1.level", 81.0);
    assert_eq!(bench.lines(), [""; 0], "a raised alarm is not raised again");
}

#[test]
fn all_four_levels_stand_side_by_side_with_their_own_priorities() {
    let mut bench = bench(json!({
        "low_low": 5, "low": 10, "high": { "limit": 80, "priority": "low" }, "high_high": 90,
    }));
    bench.set("tank1.level", 95.0);
    bench.set("tank2.level", 1.0);
    assert_eq!(
        bench.lines(),
        [
            "raise tank1.level.high low: tank1.level high: 95 % is above 80 %",
            "raise tank1.level.high-high critical: tank1.level high high: 95 % is above 90 %",
            "raise tank2.level.low-low critical: tank2.level low low: 1 is below 5",
            "raise tank2.level.low high: tank2.level low: 1 is below 10",
        ]
    );
}

#[test]
fn clears_only_after_the_deadband_is_left() {
    let mut bench = bench(json!({ "high": 80, "low": 20, "deadband": 5 }));
    bench.set("tank1.level", 81.0);
    bench.run();
    bench.set("tank1.level", 75.1);
    assert_eq!(bench.lines(), [""; 0]);
    bench.set("tank1.level", 75.0);
    assert_eq!(bench.lines(), ["clear tank1.level.high"]);
    bench.set("tank1.level", 19.0);
    bench.run();
    bench.set("tank1.level", 24.9);
    assert_eq!(bench.lines(), [""; 0]);
    bench.set("tank1.level", 25.0);
    assert_eq!(bench.lines(), ["clear tank1.level.low"]);
}

#[test]
fn the_deadband_does_not_keep_an_on_delay_alive() {
    let mut bench = bench(json!({ "high": 80, "deadband": 5, "on_delay": "10s" }));
    bench.set("tank1.level", 81.0);
    bench.run();
    bench.set("tank1.level", 79.0);
    bench.run();
    assert_eq!(bench.advance(secs(60)), [""; 0]);
}

#[test]
fn delays_run_without_further_samples() {
    let mut bench = bench(json!({ "high": 80, "on_delay": "60s", "off_delay": "30s" }));
    bench.set("tank1.level", 81.0);
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.advance(secs(59)), [""; 0]);
    assert_eq!(
        bench.advance(secs(1)),
        ["raise tank1.level.high high: tank1.level high: 81 % is above 80 %"]
    );
    bench.set("tank1.level", 70.0);
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.advance(secs(30)), ["clear tank1.level.high"]);
    assert_eq!(bench.wake_at(), None);
}

#[test]
fn bad_quality_neither_starts_nor_finishes_a_delay() {
    let mut bench = bench(json!({ "high": 80, "on_delay": "60s" }));
    bench.set_quality("tank1.level", 99.0, Quality::BAD);
    bench.run();
    assert_eq!(bench.advance(secs(120)), [""; 0]);
    bench.set("tank1.level", 81.0);
    bench.run();
    bench.set_quality("tank1.level", 0.0, Quality::BAD_COMM_FAILURE);
    bench.run();
    assert_eq!(bench.advance(secs(120)), [""; 0]);
    bench.set("tank1.level", 82.0);
    assert_eq!(
        bench.lines(),
        ["raise tank1.level.high high: tank1.level high: 82 % is above 80 %"]
    );
    bench.set_quality("tank1.level", 0.0, Quality::BAD);
    assert_eq!(bench.lines(), [""; 0], "a bad sample clears nothing");
}

#[test]
fn bad_quality_can_force_the_alarm_or_be_ignored() {
    let mut forced = bench(json!({ "high": 80, "on_bad_quality": "force" }));
    forced.set("tank1.level", 50.0);
    forced.run();
    forced.set_quality("tank1.level", 50.0, Quality::BAD_COMM_FAILURE);
    assert_eq!(
        forced.lines(),
        [
            "raise tank1.level.high high: tank1.level high: its quality is \
             bad: communication failure, last value 50 %"
        ]
    );
    forced.set("tank1.level", 50.0);
    assert_eq!(forced.lines(), ["clear tank1.level.high"]);
    let mut ignored = bench(json!({ "high": 80, "on_bad_quality": "ignore" }));
    ignored.set_quality("tank1.level", 81.0, Quality::BAD);
    assert_eq!(ignored.run().len(), 1);
}

#[test]
fn a_value_that_is_no_number_changes_nothing() {
    let mut bench = bench(json!({ "high": 80, "low": 10 }));
    bench.set("tank1.level", f64::NAN);
    assert_eq!(bench.lines(), [""; 0]);
    bench.set("tank1.level", 81.0);
    bench.run();
    bench.set("tank1.level", f64::NAN);
    assert_eq!(bench.lines(), [""; 0]);
    bench.set("tank1.level", f64::INFINITY);
    assert_eq!(bench.lines(), [""; 0]);
}

#[test]
fn a_restart_neither_starts_a_delay_again_nor_raises_a_raised_alarm_again() {
    let mut bench = bench(json!({ "high": 80, "on_delay": "60s" }));
    bench.set("tank1.level", 81.0);
    bench.run();
    assert_eq!(bench.advance(secs(40)), [""; 0]);
    bench.restart().unwrap();
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.advance(secs(20)).len(), 1);
    bench.restart().unwrap();
    assert_eq!(bench.lines(), [""; 0]);
    bench.set("tank1.level", 50.0);
    assert_eq!(bench.lines(), ["clear tank1.level.high"]);
    assert!(
        bench.state().is_empty(),
        "nothing is remembered of what is normal"
    );
}

#[test]
fn samples_that_change_nothing_write_no_state() {
    let mut bench = bench(json!({ "high": 80, "on_delay": "60s" }));
    bench.set("tank1.level", 50.0);
    bench.run();
    assert!(bench.state().is_empty());
    bench.set("tank1.level", 81.0);
    bench.run();
    let state = bench.state();
    assert_eq!(state.len(), 1);
    bench.advance(secs(1));
    bench.set("tank1.level", 82.0);
    bench.run();
    assert_eq!(bench.state(), state);
}

#[test]
fn the_message_can_be_written_by_the_one_who_configures() {
    let mut bench =
        bench(json!({ "high": 80, "message": "{tag} {side} {limit} ({level}): {value}" }));
    bench.set("tank1.level", 81.25);
    assert_eq!(
        bench.lines(),
        ["raise tank1.level.high high: tank1.level above 80 % (high): 81.25 %"]
    );
}

#[test]
fn nonsense_parameters_are_declined_with_their_name() {
    assert!(declined(json!({})).contains("no limit is given"));
    assert!(declined(json!({ "high": "80" })).starts_with("parameter `high`: invalid type"));
    assert!(
        declined(json!({ "high": 1, "deadband": -1 })).starts_with("parameter `deadband` is -1")
    );
    assert_eq!(
        declined(json!({ "low": 80, "high": 20 })),
        "parameter `high` is 20: it must be more than `low`, which is 80"
    );
    assert_eq!(
        declined(json!({ "low": 10, "high": 20, "deadband": 10 })),
        "parameter `deadband` is 10: it must be less than 10, the distance from `low` to `high`"
    );
    let message = declined(json!({ "high": { "limit": 1, "prio": "low" } }));
    assert!(
        message.contains("high.prio") && message.contains("unknown field"),
        "{message}"
    );
    assert!(declined(json!({ "high": 1, "message": "{vlaue}" })).contains("{value}"));
}

#[test]
fn a_tag_that_is_bound_twice_is_declined() {
    let twice = RuleBench::<Limits>::new(json!({ "high": 1 }))
        .input("inputs", "a")
        .input("inputs", "a")
        .start();
    assert!(twice.is_err_and(|failure| failure.message.contains("`a.high`")));
}

#[test]
fn an_alarm_of_a_limit_that_was_taken_out_is_cleared() {
    let state = {
        let mut bench = bench(json!({ "high": 80, "low": 10 }));
        bench.set("tank1.level", 81.0);
        bench.run();
        bench.raw_state()
    };
    let mut bench = RuleBench::<Limits>::new(json!({ "low": 10 }))
        .with_state(state)
        .input("inputs", "tank1.level")
        .start()
        .unwrap();
    assert_eq!(bench.lines(), ["clear tank1.level.high"]);
    assert!(bench.state().is_empty());
}

#[test]
fn the_description_lists_every_parameter() {
    let description = RuleBench::<Limits>::description();
    let properties = description["parameters"]["properties"].as_object().unwrap();
    for name in [
        "low_low",
        "low",
        "high",
        "high_high",
        "deadband",
        "on_delay",
        "message",
    ] {
        assert!(properties.contains_key(name), "{name}");
    }
    assert_eq!(description["parameters"]["additionalProperties"], false);
    assert_eq!(description["inputs"][0]["many"], true);
}
