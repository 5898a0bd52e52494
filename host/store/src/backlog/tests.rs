//! The backlog: what is kept, in which order, and what gives way.

use andon_model::{
    JournalEntry, JournalKind, OccurrenceId, Reason, StateChange, TimerChange, Timestamp, Why,
};

use super::*;

fn line(event: &str, occurrence: Option<u64>) -> JournalEntry {
    JournalEntry {
        at: Timestamp::EPOCH,
        kind: JournalKind::System,
        occurrence: occurrence.map(OccurrenceId),
        subject: "s".into(),
        event: event.into(),
        why: Why::new(Reason::System, ""),
        data: serde_json::Value::Null,
    }
}

fn lines(count: usize, occurrence: Option<u64>) -> Commit {
    Commit {
        journal: (0..count).map(|_| line("e", occurrence)).collect(),
        ..Commit::default()
    }
}

fn state(key: usize, value: u8) -> Commit {
    Commit {
        states: vec![StateChange {
            instance: "a".into(),
            key: key.to_string(),
            value: Some(vec![value].into()),
        }],
        ..Commit::default()
    }
}

fn push(backlog: &mut Backlog, commit: Commit) -> bool {
    backlog.push(Pending::new(commit, None)).is_ok()
}

fn all(backlog: &mut Backlog) -> Vec<Commit> {
    std::iter::from_fn(|| backlog.pop().map(|pending| pending.commit)).collect()
}

#[test]
fn a_group_is_cut_at_the_row_bound_but_never_empty() {
    let mut backlog = Backlog::new(1_000, usize::MAX);
    for _ in 0..3 {
        assert!(push(&mut backlog, lines(10, None)));
    }
    assert_eq!(backlog.group(5), 1);
    assert_eq!(backlog.group(20), 2);
    assert_eq!(backlog.group(1_000), 3);
}

#[test]
fn replaced_rows_give_way_first_and_nothing_is_lost() {
    let mut backlog = Backlog::new(10, usize::MAX);
    for value in 0..100 {
        assert!(push(&mut backlog, state(usize::from(value % 5), value)));
    }
    assert_eq!(backlog.journal_dropped(), 0);
    let mut values = std::collections::BTreeMap::new();
    for change in all(&mut backlog).into_iter().flat_map(|c| c.states) {
        values.insert(change.key, change.value.unwrap()[0]);
    }
    let values: Vec<u8> = values.into_values().collect();
    assert_eq!(values, [95, 96, 97, 98, 99]);
}

#[test]
fn lines_of_no_occurrence_go_before_lines_of_one() {
    let mut backlog = Backlog::new(20, usize::MAX);
    assert!(push(&mut backlog, lines(8, Some(1))));
    assert!(push(&mut backlog, lines(10, None)));
    assert!(push(&mut backlog, state(0, 1)));
    assert!(push(&mut backlog, lines(4, Some(2))));
    assert_eq!(backlog.journal_dropped(), 8);
    let kept: Vec<_> = all(&mut backlog)
        .into_iter()
        .flat_map(|c| c.journal)
        .collect();
    let of_one = kept.iter().filter(|line| line.occurrence.is_some()).count();
    assert_eq!(of_one, 12);
}

#[test]
fn a_commit_for_which_nothing_may_give_way_is_handed_back() {
    let mut backlog = Backlog::new(10, usize::MAX);
    for key in 0..10 {
        assert!(push(&mut backlog, state(key, 1)));
    }
    assert!(!push(&mut backlog, state(10, 1)));
    assert_eq!(backlog.rows(), 10);
    // A replacement of what waits counts as a row of its own until the next merge.
    assert!(!push(&mut backlog, state(3, 2)));
    backlog.pop();
    assert!(backlog.is_empty());
    assert_eq!((backlog.rows(), backlog.bytes()), (0, 0));
    assert!(
        push(&mut backlog, lines(50, None)),
        "alone, any size is taken"
    );
}

#[test]
fn merging_keeps_the_highest_number_and_the_last_of_each_timer() {
    let mut backlog = Backlog::new(4, usize::MAX);
    for n in [3, 9, 4] {
        let commit = Commit {
            last_occurrence: Some(OccurrenceId(n)),
            timers: vec![TimerChange {
                instance: "a".into(),
                wake_at: (n != 4).then_some(Timestamp::from_secs(1)),
            }],
            ..Commit::default()
        };
        assert!(push(&mut backlog, commit));
    }
    let whole = backlog.pop().unwrap().commit;
    assert_eq!(whole.last_occurrence, Some(OccurrenceId(9)));
    assert_eq!(whole.timers.len(), 1);
}
