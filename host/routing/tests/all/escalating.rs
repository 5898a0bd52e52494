//! Who is told next while nobody answers, over restarts too.

use andon_model::{
    Action, AlarmFlags, AlarmId, AlarmRecord, AlarmState, DeliveryKind, Priority, Reason,
    ReceiptStatus, Shelving, ShelvingKind, Transition,
};

use crate::office::{Office, at, contacts, plan, pump};

pub(crate) const ESCALATING: &str = r#"
[[contacts]]
name = "anna"
display_name = "Anna Berg"
phone = "+4790000001"
channels = ["smsc", "twilio"]

[[contacts]]
name = "bob"
phone = "+4790000002"
channels = ["smsc", "twilio"]

[[contacts]]
name = "chief"
phone = "+4790000003"
channels = ["twilio"]

[[contacts]]
name = "boss"
phone = "+4790000004"
channels = ["twilio"]

[[escalations]]
name = "crew"
steps = [
  { to = ["anna"], repeat = { times = 1, every = "5m" } },
  { to = ["bob", "chief"], after = "10m", parallel = true },
]
unanswered_after = "10m"
again_every = "30m"
again_times = 2

[[routes]]
name = "all"
escalation = "crew"

[routing]
fallback = ["boss"]
"#;

fn office() -> Office {
    Office::with(ESCALATING)
}

fn with(old: &str, new: &str) -> Office {
    assert!(ESCALATING.contains(old));
    Office::with(&ESCALATING.replace(old, new))
}

fn keys(office: &Office) -> Vec<String> {
    let key = |action: &Action| match action {
        Action::Raise(request) => format!("raise {}", request.key),
        Action::Clear(key) => format!("clear {key}"),
        Action::Notify(_) => "notify".to_owned(),
    };
    office.host.iter().map(key).collect()
}

fn acknowledge(office: &mut Office, record: &AlarmRecord, by: &str) -> Vec<andon_model::Delivery> {
    let record = AlarmRecord {
        state: AlarmState::Acknowledged,
        acknowledged: Some(office.acknowledgement(by)),
        ..record.clone()
    };
    office.event(Transition::Acknowledged, record)
}

#[test]
fn the_steps_come_in_their_order_and_time_until_the_last_is_repeated() {
    let mut office = office();
    let first = office.raise(&pump(7));
    assert_eq!(contacts(&first), [("anna", "smsc")]);
    assert!(
        first[0].why.detail.contains("step 1 of escalation `crew`"),
        "{}",
        first[0].why
    );
    assert!(office.wait(299).is_empty());
    let repeat = office.wait(1);
    assert_eq!(contacts(&repeat), [("anna", "smsc")]);
    assert_eq!(
        repeat[0].text,
        "HIGH unanswered for 5m: Pump 1 pressure 9.2 bar above 9 bar. Reply 29 to ack"
    );
    assert!(office.wait(599).is_empty());
    let second = office.wait(1);
    assert_eq!(
        contacts(&second),
        [("bob", "smsc"), ("bob", "twilio"), ("chief", "twilio")],
        "parallel: by all channels at once"
    );
    assert!(keys(&office).is_empty());
    assert!(office.wait(600).is_empty());
    assert_eq!(keys(&office), ["raise unanswered.7"]);
    let boss = office.host_alarms(50);
    assert_eq!(contacts(&boss), [("boss", "twilio")]);
    assert!(
        boss[0].text.contains("Nobody answered 29 HIGH"),
        "{}",
        boss[0].text
    );
    for _ in 0..2 {
        assert_eq!(contacts(&office.wait(1_800)).len(), 3);
    }
    assert!(office.wait(86_400).is_empty(), "at most twice again");
    assert_eq!(office.desk.next_wake(), None);
}

#[test]
fn nothing_follows_an_acknowledgement_and_it_says_who_is_spared() {
    let mut office = office();
    let record = pump(7);
    let rows = office.raise(&record);
    office.sent(&rows[0]);
    acknowledge(&mut office, &record, "anna");
    assert!(office.wait(86_400).is_empty());
    let line = office
        .journal
        .iter()
        .find(|line| line.event == "not told")
        .expect("a line");
    let spared = line.data["not_told"].to_string();
    assert!(
        spared.contains("bob") && spared.contains("chief"),
        "{spared}"
    );
}

