//! What people silence, from the command line to the phone: shelving, out of service, latching.

use serde_json::Value;

use crate::kit::{ANNA, BO, Site, code_of, wait_for};

/// `INSTANCE/KEY` of the alarm of a tank.
fn id_of(alarm: &Value) -> String {
    let part = |name: &str| alarm["id"][name].as_str().expect("a text").to_owned();
    format!("{}/{}", part("instance"), part("key"))
}

/// The name of a tank's alarm, from one that stood once and is over.
fn learn_id(site: &Site, tank: u16) -> String {
    site.plc.set(tank, 500);
    let alarm = site.wait_alarm(&format!("tank{tank}"));
    site.tell(&[
        "ack",
        alarm["code"].as_str().expect("a code"),
        "--by",
        "otto",
    ]);
    site.plc.set(tank, 0);
    wait_for("the alarm to be over", || {
        site.alarms(&format!("tank{tank}")).is_empty().then_some(())
    });
    site.settle();
    id_of(&alarm)
}

/// Waits until a line of an alarm's story holds the words.
fn wait_story(site: &Site, alarm: &str, words: &str) {
    wait_for(&format!("`{words}` in the story of {alarm}"), || {
        site.tell(&["explain", alarm]).contains(words).then_some(())
    });
}

#[test]
fn what_is_shelved_tells_nobody_and_comes_back_at_its_end() {
    let site = Site::running();
    site.plc.set(0, 500);
    let code = code_of(&site.inbox.wait(ANNA, "500").text);
    site.inbox.wait(BO, "500");

    let refused = site.ask(&[
        "shelve", &code, "--for", "9h", "--reason", "the pump", "--by", "anna",
    ]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("longer than 8h"),
        "{}",
        refused.stderr
    );
    let refused = site.ask(&["shelve", &code, "--for", "1h", "--reason", " "]);
    assert!(
        refused.stderr.contains("a reason is needed"),
        "{}",
        refused.stderr
    );

    let said = site.tell(&[
        "shelve", &code, "--for", "2s", "--reason", "the pump", "--by", "anna",
    ]);
    assert!(said.contains("is shelved until"), "{said}");
    // Its condition holds when the time is over, so people are told of it once more.
    wait_for("the second message", || {
        (site.inbox.to(ANNA, "500").len() == 2 && site.inbox.to(BO, "500").len() == 2).then_some(())
    });
    let story = site.tell(&["explain", &code]);
    for part in [
        "shelved by anna (command line)",
        "the shelving by anna ended",
    ] {
        assert!(story.contains(part), "{story}");
    }
}

