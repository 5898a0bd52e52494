//! The rule on the bench: natively, with virtual time, without a host.

use andon_plugin::prelude::*;
use tank_level::TankLevel;

fn bench(parameters: serde_json::Value) -> RuleBench<TankLevel> {
    RuleBench::new(parameters)
        .input("level", "tank1.level")
        .start()
        .unwrap()
}

#[test]
fn raises_above_the_limit_and_clears_below_it() {
    let mut bench = bench(json!({ "high": 80 }));
    bench.set("tank1.level", 81.0);
    assert_eq!(
        bench.lines(),
        ["raise tank1.level.high high: tank1.level.high: above 80"]
    );
    bench.set("tank1.level", 79.0);
    assert_eq!(bench.lines(), ["clear tank1.level.high"]);
}

#[test]
fn waits_for_the_on_delay() {
    let mut bench = bench(json!({ "high": 80, "on_delay": "1m" }));
    bench.set("tank1.level", 81.0);
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.advance(Duration::from_secs(59)), [""; 0]);
    assert_eq!(bench.advance(Duration::from_secs(1)).len(), 1);
}
