//! What the author of a plugin asks the program: why a scenario fails, and what a component costs.

use serde_json::Value;

use crate::kit::{Site, guest};

/// The second step expects another priority and another text, the third something that never comes.
const WRONG: &str = r#"name = "is wrong in three places"
component = "limits"

[parameters]
high = 80.0

[inputs]
inputs = ["tank1.level"]

[[step]]
at = "0s"
set = { "tank1.level" = 10.0 }

[[step]]
at = "5s"
set = { "tank1.level" = 81.0 }
expect = [{ raise = "tank1.level.high", priority = "critical", contains = "99" }]

[[step]]
at = "7s"
set = { "tank1.level" = 82.0 }
expect = [{ clear = "tank1.level.high" }]
"#;

const FINE: &str = r#"component = "limits"

[parameters]
high = 80.0

[inputs]
inputs = ["tank1.level"]

[[step]]
at = "0s"
set = { "tank1.level" = 81.0 }
expect = [{ raise = "tank1.level.high" }]
"#;

#[test]
fn every_failing_step_of_all_files_is_shown_with_its_line_and_what_differs() {
    let site = Site::new();
    std::fs::create_dir(site.path("scenarios")).expect("a folder");
    site.write("scenarios/a-wrong.toml", WRONG);
    site.write("scenarios/b-fine.toml", FINE);
    site.write("scenarios/c-broken.toml", "[[step]]\nat = \"soon\"\n");
    let (scenarios, plugins) = (site.path("scenarios"), site.path("plugins"));
    let path = |path: &std::path::Path| path.to_str().expect("a path").to_owned();
    let mut command = crate::kit::andon();
    command.args([
        "plugin",
        "test",
        &path(&scenarios),
        "--plugins",
        &path(&plugins),
    ]);
    let output = command.output().expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    for wanted in [
        "a-wrong.toml:14: step 2, at 5s",
        "a-wrong.toml:19: step 3, at 7s",
        "expected",
        "> priority  critical",
        "> message   …\"99\"…",
        "> action  clear tank1.level.high  (nothing)",
        "c-broken.toml: ",
    ] {
        let found = lines.iter().any(|line| line.contains(wanted));
        assert!(found, "`{wanted}` is not in\n{text}");
    }
    assert!(!text.contains("> key"), "the key is as expected:\n{text}");
    assert_eq!(lines.last(), Some(&"1 passed, 2 failed"));
    let output = command.arg("--json").output().expect("the program starts");
    let played: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let rows = &played[0]["differences"][0]["rows"][0];
    assert_eq!(
        (&rows["verdict"], &rows["fields"][2]["differs"]),
        (&"differs".into(), &true.into())
    );
    assert!(played[2]["error"].is_string(), "{played}");
}

#[test]
fn a_component_is_measured_with_made_up_samples() {
    let site = Site::new();
    let file = site.path("plugins/limits.wasm");
    let mut command = crate::kit::andon();
    command.args([
        "plugin", "bench", "--rows", "1,50", "--calls", "20", "--inputs", "3", "--json",
    ]);
    command
        .args(["--parameters", r#"{"high": 90.0}"#])
        .arg(&file);
    let output = command.output().expect("the program starts");
    let shown = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    let measured: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&measured["component"], &measured["inputs"]),
        (&"limits".into(), &3.into())
    );
    assert_eq!(measured["bytes"], guest("limits.wasm").len());
    let positive = |value: &Value| value.as_f64().is_some_and(|number| number > 0.0);
    for name in [
        "compile_cold_us",
        "compile_cached_us",
        "start_us",
        "memory_at_start_bytes",
    ] {
        assert!(positive(&measured[name]), "{name} in {measured}");
    }
    let sizes = measured["calls"].as_array().expect("a list");
    assert_eq!(sizes.len(), 2);
    for (size, rows) in sizes.iter().zip([1, 50]) {
        assert_eq!((&size["rows"], &size["calls"]), (&rows.into(), &20.into()));
        assert!(
            positive(&size["median_us"]) && positive(&size["answered"]),
            "{size}"
        );
    }
}

#[test]
fn parameters_that_the_component_refuses_are_told_before_anything_is_measured() {
    let site = Site::new();
    let file = site.path("plugins/limits.wasm");
    for (parameters, says) in [
        (
            r#"{"high": "much"}"#,
            "limits.wasm: error: parameters.high: \"much\"",
        ),
        ("[1]", "is not a JSON object"),
        ("{", "is not JSON"),
    ] {
        let mut command = crate::kit::andon();
        command
            .args(["plugin", "bench", "--parameters", parameters])
            .arg(&file);
        let output = command.output().expect("the program starts");
        let shown = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{shown}");
        assert!(shown.contains(says), "{shown}");
    }
}
