//! Alarms that stay until somebody resets them.

use andon_alarms::{AcknowledgementNeed, Answered, OrderError, ResetNeed, Target};
use andon_model::{AlarmState, Reason, Transition};

use crate::desk::{Desk, clear, high, raise};

fn latching() -> Desk {
    let mut desk = Desk::new();
    desk.reset = ResetNeed::Needed;
    desk
}

fn target() -> Target {
    Target::Alarm(high())
}

#[test]
fn acknowledged_and_cleared_it_waits_for_a_reset() {
    let mut desk = latching();
    desk.event(raise("gas"));
    desk.acknowledge(&target(), "ola");
    let event = desk.event(clear());
    assert_eq!(event.transition, Transition::Cleared);
    assert_eq!(event.record.state, AlarmState::Latched);
    desk.nothing(clear());
    assert_eq!(desk.book.standing().count(), 1);

    let by = desk.operator("ola");
    let event = desk.book.reset(&target(), &by).unwrap();
    assert_eq!(event.transition, Transition::Reset);
    assert_eq!(event.record.state, AlarmState::Normal);
    assert_eq!(event.why.reason, Reason::Reset);
    assert_eq!(event.why.detail, "reset by ola (command line)");
    assert_eq!(desk.high(), None);
}

#[test]
fn cleared_first_it_latches_with_the_acknowledgement() {
    let mut desk = latching();
    desk.event(raise("gas"));
    let event = desk.event(clear());
    assert_eq!(event.record.state, AlarmState::ReturnedUnacknowledged);
    let Answered::Done(event) = desk.acknowledge(&target(), "ola") else {
        panic!("not done");
    };
    assert_eq!(event.record.state, AlarmState::Latched);
    let again = desk.acknowledge(&target(), "kari");
    assert!(matches!(again, Answered::Already(_)), "{again:?}");
}

#[test]
fn without_need_of_an_acknowledgement_it_latches_at_once() {
    let mut desk = latching();
    desk.need = AcknowledgementNeed::NotNeeded;
    desk.event(raise("gas"));
    assert_eq!(desk.event(clear()).record.state, AlarmState::Latched);
}

#[test]
fn a_reset_is_refused_with_what_to_do_instead() {
    let mut desk = latching();
    let code = desk.event(raise("gas")).record.code;
    let by = desk.operator("ola");
    let refused = desk.book.reset(&target(), &by).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("{code} (tanks/high) still holds: an alarm is reset once its condition is gone")
    );
    desk.event(clear());
    let refused = desk.book.reset(&target(), &by).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("{code} (tanks/high) is not acknowledged yet: `andon ack {code}` comes first")
    );
    desk.acknowledge(&target(), "ola");
    desk.book.reset(&Target::Code(code.clone()), &by).unwrap();
    let refused = desk.book.reset(&Target::Code(code), &by).unwrap_err();
    assert!(matches!(refused, OrderError::Over { .. }), "{refused}");

    let mut plain = Desk::new();
    plain.event(raise("gas"));
    plain.event(clear());
    let refused = plain.book.reset(&target(), &by).unwrap_err();
    assert!(
        matches!(refused, OrderError::NotLatching { .. }),
        "{refused}"
    );
    let unknown = plain
        .book
        .reset(&Target::Code("ZZZZ".parse().unwrap()), &by)
        .unwrap_err();
    assert!(matches!(unknown, OrderError::Unknown { .. }), "{unknown}");
}

#[test]
fn what_latched_and_comes_again_is_a_new_occurrence() {
    let mut desk = latching();
    let first = desk.event(raise("gas")).record;
    desk.acknowledge(&target(), "ola");
    desk.event(clear());
    let event = desk.event(raise("gas"));
    assert_eq!(event.why.reason, Reason::ReAlarm);
    assert!(event.why.detail.ends_with("was reset"), "{}", event.why);
    assert!(event.record.occurrence > first.occurrence);
    assert_eq!(desk.book.standing().count(), 1);
}

#[test]
fn that_it_latches_is_known_after_a_restart() {
    let mut desk = latching();
    desk.event(raise("gas"));
    desk.event(clear());
    desk.restart(&[], andon_alarms::AlarmPolicy::default());
    let Answered::Done(event) = desk.acknowledge(&target(), "ola") else {
        panic!("not done");
    };
    assert_eq!(event.record.state, AlarmState::Latched);
}
