//! What stands between rules and phones: delays, a device that goes away, floods.

use std::fmt::Write as _;
use std::time::Duration;

use crate::kit::{ANNA, BO, Line, Site, pause, wait_for};

/// Medium alarms, so that a flood may hold them, and one for each bad tag.
const MEDIUM_TOML: &str = r#"component = "limits.wasm"

[inputs]
inputs = ["tank*.level"]

[parameters]
on_bad_quality = "force"
high = { limit = 100.0, priority = "medium" }
"#;

fn add_settings(site: &Site, text: &str) {
    let settings = site.read("andon.toml");
    site.write("andon.toml", format!("{settings}\n{text}"));
}

#[test]
fn an_on_delay_goes_on_over_a_kill_and_does_not_begin_again() {
    let mut site = Site::new();
    add_settings(&site, "[[alarms.conditions]]\non_delay = \"6s\"\n");
    site.start();
    site.plc.set(0, 500);
    wait_for("the level to be read", || {
        let overview = site.json(&["health"]);
        overview["tags"]
            .to_string()
            .contains("\"500\"")
            .then_some(())
    });
    site.wait_written();
    assert!(site.alarms("tank0").is_empty(), "it waits");
    site.kill();
    pause(Duration::from_secs(4));
    site.start();
    site.inbox.wait(ANNA, "500");
    let code = site.wait_alarm("tank0")["code"]
        .as_str()
        .unwrap()
        .to_owned();
    let told = site.tell(&["explain", &code]);
    assert!(told.contains("its on-delay is 6s"), "{told}");
}

#[test]
fn a_condition_that_is_gone_before_its_on_delay_is_over_is_no_alarm() {
    let site = {
        let mut site = Site::new();
        let levels = site.read("plugins/levels.toml");
        site.write(
            "plugins/levels.toml",
            format!("on_delay = \"2s\"\n{levels}"),
        );
        site.start();
        site
    };
    site.plc.set(0, 500);
    pause(Duration::from_millis(500));
    site.plc.set(0, 0);
    site.plc.set(1, 600);
    site.inbox.wait(ANNA, "600");
    assert!(site.inbox.to(ANNA, "500").is_empty());
}

#[test]
fn a_plc_that_goes_away_is_one_alarm_and_not_one_for_each_tag() {
    let mut site = Site::new();
    site.write("plugins/levels.toml", MEDIUM_TOML);
    site.start();
    site.plc.line(Line::Silent);
    site.inbox.wait(ANNA, "does not answer");
    wait_for("the alarms of all tanks", || {
        let silenced = site.alarms("levels/tank").into_iter();
        let silenced =
            silenced.filter(|alarm| alarm["flags"]["suppressed"]["by"] == "device.plc.unit1.comm");
        (silenced.count() == 10).then_some(())
    });
    site.settle();
    assert_eq!(site.inbox.to(ANNA, "").len(), 1, "{:?}", site.inbox.all());
    // A crash lets none of them out.
    site.restart();
    site.wait_alarm("device.plc");
    site.settle();
    assert!(site.inbox.to(ANNA, "tank").is_empty());
    // What is wrong for real is told once the PLC is back, and nothing else.
    site.plc.set(3, 700);
    site.plc.line(Line::Good);
    site.inbox.wait(ANNA, "tank3");
    site.wait_no_alarm("device.plc");
    site.settle();
    let tanks = site.inbox.to(ANNA, "tank");
    assert!(
        tanks.iter().all(|sms| sms.text.contains("tank3")),
        "{tanks:?}"
    );
}

#[test]
fn a_flood_of_a_hundred_is_told_in_a_digest() {
    let mut site = Site::new();
    site.write("plugins/levels.toml", MEDIUM_TOML);
    let mut more = String::from("[alarms.flood]\nwindow = \"20s\"\ndigest_every = \"5s\"\n\n");
    for tank in 10..100 {
        writeln!(
            more,
            "[[tags]]\nname = \"tank{tank}.level\"\ndevice = \"plc\"\naddress = \"holding:{tank}\"\n"
        )
        .unwrap();
    }
    add_settings(&site, &more);
    site.start();
    for tank in 0..100 {
        site.plc.set(tank, 500);
    }
    for phone in [ANNA, BO] {
        site.inbox
            .wait(phone, "Alarm flood: more than 10 alarms in 20s");
        let digest = site.inbox.wait(phone, "FLOOD ");
        assert!(digest.text.contains("medium"), "{digest:?}");
    }
    assert_eq!(site.alarms("levels/tank").len(), 100);
    wait_for("the end of the flood", || {
        site.alarms("alarms-flood")
            .iter()
            .all(|alarm| alarm["state"] == "returned-unacknowledged")
            .then_some(())
    });
    site.settle();
    let told = site.inbox.to(ANNA, "").len();
    assert!(told <= 20, "{told} messages: {:#?}", site.inbox.all());
    // Each of the hundred can be explained.
    let mut one_by_one = 0;
    for alarm in site.alarms("levels/tank") {
        let occurrence = alarm["occurrence"].to_string();
        let told = site.tell(&["explain", &occurrence]);
        let in_digest = told.contains("in digest");
        assert!(in_digest || told.contains("tells anna"), "{told}");
        one_by_one += usize::from(!in_digest);
    }
    assert!(
        (1..=10).contains(&one_by_one),
        "{one_by_one} were told one by one"
    );
}

#[test]
fn circles_and_unknown_tags_of_suppressions_are_told_by_the_check() {
    let site = Site::new();
    let suppression = |name: &str, when: &str, suppresses: &str| {
        format!(
            "[[alarms.suppressions]]\nname = \"{name}\"\nwhen = {when}\nsuppresses = [{suppresses}]\nreason = \"because\"\n\n"
        )
    };
    let settings = site.read("andon.toml");
    let one = suppression("one", "{ instance = \"a*\" }", "{ instance = \"b\" }");
    let two = suppression("two", "{ instance = \"b?\" }", "{ instance = \"ax\" }");
    site.write("andon.toml", format!("{settings}\n{one}{two}"));
    let fine = site.ask(&["check"]);
    assert_eq!(fine.code, Some(0), "{}", fine.stdout);
    let back = suppression("two", "{ instance = \"b*\" }", "{ instance = \"ax\" }");
    site.write("andon.toml", format!("{settings}\n{one}{back}"));
    let refused = site.ask(&["check"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stdout.contains("one -> two -> one"),
        "{}",
        refused.stdout
    );
    let unknown = suppression(
        "tag",
        "{ tag = \"tank77.level\", above = 1 }",
        "{ instance = \"b\" }",
    );
    site.write("andon.toml", format!("{settings}\n{unknown}"));
    let warned = site.ask(&["check"]);
    assert_eq!(warned.code, Some(0));
    assert!(
        warned.stdout.contains("there is no tag `tank77.level`"),
        "{}",
        warned.stdout
    );
}
