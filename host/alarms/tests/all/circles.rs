//! What the check of `[alarms]` refuses.

use andon_alarms::check_conditioning;
use andon_model::Finding;
use serde_json::{Value, json};

use crate::plant::settings;

fn findings(keys: Value) -> Vec<Finding> {
    let (plan, findings) = check_conditioning(&settings(keys));
    assert_eq!(plan.is_none(), !findings.is_empty(), "{findings:?}");
    findings
}

fn suppression(name: &str, when: &str, suppresses: &str) -> Value {
    json!({
        "name": name,
        "when": { "instance": when },
        "suppresses": [{ "instance": suppresses }],
        "reason": "because",
    })
}

#[test]
fn suppressions_in_a_circle_are_refused_with_the_chain() {
    let found = findings(json!({ "suppressions": [
        suppression("a", "trips", "boiler*"),
        suppression("b", "boiler1", "fans"),
        suppression("c", "fan?", "trips"),
        suppression("d", "fans", "doors"),
    ] }));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].says.contains("a -> b -> c -> a"),
        "{}",
        found[0].says
    );
    assert_eq!(found[0].path, "/suppressions/0/suppresses");
}

#[test]
fn a_chain_that_does_not_come_back_is_fine() {
    let found = findings(json!({ "suppressions": [
        suppression("a", "trips", "boiler*"),
        suppression("b", "boiler1", "fans"),
        suppression("c", "fans", "doors"),
        suppression("own", "trips", "*ps"),
    ] }));
    assert_eq!(found, []);
}

#[test]
fn a_circle_can_be_broken_by_priority() {
    let mut there = suppression("a", "trips", "boiler");
    there["suppresses"][0]["priority_max"] = json!("medium");
    let mut back = suppression("b", "boiler", "trips");
    back["when"]["priority_min"] = json!("high");
    assert_eq!(findings(json!({ "suppressions": [there, back] })), []);
}

#[test]
fn what_does_not_say_what_it_means_is_refused() {
    let with = |when: Value, suppresses: Value| {
        let one =
            json!({ "name": "x", "when": when, "suppresses": suppresses, "reason": "because" });
        let found = findings(json!({ "suppressions": [one] }));
        assert_eq!(found.len(), 1, "{found:?}");
        format!("{}: {}", found[0].path, found[0].says)
    };
    let tanks = json!([{ "instance": "tanks" }]);
    let trips = json!({ "instance": "trips" });
    for (when, says) in [
        (json!({}), "does not say what must hold"),
        (json!({ "equals": 1 }), "names no tag"),
        (json!({ "tag": "t" }), "which value"),
        (
            json!({ "tag": "t", "above": 1, "below": 2 }),
            "more than one way",
        ),
        (
            json!({ "tag": "t", "above": 1, "key": "k" }),
            "an alarm and a tag",
        ),
        (json!({ "instance": "a{b" }), "is not a pattern"),
    ] {
        let told = with(when, tanks.clone());
        assert!(
            told.starts_with("/suppressions/0/when") && told.contains(says),
            "{told}"
        );
    }
    assert!(with(trips.clone(), json!([])).contains("suppresses nothing"));
    assert!(with(trips.clone(), json!([{}])).contains("every alarm"));
    let narrow = json!([{ "instance": "a", "priority_min": "high", "priority_max": "low" }]);
    assert!(with(trips, narrow).contains("at least high and at most low"));
}

#[test]
fn numbers_that_do_not_go_together_are_refused() {
    for (keys, path) in [
        (json!({ "flood": { "start": 5, "end": 6 } }), "/flood/end"),
        (json!({ "flood": { "window": "0s" } }), "/flood/window"),
        (
            json!({ "chattering": { "quiet": "30s" } }),
            "/chattering/quiet",
        ),
        (json!({ "stale": { "after": "5s" } }), "/stale/after"),
        (
            json!({ "conditions": [{ "on_delay": "8d" }] }),
            "/conditions/0/on_delay",
        ),
        (
            json!({ "groups": [{ "name": "g", "members": [] }] }),
            "/groups/0/members",
        ),
    ] {
        let found = findings(keys);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].path, path);
        assert!(found[0].hint.is_some());
    }
}
