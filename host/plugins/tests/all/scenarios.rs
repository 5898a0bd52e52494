//! Scenario files: what they prove, what they tell, what is refused.

use std::sync::Arc;
use std::time::Duration;

use andon_model::{Action, CallErrorKind, Columns, Component, Limits};
use andon_plugins::scenario::{Report, Scenario, Verdict, play};
use futures::executor::block_on;
use proptest::prelude::*;

use crate::doubles::{Fake, failure, raise};

/// Raises 30 s after a value above 80, clears below 75, declines what is bad.
fn delayed_high() -> Fake {
    Fake::rule(|scene| {
        let mut actions = Vec::new();
        for (_, value, quality, _) in scene.samples.rows() {
            if quality < 64 {
                return Err(failure(CallErrorKind::Declined));
            }
            if value > 80.0 && scene.number("since") == 0.0 {
                let now = scene.now;
                scene.remember("since", now.nanos() as f64);
                scene.wake_at = Some(now.plus(Duration::from_secs(30)));
            }
            if value < 75.0 {
                scene.remember("since", 0.0);
                if scene.number("raised") == 1.0 {
                    scene.remember("raised", 0.0);
                    actions.push(Action::Clear("high".into()));
                }
            }
        }
        let since = scene.number("since");
        let over = since > 0.0 && scene.now.nanos() as f64 - since >= 29.999e9;
        if over && scene.number("raised") == 0.0 {
            scene.remember("raised", 1.0);
            actions.push(raise("high", "Level is high"));
        }
        Ok(actions)
    })
}

fn mean() -> Fake {
    Fake::function(|scene| {
        let mut answer = Columns::default();
        if !scene.samples.is_empty() {
            let rows = scene.samples.value.len() as f64;
            let mean = scene.samples.value.iter().sum::<f64>() / rows;
            let quality = scene.samples.quality.iter().min().copied().unwrap_or(0);
            answer.push(0, mean, quality, scene.now);
        }
        Ok(answer)
    })
}

fn report(fake: Fake, text: &str) -> Report {
    let text = format!("[inputs]\ninput = [\"tank1.level\"]\n{text}");
    let scenario = Scenario::parse(&text, "stem", "fake").unwrap();
    block_on(play(
        &scenario,
        Arc::new(fake) as Arc<dyn Component>,
        &Limits::default(),
    ))
    .unwrap()
}

fn refused(text: &str) -> String {
    match Scenario::parse(text, "stem", "fake") {
        Err(error) => error.to_string(),
        Ok(scenario) => {
            let fake = Arc::new(mean()) as Arc<dyn Component>;
            block_on(play(&scenario, fake, &Limits::default()))
                .unwrap_err()
                .to_string()
        }
    }
}

const PASSES: &str = r#"
[[step]]
at = "0s"
set = { "tank1.level" = 81 }
[[step]]
at = "29s"
[[step]]
at = "40s"
expect = [{ raise = "high", priority = "high", message = "Level is high", contains = "is", attributes = { unit = "pump-1" } }]
[[step]]
at = "50s"
set = { "tank1.level" = 74.5 }
expect = [{ clear = "high" }]
"#;

#[test]
fn a_scenario_that_meets_its_expectations_passes() {
    let report = report(delayed_high(), PASSES);
    assert_eq!(report.to_string(), "ok: stem (4 steps, 3 calls)");
    assert!(report.passed());
}

#[test]
fn state_and_timers_outlive_a_restart() {
    let text = PASSES
        .replace("at = \"29s\"", "at = \"29s\"\nrestart = true")
        .replace("at = \"40s\"", "at = \"40s\"\nrestart = true");
    let report = report(delayed_high(), &text);
    assert!(report.passed(), "{report}");
}

#[test]
fn a_restart_happens_at_the_time_of_its_step() {
    // It keeps no state, so a delay begins again with each guest.
    let forgetful = Fake::rule(|scene| {
        if scene.own.is_empty() {
            scene.own.insert("began".into(), 1.0);
            scene.wake_at = Some(scene.now.plus(Duration::from_secs(30)));
            return Ok(Vec::new());
        }
        Ok(vec![raise("late", "")])
    })
    .gate(|_| Ok(None));
    let text = r#"
[[step]]
at = "0s"
[[step]]
at = "20s"
restart = true
[[step]]
at = "30s"
expect = [{ raise = "late" }]
[[step]]
at = "49s"
[[step]]
at = "60s"
restart = true
set = { "tank1.level" = 5 }
"#;
    let report = report(forgetful, text);
    // The timer of the first guest is still the earliest at 20 s.
    assert_eq!(report.to_string(), "ok: stem (5 steps, 4 calls)");
}