#[test]
fn the_end_of_the_condition_ends_the_steps_and_the_alarm_that_nobody_answered() {
    let mut office = office();
    let record = pump(7);
    office.raise(&record);
    office.wait(1_500);
    assert_eq!(keys(&office), ["raise unanswered.7"]);
    office.host.clear();
    office.clear(&record);
    assert_eq!(keys(&office), ["clear unanswered.7"]);
    assert!(office.wait(86_400).is_empty());
    assert!(office.rows.is_empty(), "nothing is kept of it");
}

#[test]
fn a_restart_neither_repeats_a_step_nor_skips_one() {
    let mut office = office();
    office.raise(&pump(7));
    office.restart();
    assert!(office.wait(299).is_empty());
    office.restart();
    assert_eq!(contacts(&office.wait(1)), [("anna", "smsc")]);
    office.restart();
    assert!(office.wait(599).is_empty());
    assert_eq!(office.wait(1).len(), 3);
}

#[test]
fn what_was_missed_while_the_host_was_down_goes_out_once_and_says_that_it_is_late() {
    let mut office = office();
    office.raise(&pump(7));
    office.pass(3 * 3_600);
    office.restart();
    let rows = office.on_time();
    assert_eq!(
        contacts(&rows),
        [
            ("anna", "smsc"),
            ("bob", "smsc"),
            ("bob", "twilio"),
            ("chief", "twilio")
        ]
    );
    for row in &rows {
        assert!(
            row.why.detail.contains("late, the host was not running"),
            "{}",
            row.why
        );
    }
    assert!(
        keys(&office).is_empty(),
        "they have as long to answer as anybody"
    );
    office.restart();
    assert!(office.on_time().is_empty());
    office.wait(600);
    assert_eq!(keys(&office), ["raise unanswered.7"]);
}

#[test]
fn a_run_whose_alarm_is_gone_is_deleted_and_one_that_cannot_be_read_begins_anew() {
    let mut office = office();
    office.raise(&pump(7));
    office.raise(&pump(8));
    office.standing.remove(&pump(8).occurrence);
    office.rows.get_mut("7").expect("a row").record = Some(serde_json::json!({ "odd": 1 }));
    let before = office.store.len();
    office.restart();
    assert_eq!(office.rows.keys().collect::<Vec<_>>(), ["7"]);
    assert_eq!(
        office.store.len(),
        before + 1,
        "anna is told again rather than never"
    );
    assert_eq!(office.wait(300).len(), 1);
}

#[test]
fn an_escalation_until_taken_goes_on_after_an_acknowledgement() {
    let mut office = with(
        "name = \"crew\"\nsteps",
        "name = \"crew\"\nuntil = \"taken\"\nsteps",
    );
    let record = pump(7);
    office.raise(&record);
    acknowledge(&mut office, &record, "anna");
    assert_eq!(contacts(&office.wait(300)), [("anna", "smsc")]);
    office.take(&record, "anna");
    assert!(office.wait(86_400).is_empty());
}

#[test]
fn an_escalation_until_delivered_ends_with_the_receipt() {
    let mut office = with(
        "name = \"crew\"\nsteps",
        "name = \"crew\"\nuntil = \"delivered\"\nsteps",
    );
    let row = office.raise(&pump(7)).remove(0);
    let row = office.sent(&row);
    assert_eq!(office.desk.figures().escalations, 1);
    office.receipt(&row, ReceiptStatus::Delivered);
    assert_eq!(office.desk.figures().escalations, 0);
    assert!(office.wait(86_400).is_empty());
}

#[test]
fn asking_for_the_next_tells_it_at_once_and_the_last_again() {
    let mut office = office();
    let record = pump(7);
    assert!(!office.desk.can_escalate(record.occurrence));
    office.raise(&record);
    assert!(office.desk.can_escalate(record.occurrence));
    office.pass(60);
    let next = office.event(Transition::Escalated, record.clone());
    assert_eq!(next.len(), 3, "bob and chief");
    let last = office.event(Transition::Escalated, record.clone());
    assert_eq!(contacts(&last), contacts(&next));
    assert!(last.iter().all(|row| row.step == 2), "a telling of its own");
    office.wait(600);
    assert_eq!(
        keys(&office),
        ["raise unanswered.7"],
        "counted from the last telling"
    );
}

