//! The rule on the bench: rates, windows, silence, restarts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that goes wrong must fail loudly, also in what its tests share"
)]

use andon_plugin::prelude::*;
use rate_of_change::RateOfChange;

fn bench(parameters: serde_json::Value) -> RuleBench<RateOfChange> {
    RuleBench::new(parameters)
        .typed_input("inputs", "oven.temperature", "f32", Some("°C"))
        .start()
        .unwrap()
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Feeds a value, and then lets a second pass.
fn feed(bench: &mut RuleBench<RateOfChange>, values: impl IntoIterator<Item = f64>) -> Vec<String> {
    let mut lines = Vec::new();
    for value in values {
        bench.set("oven.temperature", value);
        lines.extend(bench.lines());
        lines.extend(bench.advance(secs(1)));
    }
    lines
}

#[test]
fn raises_when_the_value_rises_faster_than_the_limit() {
    let mut bench = bench(json!({ "rise": 5 }));
    assert_eq!(
        feed(&mut bench, (0..120).map(|s| f64::from(s) / 12.5)),
        [""; 0],
        "4.8 a minute"
    );
    assert_eq!(
        feed(&mut bench, [16.0]),
        [
            "raise oven.temperature.rise high: oven.temperature rises by 11.2 °C/min, \
          more than 5 °C/min (now 16 °C)"
        ]
    );
}

#[test]
fn a_jump_after_a_long_rest_counts_and_leaves_with_the_window() {
    let mut bench = bench(json!({ "fall": 1, "per": "second", "window": "10s" }));
    bench.set("oven.temperature", 100.0);
    bench.run();
    assert_eq!(bench.advance(secs(3600)), [""; 0]);
    bench.set("oven.temperature", 80.0);
    assert_eq!(
        bench.lines(),
        [
            "raise oven.temperature.fall high: oven.temperature falls by 2 °C/s, \
          more than 1 °C/s (now 80 °C)"
        ]
    );
    assert_eq!(bench.advance(secs(9)), [""; 0]);
    assert_eq!(bench.advance(secs(1)), ["clear oven.temperature.fall"]);
    assert_eq!(bench.wake_at(), None);
}

#[test]
fn the_deadband_counts_once_it_is_raised() {
    let mut bench = bench(json!({ "rise": 10, "deadband": 4, "per": "second", "window": "1s" }));
    bench.set("oven.temperature", 0.0);
    bench.run();
    bench.set("oven.temperature", 11.0);
    assert_eq!(bench.lines().len(), 1);
    bench.set("oven.temperature", 7.0);
    assert_eq!(bench.lines(), [""; 0]);
    bench.set("oven.temperature", 6.0);
    assert_eq!(bench.lines(), ["clear oven.temperature.rise"]);
}

#[test]
fn delays_hold_back_both_edges() {
    let mut bench = bench(json!({
        "rise": 10, "window": "60s", "on_delay": "5s", "off_delay": "10s",
    }));
    bench.set("oven.temperature", 0.0);
    bench.run();
    bench.set("oven.temperature", 20.0);
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.advance(secs(5)).len(), 1);
    assert_eq!(bench.advance(secs(64)), [""; 0]);
    assert_eq!(bench.advance(secs(1)), ["clear oven.temperature.rise"]);
}

#[test]
fn bad_quality_neither_raises_nor_clears() {
    let mut bench = bench(json!({ "rise": 10, "fall": 10 }));
    bench.set("oven.temperature", 50.0);
    bench.run();
    bench.set_quality("oven.temperature", 0.0, Quality::BAD);
    assert_eq!(bench.lines(), [""; 0]);
    bench.advance(secs(120));
    bench.set("oven.temperature", 90.0);
    assert_eq!(
        bench.lines(),
        [""; 0],
        "what happened meanwhile is not known"
    );
    bench.set("oven.temperature", 120.0);
    assert_eq!(bench.lines().len(), 1);
    bench.set_quality("oven.temperature", 0.0, Quality::BAD);
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.advance(secs(600)), [""; 0]);
}

#[test]
fn a_restart_keeps_the_alarm_and_looks_back() {
    let mut bench = bench(json!({ "rise": 10 }));
    bench.set("oven.temperature", 0.0);
    bench.run();
    bench.set("oven.temperature", 20.0);
    assert_eq!(bench.lines().len(), 1);
    bench.restart().unwrap();
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.advance(secs(60)), ["clear oven.temperature.rise"]);
    assert!(bench.state().is_empty());
}

#[test]
fn after_a_restart_without_history_the_alarm_stays_for_a_window() {
    let mut before = bench(json!({ "rise": 10 }));
    before.set("oven.temperature", 0.0);
    before.run();
    before.set("oven.temperature", 20.0);
    before.run();
    let mut bench = RuleBench::<RateOfChange>::new(json!({ "rise": 10 }))
        .with_state(before.raw_state())
        .input("inputs", "oven.temperature")
        .start()
        .unwrap();
    bench.set("oven.temperature", 20.0);
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.advance(secs(59)), [""; 0]);
    assert_eq!(bench.advance(secs(1)), ["clear oven.temperature.rise"]);
}

#[test]
fn nonsense_is_declined() {
    for (parameters, says) in [
        (json!({}), "no limit is given"),
        (json!({ "rise": 0 }), "`rise` is 0"),
        (json!({ "fall": -3 }), "`fall` is -3"),
        (json!({ "rise": 3, "deadband": 3 }), "`deadband` is 3"),
        (json!({ "rise": 3, "window": "1ms" }), "`window` is 1ms"),
        (
            json!({ "rise": 3, "per": "day" }),
            "`second`, `minute`, `hour`",
        ),
    ] {
        let failure = RuleBench::<RateOfChange>::new(parameters.clone())
            .start()
            .err()
            .unwrap();
        assert!(
            failure.message.contains(says),
            "{parameters}: {}",
            failure.message
        );
    }
}
