//! The figures of now, and that a restart changes none of them.

use andon_kpi::Rolling;
use andon_model::{
    AlarmFlags, AlarmId, AlarmRecord, AlarmState, JournalEntry, JournalKind, Labels, OccurrenceId,
    Priority, Reason, ShortCode, Transition, Why,
};
use serde_json::json;

use crate::diary::{Diary, at, plan};

fn record(number: u64, seconds: i64, area: &str) -> AlarmRecord {
    AlarmRecord {
        id: AlarmId::new("tanks", number.to_string()),
        occurrence: OccurrenceId(number),
        code: ShortCode::from_number(number, 2),
        state: AlarmState::Unacknowledged,
        priority: Priority::High,
        message: "words".into(),
        labels: Labels::from([("area".to_owned(), area.to_owned())]),
        raised_at: at(seconds),
        changed_at: at(seconds),
        cleared_at: None,
        acknowledged: None,
        raises: 1,
        test: false,
        flags: AlarmFlags::default(),
    }
}

fn event(transition: Transition, record: &AlarmRecord, seconds: i64) -> JournalEntry {
    JournalEntry {
        at: at(seconds),
        kind: JournalKind::Alarm,
        occurrence: Some(record.occurrence),
        subject: record.id.to_string(),
        event: transition.word().to_owned(),
        why: Why::new(Reason::FirstRaise, ""),
        data: json!({
            "state": record.state.letter(),
            "priority": record.priority,
            "labels": record.labels,
            "raised_at": record.raised_at,
            "test": record.test,
            "flags": record.flags,
        }),
    }
}

#[test]
fn rates_floods_and_standing_alarms_of_each_group_now() {
    let mut rolling = Rolling::restore(plan("group_by = \"area\""), []);
    for number in 0..11 {
        let record = record(number, number as i64, "north");
        let took = rolling
            .take(&event(Transition::Raised, &record, number as i64))
            .unwrap();
        assert!(took.activated && took.annunciated);
        assert_eq!(
            (took.group.as_str(), took.priority),
            ("north", Priority::High)
        );
    }
    let mut gone = record(3, 3, "north");
    gone.state = AlarmState::ReturnedUnacknowledged;
    let took = rolling
        .take(&event(Transition::Cleared, &gone, 20))
        .unwrap();
    assert!(!took.activated && !took.annunciated);

    let now = rolling.figures(at(20)).remove(0);
    assert_eq!((now.last_10_minutes, now.standing, now.stale), (11, 10, 0));
    assert_eq!(now.flood_since, Some(at(10)));
    // Ten minutes later all but the last are forgotten, the flood is over; a day later all are
    // stale, which is said of what stands alone.
    let later = rolling.figures(at(609)).remove(0);
    assert_eq!((later.last_10_minutes, later.flood_since), (1, None));
    let next_day = rolling.figures(at(86_400 + 11)).remove(0);
    assert_eq!((next_day.standing, next_day.stale), (10, 10));
}

#[test]
fn a_restart_goes_on_with_rates_and_counts_nothing_again() {
    let mut diary = Diary::default();
    let standing: Vec<AlarmRecord> = (0..12).map(|number| record(number, 0, "north")).collect();
    for number in 0..12 {
        let labels = json!({ "area": "north" });
        diary.raise_as(number, &format!("tanks/{number}"), "high", labels);
    }
    let mut rolling = Rolling::restore(plan("group_by = \"area\""), &standing);
    diary.each(|line| rolling.line(line));
    let now = rolling.figures(at(60)).remove(0);
    assert_eq!((now.last_10_minutes, now.standing), (12, 12));
    assert_eq!(now.flood_since, Some(at(10)));
}

#[test]
fn tests_count_nowhere_and_silenced_alarms_stand_before_nobody() {
    let mut rolling = Rolling::restore(plan(""), []);
    let mut test = record(1, 0, "north");
    test.test = true;
    assert_eq!(rolling.take(&event(Transition::Raised, &test, 0)), None);
    let mut silenced = record(2, 0, "north");
    silenced.flags.out_of_service = Some(andon_model::OutOfService {
        by: "ola".into(),
        since: at(-5),
        how: "command line".into(),
        reason: "new sensor".into(),
        back_by: None,
    });
    let took = rolling
        .take(&event(Transition::Raised, &silenced, 0))
        .unwrap();
    assert!(took.activated && !took.annunciated);
    let now = rolling.figures(at(1)).remove(0);
    assert_eq!(
        (now.group.as_str(), now.standing, now.last_10_minutes),
        ("all", 0, 0)
    );
}
