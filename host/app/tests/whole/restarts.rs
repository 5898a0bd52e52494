//! What a restart leaves as it was: alarms, acknowledgements, what plugins remember, numbers.

use std::time::Duration;

use crate::kit::{ANNA, BO, CECILIE, Site, code_of, guest, pause, wait_for};

#[test]
fn alarms_acknowledgements_and_numbers_go_on() {
    let mut site = Site::running();
    site.plc.set(0, 500);
    let first = code_of(&site.inbox.wait(ANNA, "500").text);
    site.plc.set(1, 600);
    site.inbox.wait(ANNA, "600");
    site.inbox.wait(BO, "600");
    site.tell(&["ack", &first, "--by", "otto"]);
    site.settle();
    let before = site.alarms("tank");
    site.restart();

    let after = site.alarms("tank");
    let facts = |alarms: &[serde_json::Value]| -> Vec<serde_json::Value> {
        let each = alarms.iter().map(|alarm| {
            let keep = [
                "id",
                "occurrence",
                "code",
                "state",
                "message",
                "acknowledged",
                "raised_at",
            ];
            keep.iter().map(|key| alarm[*key].clone()).collect()
        });
        each.collect()
    };
    assert_eq!(facts(&before), facts(&after));
    assert_eq!(before.len(), 2);

    // The number and the code of a new alarm are not those of an old one.
    site.plc.set(2, 700);
    let new = code_of(&site.inbox.wait(ANNA, "700").text);
    let number = |alarm: &serde_json::Value| alarm["occurrence"].as_u64().expect("a number");
    let newest = site.wait_alarm("tank2");
    assert!(before.iter().all(|alarm| number(alarm) < number(&newest)));
    assert!(before.iter().all(|alarm| alarm["code"] != new.as_str()));
    // Nobody was told a second time of what stood.
    assert_eq!(site.inbox.to(ANNA, "500").len(), 1);
    assert_eq!(site.inbox.to(BO, "600").len(), 1);
}

#[test]
fn those_who_were_told_hear_of_the_end_and_nobody_else() {
    let mut site = Site::running();
    site.plc.set(0, 500);
    site.inbox.wait(ANNA, "500");
    site.inbox.wait(BO, "500");
    site.settle();
    site.kill();
    site.edit("to = [\"anna\", \"bo\"]", "to = [\"cecilie\"]");
    site.start();
    site.plc.set(0, 0);
    site.inbox.wait(ANNA, "OVER");
    site.inbox.wait(BO, "OVER");
    // The new route counts for what comes now.
    site.plc.set(1, 600);
    site.inbox.wait(CECILIE, "600");
    assert_eq!(site.inbox.to(CECILIE, "tank0").len(), 0);
    assert_eq!(site.inbox.to(ANNA, "OVER").len(), 1);
    assert_eq!(site.inbox.to(ANNA, "600").len(), 0);
}

#[test]
fn a_delay_that_ran_goes_on() {
    const DELAY: Duration = Duration::from_secs(6);
    let mut site = Site::new();
    let levels = site.read("plugins/levels.toml");
    let delayed = "high = { limit = 100.0, on_delay = \"6s\" }";
    site.write(
        "plugins/levels.toml",
        levels.replace("high = 100.0", delayed),
    );
    site.start();
    site.plc.set(0, 500);
    let reads = site.plc.reads();
    wait_for("some reads", || {
        (site.plc.reads() > reads + 20).then_some(())
    });
    site.wait_written();
    site.kill();
    pause(DELAY);
    site.start();
    let alarm = site.wait_alarm("tank0");
    // Had the delay begun anew, it would not be over before a whole delay after the start.
    let started = site.json(&["health"])["started_at"]
        .as_i64()
        .expect("a time");
    let raised = alarm["raised_at"].as_i64().expect("a time");
    let delay = i64::try_from(DELAY.as_nanos()).expect("small");
    assert!(raised < started + delay, "{raised} {started}");
}

#[test]
fn what_a_plugin_counted_is_not_forgotten() {
    let mut site = Site::new();
    site.write("plugins/hostile-rule.wasm", guest("hostile-rule.wasm"));
    site.write(
        "plugins/counter.toml",
        "component = \"hostile-rule.wasm\"\n[inputs]\ninput = \"tank9.level\"\n[limits]\nlog_lines_per_minute = 1000\n",
    );
    site.start();
    for value in 1..=5 {
        site.plc.set(9, value);
        wait_for("the value to be read", || {
            let tags = site.json(&["health"]);
            let tags = tags["tags"].as_array()?.clone();
            let tag = tags.iter().find(|tag| tag["name"] == "tank9.level")?;
            (tag["value"].as_str()? == value.to_string()).then_some(())
        });
    }
    let counted = |printed: &str| -> Vec<u64> {
        let lines = printed
            .lines()
            .filter(|line| line.contains("samples so far"));
        let numbers = lines.filter_map(|line| {
            let (before, _) = line.split_once(" samples so far")?;
            before
                .rsplit(|sign: char| !sign.is_ascii_digit())
                .next()?
                .parse()
                .ok()
        });
        numbers.collect()
    };
    let before = wait_for("five samples", || {
        let most = counted(&site.host().printed()).into_iter().max()?;
        (most >= 5).then_some(most)
    });
    site.wait_written();
    site.restart();
    let after = wait_for("a count after the start", || {
        counted(&site.host().printed()).first().copied()
    });
    assert!(after >= before, "{after} after {before}");
}
