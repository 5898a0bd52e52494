//! Messages that wait for the end of quiet hours.

use andon_model::{
    AlarmRecord, AlarmState, Delivery, DeliveryKind, DeliveryState, Priority, Reason, Transition,
};

use crate::office::{Office, contacts, plan, pump};

/// The test's time begins on 2023-11-14 at 22:13:20 UTC.
const QUIET: &str = r#"
[[contacts]]
name = "anna"
phone = "+4790000001"
channels = ["smsc", "twilio"]
quiet = [{ from = "22:00", to = "06:00", time_zone = "UTC" }]

[[contacts]]
name = "bob"
phone = "+4790000002"
channels = ["smsc"]

[[escalations]]
name = "crew"
steps = [{ to = ["anna"] }, { to = ["bob"], after = "10m" }]

[[routes]]
name = "steps"
labels = { area = "tanks" }
escalation = "crew"

[[routes]]
name = "all"
to = ["anna"]

[routing]
fallback = ["bob"]
"#;

/// From the start of the test to 06:00.
const TO_MORNING: u64 = 28_000;

fn tank(occurrence: u64) -> AlarmRecord {
    let mut record = pump(occurrence);
    record.labels.insert("area".to_owned(), "tanks".to_owned());
    record
}

fn held(rows: &[Delivery]) -> bool {
    !rows.is_empty() && rows.iter().all(Delivery::is_held)
}

#[test]
fn a_message_waits_with_its_reason_and_goes_out_when_the_quiet_hours_end() {
    let mut office = Office::with(QUIET);
    let rows = office.raise(&pump(7));
    assert!(held(&rows) && rows.len() == 1);
    assert_eq!(rows[0].why.reason, Reason::QuietHours);
    assert!(
        rows[0].why.detail.contains("until 2023-11-15T06:00:00"),
        "{}",
        rows[0].why
    );
    assert!(rows[0].expires_at > rows[0].next_at);
    assert!(office.reasons().contains(&Reason::QuietHours));
    assert!(office.wait(TO_MORNING - 1).is_empty());
    office.restart();
    let out = office.wait(1);
    assert_eq!(contacts(&out), [("anna", "smsc")]);
    assert!(!out[0].is_held());
    office.sent(&out[0]);
    assert_eq!(office.wire.len(), 1);
}

#[test]
fn critical_breaks_through() {
    let mut office = Office::with(QUIET);
    let record = AlarmRecord {
        priority: Priority::Critical,
        ..pump(7)
    };
    assert!(!held(&office.raise(&record)));
}

#[test]
fn several_go_out_as_one_and_each_counts_as_told() {
    let mut office = Office::with(QUIET);
    for occurrence in 1..=3 {
        office.raise(&pump(occurrence));
        office.pass(60);
    }
    let rows = office.wait(TO_MORNING);
    let digests: Vec<&Delivery> = rows
        .iter()
        .filter(|row| row.kind == DeliveryKind::Digest)
        .collect();
    assert_eq!(digests.len(), 1);
    let text = &digests[0].text;
    assert!(
        text.starts_with("3 messages from your quiet hours: 1) HIGH Pump 1"),
        "{text}"
    );
    assert!(text.chars().count() <= 320, "{text}");
    assert_eq!(office.due().len(), 1, "only the digest goes to the courier");
    office.restart();
    let digest = office.due().remove(0);
    office.sent(&digest);
    let alerts = |office: &Office| -> Vec<Delivery> {
        let all = office.store.values();
        all.filter(|row| row.kind == DeliveryKind::Alert)
            .cloned()
            .collect()
    };
    assert!(alerts(&office).iter().all(|row| row.state.has_left()));
    assert!(
        alerts(&office)
            .iter()
            .all(|row| row.why.reason == Reason::InDigest)
    );
    let end = office.clear(&pump(2));
    assert_eq!(
        contacts(&end),
        [("anna", "smsc")],
        "told in the digest, so told of the end"
    );
}

