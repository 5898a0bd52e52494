//! Messages from phones: who may acknowledge, and who is answered.

use crate::kit::{ANNA, BO, Site, code_of, wait_for};

const STRANGER: &str = "+4799999999";

#[test]
fn a_contact_acknowledges_and_a_stranger_does_not_even_get_an_answer() {
    let site = Site::running();
    site.plc.set(0, 500);
    let code = code_of(&site.inbox.wait(ANNA, "500").text);
    site.smsc.say(STRANGER, &format!("ack {code}"));
    site.smsc.say(STRANGER, "hello?");
    site.smsc.say(STRANGER, "ack");
    // What a contact says later is answered, so what the stranger said was read before.
    site.smsc.say(ANNA, "ack 99ZZ");
    site.inbox.wait(ANNA, "No alarm has the code 99ZZ");
    assert_eq!(site.wait_alarm("tank0")["state"], "unacknowledged");

    site.smsc.say(ANNA, "what is going on there?");
    site.inbox.wait(ANNA, "Not understood");
    site.smsc.say(ANNA, &code.to_lowercase());
    site.inbox.wait(ANNA, &format!("{code} acknowledged"));
    let alarm = site.wait_alarm("tank0");
    assert_eq!(alarm["acknowledged"]["by"], "anna");
    assert_eq!(alarm["acknowledged"]["how"], "sms");
    site.smsc.say(BO, &format!("OK {code}."));
    site.inbox.wait(BO, "already acknowledged by Anna Berg");
    assert!(site.inbox.to(STRANGER, "").is_empty());
}

#[test]
fn a_code_that_was_acknowledged_at_the_machine_is_told_so_by_sms() {
    let site = Site::running();
    site.plc.set(0, 500);
    let code = code_of(&site.inbox.wait(BO, "500").text);
    site.tell(&["ack", &code, "--by", "otto"]);
    site.smsc.say(BO, "ack");
    site.inbox.wait(BO, "already acknowledged by otto");
    site.plc.set(0, 0);
    site.wait_no_alarm("tank0");
    site.smsc.say(BO, &format!("ack {code}"));
    site.inbox.wait(BO, &format!("{code} is already over"));
    let told = site.tell(&["explain", &code]);
    for words in [
        "tank0.level",
        "otto",
        "raised",
        "acknowledged",
        "cleared",
        "bo",
    ] {
        assert!(told.contains(words), "{words} is not in:\n{told}");
    }
    assert_eq!(site.ask(&["explain", "99ZZ"]).code, Some(1));
    assert_eq!(site.ask(&["ack", "99ZZ"]).code, Some(1));
    wait_for("the reply to be answered once", || {
        (site.inbox.to(BO, "already over").len() == 1).then_some(())
    });
}
