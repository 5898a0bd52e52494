//! Recording and replay: what the host recorded, what rules make of it, and two versions side by
//! side. A replay tells nobody.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use andon_recording::{Item, Known, Recording};
use serde_json::Value;

use crate::kit::{ANNA, Site, andon, wait_for};

const HEAD: &str = "now,batch,tag,value,text,quality,time,mark\n";

/// A recording of `tank0.level`: a value at each second.
fn levels(values: &[(i64, f64)]) -> String {
    let mut text = HEAD.to_owned();
    for (batch, (second, value)) in values.iter().enumerate() {
        let now =
            andon_recording::show_moment(andon_model::Timestamp::from_secs(1_767_225_600 + second));
        writeln!(text, "{now},{batch},tank0.level,{value},,192,{now},").expect("a text");
    }
    text
}

fn alarm<'a>(report: &'a Value, version: usize, name: &str) -> &'a Value {
    &report["versions"][version]["outcome"]["alarms"][name]
}

fn messages(report: &Value, version: usize) -> Vec<Value> {
    let list = &report["versions"][version]["outcome"]["messages"];
    list.as_array().expect("a list").clone()
}

#[test]
fn what_is_recorded_is_replayed_to_the_same_alarms_and_tells_nobody() {
    let mut site = Site::running();
    let file = site.path("plant.csv");
    let recorder = andon()
        .args(["record", "--for", "10m", "--out"])
        .arg(&file)
        .arg("--config")
        .arg(site.config())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    wait_for("the recording to begin", || file.exists().then_some(()));
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
    site.plc.set(0, 50);
    site.inbox.wait(ANNA, "OVER");
    site.tell(&["inject", "tank3.level=700"]);
    site.inbox.wait(ANNA, "TEST HIGH tank3.level high: 700 ");
    let second = site.ask(&[
        "record",
        "--out",
        site.path("b.csv").to_str().expect("a path"),
    ]);
    assert_eq!(second.code, Some(1));
    assert!(second.stderr.contains("plant.csv"), "{}", second.stderr);
    let interrupt = Command::new("kill")
        .args(["-INT", &recorder.id().to_string()])
        .status();
    assert!(interrupt.expect("`kill` is there").success());
    let ended = recorder.wait_with_output().expect("it ends");
    let says = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success() && says.contains("somebody asked for the end"),
        "{says}"
    );
    site.stop();
    let before = site.inbox.count();
    let file = file.to_str().expect("a path");
    let report = site.json(&["replay", file]);
    assert_eq!(report["notes"]["problems_total"], 0, "{report}");
    let high = alarm(&report, 0, "levels/tank0.level.high");
    assert_eq!((&high["raised"], &high["cleared"]), (&1.into(), &1.into()));
    let texts: Vec<String> = messages(&report, 0)
        .iter()
        .filter(|one| one["contact"] == "anna")
        .map(|one| one["text"].as_str().unwrap_or_default().to_owned())
        .collect();
    let real = site.inbox.to(ANNA, "");
    let real: Vec<&str> = real.iter().map(|sms| sms.text.as_str()).collect();
    assert_eq!(texts, real, "the replay tells what the host told");
    assert_eq!(site.inbox.count(), before, "and tells it nobody");
}

#[test]
fn the_same_recording_gives_the_same_report_to_the_byte() {
    let site = Site::new();
    site.write(
        "plant.csv",
        levels(&[(0, 1.0), (1, 500.0), (2, 1.0), (3, 600.0)]),
    );
    let file = site.path("plant.csv");
    let file = file.to_str().expect("a path");
    for options in [["replay", file, "--json"].as_slice(), &["replay", file]] {
        assert_eq!(site.tell(options), site.tell(options));
    }
}

#[test]
fn wake_ups_happen_at_their_moments_of_recorded_time() {
    let site = Site::new();
    let delayed = site.read("plugins/levels.toml") + "on_delay = \"10s\"\n";
    site.write("plugins/levels.toml", delayed);
    // Too short at first; then long enough, with nothing recorded when the delay is over.
    let values = [(0, 1.0), (5, 500.0), (9, 1.0), (20, 500.0), (90, 1.0)];
    site.write("plant.csv", levels(&values));
    let file = site.path("plant.csv");
    let report = site.json(&["replay", file.to_str().expect("a path")]);
    let high = alarm(&report, 0, "levels/tank0.level.high");
    assert_eq!(high["first"], "2026-01-01T00:00:30.000000000Z");
    assert_eq!((&high["raised"], &high["cleared"]), (&1.into(), &1.into()));
}

