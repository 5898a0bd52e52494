//! Alarms of a flood, told together.

use andon_model::{
    AlarmEvent, AlarmRecord, AlarmState, Delivery, DeliveryKind, Labels, Mark, OccurrenceId,
    Priority, Reason, Transition, Why,
};
use andon_routing::{Digest, Held};

use crate::office::{Office, contacts, pump};

/// A low alarm with the labels of a route.
fn alarm(number: u64, area: &str) -> AlarmRecord {
    AlarmRecord {
        priority: Priority::Low,
        message: format!("Alarm {number}"),
        labels: Labels::from([("area".to_owned(), area.to_owned())]),
        ..pump(number)
    }
}

fn held(record: AlarmRecord) -> Held {
    Held {
        record,
        stands: true,
    }
}

fn tell(office: &mut Office, held: Vec<Held>) -> Vec<Delivery> {
    let digest = Digest {
        number: OccurrenceId(1_000),
        scope: String::new(),
        since: office.now,
        over: false,
        held,
        more: 0,
    };
    office.pass(720);
    let decision = office.desk.digest(&digest, office.now);
    office.commit(decision)
}

fn hold(office: &mut Office, record: &AlarmRecord) {
    let event = AlarmEvent {
        transition: Transition::Raised,
        record: record.clone(),
        at: office.now,
        why: Why::new(Reason::FirstRaise, ""),
    };
    let decision = office.desk.hold_for_digest(&event, office.now);
    assert_eq!(office.commit(decision), []);
}

#[test]
fn each_contact_gets_one_message_about_what_its_routes_name() {
    let mut office = Office::new();
    let mut all: Vec<AlarmRecord> = (1..=30).map(|number| alarm(number, "pumps")).collect();
    all.push(alarm(31, "quiet"));
    all.push(alarm(32, "elsewhere"));
    all.iter().for_each(|record| hold(&mut office, record));
    let rows = tell(&mut office, all.into_iter().map(held).collect());
    let told = [("anna", "smsc"), ("bob", "smsc"), ("chief", "twilio")];
    assert_eq!(contacts(&rows), told);
    assert!(
        rows.iter()
            .all(|row| row.kind == DeliveryKind::Digest && row.code.is_none())
    );
    assert!(
        rows[0]
            .text
            .starts_with("FLOOD 30 alarms in 12m, 0 over (30 low): LOW Alarm 1 [")
    );
    assert!(rows[0].text.ends_with(" and 25 more"), "{}", rows[0].text);
    assert!(
        rows[1].text.starts_with("FLOOD 31 alarms"),
        "{}",
        rows[1].text
    );
    assert!(rows[2].text.contains("LOW Alarm 32 ["), "{}", rows[2].text);
    let lines = office.journal.iter();
    let named = lines.filter(|line| line.event == "told in digest");
    assert_eq!(named.count(), 32, "a line for each alarm");
}

#[test]
fn the_first_out_and_the_most_urgent_come_first_and_what_is_over_last() {
    let mut office = Office::new();
    let over = Held {
        record: AlarmRecord {
            state: AlarmState::Normal,
            ..alarm(1, "pumps")
        },
        stands: false,
    };
    let mut first_out = alarm(2, "pumps");
    first_out.flags.marks.insert(Mark::FirstOut);
    let mut medium = alarm(3, "pumps");
    medium.priority = Priority::Medium;
    let rows = tell(&mut office, vec![over, held(first_out), held(medium)]);
    let text = &rows[0].text;
    assert!(
        text.contains("3 alarms in 12m, 1 over (2 low, 1 medium): LOW (first out) Alarm 2 ["),
        "{text}"
    );
    let place = |words: &str| {
        text.find(words)
            .unwrap_or_else(|| panic!("{words} in {text}"))
    };
    assert!(place("Alarm 2") < place("Alarm 3") && place("Alarm 3") < place("over: LOW Alarm 1"));
    assert_eq!(rows[0].priority, Priority::Medium);
}

#[test]
fn a_digest_goes_on_by_the_next_channel() {
    let mut office = Office::new();
    let rows = tell(&mut office, vec![held(alarm(1, "pumps"))]);
    let next = office.fails(&rows[0], Reason::RecipientRefused);
    let next: Vec<Delivery> = next
        .into_iter()
        .filter(|row| row.id != rows[0].id)
        .collect();
    assert_eq!(contacts(&next), [("anna", "twilio")]);
    assert_eq!(next[0].kind, DeliveryKind::Digest);
}

#[test]
fn nobody_hears_of_the_end_of_what_was_told_in_a_digest() {
    let mut office = Office::new();
    let record = alarm(1, "pumps");
    hold(&mut office, &record);
    let rows = tell(&mut office, vec![held(record.clone())]);
    office.sent(&rows[0]);
    assert_eq!(office.clear(&record), []);
}

#[test]
fn the_same_digest_twice_owes_nothing_twice() {
    let mut office = Office::new();
    let first = tell(&mut office, vec![held(alarm(1, "pumps"))]);
    office.sent(&first[0]);
    let again = tell(&mut office, vec![held(alarm(1, "pumps"))]);
    assert!(again.iter().all(|row| row.contact != "anna"), "{again:?}");
}
