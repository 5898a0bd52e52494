//! The function on the bench.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that goes wrong must fail loudly, also in what its tests share"
)]

use andon_plugin::prelude::*;
use moving_average::MovingAverage;

fn bench(parameters: serde_json::Value) -> FunctionBench<MovingAverage> {
    FunctionBench::new(parameters)
        .input("input", "flow")
        .start()
        .unwrap()
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn last(outputs: &[OutputSample]) -> Option<(f64, Quality)> {
    outputs.last().map(|output| (output.value, output.quality))
}

#[test]
fn the_mean_of_the_last_samples() {
    let mut bench = bench(json!({ "samples": 3 }));
    for (value, mean) in [(3.0, 3.0), (5.0, 4.0), (7.0, 5.0), (9.0, 7.0)] {
        bench.set("flow", value);
        assert_eq!(last(&bench.run()), Some((mean, Quality::GOOD)));
    }
    assert_eq!(bench.wake_at(), None);
}

#[test]
fn over_a_time_a_value_weighs_as_long_as_it_stood() {
    let mut bench = bench(json!({ "window": "60s" }));
    bench.set("flow", 10.0);
    assert_eq!(last(&bench.run()), Some((10.0, Quality::GOOD)));
    bench.advance(secs(45));
    bench.set("flow", 50.0);
    bench.run();
    bench.advance(secs(5));
    assert_eq!(last(&bench.run()), Some((14.0, Quality::GOOD)));
}

#[test]
fn moves_on_while_no_sample_comes_and_then_rests() {
    let mut bench = bench(json!({ "window": "60s", "update": "10s" }));
    bench.set("flow", 0.0);
    bench.run();
    bench.advance(secs(60));
    bench.set("flow", 60.0);
    bench.run();
    let values: Vec<f64> = bench
        .advance(secs(120))
        .iter()
        .map(|output| output.value)
        .collect();
    assert_eq!(values, [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
    assert_eq!(bench.wake_at(), None);
}

#[test]
fn bad_samples_are_left_out_and_make_the_mean_uncertain_then_bad() {
    let mut bench = bench(json!({ "window": "60s", "update": "30s" }));
    bench.set("flow", 10.0);
    bench.run();
    bench.advance(secs(30));
    bench.set_quality("flow", 999.0, Quality::BAD);
    assert_eq!(last(&bench.run()), Some((10.0, Quality::UNCERTAIN)));
    assert_eq!(last(&bench.advance(secs(60))), Some((10.0, Quality::BAD)));
    bench.set("flow", 20.0);
    assert_eq!(last(&bench.run()), Some((20.0, Quality::GOOD)));
    let mut never = FunctionBench::<MovingAverage>::new(json!({ "samples": 3 }))
        .input("input", "flow")
        .start()
        .unwrap();
    never.set_quality("flow", 1.0, Quality::BAD);
    assert_eq!(never.run(), []);
}

#[test]
fn thousands_of_samples_in_the_window_keep_the_mean_and_the_bound() {
    let mut bench = bench(json!({ "window": "10s" }));
    let mut outputs = Vec::new();
    for step in 0..20_000_u32 {
        bench.set("flow", f64::from(step % 2));
        if step % 100 == 0 {
            outputs.extend(bench.run());
        }
        bench.advance(Duration::from_millis(1));
    }
    let (mean, _) = last(&outputs).unwrap();
    assert!((mean - 0.5).abs() < 0.001, "{mean}");
}

#[test]
fn a_restart_looks_back_into_the_history_of_the_host() {
    let mut bench = bench(json!({ "samples": 4 }));
    for value in [1.0, 2.0, 3.0, 4.0] {
        bench.set("flow", value);
        bench.run();
        bench.advance(secs(1));
    }
    bench.restart().unwrap();
    assert_eq!(last(&bench.run()), Some((2.5, Quality::GOOD)));
}

#[test]
fn the_window_must_be_clear() {
    for parameters in [
        json!({}),
        json!({ "window": "1m", "samples": 3 }),
        json!({ "samples": 0 }),
        json!({ "samples": 100_001 }),
        json!({ "window": "0s" }),
        json!({ "samples": 3, "update": "0s" }),
    ] {
        let bench = FunctionBench::<MovingAverage>::new(parameters.clone());
        assert!(
            bench.input("input", "flow").start().is_err(),
            "{parameters}"
        );
    }
}
