//! Who is told next while nobody answers, quiet hours, and alarms that two people acknowledge.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::kit::{ANNA, BO, CECILIE, Site, code_of, pause, wait_for};

/// A place whose route names this escalation.
fn site(escalation: &str) -> Site {
    let site = Site::new();
    site.edit(
        "name = \"everything\"\nto = [\"anna\", \"bo\"]",
        "name = \"everything\"\nescalation = \"crew\"",
    );
    site.edit(
        "[routing]",
        &format!("[[escalations]]\nname = \"crew\"\n{escalation}\n\n[routing]"),
    );
    site
}

#[test]
fn an_escalation_goes_on_after_a_crash_and_tells_nobody_twice_for_a_step() {
    let mut site = site(
        "steps = [{ to = [\"anna\"] }, { to = [\"bo\"], after = \"3s\" }, { to = [\"cecilie\"], after = \"3s\" }]",
    );
    site.start();
    site.plc.set(0, 500);
    let first = site.inbox.wait(ANNA, "500");
    site.kill();
    // The second step comes due while nothing runs.
    pause(Duration::from_secs(4));
    assert!(site.inbox.to(BO, "500").is_empty());
    site.start();
    site.inbox.wait(BO, "unanswered for");
    site.inbox.wait(CECILIE, "unanswered for");
    let code = code_of(first.words());
    site.smsc.say(BO, &format!("take {code}"));
    site.inbox.wait(BO, "is yours");
    site.inbox.wait(ANNA, &format!("bo works on {code}: "));
    site.inbox.wait(CECILIE, &format!("bo works on {code}: "));
    site.settle();
    assert_eq!(
        site.inbox.to(ANNA, "500").len(),
        2,
        "the alert and the notice"
    );
    assert_eq!(site.inbox.to(BO, "unanswered").len(), 1);
    assert_eq!(site.inbox.to(CECILIE, "unanswered").len(), 1);
    let story = site.tell(&["explain", &code]);
    assert!(
        story.contains("step 2 of escalation `crew` tells bo"),
        "{story}"
    );
}

#[test]
fn when_nobody_answers_the_fallback_hears_it_and_a_phone_can_ask_for_the_next() {
    let mut site = site(
        "steps = [{ to = [\"bo\"] }, { to = [\"cecilie\"], after = \"1h\" }]\nunanswered_after = \"1s\"\nagain_every = \"1h\"",
    );
    site.start();
    site.plc.set(0, 500);
    let code = code_of(site.inbox.wait(BO, "500").words());
    assert!(site.inbox.to(CECILIE, "500").is_empty());
    site.smsc.say(BO, &format!("escalate {code}"));
    site.inbox.wait(BO, "goes to the next now");
    site.inbox.wait(CECILIE, "500");
    // Anna is the fallback.
    site.inbox.wait(ANNA, &format!("Nobody answered {code}"));
    site.wait_alarm(&format!(
        "unanswered.{}",
        site.wait_alarm("tank0")["occurrence"]
    ));
    site.smsc.say(BO, &code);
    site.inbox.wait(BO, &format!("{code} acknowledged"));
    site.wait_no_alarm("unanswered");
}

#[test]
fn two_phones_have_to_acknowledge() {
    let mut site = site("steps = [{ to = [\"anna\", \"bo\"] }]\nacknowledgements = 2");
    site.start();
    site.plc.set(0, 500);
    let code = code_of(site.inbox.wait(ANNA, "500").words());
    site.inbox.wait(BO, "500");
    site.smsc.say(ANNA, &code);
    site.inbox.wait(
        ANNA,
        &format!("{code} acknowledged by 1 of 2, one more person has to"),
    );
    assert_eq!(site.wait_alarm("tank0")["state"], "unacknowledged");
    site.restart();
    site.smsc.say(ANNA, &code);
    site.inbox
        .wait(ANNA, &format!("{code} has your acknowledgement already"));
    assert_eq!(site.wait_alarm("tank0")["state"], "unacknowledged");
    site.smsc.say(BO, &code);
    site.inbox.wait(BO, &format!("{code} acknowledged: HIGH"));
    let alarm = site.wait_alarm("tank0");
    assert_eq!(alarm["state"], "acknowledged");
    assert_eq!(alarm["acknowledged"]["by"], "bo");
}

/// Time of day in UTC, so many hours from now.
#[expect(
    clippy::disallowed_methods,
    reason = "the program from outside has the machine's clock"
)]
fn clock(hours: u64) -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let minutes = since.as_secs() / 60 + hours * 60;
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

#[test]
fn quiet_hours_keep_a_message_back_over_a_crash_until_they_end() {
    let mut site = Site::new();
    let quiet = format!(
        "channels = [\"sms\"]\nquiet = [{{ from = \"{}\", to = \"{}\", time_zone = \"UTC\" }}]",
        clock(22),
        clock(2)
    );
    site.edit("channels = [\"sms\"]", &quiet);
    site.start();
    site.plc.set(0, 500);
    site.plc.set(1, 600);
    let code = code_of(site.inbox.wait(BO, "500").words());
    site.inbox.wait(BO, "600");
    site.wait_written();
    site.restart();
    let story = site.tell(&["explain", &code]);
    assert!(story.contains("anna has quiet hours until"), "{story}");
    assert!(site.inbox.to(ANNA, "00").is_empty());
    site.edit(&quiet, "channels = [\"sms\"]");
    site.tell(&["reload"]);
    let digest = site.inbox.wait(ANNA, "2 messages from your quiet hours");
    assert!(
        digest.words().contains("500") && digest.words().contains("600"),
        "{digest:?}"
    );
    wait_for("both alarms to be told to anna", || {
        let told = |alarm: &str| {
            site.wait_alarm(alarm)["told"]
                .to_string()
                .matches("anna")
                .count()
        };
        (told("tank0") > 0 && told("tank1") > 0).then_some(())
    });
    site.settle();
    assert_eq!(site.inbox.to(ANNA, "00").len(), 1);
}
