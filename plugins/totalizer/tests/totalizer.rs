//! The function on the bench.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that goes wrong must fail loudly, also in what its tests share"
)]

use andon_plugin::prelude::*;
use totalizer::Totalizer;

fn bench(parameters: serde_json::Value) -> FunctionBench<Totalizer> {
    FunctionBench::new(parameters)
        .typed_input("rate", "flow", "f32", Some("l/min"))
        .typed_input("reset", "reset", "bool", None)
        .start()
        .unwrap()
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn total(outputs: &[OutputSample]) -> f64 {
    let total = outputs.last().expect("there is an output").value;
    (total * 1e6).round() / 1e6
}

#[test]
fn counts_a_rate_that_stands_without_further_samples() {
    let mut bench = bench(json!({ "per": "minute" }));
    bench.set("flow", 6.0);
    assert_eq!(total(&bench.run()), 0.0);
    assert_eq!(total(&bench.advance(secs(100))), 10.0);
    bench.set("flow", 0.0);
    bench.run();
    bench.advance(secs(3600));
    bench.set("flow", 12.0);
    bench.run();
    assert_eq!(total(&bench.advance(secs(10))), 12.0);
}

#[test]
fn the_unit_of_time_and_the_factor_count() {
    for (per, expected) in [("second", 36.0), ("minute", 0.6), ("hour", 0.01)] {
        let mut bench = bench(json!({ "per": per, "factor": 0.001 }));
        bench.set("flow", 3600.0);
        bench.run();
        assert_eq!(total(&bench.advance(secs(10))), expected, "{per}");
    }
}

#[test]
fn nothing_is_counted_while_the_rate_is_bad_and_the_total_is_uncertain() {
    let mut bench = bench(json!({ "per": "second" }));
    bench.set("flow", 1.0);
    bench.run();
    bench.advance(secs(10));
    bench.set_quality("flow", 1.0, Quality::BAD);
    let outputs = bench.run();
    assert_eq!(outputs.last().unwrap().quality, Quality::UNCERTAIN);
    bench.advance(secs(100));
    bench.set("flow", 1.0);
    let outputs = bench.run();
    assert_eq!((total(&outputs), outputs[0].quality), (10.0, Quality::GOOD));
}

#[test]
fn a_negative_rate_counts_only_where_it_is_asked_for() {
    for (count_down, expected) in [(false, 0.0), (true, -10.0)] {
        let mut bench = bench(json!({ "per": "second", "count_down": count_down }));
        bench.set("flow", -1.0);
        let mut outputs = bench.run();
        outputs.extend(bench.advance(secs(10)));
        assert_eq!(total(&outputs), expected);
    }
}

#[test]
fn the_rising_edge_of_reset_sets_the_total_back() {
    let mut bench = bench(json!({ "per": "second", "initial": 5 }));
    bench.set("flow", 1.0);
    bench.set("reset", 0.0);
    assert_eq!(total(&bench.run()), 5.0);
    bench.advance(secs(10));
    bench.set("reset", 1.0);
    assert_eq!(total(&bench.run()), 5.0);
    assert_eq!(total(&bench.advance(secs(10))), 15.0);
    bench.restart().unwrap();
    assert_eq!(total(&bench.run()), 15.0, "the same edge is not seen twice");
    assert!(bench.log().iter().any(|(_, line)| line == "reset at 15"));
}

#[test]
fn a_restart_goes_on_and_counts_a_short_gap() {
    let mut bench = bench(json!({ "per": "second", "max_gap": "30s" }));
    bench.set("flow", 1.0);
    bench.run();
    bench.advance(secs(25));
    bench.restart().unwrap();
    assert_eq!(total(&bench.run()), 25.0);
}

#[test]
fn a_long_gap_is_not_counted() {
    let mut bench =
        bench(json!({ "per": "second", "update": "1h", "save": "1h", "max_gap": "30s" }));
    bench.set("flow", 1.0);
    bench.run();
    bench.advance(secs(31));
    bench.restart().unwrap();
    assert_eq!(total(&bench.run()), 0.0);
    bench.set("flow", 2.0);
    bench.run();
    bench.advance(secs(3));
    assert_eq!(total(&bench.run()), 6.0);
}

#[test]
fn a_rest_writes_no_state() {
    let mut bench = bench(json!({ "per": "second" }));
    bench.set("flow", 0.0);
    bench.run();
    bench.advance(secs(100));
    let state = bench.state();
    bench.advance(secs(1000));
    assert_eq!(bench.state(), state);
    assert_eq!(bench.wake_at(), None);
}

#[test]
fn an_absurd_rate_leaves_the_total_finite() {
    let mut bench = bench(json!({ "per": "second" }));
    bench.set("flow", f64::MAX);
    bench.run();
    let outputs = bench.advance(secs(100));
    assert!(outputs.iter().all(|output| output.value.is_finite()));
    bench.set("flow", f64::NAN);
    bench.run();
}

#[test]
fn the_unit_of_time_must_be_given() {
    let bench = FunctionBench::<Totalizer>::new(json!({}))
        .input("rate", "a")
        .start();
    let message = bench.err().unwrap().message;
    assert!(
        message.starts_with("parameter `per`: missing field `per`"),
        "{message}"
    );
}
