//! Shelving: silence for a time, with a reason, that ends by itself.

use andon_alarms::{AlarmPolicy, OrderError, ShelveOrder, ShelveTime, Target};
use andon_model::{
    Action, AlarmId, AlarmState, OccurrenceId, Priority, Reason, ShelvingKind, Stage, Transition,
};

use crate::desk::{Desk, clear, high, hours, minutes, raise, request};

fn target() -> Target {
    Target::Alarm(high())
}

#[test]
fn the_state_goes_on_in_silence_and_is_told_at_the_end() {
    let mut desk = Desk::new();
    desk.event(raise("level 91 %"));
    let changed = desk.shelve(target(), ShelveTime::For(hours(2))).unwrap();
    let event = changed.event.unwrap();
    assert_eq!(event.transition, Transition::Shelved);
    assert_eq!(event.why.reason, Reason::Shelved);
    assert!(
        event
            .why
            .detail
            .contains("by ola (command line) until 1970")
            && event.why.detail.ends_with("the pump is being replaced"),
        "{}",
        event.why
    );
    assert_eq!(event.record.state, AlarmState::Unacknowledged);
    assert!(event.record.is_silenced() && !event.record.is_annunciated());

    assert_eq!(
        desk.event(clear()).record.state,
        AlarmState::ReturnedUnacknowledged
    );
    let again = desk.event(raise("level 95 %"));
    assert_eq!(again.transition, Transition::Raised);
    assert!(again.record.is_silenced());

    let events = desk.wait(hours(2));
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].transition, Transition::Unshelved);
    assert_eq!(events[0].why.reason, Reason::ShelvingOver);
    assert_eq!(events[0].record.occurrence, again.record.occurrence);
    assert!(events[0].record.is_annunciated());
    assert!(events[0].why.detail.ends_with("so people are told"));
}

#[test]
fn an_acknowledgement_from_before_the_silence_does_not_keep_it_silent_after() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    desk.acknowledge(&target(), "ola");
    desk.shelve(target(), ShelveTime::For(hours(1))).unwrap();
    let by = desk.operator("kari");
    let changed = desk.book.unshelve(&target(), &by).unwrap();
    let event = changed.event.unwrap();
    assert_eq!(event.why.reason, Reason::OperatorAsked);
    assert!(
        event
            .why
            .detail
            .starts_with("unshelved by kari (command line)")
    );
    assert_eq!(event.record.state, AlarmState::Unacknowledged);
    assert_eq!(event.record.acknowledged, None);
}

#[test]
fn the_end_of_a_silence_tells_nobody_of_what_is_over() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    desk.shelve(target(), ShelveTime::For(hours(1))).unwrap();
    desk.event(clear());
    let events = desk.wait(hours(1));
    assert_eq!(events[0].record.state, AlarmState::ReturnedUnacknowledged);
    assert!(!events[0].record.is_annunciated());
}

#[test]
fn what_is_normal_is_shelved_as_well() {
    let mut desk = Desk::new();
    let changed = desk.shelve(target(), ShelveTime::For(hours(2))).unwrap();
    assert_eq!(changed.event, None);
    let commit = desk.commit(&[]);
    assert_eq!(commit.journal.len(), 1);
    let line = &commit.journal[0];
    assert_eq!((line.event.as_str(), line.occurrence), ("shelved", None));
    assert_eq!(line.subject, "tanks/high");
    assert_eq!(line.data["flags"]["shelved"]["by"], "ola");
    assert_eq!(commit.rows.len(), 1);
    assert_eq!(commit.rows[0].stage, Stage::Silence);

    let event = desk.event(raise("level high"));
    assert_eq!(event.transition, Transition::Raised);
    assert_eq!(event.record.state, AlarmState::Unacknowledged);
    assert!(event.record.is_silenced());
    let told = desk.wait(hours(2));
    assert!(told[0].record.is_annunciated());
    let commit = desk.commit(&told);
    assert_eq!(commit.rows.last().unwrap().record, None);
}

#[test]
fn one_shot_ends_with_the_occurrence() {
    let mut desk = Desk::new();
    desk.shelve(target(), ShelveTime::OneShot).unwrap();
    assert!(desk.event(raise("level high")).record.is_silenced());
    desk.acknowledge(&target(), "ola");
    let events = desk.apply("tanks", vec![clear()]).events;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].transition, Transition::Cleared);
    let line = desk.commit(&[]).journal.pop().unwrap();
    assert_eq!(line.event, "unshelved");
    assert!(line.why.detail.contains("one-shot"), "{}", line.why);
    // The next one is told.
    assert!(desk.event(raise("level high")).record.is_annunciated());
}

