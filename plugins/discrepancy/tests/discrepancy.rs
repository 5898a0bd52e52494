//! The rule on the bench: numbers, booleans, delays, bad quality.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that goes wrong must fail loudly, also in what its tests share"
)]

use andon_plugin::prelude::*;
use discrepancy::Discrepancy;

fn bench(kind: &str, parameters: serde_json::Value) -> RuleBench<Discrepancy> {
    RuleBench::new(parameters)
        .typed_input("first", "lt1", kind, Some("m"))
        .typed_input("second", "lt2", kind, Some("m"))
        .start()
        .unwrap()
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn two_numbers_may_differ_by_the_tolerance() {
    let mut bench = bench("f64", json!({ "tolerance": 0.5, "deadband": 0.2 }));
    bench.set("lt1", 3.0);
    assert_eq!(bench.lines(), [""; 0], "the other is not known yet");
    bench.set("lt2", 3.5);
    assert_eq!(bench.lines(), [""; 0]);
    bench.set("lt2", 3.75);
    assert_eq!(
        bench.lines(),
        ["raise lt1.discrepancy high: lt1 is 3 m, but lt2 is 3.75 m (difference 0.75 m)"]
    );
    bench.set("lt2", 3.4);
    assert_eq!(bench.lines(), [""; 0], "within the deadband");
    bench.set("lt2", 3.25);
    assert_eq!(bench.lines(), ["clear lt1.discrepancy"]);
}

#[test]
fn values_of_one_read_are_compared_with_each_other() {
    let mut bench = bench("f64", json!({ "tolerance": 0.5 }));
    bench.set("lt1", 1.0);
    bench.set("lt2", 1.0);
    bench.run();
    bench.set("lt1", 9.0);
    bench.set("lt2", 9.0);
    assert_eq!(bench.lines(), [""; 0]);
}

#[test]
fn the_tolerance_can_be_a_share() {
    let mut bench = bench("f64", json!({ "tolerance_percent": 10 }));
    bench.set("lt1", -100.0);
    bench.set("lt2", -90.0);
    assert_eq!(bench.lines(), [""; 0]);
    bench.set("lt2", -89.0);
    assert_eq!(bench.lines().len(), 1);
}

#[test]
fn a_command_gives_its_feedback_time() {
    let mut bench = bench("bool", json!({ "on_delay": "10s" }));
    bench.set("lt1", 1.0);
    bench.set("lt2", 0.0);
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.advance(secs(9)), [""; 0]);
    assert_eq!(
        bench.advance(secs(1)),
        ["raise lt1.discrepancy high: lt1 is on, but lt2 is off"]
    );
    bench.set("lt2", 1.0);
    assert_eq!(bench.lines(), ["clear lt1.discrepancy"]);
}

#[test]
fn a_normally_closed_feedback_is_inverted() {
    let mut bench = bench("bool", json!({ "inverted": true }));
    bench.set("lt1", 1.0);
    bench.set("lt2", 0.0);
    assert_eq!(bench.lines(), [""; 0]);
    bench.set("lt2", 1.0);
    assert_eq!(bench.lines().len(), 1);
}

#[test]
fn bad_quality_neither_raises_nor_clears() {
    let mut bench = bench("f64", json!({ "tolerance": 1, "on_delay": "10s" }));
    bench.set("lt1", 0.0);
    bench.set("lt2", 9.0);
    bench.run();
    bench.set_quality("lt2", 0.0, Quality::BAD);
    bench.run();
    assert_eq!(bench.advance(secs(60)), [""; 0]);
    bench.set("lt2", 9.0);
    assert_eq!(bench.lines().len(), 1);
    bench.set_quality("lt1", 9.0, Quality::BAD);
    assert_eq!(bench.lines(), [""; 0]);
}

#[test]
fn a_restart_keeps_the_delay_and_the_alarm() {
    let mut bench = bench("bool", json!({ "on_delay": "10s" }));
    bench.set("lt1", 1.0);
    bench.set("lt2", 0.0);
    bench.run();
    bench.advance(secs(5));
    bench.restart().unwrap();
    bench.run();
    assert_eq!(bench.advance(secs(5)).len(), 1);
    bench.restart().unwrap();
    assert_eq!(bench.lines(), [""; 0]);
}

#[test]
fn what_cannot_be_compared_is_declined() {
    let start = |parameters, kind| {
        RuleBench::<Discrepancy>::new(parameters)
            .typed_input("first", "a", "bool", None)
            .typed_input("second", "b", kind, None)
            .start()
            .map(|_| ())
            .map_err(|failure| failure.message)
    };
    assert!(
        start(json!({}), "f32")
            .unwrap_err()
            .contains("one is a boolean")
    );
    assert!(
        start(json!({ "tolerance": -1 }), "bool")
            .unwrap_err()
            .contains("`tolerance` is -1")
    );
    let one = RuleBench::<Discrepancy>::new(json!({}))
        .input("first", "a")
        .start();
    assert!(one.is_err_and(|failure| failure.message.contains("nothing is bound to `second`")));
}