#[test]
fn whoever_answered_may_still_ask_for_the_next_and_nothing_follows_by_itself() {
    let mut office = office();
    let record = pump(7);
    office.raise(&record);
    office.take(&record, "anna");
    let next = office.event(Transition::Escalated, record);
    assert_eq!(next.len(), 3);
    assert!(office.wait(86_400).is_empty());
}

#[test]
fn a_silence_stops_the_steps_and_its_end_tells_as_if_it_were_raised() {
    let mut office = office();
    let mut record = pump(7);
    office.raise(&record);
    record.flags.shelved = Some(Shelving {
        kind: ShelvingKind::Timed,
        until: at(3_600),
        by: "ola".to_owned(),
        at: at(0),
        how: "command line".to_owned(),
        reason: "the pump is washed".to_owned(),
    });
    office.event(Transition::Shelved, record.clone());
    assert!(office.wait(3_600).is_empty());
    record.flags = AlarmFlags::default();
    let rows = office.event(Transition::Unshelved, record.clone());
    assert_eq!(contacts(&rows), [("anna", "smsc")]);
    assert_eq!(rows[0].step, 1, "a telling of its own");
    assert_eq!(
        contacts(&office.wait(300)),
        [("anna", "smsc")],
        "and the steps begin anew"
    );
}

#[test]
fn a_silenced_alarm_tells_nobody_and_says_whom_it_would_have_told() {
    let mut office = office();
    let mut record = pump(7);
    record.flags.suppressed = Some(andon_model::Suppression {
        by: "line-stands".to_owned(),
        since: at(0),
        reason: "the line stands".to_owned(),
    });
    assert!(office.raise(&record).is_empty());
    let line = office.journal.last().expect("a line");
    assert_eq!(
        (line.event.as_str(), line.why.reason),
        ("not told", Reason::Suppressed)
    );
    assert!(line.why.detail.contains("anna") && line.why.detail.contains("the line stands"));
    record.flags = AlarmFlags::default();
    assert_eq!(office.event(Transition::Unsuppressed, record).len(), 1);
}

#[test]
fn an_alarm_that_is_told_again_after_its_acknowledgement_escalates_again() {
    let mut office = office();
    let record = pump(7);
    office.raise(&record);
    acknowledge(&mut office, &record, "anna");
    office.pass(7_200);
    let rows = office.event(Transition::ReAlarmed, record);
    assert_eq!(contacts(&rows), [("anna", "smsc")]);
    assert!(
        rows[0].text.starts_with("HIGH still, after 2h00m: "),
        "{}",
        rows[0].text
    );
    assert_eq!(office.wait(300).len(), 1);
}

#[test]
fn alarms_about_telling_never_escalate_and_a_one_time_message_tells_the_first_step() {
    let people = ESCALATING.replace("fallback = [\"boss\"]", "");
    let mut office = Office::with(&people);
    let notice = AlarmRecord {
        state: AlarmState::Normal,
        ..pump(3)
    };
    assert_eq!(
        contacts(&office.event(Transition::Notified, notice)),
        [("anna", "smsc")]
    );
    let about = AlarmRecord {
        id: AlarmId::new(AlarmId::HOST, "unanswered.7"),
        ..pump(4)
    };
    assert_eq!(contacts(&office.raise(&about)), [("anna", "smsc")]);
    assert!(office.wait(86_400).is_empty());
    assert!(office.rows.is_empty());
}

#[test]
fn an_escalation_that_left_the_settings_ends_at_the_fallback() {
    let mut office = office();
    office.raise(&pump(7));
    let people = ESCALATING
        .replace("escalation = \"crew\"", "to = [\"anna\"]")
        .replace("[[escalations]]", "[[escalations]]\nacknowledgements = 1");
    office.desk.replace_plan(plan(&people));
    assert_eq!(contacts(&office.wait(300)), [("boss", "twilio")]);
    assert!(office.wait(86_400).is_empty());
}

