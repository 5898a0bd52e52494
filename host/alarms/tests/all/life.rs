//! Every line of the table of transitions, and what a record carries.

use andon_alarms::{
    AcknowledgementNeed, AlarmBook, AlarmLimits, Answered, ResetNeed, Source, Target,
};
use andon_model::{
    Action, AlarmId, AlarmState, Commit, Labels, OccurrenceId, OnDown, Origin, Priority, Reason,
    Transition,
};

use crate::desk::{Desk, clear, raise, request};

fn high() -> Target {
    Target::Alarm(AlarmId::new("tanks", "high"))
}

#[test]
fn a_raise_from_normal_tells_people() {
    let mut desk = Desk::new();
    let event = desk.event(raise("level 91 %"));
    assert_eq!(event.transition, Transition::Raised);
    assert_eq!(event.why.reason, Reason::FirstRaise);
    assert_eq!(event.record.state, AlarmState::Unacknowledged);
    assert_eq!(event.record.occurrence, OccurrenceId(1));
    assert_eq!(event.record.raised_at, desk.now);
    assert_eq!(event.record.raises, 1);
    assert!(!event.record.test);
    assert_eq!(desk.high(), Some(&event.record));
}

#[test]
fn the_same_raise_again_changes_nothing_but_the_count() {
    let mut desk = Desk::new();
    let first = desk.event(raise("level high")).record;
    desk.nothing(raise("level high"));
    desk.nothing(raise("level high"));
    let record = desk.high().unwrap();
    assert_eq!(record.raises, 3);
    assert_eq!(record.changed_at, first.changed_at);
    desk.acknowledge(&high(), "Ola");
    desk.nothing(raise("level high"));
    assert_eq!(desk.high().unwrap().state, AlarmState::Acknowledged);
}

#[test]
fn another_message_priority_or_label_updates_and_keeps_the_state() {
    let mut desk = Desk::new();
    let first = desk.event(raise("level 91 %")).record;
    let event = desk.event(raise("level 93 %"));
    assert_eq!(event.transition, Transition::Updated);
    assert_eq!(event.why.reason, Reason::RaiseUpdate);
    assert_eq!(event.record.occurrence, first.occurrence);
    assert_eq!(event.record.code, first.code);
    assert_eq!(event.record.raised_at, first.raised_at);
    assert_eq!(event.record.changed_at, desk.now);

    desk.acknowledge(&high(), "Ola");
    let mut higher = request("high", "level 93 %");
    higher.priority = Priority::Critical;
    let event = desk.event(Action::Raise(higher.clone()));
    assert_eq!(event.transition, Transition::Updated);
    assert_eq!(event.record.priority, Priority::Critical);
    assert_eq!(event.record.state, AlarmState::Acknowledged);

    higher.attributes.push(("area".into(), "north".into()));
    let event = desk.event(Action::Raise(higher));
    assert_eq!(event.transition, Transition::Updated);
    assert_eq!(event.record.labels["area"], "north");
}

#[test]
fn acknowledged_then_cleared_is_over() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    let Answered::Done(event) = desk.acknowledge(&high(), "Ola") else {
        panic!("not done");
    };
    assert_eq!(event.transition, Transition::Acknowledged);
    assert_eq!(event.record.state, AlarmState::Acknowledged);
    let event = desk.event(clear());
    assert_eq!(event.transition, Transition::Cleared);
    assert_eq!(event.record.state, AlarmState::Normal);
    assert_eq!(event.record.cleared_at, Some(desk.now));
    assert_eq!(event.record.acknowledged.unwrap().by, "Ola");
    assert_eq!(desk.book.standing().count(), 0);
}

#[test]
fn cleared_then_acknowledged_is_over() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    let event = desk.event(clear());
    assert_eq!(event.record.state, AlarmState::ReturnedUnacknowledged);
    assert_eq!(desk.high(), Some(&event.record));
    let Answered::Done(event) = desk.acknowledge(&high(), "Ola") else {
        panic!("not done");
    };
    assert_eq!(event.record.state, AlarmState::Normal);
    assert_eq!(desk.high(), None);
}

