//! The rule on the bench: reading, running, delays, bad quality, and what it says of mistakes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that goes wrong must fail loudly, also in what its tests share"
)]

use andon_plugin::prelude::*;
use expression::Expression;

fn start(parameters: serde_json::Value) -> Result<RuleBench<Expression>, Failure> {
    RuleBench::new(parameters)
        .typed_input("inputs", "tank1.level", "f32", Some("%"))
        .typed_input("inputs", "tank1.pump-running", "bool", None)
        .typed_input("inputs", "line.mode", "text", None)
        .start()
}

fn bench(expression: &str) -> RuleBench<Expression> {
    start(json!({ "expression": expression, "key": "k" })).unwrap()
}

fn holds(expression: &str, level: f64, pump: bool) -> bool {
    let mut bench = bench(expression);
    bench.set("tank1.level", level);
    bench.set("tank1.pump-running", f64::from(u8::from(pump)));
    bench.set_text("line.mode", "AUTO");
    !bench.run().is_empty()
}

fn mistake(expression: &str) -> String {
    match start(json!({ "expression": expression })) {
        Ok(_) => panic!("`{expression}` was taken"),
        Err(failure) => failure.message,
    }
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

#[test]
fn means_what_a_person_means() {
    assert!(holds("level > 80", 81.0, false));
    assert!(!holds("level > 80", 80.0, false));
    assert!(holds("level > 80 and not pump_running", 81.0, false));
    assert!(!holds("level > 80 and not pump_running", 81.0, true));
    assert!(holds("not level > 80", 10.0, false));
    assert!(holds("not level > 80 and pump_running", 10.0, true));
    assert!(holds("not (level > 80 and pump_running)", 81.0, false));
    assert!(holds("not not level > 80", 81.0, false));
    assert!(holds("level < 10 OR pump_running", 50.0, true));
    assert!(holds("tank1.level >= 81 && !pump_running", 81.0, false));
    assert!(holds("pump_running == 1", 0.0, true));
    assert!(!holds("pump_running != true", 0.0, true));
    assert!(holds("mode == 'AUTO' and mode != \"HAND\"", 0.0, false));
    assert!(holds("abs(level - 50) > 5", 44.0, false));
    assert!(holds(
        "max(level, 3) == 7 and min(level, 3) == 3",
        7.0,
        false
    ));
    assert!(holds(
        "level / 2 == 0.5 and 1 / 2 == .5 + 0"
            .replace(" .5", " 0.5")
            .as_str(),
        1.0,
        false
    ));
    assert!(holds(
        "-level < -80 and level ** 2 > 6400 and level % 2 == 1",
        81.0,
        false
    ));
    assert!(holds("level > 1e1 and level > 1.5E+1", 81.0, false));
    assert!(holds("true", 0.0, false));
}

#[test]
fn a_duration_at_the_end_delays_the_alarm() {
    let mut bench = bench("level > 80 and not pump_running for 30s");
    bench.set("tank1.level", 81.0);
    bench.set("tank1.pump-running", 0.0);
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.advance(secs(29)), [""; 0]);
    assert_eq!(
        bench.advance(secs(1)),
        ["raise k high: level > 80 and not pump_running (level = 81 %, pump_running = false)"]
    );
    bench.set("tank1.pump-running", 1.0);
    assert_eq!(bench.lines(), ["clear k"]);
}

#[test]
fn waits_until_every_input_that_it_uses_has_a_value() {
    let mut bench = bench("level > 80 or pump_running");
    bench.set("tank1.level", 81.0);
    assert_eq!(bench.lines(), [""; 0]);
    bench.set("tank1.pump-running", 0.0);
    assert_eq!(bench.lines().len(), 1);
}

#[test]
fn bad_quality_holds_forces_or_is_ignored() {
    let with = |choice| {
        let parameters =
            json!({ "expression": "level > 80 for 10s", "key": "k", "on_bad_quality": choice });
        let mut bench = start(parameters).unwrap();
        bench.set("tank1.level", 81.0);
        bench.run();
        bench.advance(secs(5));
        bench.set_quality("tank1.level", 0.0, Quality::BAD);
        bench.run();
        bench.advance(secs(100))
    };
    assert_eq!(with("hold"), [""; 0]);
    assert_eq!(
        with("ignore"),
        [""; 0],
        "the value that came with it is not above 80"
    );
    assert_eq!(
        with("force"),
        ["raise k high: level > 80 (level = 0 %, bad quality)"]
    );
}

#[test]
fn an_input_that_is_not_used_does_not_matter() {
    let mut bench = bench("level > 80");
    bench.set_quality("tank1.pump-running", 0.0, Quality::BAD);
    bench.set("tank1.level", 81.0);
    assert_eq!(bench.lines().len(), 1);
}

