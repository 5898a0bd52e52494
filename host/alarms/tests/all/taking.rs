//! Who works on an alarm.

use andon_alarms::{Answered, Target};
use andon_model::{AlarmEvent, AlarmState, Taken, Timestamp, Transition};

use crate::desk::{Desk, clear, raise};

fn by(name: &str) -> Taken {
    Taken {
        by: name.to_owned(),
        at: Timestamp::from_secs(5),
        how: "sms".to_owned(),
    }
}

/// The event of a wish that was done.
#[track_caller]
fn event(answered: Answered) -> AlarmEvent {
    assert!(matches!(answered, Answered::Done(_)), "{answered:?}");
    let Answered::Done(event) = answered else {
        unreachable!("seen above")
    };
    *event
}

#[test]
fn an_alarm_is_taken_by_one_person_after_another_and_its_state_stays() {
    let mut desk = Desk::new();
    let target = Target::Code(desk.event(raise("level high")).record.code);
    let taken = event(desk.book.take(&target, by("Ola")));
    assert_eq!(taken.transition, Transition::Taken);
    assert_eq!(taken.record.state, AlarmState::Unacknowledged);
    assert!(matches!(
        desk.book.take(&target, by("Ola")),
        Answered::Already(_)
    ));
    let moved = event(desk.book.take(&target, by("Kari")));
    assert!(moved.why.detail.contains("from Ola"), "{}", moved.why);
    assert_eq!(moved.record.flags.taken.unwrap().by, "Kari");
}

#[test]
fn who_asks_for_the_next_has_it_no_longer() {
    let mut desk = Desk::new();
    let target = Target::Code(desk.event(raise("level high")).record.code);
    event(desk.book.take(&target, by("Ola")));
    let other = event(desk.book.escalate(&target, &by("Kari")));
    assert_eq!(other.record.flags.taken.as_ref().unwrap().by, "Ola");
    let own = event(desk.book.escalate(&target, &by("Ola")));
    assert_eq!(own.transition, Transition::Escalated);
    assert_eq!(own.record.flags.taken, None);
}

#[test]
fn what_is_over_or_never_was_is_not_taken() {
    let mut desk = Desk::new();
    let record = desk.event(raise("level high")).record;
    let target = Target::Occurrence(record.occurrence);
    desk.acknowledge(&target, "Ola");
    desk.event(clear());
    assert!(matches!(
        desk.book.take(&target, by("Ola")),
        Answered::Over { again: None, .. }
    ));
    let nothing = Target::Code("ZZZZ".parse().unwrap());
    assert_eq!(desk.book.escalate(&nothing, &by("Ola")), Answered::Unknown);
}