#[test]
fn without_need_of_an_acknowledgement_a_clear_ends_it() {
    let mut desk = Desk::new();
    desk.need = AcknowledgementNeed::NotNeeded;
    desk.event(raise("level high"));
    let event = desk.event(clear());
    assert_eq!(event.transition, Transition::Cleared);
    assert_eq!(event.record.state, AlarmState::Normal);
    assert_eq!(desk.high(), None);
}

#[test]
fn a_return_that_nobody_acknowledged_re_alarms_as_a_new_occurrence() {
    let mut desk = Desk::new();
    let first = desk.event(raise("level high")).record;
    desk.event(clear());
    let event = desk.event(raise("level high"));
    assert_eq!(event.transition, Transition::Raised);
    assert_eq!(event.why.reason, Reason::ReAlarm);
    assert_eq!(event.record.occurrence, OccurrenceId(2));
    assert_ne!(event.record.code, first.code);
    assert_eq!(event.record.cleared_at, None);
    assert_eq!(event.record.raises, 1);
    assert_eq!(desk.book.standing().count(), 1);
}

#[test]
fn a_clear_of_what_does_not_stand_or_has_returned_does_nothing() {
    let mut desk = Desk::new();
    desk.nothing(clear());
    desk.event(raise("level high"));
    desk.event(clear());
    desk.nothing(clear());
    desk.nothing(Action::Clear(String::new()));
}

#[test]
fn a_notice_has_its_own_occurrence_and_leaves_the_alarm_alone() {
    let mut desk = Desk::new();
    let standing = desk.event(raise("level high")).record;
    let event = desk.event(Action::Notify(request("high", "batch 7 is done")));
    assert_eq!(event.transition, Transition::Notified);
    assert_eq!(event.record.occurrence, OccurrenceId(2));
    assert_eq!(event.record.state, AlarmState::Normal);
    assert_ne!(event.record.code, standing.code);
    assert_eq!(desk.high(), Some(&standing));
    let again = desk.event(Action::Notify(request("high", "batch 7 is done")));
    assert_eq!(again.record.occurrence, OccurrenceId(3));
}

#[test]
fn a_real_raise_takes_the_place_of_a_test_and_tells_people() {
    let mut desk = Desk::new();
    desk.origin = Origin::Test;
    let test = desk.event(raise("level high")).record;
    assert!(test.test);
    desk.origin = Origin::Device;
    let events = desk.apply("tanks", vec![raise("level high")]).events;
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].transition, Transition::Cleared);
    assert_eq!(events[0].record.occurrence, test.occurrence);
    assert_eq!(events[0].record.state, AlarmState::Normal);
    assert_eq!(events[1].transition, Transition::Raised);
    assert!(!events[1].record.test);
    assert_eq!(desk.book.standing().count(), 1);
}

#[test]
fn a_test_does_not_make_a_real_alarm_a_test() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    desk.origin = Origin::Test;
    desk.nothing(raise("level high"));
    assert!(!desk.high().unwrap().test);
}

#[test]
fn labels_of_the_settings_win_and_the_instance_cannot_be_forged() {
    let mut desk = Desk::new();
    desk.labels = Labels::from([("area".into(), "north".into())]);
    let mut request = request("high", "level high");
    request.attributes = vec![
        ("area".into(), "south".into()),
        ("instance".into(), "boiler".into()),
        ("unit".into(), "%".into()),
        (String::new(), "nameless".into()),
    ];
    let record = desk.event(Action::Raise(request)).record;
    let expected = [("area", "north"), ("instance", "tanks"), ("unit", "%")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(record.labels, Labels::from(expected));
}

#[test]
fn too_many_attributes_are_cut_and_the_label_says_so() {
    let mut desk = Desk::new();
    let mut request = request("high", "level high");
    request.attributes = (0..Source::ATTRIBUTES_MAX + 6)
        .map(|n| (format!("a{n}"), "x".to_owned()))
        .collect();
    let record = desk.event(Action::Raise(request)).record;
    assert_eq!(record.labels.len(), Source::ATTRIBUTES_MAX + 2);
    assert_eq!(record.labels["attributes-left-out"], "6");
}

#[test]
fn a_rule_that_is_gone_clears_its_alarms_only_if_its_settings_say_so() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    desk.apply("tanks", vec![Action::Raise(request("low", "level low"))]);
    desk.apply("boiler", vec![raise("pressure high")]);
    let labels = Labels::new();
    let source = Source {
        instance: "tanks",
        labels: &labels,
        acknowledgement: AcknowledgementNeed::Needed,
        reset: ResetNeed::NotNeeded,
        origin: Origin::Device,
    };
    for policy in [OnDown::Keep, OnDown::Raise] {
        let events = desk
            .book
            .instance_down(desk.now, &source, policy, "removed");
        assert_eq!(events, Vec::new());
    }
    assert_eq!(desk.book.highest_priority("tanks"), Some(Priority::High));
    let events =
        desk.book
            .instance_down(desk.now, &source, OnDown::Clear, "rule tanks was removed");
    let reasons: Vec<Reason> = events.iter().map(|event| event.why.reason).collect();
    assert_eq!(reasons, vec![Reason::RuleGone; 2]);
    assert_eq!(desk.book.highest_priority("tanks"), None);
    assert_eq!(desk.book.highest_priority("boiler"), Some(Priority::High));
}