#[test]
fn a_restart_keeps_the_delay_and_the_alarm() {
    let mut bench = bench("level > 80 for 60s");
    bench.set("tank1.level", 81.0);
    bench.run();
    bench.advance(secs(40));
    bench.restart().unwrap();
    bench.run();
    assert_eq!(bench.advance(secs(20)).len(), 1);
    bench.restart().unwrap();
    assert_eq!(bench.lines(), [""; 0]);
    bench.set("tank1.level", 1.0);
    assert_eq!(bench.lines(), ["clear k"]);
}

#[test]
fn the_message_key_priority_and_names_can_be_chosen() {
    let mut bench = start(json!({
        "expression": "L > 80 and tank1.level < 100",
        "names": { "L": "tank1.level" },
        "message": "Tank 1 at {L}: {{{expression}}}",
        "priority": "critical",
        "off_delay": "10s",
    }))
    .unwrap();
    bench.set("tank1.level", 81.5);
    assert_eq!(
        bench.lines(),
        ["raise bench critical: Tank 1 at 81.5 %: {L > 80 and tank1.level < 100}"]
    );
    bench.set("tank1.level", 1.0);
    assert_eq!(bench.lines(), [""; 0]);
    assert_eq!(bench.advance(secs(10)), ["clear bench"]);
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (expression, says) in [
        ("levle > 80", "character 1: `levle` is not known; known are"),
        ("level > 80 and pmup", "character 16: `pmup` is not known"),
        ("level = 80", "character 7: write `==` to compare"),
        ("level > 80 for", "character 12: after `for`"),
        (
            "level > 80 for 3 weeks",
            "character 12: after `for`: `3 weeks` is not a duration",
        ),
        (
            "(level > 80 for 3s)",
            "character 13: `for` stands at the end",
        ),
        ("level > 80)", "character 11: this `)` was never opened"),
        (
            "(level > 80 and (true",
            "character 17: this `(` is never closed",
        ),
        ("level > 80x", "character 9: `80x` is not a number"),
        ("level > 'a", "character 9: the text has no ' at its end"),
        (
            "sin(level) > 0",
            "character 1: there is no function `sin`; there are `abs`",
        ),
        ("level > 80; level", "character 11: `;` means nothing here"),
        ("level > ü", "character 9"),
        ("level >", "character 7"),
        ("level", "it gives a number where yes or no is needed"),
        ("mode > 5", "a text cannot be compared with a number"),
        ("mode == 5", "a text cannot be compared with a number"),
        (
            "10 < level < 20",
            "yes or no cannot be compared with a number",
        ),
        (
            "level and pump_running",
            "a number stands where yes or no is needed",
        ),
        ("not level", "!"),
        ("level > 80 and mode > 5", "a text cannot be compared"),
        ("", "character 1"),
        ("while true {}", "character 1: `while` is not known"),
    ] {
        let message = mistake(expression);
        assert!(message.contains(says), "{expression}: {message}");
        assert!(message.starts_with("parameter `expression`"), "{message}");
    }
}

#[test]
fn a_name_that_could_be_two_tags_is_a_mistake_only_where_it_is_used() {
    let start = |expression: &str| {
        RuleBench::<Expression>::new(json!({ "expression": expression }))
            .input("inputs", "tank1.level")
            .input("inputs", "tank2.level")
            .input("inputs", "tank3.level")
            .start()
            .map(|_| ())
            .map_err(|failure| failure.message)
    };
    assert_eq!(start("tank1.level > tank2.level"), Ok(()));
    let message = start("level > 1").unwrap_err();
    assert!(
        message.contains("`tank1.level`, `tank2.level`, `tank3.level`"),
        "{message}"
    );
}

#[test]
fn a_name_for_a_tag_that_is_not_bound_is_declined() {
    let bad = |names| match start(json!({ "expression": "true", "names": names })) {
        Ok(_) => panic!("the names were taken"),
        Err(failure) => failure.message,
    };
    assert!(bad(json!({ "x": "tank9.level" })).contains("`tank9.level` is not bound"));
    assert!(bad(json!({ "and": "tank1.level" })).contains("cannot be a name"));
    assert!(bad(json!({ "a-b": "tank1.level" })).contains("cannot be a name"));
}

#[test]
fn hostile_texts_are_declined_and_never_panic() {
    let deep = format!("{}true{}", "(".repeat(900), ")".repeat(900));
    let nots = format!("{} true", "not ".repeat(400));
    let long = "true or ".repeat(1000) + "true";
    let chain = "true or ".repeat(200) + "true";
    for text in [
        deep.as_str(),
        nots.as_str(),
        long.as_str(),
        "\u{0}",
        "'\u{7}'",
        "\"\\",
        "1e999 > 0",
        "..",
        "1.2.3 > 0",
        "level.x > 1",
        "for 3s",
        "not",
        "()",
        ",",
    ] {
        assert!(start(json!({ "expression": text })).is_err(), "{text}");
    }
    if let Err(failure) = start(json!({ "expression": chain })) {
        assert!(failure.message.starts_with("parameter `expression`"));
    }
}