#[test]
fn a_digest_that_fails_over_takes_its_messages_along() {
    for both_fail in [false, true] {
        let mut office = Office::with(QUIET);
        office.raise(&pump(1));
        office.raise(&pump(2));
        office.wait(TO_MORNING);
        let digest = office.due().remove(0);
        office.fails(&digest, Reason::RecipientRefused);
        let again = office.due().remove(0);
        assert_eq!(
            (again.kind, again.channel.sink.as_str()),
            (DeliveryKind::Digest, "twilio")
        );
        if both_fail {
            office.fails(&again, Reason::RecipientRefused);
        } else {
            office.sent(&again);
        }
        for row in office
            .store
            .values()
            .filter(|row| row.kind == DeliveryKind::Alert)
        {
            assert_eq!(row.state.has_left(), !both_fail, "{row:?}");
            assert!(!row.state.is_owed());
        }
        assert_eq!(office.desk.figures().owed, 0);
        assert_eq!(
            office.host.len(),
            usize::from(both_fail),
            "anna cannot be reached"
        );
    }
}

#[test]
fn the_escalation_goes_on_without_whoever_sleeps() {
    let mut office = Office::with(QUIET);
    assert!(held(&office.raise(&tank(7))));
    assert_eq!(contacts(&office.wait(600)), [("bob", "smsc")]);
    let not_told = office
        .journal
        .iter()
        .filter(|line| line.event == "not told");
    assert!(
        not_told
            .into_iter()
            .any(|line| line.why.reason == Reason::QuietHours)
    );
}

#[test]
fn what_was_answered_meanwhile_is_withdrawn() {
    let mut office = Office::with(QUIET);
    let record = tank(7);
    office.raise(&record);
    let bob = office.wait(600).remove(0);
    office.sent(&bob);
    let record = AlarmRecord {
        state: AlarmState::Acknowledged,
        acknowledged: Some(office.acknowledgement("bob")),
        ..record
    };
    office.event(Transition::Acknowledged, record);
    assert!(office.wait(TO_MORNING).is_empty());
    let alert = office
        .store
        .values()
        .find(|row| row.contact == "anna" && row.kind == DeliveryKind::Alert)
        .expect("a row");
    assert_eq!(alert.state, DeliveryState::Failed);
    assert_eq!(
        alert.why.reason,
        Reason::FirstRaise,
        "the reason of the event"
    );
    assert!(office.desk.figures().owed == 0);
}

#[test]
fn what_is_over_by_then_and_nobody_answered_is_told_as_over() {
    let mut office = Office::with(QUIET);
    let record = pump(7);
    office.raise(&record);
    office.pass(720);
    office.clear(&record);
    let out = office.wait(TO_MORNING);
    assert_eq!(out.len(), 1);
    assert!(
        out[0].text.starts_with("OVER after 12m: "),
        "{}",
        out[0].text
    );
}

#[test]
fn an_end_in_quiet_hours_waits_and_is_told_to_whoever_was_told() {
    let mut office = Office::with(QUIET);
    office.pass(TO_MORNING + 15 * 3_600 + 3_500);
    let record = pump(7);
    let alert = office.raise(&record).remove(0);
    assert!(!alert.is_held(), "21:58");
    office.sent(&alert);
    office.pass(300);
    let end = office.clear(&record);
    assert!(held(&end));
    let out = office.wait(9 * 3_600);
    assert_eq!((out.len(), out[0].kind), (1, DeliveryKind::Resolved));
}

#[test]
fn settings_that_end_the_quiet_hours_release_what_waits() {
    let mut office = Office::with(QUIET);
    office.raise(&pump(7));
    let people = QUIET.replace(
        "quiet = [{ from = \"22:00\", to = \"06:00\", time_zone = \"UTC\" }]",
        "",
    );
    office.desk.replace_plan(plan(&people));
    assert_eq!(contacts(&office.wait(1)), [("anna", "smsc")]);
}

#[test]
fn a_later_step_does_not_add_a_second_message_to_one_that_waits() {
    let people = QUIET.replace(
        "steps = [{ to = [\"anna\"] }",
        "steps = [{ to = [\"anna\"], repeat = { times = 2, every = \"1m\" } }",
    );
    let mut office = Office::with(&people);
    office.raise(&tank(7));
    assert!(office.wait(120).is_empty());
    assert!(office.reasons().contains(&Reason::AlreadyTold));
}