#[test]
fn a_first_step_that_waits_is_not_told_at_the_raise() {
    let mut office = with(
        "{ to = [\"anna\"], repeat",
        "{ to = [\"anna\"], after = \"2m\", repeat",
    );
    let record = pump(7);
    assert!(office.raise(&record).is_empty());
    let rows = office.wait(120);
    assert_eq!(contacts(&rows), [("anna", "smsc")]);
    assert!(rows[0].text.starts_with("HIGH Pump"), "{}", rows[0].text);
    office.raise(&pump(8));
    office.clear(&pump(8));
    assert!(
        office
            .wait(120)
            .iter()
            .all(|row| row.occurrence == record.occurrence),
        "over before anybody had to know"
    );
}

#[test]
fn a_diagnostic_never_escalates() {
    let mut office = office();
    let record = AlarmRecord {
        priority: Priority::Diagnostic,
        ..pump(7)
    };
    assert!(office.raise(&record).is_empty());
    assert!(office.wait(86_400).is_empty());
}

#[test]
fn several_routes_escalate_side_by_side_and_a_contact_of_both_is_told_once() {
    let people = ESCALATING.replace(
        "[[routes]]\nname = \"all\"",
        "[[escalations]]\nname = \"other\"\nsteps = [{ to = [\"anna\", \"boss\"] }, \
         { to = [\"chief\"], after = \"5m\" }]\n\
         [[routes]]\nname = \"first\"\nescalation = \"other\"\ncontinue = true\n\n\
         [[routes]]\nname = \"all\"",
    );
    let mut office = Office::with(&people);
    assert_eq!(
        contacts(&office.raise(&pump(7))),
        [("anna", "smsc"), ("boss", "twilio")]
    );
    assert_eq!(
        contacts(&office.wait(300)),
        [("chief", "twilio"), ("anna", "smsc")]
    );
    let alerts = office
        .store
        .values()
        .filter(|row| row.kind == DeliveryKind::Alert);
    assert_eq!(alerts.count(), 4);
}

const ON_CALL: &str = r#"
[[contacts]]
name = "anna"
phone = "+4790000001"
channels = ["smsc", "twilio"]

[[contacts]]
name = "bob"
phone = "+4790000002"
channels = ["smsc", "twilio"]

[[contacts]]
name = "boss"
phone = "+4790000004"
channels = ["twilio"]

[[groups]]
name = "whoever"
members = ["night", "anna"]

[[schedules]]
name = "night"
time_zone = "UTC"
gaps = "allowed"

[[schedules.rotations]]
people = ["anna", "bob"]
starts = "2023-11-14 00:00"
every = "day"
on = ["tue", "wed"]

[[escalations]]
name = "crew"
steps = [{ to = ["night"] }, { to = ["whoever"], after = "2h" }]

[[routes]]
name = "all"
escalation = "crew"
channels = ["twilio"]

[routing]
fallback = ["boss"]
"#;

/// The test begins on a Tuesday at 22:13.
#[test]
fn a_step_tells_whoever_is_on_call_when_it_comes_and_says_who_is_not() {
    let mut office = Office::with(ON_CALL);
    office.wait(0);
    let rows = office.raise(&pump(7));
    assert_eq!(contacts(&rows), [("anna", "twilio")]);
    assert!(
        rows[0].why.detail.contains("on call by rotation"),
        "{}",
        rows[0].why
    );
    let line = office.journal.last().expect("a line");
    assert_eq!(
        (line.event.as_str(), line.why.reason),
        ("not told", Reason::OffCall)
    );
    assert!(
        line.why.detail.contains("bob is not on call"),
        "{}",
        line.why
    );
    let later = office.wait(7_200);
    assert_eq!(
        contacts(&later),
        [("bob", "twilio"), ("anna", "twilio")],
        "Wednesday, 00:13"
    );
}

#[test]
fn where_nobody_is_on_call_the_fallback_is_told() {
    let mut office = Office::with(ON_CALL);
    office.pass(3 * 86_400);
    let rows = office.raise(&pump(7));
    assert_eq!(contacts(&rows), [("boss", "twilio")]);
    assert_eq!(rows[0].why.reason, Reason::NobodyOnCall);
}