#[test]
fn an_unexpected_action_a_missing_one_and_a_wrong_one_are_told() {
    let text = PASSES
        .replace(
            "at = \"29s\"",
            "at = \"29s\"\nexpect = [{ notify = \"early\" }]",
        )
        .replace("message = \"Level is high\"", "message = \"Level is low\"")
        .replace("expect = [{ clear = \"high\" }]", "");
    assert_eq!(
        report(delayed_high(), &text).to_string(),
        "\
FAILED: stem (4 steps, 3 calls)
  step 2, at 29s:
    - notify early
  step 3, at 40s:
    - raise high, high, \"Level is low\", …\"is\"…, { unit = \"pump-1\" }
    + raise high, high, \"Level is high\", { unit = \"pump-1\" }
  step 4, at 50s:
    + clear high"
    );
}

#[test]
fn actions_out_of_order_fail() {
    let both = || {
        Fake::rule(|scene| {
            if scene.samples.is_empty() {
                return Ok(Vec::new());
            }
            Ok(vec![raise("a", "x"), Action::Clear("b".into())])
        })
    };
    let right = "[[step]]\nat = \"1s\"\nset = { \"tank1.level\" = 1 }\nexpect = [{ raise = \"a\" }, { clear = \"b\" }]";
    let wrong = right.replace(
        "{ raise = \"a\" }, { clear = \"b\" }",
        "{ clear = \"b\" }, { raise = \"a\" }",
    );
    assert!(report(both(), right).passed());
    assert_eq!(report(both(), &wrong).differences[0].lines.len(), 4);
}