#[test]
fn what_was_shelved_while_it_was_normal_stays_so_over_a_crash() {
    let mut site = Site::running();
    let id = learn_id(&site, 1);
    let told = site.inbox.to(ANNA, "tank1").len();
    let said = site.tell(&[
        "shelve", &id, "--for", "1h", "--reason", "cleaning", "--by", "anna",
    ]);
    assert!(said.contains("it is normal"), "{said}");
    site.restart();

    site.plc.set(1, 600);
    let alarm = site.wait_alarm("tank1");
    assert_eq!(alarm["state"], "unacknowledged");
    assert_eq!(alarm["flags"]["shelved"]["by"], "anna");
    let number = alarm["occurrence"].to_string();
    wait_story(&site, &number, "not told");
    let listed = site.tell(&["alarms", "--silenced"]);
    assert!(
        listed.contains(&id) && listed.contains("shelved by anna") && listed.contains("cleaning"),
        "{listed}"
    );
    site.settle();
    assert_eq!(site.inbox.to(ANNA, "tank1").len(), told);

    let said = site.tell(&["unshelve", &id, "--by", "bo"]);
    assert!(said.contains("people are told"), "{said}");
    site.inbox.wait(ANNA, "600");
    site.inbox.wait(BO, "600");
    assert_eq!(site.json(&["alarms", "--silenced"]), serde_json::json!([]));
    let refused = site.ask(&["unshelve", &id]);
    assert!(
        refused.stderr.contains("is not shelved"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_shelving_that_ends_while_the_host_is_down_is_told_at_its_start() {
    let mut site = Site::running();
    site.plc.set(2, 500);
    let code = code_of(&site.inbox.wait(ANNA, "500").text);
    site.settle();
    site.tell(&["shelve", &code, "--for", "1s", "--reason", "a moment"]);
    site.kill();
    crate::kit::pause(std::time::Duration::from_secs(1));
    site.start();
    wait_for("the second message", || {
        (site.inbox.to(ANNA, "500").len() == 2).then_some(())
    });
}

#[test]
fn whoever_shelved_an_alarm_is_reminded() {
    let mut site = Site::new();
    site.edit(
        "[routing]",
        "[alarms.shelving]\nremind_before = \"3598s\"\n\n[routing]",
    );
    site.start();
    site.plc.set(3, 500);
    let code = code_of(&site.inbox.wait(ANNA, "500").text);
    site.tell(&[
        "shelve", &code, "--for", "1h", "--reason", "the pump", "--by", "bo",
    ]);
    let sms = site.inbox.wait(BO, "REMINDER");
    assert!(
        sms.text.contains("which you shelved (the pump)"),
        "{}",
        sms.text
    );
    assert_eq!(site.inbox.to(ANNA, "REMINDER").len(), 0);
}

#[test]
fn out_of_service_stays_until_it_is_brought_back() {
    let mut site = Site::running();
    let id = learn_id(&site, 4);
    let told = site.inbox.to(ANNA, "tank4").len();
    site.tell(&[
        "service",
        "out",
        &id,
        "--reason",
        "new sensor",
        "--back-in",
        "4h",
        "--by",
        "bo",
    ]);
    let again = site.ask(&["service", "out", &id, "--reason", "new sensor"]);
    assert!(
        again.stderr.contains("already out of service by bo"),
        "{}",
        again.stderr
    );
    let listed = site.tell(&["service", "list"]);
    assert!(
        listed.contains(&id)
            && listed.contains("new sensor")
            && listed.contains("expected back by"),
        "{listed}"
    );
    site.restart();
    site.plc.set(4, 600);
    let number = site.wait_alarm("tank4")["occurrence"].to_string();
    wait_story(&site, &number, "not told");
    site.settle();
    assert_eq!(site.inbox.to(ANNA, "tank4").len(), told);
    site.tell(&["service", "back", &id, "--by", "bo"]);
    site.inbox.wait(ANNA, "600");
    assert!(
        site.tell(&["service", "list"])
            .contains("Nothing is silent")
    );
}

#[test]
fn a_latching_alarm_waits_for_its_reset() {
    let mut site = Site::new();
    let levels = site.read("plugins/levels.toml");
    site.write("plugins/levels.toml", format!("latching = true\n{levels}"));
    site.start();
    site.plc.set(5, 500);
    let code = code_of(&site.inbox.wait(ANNA, "500").text);
    let refused = site.ask(&["reset", &code]);
    assert!(refused.stderr.contains("still holds"), "{}", refused.stderr);
    site.plc.set(5, 0);
    site.inbox.wait(ANNA, "OVER");
    let refused = site.ask(&["reset", &code]);
    assert!(
        refused.stderr.contains("is not acknowledged yet"),
        "{}",
        refused.stderr
    );
    let said = site.tell(&["ack", &code, "--by", "anna"]);
    assert!(said.contains(&format!("`andon reset {code}`")), "{said}");
    site.wait_written();
    site.restart();
    assert_eq!(site.wait_alarm("tank5")["state"], "latched");
    let said = site.tell(&["reset", &code, "--by", "anna"]);
    assert!(said.contains("it is over"), "{said}");
    assert_eq!(site.alarms("tank5").len(), 0);
}

#[test]
fn an_alarm_of_no_instance_cannot_be_shelved() {
    let site = Site::running();
    let refused = site.ask(&["shelve", "lewels/tank0", "--one-shot", "--reason", "x"]);
    assert!(
        refused.stderr.contains("no instance `lewels`"),
        "{}",
        refused.stderr
    );
    let said = site.tell(&["shelve", "levels/tank0.hihg", "--one-shot", "--reason", "x"]);
    assert!(said.contains("was ever raised so far"), "{said}");
    let refused = site.ask(&["shelve", "levels/tank0.hihg", "--reason", "x"]);
    assert_eq!(refused.code, Some(2));
}