#[test]
fn what_was_stored_is_what_is_restored_and_numbers_go_on() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    desk.event(Action::Notify(request("done", "batch 7 is done")));
    let stored: Vec<_> = desk.book.standing().cloned().collect();
    let last = desk.book.last_occurrence();
    assert_eq!(last, OccurrenceId(2));
    desk.book = AlarmBook::restore(stored.clone(), last, AlarmLimits::default());
    assert_eq!(desk.book.standing().cloned().collect::<Vec<_>>(), stored);
    desk.nothing(raise("level high"));
    let event = desk.event(Action::Raise(request("low", "level low")));
    assert_eq!(event.record.occurrence, OccurrenceId(3));
    assert_ne!(event.record.code, stored[0].code);
}

#[test]
fn a_lost_number_is_made_up_for_by_the_records() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    let stored: Vec<_> = desk.book.standing().cloned().collect();
    let book = AlarmBook::restore(stored, OccurrenceId(0), AlarmLimits::default());
    assert_eq!(book.last_occurrence(), OccurrenceId(1));
}

#[test]
fn a_commit_holds_the_records_the_journal_and_the_number() {
    let mut desk = Desk::new();
    let actions = vec![
        raise("level high"),
        Action::Notify(request("done", "batch 7 is done")),
        raise("level higher"),
    ];
    let events = desk.apply("tanks", actions).events;
    let mut commit = Commit::default();
    desk.book.record(&[], &mut commit);
    assert!(commit.is_empty());
    desk.book.record(&events, &mut commit);
    assert_eq!(commit.last_occurrence, Some(OccurrenceId(2)));
    let words: Vec<&str> = commit.journal.iter().map(|e| e.event.as_str()).collect();
    assert_eq!(words, ["raised", "notified", "updated"]);
    assert_eq!(commit.journal[0].subject, "tanks/high");
    assert_eq!(commit.journal[0].data["state"], "B");
    let stored: Vec<OccurrenceId> = commit.alarms.iter().map(|r| r.occurrence).collect();
    assert_eq!(stored, [OccurrenceId(1), OccurrenceId(1)]);
}

#[test]
fn the_urgent_and_unacknowledged_come_first() {
    let mut desk = Desk::new();
    let keyed = |key: &str, priority| {
        let mut request = request(key, key);
        request.priority = priority;
        Action::Raise(request)
    };
    desk.apply(
        "tanks",
        vec![
            keyed("low", Priority::Low),
            keyed("critical", Priority::Critical),
            keyed("acknowledged", Priority::Critical),
            keyed("returned", Priority::Critical),
            keyed("newer", Priority::Critical),
            Action::Clear("returned".to_owned()),
        ],
    );
    desk.acknowledge(&Target::Alarm(AlarmId::new("tanks", "acknowledged")), "Ola");
    let keys: Vec<&str> = desk
        .book
        .by_urgency()
        .iter()
        .map(|record| record.id.key.as_str())
        .collect();
    assert_eq!(
        keys,
        ["newer", "critical", "low", "returned", "acknowledged"]
    );
    let counts = desk.book.counts();
    assert_eq!(
        (counts.standing, counts.active, counts.unacknowledged),
        (5, 4, 4)
    );
}