#[test]
fn a_difference_has_the_line_of_its_step_and_marks_the_fields_that_differ() {
    let text = "\
# a remark
[[step]]
at = \"1s\"
[[step]]
at = \"2s\"
set = { \"tank1.level\" = 1 }
expect = [{ raise = \"a\", priority = \"critical\", contains = \"ev\", attributes = { unit = \"pump-1\" } }]
";
    let fake = Fake::rule(|scene| {
        let raised = (!scene.samples.is_empty()).then(|| raise("a", "Level is high"));
        Ok(raised.into_iter().collect())
    });
    let report = report(fake, text);
    let difference = &report.differences[0];
    // Two lines stand before the text.
    assert_eq!((difference.step, difference.line), (2, 6));
    let fields = &difference.rows[0].fields;
    let differing: Vec<&str> = fields
        .iter()
        .filter(|field| field.differs)
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(differing, ["priority"]);
    assert_eq!(fields[2].expected.as_deref(), Some("critical"));
    assert_eq!(fields[2].got.as_deref(), Some("high"));
}

#[test]
fn one_missing_action_does_not_make_the_others_look_wrong() {
    let fake = Fake::rule(|scene| {
        if scene.samples.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![
            raise("b", "x"),
            raise("c", "x"),
            Action::Clear("e".into()),
        ])
    });
    let text = "[[step]]\nat = \"1s\"\nset = { \"tank1.level\" = 1 }\nexpect = [{ raise = \"a\" }, { raise = \"b\" }, { raise = \"c\" }, { notify = \"d\" }]";
    let report = report(fake, text);
    let verdicts: Vec<Verdict> = report.differences[0]
        .rows
        .iter()
        .map(|row| row.verdict)
        .collect();
    use Verdict::{Differs, Missing, Same};
    assert_eq!(verdicts, [Missing, Same, Same, Differs]);
}

#[test]
fn an_expected_failure_passes_and_another_is_told() {
    let text = r#"
[[step]]
at = "1s"
set = { "tank1.level" = 70 }
[[step]]
at = "2s"
quality = { "tank1.level" = "bad" }
error = "declined"
[[step]]
at = "3s"
quality = { "tank1.level" = "bad" }
[[step]]
at = "4s"
set = { "tank1.level" = 70 }
error = "trap"
"#;
    assert_eq!(
        report(delayed_high(), text).to_string(),
        "\
FAILED: stem (4 steps, 5 calls)
  step 3, at 3s:
    + a call failed (declined): made to fail: Declined
  step 4, at 4s:
    - a call that fails (trap)"
    );
}

#[test]
fn a_failure_must_say_what_is_expected() {
    let step = |says: &str| {
        format!(
            "[[step]]\nat = \"0s\"\nset = {{ \"tank1.level\" = 70 }}\nquality = {{ \"tank1.level\" = \"bad\" }}\n\
             error = \"declined\"\nsays = \"{says}\""
        )
    };
    assert!(report(delayed_high(), &step("made to fail")).passed());
    assert_eq!(
        report(delayed_high(), &step("on purpose")).to_string(),
        "\
FAILED: stem (1 steps, 1 calls)
  step 1, at 0s:
    - a call that fails (declined): …\"on purpose\"…
    + a call failed (declined): made to fail: Declined"
    );
    let alone = "[inputs]\ninput = [\"tank1.level\"]\n[[step]]\nat = \"0s\"\nsays = \"on purpose\"";
    assert!(
        refused(alone).contains("/step/0/says"),
        "{}",
        refused(alone)
    );
}

#[test]
fn one_batch_can_hold_several_samples_of_a_tag() {
    let step = "[[step]]\nat = \"0s\"\nset = { \"tank1.level\" = 10 }\n\
                more = [{ \"tank1.level\" = 20 }, { \"tank1.level\" = 60 }]\noutputs = { output = 30 }";
    let heard = report(mean(), step);
    assert!(heard.passed(), "{heard}");
    assert_eq!(heard.calls, 1);
    let typo = "[inputs]\ninput = [\"tank1.level\"]\n[[step]]\nat = \"0s\"\nmore = [{ \"tank1.levle\" = 20 }]";
    assert!(
        refused(typo).contains("/step/0/more/tank1.levle"),
        "{}",
        refused(typo)
    );
}

#[test]
fn outputs_of_functions_are_compared() {
    let text = r#"
[[step]]
at = "0s"
outputs = { output = 0 }
[[step]]
at = "1s"
set = { "tank1.level" = 0.30000000000000004 }
outputs = { output = 0.3, "output.quality" = "good" }
[[step]]
at = "2s"
quality = { "tank1.level" = "uncertain" }
outputs = { output = 0.31, "output.quality" = "bad" }
"#;
    assert_eq!(
        report(mean(), text).to_string(),
        "\
FAILED: stem (3 steps, 3 calls)
  step 1, at 0s:
    - output = 0
    + output has no value yet
  step 3, at 2s:
    - output = 0.31
    + output = 0.30000000000000004
    - output.quality = \"bad\"
    + output.quality = \"uncertain\""
    );
}

#[test]
fn a_guest_that_wakes_itself_for_ever_fails_the_step() {
    let restless = Fake::rule(|scene| {
        scene.wake_at = Some(scene.now);
        Ok(Vec::new())
    });
    let report = report(restless, "[[step]]\nat = \"1d\"");
    assert!(
        report
            .to_string()
            .contains("woke itself more than 100000 times"),
        "{report}"
    );
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_known_one() {
    let text = "[inputs]\n[[step]]\nat = \"0s\"\nexpct = []\n";
    let says = refused(text);
    assert!(says.contains("line 4"), "{says}");
    assert!(says.ends_with("did you mean `expect`?"), "{says}");
    let says = refused("[[step]]\nat = \"0s\"\nexpect = [{ rise = \"a\" }]\n");
    assert!(says.ends_with("did you mean `raise`?"), "{says}");
}

#[test]
fn mistakes_are_told_all_at_once() {
    let says = refused(
        r#"
[[step]]
at = "5s"
expect = [{ raise = "a", clear = "b" }, { clear = "b", message = "x" }]
[[step]]
at = "1s"
"#,
    );
    assert_eq!(
        says,
        "\
/step/0/expect/0: an expected action has exactly one of raise, clear and notify
/step/0/expect/1: a clear has a key and nothing else
/step/1/at: 1s is earlier than the step before it (times count from the start of the scenario and ascend)"
    );
}

#[test]
fn what_does_not_fit_the_component_is_told() {
    let says = refused(
        r#"
[inputs]
imput = "a"
input = ["tank1.level"]
[[step]]
at = "0s"
set = { "tank1.levle" = 1, "tank1.level" = 2 }
outputs = { outputs = 1 }
[[step]]
at = "1s"
set = { "tank1.level" = "text" }
"#,
    );
    assert_eq!(
        says,
        "\
/inputs/imput: `fake` has no input `imput` (did you mean `input`?)
/step/0/outputs/outputs: `fake` has no output `outputs` (did you mean `output`?)
/step/1/set/tank1.level: `tank1.level` is of type f64; the value is not
/step/0/set/tank1.levle: `tank1.levle` is bound to no input, so its value is never seen (did you mean `tank1.level`?)"
    );
    let says = refused("[[step]]\nat = \"0s\"\n");
    assert!(says.contains("input `input` is bound to no tag"), "{says}");
    for text in [
        "",
        "[[step]]",
        "[[step]]\nat = 5",
        "step = 3",
        "[inputs]\na = 1",
    ] {
        assert!(!refused(text).is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_panics(text in r#"(\[\[step\]\]\n|at = "[0-9]{1,3}[smhdx]"\n|set = \{ a = [0-9]{1,2} \}\n|expect = \[\]\n|\[inputs\]\n|input = "a"\n|[a-z\[\]="{}.\n]{0,4}){0,12}"#) {
        if let Ok(scenario) = Scenario::parse(&text, "stem", "fake") {
            let _ = block_on(play(&scenario, Arc::new(mean()) as Arc<dyn Component>, &Limits::default()));
        }
    }
}
