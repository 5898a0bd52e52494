//! Out of service, until somebody brings it back.

use andon_alarms::{AlarmPolicy, OrderError, ShelveTime, Target};
use andon_model::{AlarmState, Priority, Reason, Transition};

use crate::desk::{Desk, clear, high, hours, minutes, raise};

fn target() -> Target {
    Target::Alarm(high())
}

#[test]
fn it_stays_out_until_somebody_brings_it_back() {
    let mut desk = Desk::new();
    let event = desk.event(raise("level high"));
    let code = Target::Code(event.record.code);
    let changed = desk.take_out(code, None).unwrap();
    let event = changed.event.unwrap();
    assert_eq!(event.transition, Transition::OutOfService);
    assert_eq!(event.why.reason, Reason::OutOfService);
    assert_eq!(
        event.why.detail,
        "taken out of service by ola (command line): new sensor"
    );
    assert_eq!(desk.wait(hours(24 * 365)), vec![]);
    assert!(desk.high().unwrap().is_silenced());

    let by = desk.operator("kari");
    let changed = desk.book.return_to_service(&target(), &by).unwrap();
    let event = changed.event.unwrap();
    assert_eq!(event.transition, Transition::ReturnedToService);
    assert!(event.record.is_annunciated());
    assert_eq!(desk.book.silenced(), vec![]);
}

#[test]
fn it_survives_occurrences_and_restarts() {
    let mut desk = Desk::new();
    desk.take_out(target(), None).unwrap();
    let rows = desk.commit(&[]).rows;
    desk.event(raise("level high"));
    desk.event(clear());
    desk.acknowledge(&target(), "ola");
    desk.restart(&rows, AlarmPolicy::default());
    let event = desk.event(raise("level high"));
    assert_eq!(event.record.flags.letters(), "G");
    assert_eq!(event.record.state, AlarmState::Unacknowledged);
}

#[test]
fn the_list_names_owner_reason_and_expected_return() {
    let mut desk = Desk::new();
    desk.take_out(target(), Some(hours(4))).unwrap();
    desk.event(raise("level high"));
    let all = desk.book.silenced();
    assert_eq!(all.len(), 1);
    let out = all[0].flags.out_of_service.as_ref().unwrap();
    assert_eq!(
        (out.by.as_str(), out.reason.as_str()),
        ("ola", "new sensor")
    );
    assert_eq!(out.back_by, Some(out.since.plus(hours(4))));
    assert_eq!(all[0].priority, Some(Priority::High));
    assert_eq!(all[0].message.as_deref(), Some("level high"));
    assert!(all[0].alarm.is_some());
}

#[test]
fn a_return_that_is_overdue_is_told_once() {
    let mut desk = Desk::new();
    desk.take_out(target(), Some(hours(4))).unwrap();
    desk.wait(minutes(239));
    assert_eq!(desk.book.take_reminders(), vec![]);
    desk.wait(minutes(2));
    let reminders = desk.book.take_reminders();
    assert_eq!(reminders.len(), 1);
    assert!(
        reminders[0].message.contains("was expected back by now"),
        "{reminders:?}"
    );
    desk.wait(hours(48));
    assert_eq!(desk.book.take_reminders(), vec![]);
    assert_eq!(desk.book.silenced().len(), 1);
}

#[test]
fn what_may_not_be_is_refused() {
    let mut desk = Desk::new();
    let by = desk.operator("ola");
    let refused = desk.book.return_to_service(&target(), &by).unwrap_err();
    assert!(matches!(refused, OrderError::NotOut { .. }), "{refused}");
    let refused = desk.take_out(target(), Some(hours(0))).unwrap_err();
    assert_eq!(refused, OrderError::NoTime);
    desk.take_out(target(), None).unwrap();
    let refused = desk.take_out(target(), None).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("tanks/high is already out of service by ola since "),
        "{refused}"
    );
}

#[test]
fn people_are_told_only_when_the_last_silence_ends() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    desk.take_out(target(), None).unwrap();
    desk.shelve(target(), ShelveTime::For(hours(1))).unwrap();
    assert_eq!(desk.high().unwrap().flags.letters(), "EG");
    let events = desk.wait(hours(1));
    assert_eq!(events[0].transition, Transition::Unshelved);
    assert!(!events[0].record.is_annunciated());
    let by = desk.operator("ola");
    let changed = desk.book.return_to_service(&target(), &by).unwrap();
    assert!(changed.event.unwrap().record.is_annunciated());
}