#[test]
fn two_versions_are_told_side_by_side() {
    let site = Site::new();
    let mut values = Vec::new();
    for turn in 0..8 {
        values.push((turn * 1_000, 150.0));
        values.push((turn * 1_000 + 10, 1.0));
    }
    values.push((9_000, -5.0));
    site.write("plant.csv", levels(&values));
    std::fs::create_dir(site.path("newer")).expect("a folder");
    let newer = site
        .read("plugins/levels.toml")
        .replace("high = 100.0", "high = 200.0\nlow = 0.0");
    site.write("newer/levels.toml", newer);
    let (file, newer) = (site.path("plant.csv"), site.path("newer"));
    let options = [
        "replay",
        file.to_str().expect("a path"),
        "--compare",
        newer.to_str().expect("a path"),
    ];
    let report = site.json(&options);
    // Two people, an alert and an end each.
    assert_eq!(
        (messages(&report, 0).len(), messages(&report, 1).len()),
        (32, 2)
    );
    let comparison = &report["comparison"];
    assert_eq!(comparison["gone"].as_array().map(Vec::len), Some(32));
    assert_eq!(comparison["new"].as_array().map(Vec::len), Some(2));
    let text = site.tell(&options);
    assert!(
        text.contains("v2 would have sent 30 fewer messages; these 2 are new:"),
        "{text}"
    );
    assert!(
        text.contains("HIGH tank0.level low: -5 is below 0"),
        "{text}"
    );
    assert!(
        text.contains("levels/tank0.level.high: raised 8 -> 0, cleared 8 -> 0"),
        "{text}"
    );
    // A component that is the same sends the same.
    let same = site.path("plugins/limits.wasm");
    let text = site.tell(&[
        options[0],
        options[1],
        "--compare",
        same.to_str().expect("a path"),
    ]);
    assert!(text.contains("v2 would have sent the very same."), "{text}");
}

#[test]
fn what_is_wrong_with_a_recording_is_told_with_its_line() {
    let site = Site::new();
    let rows = levels(&[(0, 1.0), (1, 500.0)]);
    let more = "garbage\n2026-01-01T00:00:09Z,9,pump7.speed,1,,192,,\n2026-01-01T00:00:08Z,10,tank0.level,2,,192,,\n";
    site.write("plant.csv", format!("{rows}{more}2026-01-01T00:0"));
    let file = site.path("plant.csv");
    let file = file.to_str().expect("a path");
    let asked = site.ask(&["replay", file]);
    assert_eq!(asked.code, Some(1), "a row is missing: {}", asked.stdout);
    for words in [
        "plant.csv:4: it has 1 fields",
        "plant.csv:6: now is",
        "plant.csv:7: the recording was cut off",
        "pump7.speed (1 samples)",
        "tank1.level",
        "levels/tank0.level.high",
    ] {
        assert!(
            asked.stdout.contains(words),
            "`{words}` is not in {}",
            asked.stdout
        );
    }
    site.write("other.csv", "time,name\n");
    let other = site.path("other.csv");
    let asked = site.ask(&["replay", other.to_str().expect("a path")]);
    assert_eq!(asked.code, Some(1));
    assert!(
        asked
            .stderr
            .contains("other.csv, line 1: `name` is no column"),
        "{}",
        asked.stderr
    );
}

#[test]
fn plugins_that_cannot_run_refuse_the_replay() {
    let site = Site::new();
    site.write("plant.csv", levels(&[(0, 1.0)]));
    site.write("plugins/broken.wasm", "not a component");
    let file = site.path("plant.csv");
    let asked = site.ask(&["replay", file.to_str().expect("a path")]);
    assert_eq!(asked.code, Some(1));
    assert!(asked.stderr.contains("broken.wasm"), "{}", asked.stderr);
    assert_eq!(asked.stdout, "");
}

#[test]
fn the_recording_of_the_settings_survives_a_kill() {
    let mut site = Site::new();
    let text = site.read("andon.toml");
    site.write(
        "andon.toml",
        format!("{text}\n[recording]\nenabled = true\n"),
    );
    site.start();
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "tank0.level high: 500 ");
    let folder = site.path("data/recordings");
    let rows = |value: f64| {
        let mut recording = Recording::open(&folder).ok()?;
        let (mut batch, mut found) = (Default::default(), 0);
        let mut find = |_: &str| {
            Some(Known {
                tag: andon_model::TagId(0),
                is_text: false,
            })
        };
        while let Ok(Some(item)) = recording.next(&mut batch, &mut find) {
            if matches!(item, Item::Batch(_)) {
                found += batch.value.iter().filter(|one| **one == value).count();
            }
        }
        (found > 0).then(|| recording.notes().clone())
    };
    wait_for("the value to be recorded", || rows(500.0));
    site.kill();
    let notes = rows(500.0).expect("it is there still");
    assert_eq!((notes.unfinished, notes.unreadable), (1, 0));
    site.start();
    site.plc.set(0, 501);
    wait_for("the next run to record", || rows(501.0));
    site.stop();
    assert_eq!(
        rows(501.0).expect("it is there").unfinished,
        1,
        "the second file has its end"
    );
    let report = site.json(&["replay", folder.to_str().expect("a path")]);
    assert_eq!(alarm(&report, 0, "levels/tank0.level.high")["raised"], 1);
}
