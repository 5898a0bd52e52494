//! Suppression by design, as whoever decides about it uses the book.

use andon_alarms::{ShelveTime, Target};
use andon_model::{AlarmId, AlarmState, Suppression, Timestamp, Transition};

use crate::desk::{Desk, clear, high, hours, raise};

fn by_trip(since: Timestamp) -> Suppression {
    Suppression {
        by: "trip".to_owned(),
        since,
        reason: "the line stands".to_owned(),
    }
}

#[test]
fn it_silences_what_stands_and_lets_it_speak_again() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    desk.acknowledge(&Target::Alarm(high()), "ola");
    let (now, suppression) = (desk.now, by_trip(desk.now));
    let event = desk
        .book
        .set_suppressed(now, &high(), Some(suppression.clone()))
        .unwrap();
    assert_eq!(event.transition, Transition::Suppressed);
    assert_eq!(event.record.flags.letters(), "F");
    assert_eq!(event.record.state, AlarmState::Acknowledged);
    assert_eq!(
        desk.book.set_suppressed(now, &high(), Some(suppression)),
        None
    );
    assert_eq!(desk.book.silenced().len(), 1);

    let event = desk.book.set_suppressed(now, &high(), None).unwrap();
    assert_eq!(event.transition, Transition::Unsuppressed);
    assert_eq!(event.record.state, AlarmState::Unacknowledged);
    assert!(event.record.is_annunciated());
    assert_eq!(desk.book.set_suppressed(now, &high(), None), None);
}

#[test]
fn what_does_not_stand_cannot_be_suppressed() {
    let mut desk = Desk::new();
    let none = AlarmId::new("tanks", "none");
    let now = desk.now;
    assert_eq!(
        desk.book.set_suppressed(now, &none, Some(by_trip(now))),
        None
    );
}

#[test]
fn a_new_occurrence_stays_suppressed() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    let now = desk.now;
    desk.book.set_suppressed(now, &high(), Some(by_trip(now)));
    desk.event(clear());
    assert_eq!(desk.event(raise("level high")).record.flags.letters(), "F");
}

#[test]
fn under_a_shelving_its_end_tells_nobody() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    let now = desk.now;
    desk.book.set_suppressed(now, &high(), Some(by_trip(now)));
    desk.shelve(Target::Alarm(high()), ShelveTime::For(hours(1)))
        .unwrap();
    let event = desk.book.set_suppressed(desk.now, &high(), None).unwrap();
    assert!(!event.record.is_annunciated());
    assert!(desk.wait(hours(1))[0].record.is_annunciated());
}
