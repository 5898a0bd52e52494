//! Alarms that stay acknowledged for too long are told again.

use andon_alarms::{AlarmPolicy, PerPriority, ReAlarm, ShelveTime, Target};
use andon_model::{AlarmState, OccurrenceId, Priority, Reason, Transition};

use crate::desk::{Desk, clear, high, hours, minutes, raise, request};

fn policy(times_max: u32) -> AlarmPolicy {
    AlarmPolicy {
        re_alarm: PerPriority {
            high: Some(ReAlarm {
                after: minutes(30),
                times_max,
            }),
            ..PerPriority::default()
        },
        ..AlarmPolicy::default()
    }
}

fn acknowledged(times_max: u32) -> Desk {
    let mut desk = Desk::new();
    desk.book.set_policy(policy(times_max));
    desk.event(raise("level high"));
    desk.acknowledge(&Target::Alarm(high()), "ola");
    desk
}

#[test]
fn it_goes_back_to_unacknowledged_and_keeps_its_occurrence() {
    let mut desk = acknowledged(3);
    assert_eq!(desk.wait(minutes(29)), vec![]);
    let events = desk.wait(minutes(2));
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!(event.transition, Transition::ReAlarmed);
    assert_eq!(event.why.reason, Reason::ReAlarmTime);
    assert_eq!(event.record.state, AlarmState::Unacknowledged);
    assert_eq!(event.record.occurrence, OccurrenceId(1));
    assert!(event.record.is_annunciated());
    // Nobody answered, so nothing further is due: escalating is not the book's affair.
    assert_eq!(desk.wait(hours(24)), vec![]);
    assert_eq!(desk.book.next_wake(), None);
}

#[test]
fn it_is_told_again_only_so_often() {
    let mut desk = acknowledged(2);
    for time in 1..=2 {
        let events = desk.wait(hours(1));
        assert_eq!(events.len(), 1, "{time}");
        assert_eq!(events[0].record.flags.re_alarms, time);
        desk.acknowledge(&Target::Alarm(high()), "ola");
    }
    assert_eq!(desk.wait(hours(24)), vec![]);
}

#[test]
fn what_is_over_is_not_told_again() {
    let mut desk = acknowledged(3);
    desk.event(clear());
    assert_eq!(desk.book.next_wake(), None);
    assert_eq!(desk.wait(hours(1)), vec![]);
}

#[test]
fn while_it_is_silent_it_is_not_told_again() {
    let mut desk = acknowledged(3);
    desk.shelve(Target::Alarm(high()), ShelveTime::For(hours(2)))
        .unwrap();
    let events = desk.wait(minutes(119));
    assert_eq!(events, vec![]);
    let events = desk.wait(minutes(2));
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].transition, Transition::Unshelved);
    assert!(events[0].record.is_annunciated());
}

#[test]
fn another_priority_has_another_time() {
    let mut desk = acknowledged(3);
    let mut lower = request("high", "level high");
    lower.priority = Priority::Low;
    desk.event(andon_model::Action::Raise(lower));
    assert_eq!(desk.book.next_wake(), None);
    desk.event(raise("level high"));
    assert_eq!(desk.wait(minutes(30)).len(), 1);
}

#[test]
fn a_restart_neither_repeats_nor_forgets_it() {
    let mut desk = acknowledged(3);
    assert_eq!(desk.wait(minutes(20)), vec![]);
    desk.restart(&[], policy(3));
    assert_eq!(desk.wait(minutes(9)), vec![]);
    assert_eq!(desk.wait(minutes(2)).len(), 1);
    desk.restart(&[], policy(3));
    assert_eq!(desk.wait(hours(2)), vec![]);
    assert_eq!(desk.high().unwrap().flags.re_alarms, 1);
}

#[test]
fn what_fell_due_while_the_host_was_down_is_told_at_its_start() {
    let mut desk = acknowledged(3);
    desk.now = desk.now.plus(hours(5));
    desk.restart(&[], policy(3));
    assert!(desk.book.next_wake().unwrap() < desk.now);
    assert_eq!(desk.book.on_time(desk.now).len(), 1);
}

#[test]
fn settings_that_change_count_from_now_on() {
    let mut desk = acknowledged(3);
    desk.book.set_policy(AlarmPolicy::default());
    assert_eq!(desk.wait(hours(1)), vec![]);
    desk.book.set_policy(policy(3));
    assert_eq!(desk.wait(minutes(0)).len(), 1);
}
