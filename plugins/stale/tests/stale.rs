//! The rule on the bench: bad quality, silence, restarts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that goes wrong must fail loudly, also in what its tests share"
)]

use andon_plugin::prelude::*;
use stale::Stale;

fn bench(parameters: serde_json::Value) -> RuleBench<Stale> {
    RuleBench::new(parameters)
        .typed_input("inputs", "pump1.speed", "f32", Some("rpm"))
        .start()
        .unwrap()
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn raises_when_the_quality_is_not_good_for_the_time() {
    let mut bench = bench(json!({ "after": "60s" }));
    bench.set("pump1.speed", 1500.0);
    bench.run();
    assert_eq!(bench.advance(secs(3600)), [""; 0], "a good value may rest");
    bench.set_quality("pump1.speed", 1500.0, Quality::BAD_COMM_FAILURE);
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.advance(secs(59)), [""; 0]);
    assert_eq!(
        bench.advance(secs(1)),
        [
            "raise pump1.speed.stale medium: pump1.speed: no good sample for 1m \
          (bad: communication failure, last value 1500 rpm)"
        ]
    );
    bench.set("pump1.speed", 1490.0);
    assert_eq!(bench.lines(), ["clear pump1.speed.stale"]);
}

#[test]
fn a_good_sample_within_the_time_begins_the_wait_anew() {
    let mut bench = bench(json!({ "after": "60s" }));
    bench.set_quality("pump1.speed", 0.0, Quality::BAD);
    bench.run();
    bench.advance(secs(50));
    bench.set("pump1.speed", 1.0);
    bench.run();
    bench.set_quality("pump1.speed", 0.0, Quality::BAD);
    bench.run();
    assert_eq!(bench.advance(secs(50)), [""; 0]);
}

#[test]
fn raises_for_an_input_that_never_had_a_sample() {
    let mut bench = bench(json!({ "after": "60s", "priority": "low" }));
    let lines = bench.advance(secs(61));
    assert_eq!(
        lines,
        [
            "raise pump1.speed.stale low: pump1.speed: no good sample for 1m (never read, last value none)"
        ]
    );
}

#[test]
fn silence_counts_only_where_it_is_asked_for() {
    let mut bench = bench(json!({ "after": "10s", "also_unchanged": true }));
    bench.set("pump1.speed", 1.0);
    bench.run();
    bench.advance(secs(9));
    bench.set("pump1.speed", 2.0);
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.advance(secs(9)), [""; 0]);
    let lines = bench.advance(secs(1));
    assert!(
        lines[0].contains("(unchanged, last value 2 rpm)"),
        "{lines:?}"
    );
    bench.set("pump1.speed", 3.0);
    assert_eq!(bench.lines(), ["clear pump1.speed.stale"]);
    assert_eq!(bench.advance(secs(10)).len(), 1);
}

#[test]
fn uncertain_quality_can_be_accepted() {
    for (accept, raised) in [(false, 1), (true, 0)] {
        let mut bench = bench(json!({ "after": "10s", "accept_uncertain": accept }));
        bench.set_quality("pump1.speed", 1.0, Quality::UNCERTAIN);
        bench.run();
        assert_eq!(bench.advance(secs(20)).len(), raised);
    }
}

#[test]
fn a_restart_does_not_begin_the_wait_anew() {
    let mut bench = bench(json!({ "after": "60s" }));
    bench.set_quality("pump1.speed", 1.0, Quality::BAD);
    bench.run();
    bench.advance(secs(40));
    bench.restart().unwrap();
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.advance(secs(20)).len(), 1);
    bench.restart().unwrap();
    assert_eq!(bench.advance(secs(100)), [""; 0]);
}

#[test]
fn a_time_of_nothing_is_declined() {
    let bench = RuleBench::<Stale>::new(json!({ "after": "0s" })).start();
    assert!(bench.is_err_and(|failure| failure.message.contains("at least 1s")));
}
