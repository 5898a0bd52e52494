//! Who hears that somebody answered, and alarms that several people have to acknowledge.

use andon_model::{
    AlarmRecord, AlarmState, Delivery, DeliveryKind, DeliveryState, Reason, Transition,
};
use andon_routing::Tally;

use crate::escalating::ESCALATING;
use crate::office::{Office, contacts, pump};

fn answered(office: &mut Office, record: &AlarmRecord, by: &str) -> Vec<Delivery> {
    let record = AlarmRecord {
        state: AlarmState::Acknowledged,
        acknowledged: Some(office.acknowledgement(by)),
        ..record.clone()
    };
    office.event(Transition::Acknowledged, record)
}

/// Everybody of both steps was told, and anna a second time.
fn told() -> (Office, AlarmRecord) {
    let mut office = Office::with(ESCALATING);
    let record = pump(7);
    let mut rows = office.raise(&record);
    rows.extend(office.wait(900));
    for row in rows {
        office.sent(&row);
    }
    (office, record)
}

#[test]
fn those_who_were_told_hear_who_answered_and_the_one_who_did_hears_nothing() {
    let (mut office, record) = told();
    let rows = answered(&mut office, &record, "anna");
    assert_eq!(contacts(&rows), [("bob", "smsc"), ("chief", "twilio")]);
    assert!(rows.iter().all(|row| row.kind == DeliveryKind::Notice));
    assert_eq!(
        rows[0].text,
        "Anna Berg acknowledged 29: Pump 1 pressure 9.2 bar above 9 bar"
    );
}

#[test]
fn who_takes_it_is_named_once() {
    let (mut office, record) = told();
    let mut rows = office.take(&record, "anna");
    assert_eq!(contacts(&rows), [("bob", "smsc"), ("chief", "twilio")]);
    assert!(
        rows[0].text.starts_with("Anna Berg works on 29: "),
        "{}",
        rows[0].text
    );
    let mut record = record;
    record.flags.taken = Some(office.taken("anna"));
    rows = answered(&mut office, &record, "anna");
    assert!(rows.is_empty(), "{rows:?}");
    let other = office.take(&record, "chief");
    assert_eq!(contacts(&other), [("anna", "smsc"), ("bob", "smsc")]);
    assert!(other.iter().all(|row| row.step <= 1), "a notice of its own");
}

#[test]
fn who_was_never_reached_gets_a_row_that_says_so() {
    let mut office = Office::with(ESCALATING);
    let record = pump(7);
    let row = office.raise(&record).remove(0);
    let row = office
        .fails(&row, Reason::RecipientRefused)
        .pop()
        .expect("the next channel");
    office.fails(&row, Reason::RecipientRefused);
    let rows = answered(&mut office, &record, "chief");
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (&rows[0].state, rows[0].why.reason),
        (&DeliveryState::Failed, Reason::NeverTold)
    );
}

#[test]
fn a_notice_waits_for_the_alert_that_is_still_owed() {
    let mut office = Office::with(ESCALATING);
    let record = pump(7);
    let alert = office.raise(&record).remove(0);
    let notice = answered(&mut office, &record, "bob").remove(0);
    assert_eq!(notice.after, Some(alert.id.clone()));
    office.sent(&alert);
    assert!(office.due().iter().any(|row| row.id == notice.id));
}

#[test]
fn a_plain_route_tells_who_answered_only_where_it_says_so() {
    let plain = ESCALATING.replace("escalation = \"crew\"", "to = [\"anna\", \"bob\"]");
    let wishes = plain.replace(
        "to = [\"anna\", \"bob\"]",
        "to = [\"anna\", \"bob\"]\nnotice_when_taken = true",
    );
    for (people, notices) in [(&plain, 0), (&wishes, 1)] {
        let mut office = Office::with(people);
        let record = pump(7);
        for row in office.raise(&record) {
            office.sent(&row);
        }
        assert_eq!(answered(&mut office, &record, "anna").len(), notices);
    }
}

#[test]
fn the_end_is_told_after_a_notice_too() {
    let (mut office, record) = told();
    answered(&mut office, &record, "anna");
    let ends = office.clear(&record);
    assert_eq!(
        contacts(&ends),
        [("anna", "smsc"), ("bob", "smsc"), ("chief", "twilio")]
    );
    assert!(ends.iter().all(|row| row.kind == DeliveryKind::Resolved));
}

fn two() -> Office {
    Office::with(&ESCALATING.replace(
        "name = \"crew\"\nsteps",
        "name = \"crew\"\nacknowledgements = 2\nsteps",
    ))
}

fn count(office: &mut Office, record: &AlarmRecord, by: &str) -> Tally {
    let by = office.acknowledgement(by);
    let (tally, decision) = office.desk.count_acknowledgement(record, &by, office.now);
    office.commit(decision);
    tally
}

#[test]
fn two_different_people_have_to_acknowledge_and_steps_go_on_until_then() {
    let mut office = two();
    let record = pump(7);
    let rows = office.raise(&record);
    office.sent(&rows[0]);
    assert_eq!(
        count(&mut office, &record, "anna"),
        Tally::Counted { have: 1, need: 2 }
    );
    assert_eq!(
        count(&mut office, &record, "anna"),
        Tally::Repeated { have: 1, need: 2 }
    );
    office.restart();
    assert!(
        office.wait(300).is_empty(),
        "anna did her part, so the repeat spares her"
    );
    let rows = office.wait(600);
    assert_eq!(rows.len(), 3, "bob and chief are still told");
    office.sent(&rows[0]);
    office.sent(&rows[2]);
    assert_eq!(count(&mut office, &record, "bob"), Tally::Enough);
    let notices = answered(&mut office, &record, "bob");
    assert_eq!(contacts(&notices), [("chief", "twilio")]);
    assert!(
        notices[0]
            .text
            .starts_with("Anna Berg and bob acknowledged 29: "),
        "{}",
        notices[0].text
    );
    assert!(office.wait(86_400).is_empty());
    let lines = office.journal.iter();
    let counted = lines.filter(|line| line.event == "acknowledgement counted");
    assert_eq!(counted.count(), 3);
}

#[test]
fn without_an_escalation_one_is_enough() {
    let mut office = Office::new();
    let record = pump(7);
    office.raise(&record);
    assert_eq!(count(&mut office, &record, "anna"), Tally::Enough);
}