#[test]
fn one_shot_of_what_stands_ends_with_its_return() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    desk.shelve(target(), ShelveTime::OneShot).unwrap();
    let events = desk.apply("tanks", vec![clear()]).events;
    let steps: Vec<Transition> = events.iter().map(|event| event.transition).collect();
    assert_eq!(steps, [Transition::Cleared, Transition::Unshelved]);
    assert_eq!(events[1].record.state, AlarmState::ReturnedUnacknowledged);
    assert!(!events[1].record.is_silenced());
}

#[test]
fn one_shot_is_bound_by_the_priority() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    let changed = desk.shelve(target(), ShelveTime::OneShot).unwrap();
    let shelving = changed.flags.shelved.unwrap();
    assert_eq!(shelving.kind, ShelvingKind::OneShot);
    assert_eq!(shelving.until, shelving.at.plus(hours(8)));
    let events = desk.wait(hours(8));
    assert!(events[0].record.is_annunciated());
}

#[test]
fn what_may_not_be_is_refused_with_a_sentence() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    let says = |result: Result<andon_alarms::Changed, OrderError>| result.unwrap_err().to_string();
    assert_eq!(
        says(desk.shelve(target(), ShelveTime::For(hours(9)))),
        "longer than 8h, the longest for which tanks/high may be shelved at priority high: [alarms.shelving] says so"
    );
    assert!(says(desk.shelve(target(), ShelveTime::For(minutes(0)))).contains("longer"));
    desk.shelve(target(), ShelveTime::For(hours(1))).unwrap();
    let again = says(desk.shelve(target(), ShelveTime::For(hours(1))));
    assert!(
        again.starts_with("tanks/high is already shelved by ola until ")
            && again.ends_with("`andon unshelve tanks/high` ends that first"),
        "{again}"
    );
    let unknown = says(desk.shelve(Target::Occurrence(OccurrenceId(99)), ShelveTime::OneShot));
    assert!(unknown.contains("no alarm is called `99`"), "{unknown}");
    let by = desk.operator("ola");
    let low = Target::Alarm(AlarmId::new("tanks", "low"));
    let not = says(desk.book.unshelve(&low, &by));
    assert!(not.starts_with("tanks/low is not shelved"), "{not}");
    for (reason, part) in [(" ", "say why"), (&*"x".repeat(501), "501 characters")] {
        let order = ShelveOrder {
            target: low.clone(),
            time: ShelveTime::OneShot,
            reason: reason.to_owned(),
            priority: None,
            by: by.clone(),
        };
        let says = says(desk.book.shelve(order));
        assert!(says.contains(part), "{says}");
    }
    assert_eq!(desk.book.silenced().len(), 1);
}

#[test]
fn nothing_critical_is_shelved_and_nothing_becomes_critical_in_silence() {
    let mut desk = Desk::new();
    let critical = |message: &str| {
        let mut wish = request("high", message);
        wish.priority = Priority::Critical;
        Action::Raise(wish)
    };
    desk.event(critical("gas"));
    let refused = desk.shelve(target(), ShelveTime::OneShot).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("tanks/high is of priority critical and cannot be shelved"),
        "{refused}"
    );

    // It stands and rises to critical.
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    desk.shelve(target(), ShelveTime::For(hours(1))).unwrap();
    let events = desk
        .apply("tanks", vec![critical("level very high")])
        .events;
    let steps: Vec<Transition> = events.iter().map(|event| event.transition).collect();
    assert_eq!(steps, [Transition::Updated, Transition::Unshelved]);
    assert!(events[1].record.is_annunciated());
    assert!(events[1].why.detail.contains("priority critical"));

    // It was normal, and of a priority that nobody knew.
    let mut desk = Desk::new();
    desk.shelve(target(), ShelveTime::For(hours(1))).unwrap();
    let event = desk.event(critical("gas"));
    assert!(event.record.is_annunciated());
    let lines = desk.commit(&[]).journal;
    let words: Vec<&str> = lines.iter().map(|line| line.event.as_str()).collect();
    assert_eq!(words, ["shelved", "unshelved"]);
}

#[test]
fn a_shelving_is_cut_to_what_the_priority_allows() {
    let mut desk = Desk::new();
    let mut low = request("high", "level");
    low.priority = Priority::Low;
    desk.event(Action::Raise(low));
    let changed = desk.shelve(target(), ShelveTime::For(hours(20))).unwrap();
    let at = changed.flags.shelved.unwrap().at;
    desk.event(raise("level"));
    let record = desk.high().unwrap();
    assert_eq!(
        record.flags.shelved.as_ref().unwrap().until,
        at.plus(hours(8))
    );
    let events = desk.wait(hours(8));
    assert_eq!(events.len(), 1);
}

