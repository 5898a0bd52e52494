//! The function on the bench.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that goes wrong must fail loudly, also in what its tests share"
)]

use andon_plugin::prelude::*;
use scale::Scale;

fn bench(outside: &str) -> FunctionBench<Scale> {
    FunctionBench::new(json!({
        "raw_low": 4, "raw_high": 20, "low": 0, "high": 10, "outside": outside,
    }))
    .input("raw", "pt1.current")
    .start()
    .unwrap()
}

fn scaled(outside: &str, raw: f64, quality: Quality) -> (f64, Quality) {
    let mut bench = bench(outside);
    bench.set_quality("pt1.current", raw, quality);
    let outputs = bench.run();
    assert_eq!(outputs.len(), 1);
    assert_eq!(outputs[0].output, "value");
    assert_eq!(outputs[0].time, bench.now());
    (outputs[0].value, outputs[0].quality)
}

#[test]
fn follows_the_line() {
    assert_eq!(scaled("extend", 4.0, Quality::GOOD), (0.0, Quality::GOOD));
    assert_eq!(scaled("extend", 12.0, Quality::GOOD), (5.0, Quality::GOOD));
    assert_eq!(scaled("extend", 22.4, Quality::GOOD).0, 11.5);
}

#[test]
fn the_quality_goes_with_the_value() {
    assert_eq!(
        scaled("clamp", 12.0, Quality::UNCERTAIN),
        (5.0, Quality::UNCERTAIN)
    );
    assert_eq!(scaled("clamp", 0.0, Quality::BAD), (0.0, Quality::BAD));
    assert_eq!(
        scaled("bad", 0.0, Quality::BAD_COMM_FAILURE).1,
        Quality::BAD_COMM_FAILURE
    );
}

#[test]
fn a_value_outside_is_clamped_or_bad_where_that_is_asked_for() {
    assert_eq!(scaled("clamp", 21.0, Quality::GOOD), (10.0, Quality(84)));
    assert_eq!(scaled("clamp", 3.0, Quality::GOOD), (0.0, Quality(84)));
    assert_eq!(scaled("bad", 0.0, Quality::GOOD), (-2.5, Quality(16)));
    assert_eq!(scaled("bad", 20.0, Quality::GOOD), (10.0, Quality::GOOD));
}

#[test]
fn a_falling_line_clamps_too() {
    let mut bench = FunctionBench::<Scale>::new(json!({
        "raw_low": 0, "raw_high": 100, "low": 5, "high": 0, "outside": "clamp",
    }))
    .input("raw", "a")
    .start()
    .unwrap();
    bench.set("a", 110.0);
    bench.set("a", 40.0);
    let values: Vec<f64> = bench.run().iter().map(|output| output.value).collect();
    assert_eq!(values, [0.0, 3.0]);
}

#[test]
fn one_point_is_no_line() {
    let bench =
        FunctionBench::<Scale>::new(json!({ "raw_low": 4, "raw_high": 4, "low": 0, "high": 1 }));
    let failure = bench.input("raw", "a").start().err().unwrap();
    assert_eq!(
        failure.message,
        "parameter `raw_high` is 4: it must be different from `raw_low`, which is 4"
    );
}
