//! Who is told of an alarm, in which words, and who hears that it is over.

use andon_model::{
    AlarmRecord, AlarmState, DeliveryKind, DeliveryState, Labels, Priority, Reason, Transition,
};

use crate::office::{Office, PEOPLE, contacts, pump};

fn tank(occurrence: u64, priority: Priority) -> AlarmRecord {
    let mut record = pump(occurrence);
    record.id.instance = "tank1-limits".to_owned();
    record.labels = Labels::new();
    record.priority = priority;
    record
}

#[test]
fn each_contact_of_a_route_gets_one_message_by_the_first_channel() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    assert_eq!(contacts(&rows), [("anna", "smsc"), ("bob", "smsc")]);
    assert_eq!(
        rows[0].text,
        "HIGH Pump 1 pressure 9.2 bar above 9 bar. Reply 29 to ack"
    );
    assert_eq!(rows[0].why.reason, Reason::RouteMatched);
    assert!(rows[0].why.detail.contains("`pumps`"), "{}", rows[0].why);
    assert_eq!(rows[0].channels.len(), 2);
}

#[test]
fn the_same_event_twice_owes_nothing_twice() {
    let mut office = Office::new();
    assert_eq!(office.raise(&pump(7)).len(), 2);
    assert_eq!(office.raise(&pump(7)).len(), 0);
    office.restart();
    assert_eq!(office.raise(&pump(7)).len(), 0);
}

#[test]
fn an_update_tells_nobody() {
    let mut office = Office::new();
    office.raise(&pump(7));
    assert!(office.event(Transition::Updated, pump(7)).is_empty());
}

#[test]
fn a_route_that_continues_adds_people_and_a_contact_of_both_is_told_once() {
    let mut office = Office::new();
    let high = office.raise(&tank(1, Priority::High));
    assert_eq!(contacts(&high), [("anna", "smsc"), ("chief", "twilio")]);
    let low = office.raise(&tank(2, Priority::Low));
    assert_eq!(contacts(&low), [("chief", "twilio"), ("anna", "twilio")]);
}

#[test]
fn what_no_route_matches_goes_to_the_fallback() {
    let mut office = Office::new();
    let mut record = pump(1);
    record.labels = Labels::new();
    let rows = office.raise(&record);
    assert_eq!(contacts(&rows), [("chief", "twilio")]);
    assert_eq!(rows[0].why.reason, Reason::NoRouteMatched);
}

#[test]
fn a_diagnostic_is_journalled_and_never_sent() {
    let mut office = Office::new();
    let rows = office.raise(&AlarmRecord {
        priority: Priority::Diagnostic,
        ..pump(1)
    });
    assert!(rows.is_empty());
    assert_eq!(office.reasons(), [Reason::DiagnosticOnly]);
}

#[test]
fn a_test_is_marked_and_a_one_time_message_asks_for_no_reply() {
    let mut office = Office::new();
    let rows = office.event(
        Transition::Notified,
        AlarmRecord {
            test: true,
            ..pump(1)
        },
    );
    assert_eq!(
        rows[0].text,
        "TEST HIGH Pump 1 pressure 9.2 bar above 9 bar"
    );
    assert_eq!(rows[0].code, None);
    assert!(rows[0].test);
}

#[test]
fn a_long_or_dirty_message_keeps_its_priority_and_code_within_the_bound() {
    let mut office = Office::new();
    let rows = office.raise(&AlarmRecord {
        message: format!("Tank\r\n\u{7}1\u{0} {}", "ø".repeat(5_000)),
        ..pump(7)
    });
    let text = &rows[0].text;
    assert!((315..=320).contains(&text.chars().count()), "{text}");
    assert!(text.starts_with("HIGH Tank 1 øøø"), "{text}");
    assert!(text.ends_with("ø... Reply 29 to ack"), "{text}");
    assert!(!text.contains(char::is_control));
}

#[test]
fn the_end_is_told_to_exactly_those_who_were_told() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    office.sent(&rows[0]);
    office.fails(&rows[1], Reason::RecipientRefused);
    let bob = office.due();
    assert_eq!(contacts(&bob), [("bob", "twilio")]);
    office.fails(&bob[0], Reason::RecipientRefused);
    office.pass(720);
    let over = office.clear(&pump(7));
    assert_eq!(contacts(&over), [("anna", "smsc"), ("bob", "twilio")]);
    assert_eq!(over[0].kind, DeliveryKind::Resolved);
    assert_eq!(over[0].after, None);
    assert_eq!(over[0].why.reason, Reason::WasTold);
    assert_eq!(
        over[0].text,
        "OVER after 12m: Pump 1 pressure 9.2 bar above 9 bar (29)"
    );
    assert_eq!(
        over[1].state,
        DeliveryState::Failed,
        "and bob's is withheld"
    );
    assert_eq!(over[1].why.reason, Reason::NeverTold);
}

