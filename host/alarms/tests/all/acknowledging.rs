//! What a person is answered.

use andon_alarms::{AlarmBook, Answered, Target};
use andon_model::{Action, AlarmId, OccurrenceId, Transition};

use crate::desk::{Desk, clear, raise, request};

#[test]
fn the_second_person_learns_who_was_first() {
    let mut desk = Desk::new();
    let code = desk.event(raise("level high")).record.code;
    desk.acknowledge(&Target::Code(code.clone()), "Ola");
    let before = desk.high().cloned();
    let Answered::Already(record) = desk.acknowledge(&Target::Code(code), "Kari") else {
        panic!("not already");
    };
    assert_eq!(record.acknowledged.as_ref().unwrap().by, "Ola");
    assert_eq!(desk.high().cloned(), before);
}

#[test]
fn a_late_reply_learns_that_it_is_over_and_stands_again() {
    let mut desk = Desk::new();
    let first = desk.event(raise("level high")).record;
    desk.event(clear());
    let second = desk.event(raise("level high")).record;
    let answer = desk.acknowledge(&Target::Code(first.code.clone()), "Ola");
    let Answered::Over { record, again } = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(record.occurrence, first.occurrence);
    assert_eq!(again.unwrap().code, second.code);
    let answer = desk.acknowledge(&Target::Occurrence(first.occurrence), "Ola");
    assert!(matches!(answer, Answered::Over { .. }));
}

#[test]
fn a_notice_needs_no_acknowledgement() {
    let mut desk = Desk::new();
    let notice = desk.event(Action::Notify(request("done", "batch 7 is done")));
    let answer = desk.acknowledge(&Target::Code(notice.record.code), "Ola");
    assert!(matches!(answer, Answered::Over { again: None, .. }));
}

#[test]
fn what_never_was_is_unknown() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    for target in [
        Target::Code("ZZZZ".parse().unwrap()),
        Target::Occurrence(OccurrenceId(u64::MAX)),
        Target::Alarm(AlarmId::new("tanks", "low")),
    ] {
        assert_eq!(desk.acknowledge(&target, "Ola"), Answered::Unknown);
    }
}

#[test]
fn all_of_an_instance_or_all_at_all() {
    let mut desk = Desk::new();
    desk.apply(
        "tanks",
        vec![raise("a"), Action::Raise(request("low", "b"))],
    );
    desk.apply("boiler", vec![raise("c")]);
    let by = desk.by("Ola");
    let events = desk.book.acknowledge_all(Some("tanks"), &by);
    assert_eq!(events.len(), 2);
    assert!(
        events
            .iter()
            .all(|event| event.transition == Transition::Acknowledged)
    );
    assert_eq!(desk.book.acknowledge_all(Some("tanks"), &by), Vec::new());
    assert_eq!(desk.book.acknowledge_all(None, &by).len(), 1);
    assert_eq!(desk.book.counts().unacknowledged, 0);
}

#[test]
fn only_so_many_that_are_over_are_remembered() {
    let mut desk = Desk::new();
    let first = desk.event(Action::Notify(request("n", "first"))).record;
    let more = (0..AlarmBook::ENDED_MAX)
        .map(|_| Action::Notify(request("n", "more")))
        .collect();
    desk.apply("tanks", more);
    let answer = desk.acknowledge(&Target::Occurrence(first.occurrence), "Ola");
    assert_eq!(answer, Answered::Unknown);
}