#[test]
fn whoever_shelved_is_reminded_once_before_the_end() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    desk.shelve(target(), ShelveTime::For(hours(2))).unwrap();
    desk.wait(minutes(104));
    assert_eq!(desk.book.take_reminders(), vec![]);
    desk.wait(minutes(2));
    let reminders = desk.book.take_reminders();
    assert_eq!(reminders.len(), 1);
    assert_eq!(reminders[0].to, "ola");
    assert_eq!(reminders[0].priority, Some(Priority::High));
    assert_eq!(
        reminders[0].message,
        "tanks/high, which you shelved (the pump is being replaced), comes back in 15m"
    );
    let commit = desk.commit(&[]);
    let line = commit.journal.last().unwrap();
    assert_eq!(line.event, "reminder");
    assert_eq!(line.occurrence, Some(OccurrenceId(1)));

    // A restart does not repeat it.
    let rows = commit.rows.last().cloned().into_iter().collect::<Vec<_>>();
    desk.restart(&rows, AlarmPolicy::default());
    desk.wait(minutes(5));
    assert_eq!(desk.book.take_reminders(), vec![]);
    assert_eq!(desk.wait(hours(1)).len(), 1);
}

#[test]
fn what_is_shelved_for_a_moment_ends_without_a_reminder() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    desk.shelve(target(), ShelveTime::For(minutes(10))).unwrap();
    assert_eq!(desk.wait(minutes(11)).len(), 1);
    assert_eq!(desk.book.take_reminders(), vec![]);
}

#[test]
fn a_restart_in_the_midst_of_a_shelving_changes_nothing() {
    let mut desk = Desk::new();
    let low = AlarmId::new("tanks", "low");
    desk.event(raise("level high"));
    desk.shelve(target(), ShelveTime::For(hours(2))).unwrap();
    desk.shelve(Target::Alarm(low.clone()), ShelveTime::For(hours(3)))
        .unwrap();
    let rows = desk.commit(&[]).rows;
    let before = desk.book.silenced();
    desk.restart(&rows, AlarmPolicy::default());
    assert_eq!(desk.book.silenced(), before);
    let event = desk.event(Action::Raise(request("low", "level low")));
    assert!(event.record.is_silenced());
    let events = desk.wait(hours(3));
    let over: Vec<&AlarmId> = events.iter().map(|event| &event.record.id).collect();
    assert_eq!(over, [&high(), &low]);
    assert!(events.iter().all(|event| event.record.is_annunciated()));
    assert_eq!(desk.book.silenced(), vec![]);
}

#[test]
fn a_shelving_that_ended_while_the_host_was_down_is_told_at_its_start() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    desk.shelve(target(), ShelveTime::For(hours(2))).unwrap();
    let rows = desk.commit(&[]).rows;
    desk.now = desk.now.plus(hours(10));
    desk.restart(&rows, AlarmPolicy::default());
    let events = desk.book.on_time(desk.now);
    assert_eq!(events.len(), 1);
    assert!(events[0].record.is_annunciated());
}

#[test]
fn a_row_that_nobody_understands_silences_nothing_and_is_told() {
    let mut desk = Desk::new();
    desk.event(raise("level high"));
    desk.shelve(target(), ShelveTime::For(hours(2))).unwrap();
    let mut rows = desk.commit(&[]).rows;
    rows[0].record = Some(serde_json::json!({ "id": 7 }));
    let stored = desk.book.standing().cloned().collect();
    let limits = andon_alarms::AlarmLimits::default();
    let mut book = andon_alarms::AlarmBook::restore(stored, OccurrenceId(1), limits);
    let says = book.restore_rows(&rows, AlarmPolicy::default());
    assert_eq!(says.len(), 1);
    assert!(says[0].starts_with("what silences tanks/high cannot be understood"));
    assert!(book.get(&high()).unwrap().is_annunciated());
}

#[test]
fn a_test_does_not_use_up_a_one_shot_shelving() {
    let mut desk = Desk::new();
    desk.shelve(target(), ShelveTime::OneShot).unwrap();
    desk.origin = andon_model::Origin::Test;
    desk.event(raise("level high"));
    desk.event(clear());
    desk.origin = andon_model::Origin::Device;
    assert!(desk.event(raise("level high")).record.is_silenced());
}

#[test]
fn a_notice_of_a_shelved_condition_is_silent_too() {
    let mut desk = Desk::new();
    desk.shelve(target(), ShelveTime::For(hours(1))).unwrap();
    let event = desk.event(Action::Notify(request("high", "batch 7 is done")));
    assert!(event.record.is_silenced());
}

#[test]
fn silences_are_bounded() {
    let mut desk = Desk::new();
    let one = |n: usize| Target::Alarm(AlarmId::new("tanks", format!("k{n}")));
    for n in 0..10_000 {
        desk.shelve(one(n), ShelveTime::For(hours(1))).unwrap();
    }
    let refused = desk
        .shelve(one(10_000), ShelveTime::For(hours(1)))
        .unwrap_err();
    assert_eq!(refused, OrderError::TooMany);
    // What is silenced already may be taken out of service beside it.
    desk.take_out(one(0), None).unwrap();
}