#[test]
fn an_end_waits_for_its_alert_and_leaves_after_it() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    let over = office.clear(&pump(7));
    assert_eq!(over[0].after.as_ref(), Some(&rows[0].id));
    assert_eq!(office.due().len(), 2, "only the alerts are due");
    office.sent(&rows[0]);
    let due = office.due();
    assert!(due.iter().any(|row| row.id == over[0].id));
}

#[test]
fn an_end_whose_alert_never_leaves_fails_as_never_told() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    let over = office.clear(&pump(7));
    let mut alert = rows[0].clone();
    alert.state = DeliveryState::Expired;
    office.settle(alert, false);
    let row = &office.store[&over[0].id];
    assert_eq!(row.state, DeliveryState::Failed);
    assert_eq!(row.why.reason, Reason::NeverTold);
}

#[test]
fn an_end_that_expires_while_it_waits_alarms_nobody() {
    let mut office = Office::new();
    office.raise(&pump(7));
    let mut end = office.clear(&pump(7))[0].clone();
    end.state = DeliveryState::Expired;
    office.settle(end.clone(), false);
    assert_eq!(office.store[&end.id].state, DeliveryState::Expired);
    assert!(office.host.is_empty());
}

#[test]
fn an_end_follows_its_alert_to_the_next_channel() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    let over = office.clear(&pump(7));
    office.fails(&rows[0], Reason::RecipientRefused);
    let by_twilio = office
        .due()
        .into_iter()
        .find(|row| row.contact == "anna")
        .expect("failover");
    let waiting = office.store[&over[0].id].clone();
    assert_eq!(waiting.after.as_ref(), Some(&by_twilio.id));
    office.sent(&by_twilio);
    assert_eq!(office.store[&over[0].id].after, None);
}

#[test]
fn an_alert_with_unknown_result_counts_as_told() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    office.sending(&rows[0]);
    office.restart();
    let over = office.clear(&pump(7));
    let anna = over.iter().find(|row| row.contact == "anna").expect("told");
    assert_eq!(anna.after.as_ref(), Some(&rows[0].id), "and in order");
}

#[test]
fn a_route_may_keep_the_end_to_itself() {
    let mut office = Office::new();
    let mut record = pump(1);
    record.labels = Labels::from([("area".to_owned(), "quiet".to_owned())]);
    let rows = office.raise(&record);
    office.sent(&rows[0]);
    assert!(office.clear(&record).is_empty());
    assert_eq!(
        office.journal.last().map(|l| l.event.as_str()),
        Some("end not told")
    );
}

#[test]
fn an_end_that_is_not_acknowledged_still_asks_for_it() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    office.sent(&rows[0]);
    let over = office.event(
        Transition::Cleared,
        AlarmRecord {
            state: AlarmState::ReturnedUnacknowledged,
            ..pump(7)
        },
    );
    assert!(
        over[0].text.ends_with("Reply 29 to ack"),
        "{}",
        over[0].text
    );
    assert!(over[0].code.is_some());
}

#[test]
fn an_acknowledgement_cancels_nothing_and_says_what_is_still_owed() {
    let mut office = Office::new();
    office.raise(&pump(7));
    let acknowledged = AlarmRecord {
        state: AlarmState::Acknowledged,
        ..pump(7)
    };
    assert!(
        office
            .event(Transition::Acknowledged, acknowledged)
            .is_empty()
    );
    assert_eq!(office.due().len(), 2);
    assert_eq!(
        office.journal.last().map(|l| l.event.as_str()),
        Some("still owed")
    );
}

#[test]
fn a_flood_is_refused_by_priority_with_a_row_each_and_one_alarm() {
    let mut office = Office::with(&format!("{PEOPLE}\nowed_max = 100"));
    let low = |n| AlarmRecord {
        priority: Priority::Low,
        ..pump(n)
    };
    for n in 0..60 {
        office.raise(&low(n));
    }
    assert_eq!(office.desk.figures().owed, 80);
    let refused: Vec<_> = office
        .store
        .values()
        .filter(|row| row.why.reason == Reason::LimitReached)
        .collect();
    assert_eq!(refused.len(), 40);
    assert!(refused.iter().all(|r| r.state == DeliveryState::Failed));
    assert_eq!(office.host.len(), 1, "one alarm for all");
    let critical = AlarmRecord {
        priority: Priority::Critical,
        ..pump(900)
    };
    let rows = office.raise(&critical);
    assert!(rows.iter().all(|row| row.state == DeliveryState::Queued));
    let alarm = office.host_alarms(1_000);
    assert_eq!(contacts(&alarm), [("chief", "twilio")]);
    for row in office.due() {
        office.sent(&row);
    }
    office.raise(&pump(901));
    assert_eq!(office.host.len(), 1, "and it ends");
}
