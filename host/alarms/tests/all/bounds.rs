//! What happens when alarms are too many.

use andon_alarms::{AlarmLimits, Applied};
use andon_model::{Action, AlarmId, AlarmState, Priority, Transition};

use crate::desk::{Desk, request};

fn raises(numbers: std::ops::Range<usize>) -> Vec<Action> {
    numbers
        .map(|n| Action::Raise(request(&format!("k{n}"), "high")))
        .collect()
}

fn clears(numbers: std::ops::Range<usize>) -> Vec<Action> {
    numbers.map(|n| Action::Clear(format!("k{n}"))).collect()
}

#[test]
fn a_rule_above_its_bound_is_refused_and_the_host_says_so_once() {
    let mut desk = Desk::with_limits(AlarmLimits {
        standing_max: 100,
        per_instance_max: 10,
    });
    let Applied { events, refused } = desk.apply("wild", raises(0..15));
    assert_eq!(refused.len(), 5);
    assert_eq!(refused[0], AlarmId::new("wild", "k10"));
    assert_eq!(events.len(), 11);
    assert_eq!(events[10].record.id.to_string(), "andon/alarms-full/wild");
    assert_eq!(events[10].record.priority, Priority::High);
    assert_eq!(desk.book.refused_total(), 5);

    // Refused again: nothing new to tell. What stands may still change; other rules go on.
    let again = desk.apply("wild", raises(5..15));
    assert_eq!((again.events.len(), again.refused.len()), (0, 5));
    assert_eq!(desk.apply("tanks", raises(0..3)).events.len(), 3);
}

#[test]
fn the_host_alarm_clears_well_below_the_bound() {
    let mut desk = Desk::with_limits(AlarmLimits {
        standing_max: 100,
        per_instance_max: 10,
    });
    desk.need = andon_alarms::AcknowledgementNeed::NotNeeded;
    desk.apply("wild", raises(0..11));
    let full = AlarmId::new(AlarmId::HOST, "alarms-full/wild");
    desk.apply("wild", clears(0..1));
    assert!(desk.book.get(&full).unwrap().state.is_active());
    let events = desk.apply("wild", clears(1..2)).events;
    assert_eq!(events.last().unwrap().record.id, full);
    assert_eq!(events.last().unwrap().transition, Transition::Cleared);
    let state = desk.book.get(&full).unwrap().state;
    assert_eq!(state, AlarmState::ReturnedUnacknowledged);
    assert_eq!(desk.apply("wild", raises(0..1)).events.len(), 1);
}

#[test]
fn a_full_book_refuses_all_but_the_host() {
    let mut desk = Desk::with_limits(AlarmLimits {
        standing_max: 12,
        per_instance_max: 10,
    });
    desk.apply("tanks", raises(0..10));
    let Applied { events, refused } = desk.apply("boiler", raises(0..4));
    assert_eq!(refused.len(), 2);
    assert_eq!(events.last().unwrap().record.id.key, "alarms-full");
    assert_eq!(desk.apply(AlarmId::HOST, raises(0..1)).events.len(), 1);
    let events = desk.apply("boiler", vec![]).events;
    assert_eq!(events, Vec::new());
}
