//! What is committed is there after a restart, and nothing else.

use andon_model::{
    AlarmState, Commit, DeliveryState, OccurrenceId, Stage, StageRow, TimerChange, Timestamp,
};
use andon_store::{CommitError, Loaded};

use crate::kit::{Bench, alarm, delivery, line, raised, state};

#[tokio::test]
async fn a_new_database_is_made_and_empty() {
    let bench = Bench::new();
    let (store, loaded) = bench.open();
    let expected = Loaded {
        created: true,
        ..Loaded::default()
    };
    assert_eq!(loaded, expected);
    store.close().await.unwrap();
    let (_store, loaded) = bench.open();
    assert_eq!(loaded, Loaded::default());
}

#[cfg(unix)]
#[tokio::test]
async fn strangers_may_not_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let (store, _) = bench.open();
    store.commit(raised(1)).await.await.unwrap();
    for end in ["", "-wal", "-shm"] {
        let file = bench.folder.path().join(format!("andon.db{end}"));
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o007, 0, "{end}");
    }
}

#[tokio::test]
async fn a_commit_is_found_again_after_a_restart() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let mut commit = raised(7);
    commit.timers = vec![TimerChange {
        instance: "tanks".into(),
        wake_at: Some(Timestamp::from_secs(9)),
    }];
    store.commit(commit.clone()).await.await.unwrap();
    store.close().await.unwrap();

    let (store, loaded) = bench.open();
    assert_eq!(loaded.alarms, commit.alarms);
    assert_eq!(loaded.open_deliveries, commit.deliveries);
    assert_eq!(loaded.timers["tanks"], Timestamp::from_secs(9));
    assert_eq!(&*loaded.states["tanks"]["7"], b"on");
    assert_eq!(loaded.last_occurrence, OccurrenceId(7));
    assert!(loaded.unreadable.is_empty() && !loaded.created);
    let lines = store
        .reader()
        .unwrap()
        .journal(&Default::default())
        .unwrap();
    let lines: Vec<_> = lines.into_iter().rev().map(|row| row.entry).collect();
    assert_eq!(lines, commit.journal);
}

#[tokio::test]
async fn rows_of_a_stage_are_replaced_deleted_and_found_again() {
    let row = |stage, key: &str, record: Option<u32>| StageRow {
        stage,
        key: key.into(),
        record: record.map(|due| serde_json::json!({ "due": due })),
    };
    let bench = Bench::new();
    let (store, _) = bench.open();
    let rows = |rows| Commit {
        rows,
        ..Commit::default()
    };
    let first = rows(vec![
        row(Stage::Silence, "tanks/high", Some(1)),
        row(Stage::Silence, "tanks/low", Some(2)),
        row(Stage::Escalation, "tanks/high", Some(3)),
    ]);
    assert!(!first.is_empty());
    store.commit(first).await.await.unwrap();
    let second = rows(vec![
        row(Stage::Silence, "tanks/high", Some(4)),
        row(Stage::Silence, "tanks/low", None),
    ]);
    store.commit(second).await.await.unwrap();
    store.close().await.unwrap();
    let (_store, loaded) = bench.open();
    assert_eq!(
        loaded.rows,
        [
            row(Stage::Silence, "tanks/high", Some(4)),
            row(Stage::Escalation, "tanks/high", Some(3)),
        ]
    );
}

#[tokio::test]
async fn what_is_over_removed_or_ended_is_not_loaded() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let mut first = raised(1);
    first.timers = vec![TimerChange {
        instance: "tanks".into(),
        wake_at: Some(Timestamp::EPOCH),
    }];
    store.commit(first).await.await.unwrap();
    let second = Commit {
        alarms: vec![alarm(1, "k1", AlarmState::Normal)],
        states: vec![state("tanks", "1", None)],
        timers: vec![TimerChange {
            instance: "tanks".into(),
            wake_at: None,
        }],
        deliveries: vec![delivery(1, 0, DeliveryState::Delivered)],
        ..Commit::default()
    };
    store.commit(second).await.await.unwrap();
    store.close().await.unwrap();
    let (store, loaded) = bench.open();
    let expected = Loaded {
        last_occurrence: OccurrenceId(1),
        ..Loaded::default()
    };
    assert_eq!(loaded, expected);
    // It stays in the outbox all the same.
    let ended = store
        .reader()
        .unwrap()
        .deliveries_of(OccurrenceId(1))
        .unwrap();
    assert_eq!(ended, [delivery(1, 0, DeliveryState::Delivered)]);
}

#[tokio::test]
async fn a_re_alarm_takes_the_row_of_its_condition() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let returned = AlarmState::ReturnedUnacknowledged;
    let commit = Commit {
        alarms: vec![
            alarm(1, "high", returned),
            alarm(2, "high", AlarmState::Unacknowledged),
            // The end of the older one, told late, must not take the newer one away.
            alarm(1, "high", AlarmState::Normal),
        ],
        ..Commit::default()
    };
    store.commit(commit).await.await.unwrap();
    let standing = store.reader().unwrap().standing().unwrap();
    assert_eq!(standing, [alarm(2, "high", AlarmState::Unacknowledged)]);
}

#[tokio::test]
async fn an_empty_commit_touches_no_disk() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let log = bench.folder.path().join("andon.db-wal");
    let before = std::fs::metadata(&log).unwrap().len();
    store.commit(Commit::default()).await.await.unwrap();
    assert_eq!(std::fs::metadata(&log).unwrap().len(), before);
    store.commit(raised(1)).await.await.unwrap();
    assert!(std::fs::metadata(&log).unwrap().len() > before);
}

#[tokio::test]
async fn commits_are_written_in_the_order_in_which_they_were_queued() {
    let mut bench = Bench::new();
    bench.options.queue_max = 3;
    let (store, _) = bench.open();
    let mut tickets = Vec::new();
    for n in 0..200_u64 {
        let commit = Commit {
            states: vec![state("a", "last", Some(&n.to_be_bytes()))],
            journal: vec![line(None, &n.to_string())],
            ..Commit::default()
        };
        tickets.push(store.commit(commit).await);
    }
    for ticket in tickets {
        ticket.await.unwrap();
    }
    let reader = store.reader().unwrap();
    let filter = andon_store::JournalFilter {
        limit: 1_000,
        ..Default::default()
    };
    let events: Vec<String> = reader
        .journal(&filter)
        .unwrap()
        .into_iter()
        .rev()
        .map(|row| row.entry.event)
        .collect();
    let expected: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    assert_eq!(events, expected);
    store.close().await.unwrap();
    let (_store, loaded) = bench.open();
    assert_eq!(&*loaded.states["a"]["last"], 199_u64.to_be_bytes());
}

#[tokio::test]
async fn a_dropped_ticket_is_written_all_the_same() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    drop(store.commit(raised(1)).await);
    store.close().await.unwrap();
    assert_eq!(bench.open().1.alarms.len(), 1);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    store.close().await.unwrap();
    let answer = store.commit(raised(1)).await.await;
    assert_eq!(answer, Err(CommitError::Closed));
    assert_eq!(store.close().await, Err(CommitError::Closed));
}

#[tokio::test]
async fn a_sent_message_is_open_only_while_its_receipt_may_come() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let sent = DeliveryState::Sent {
        provider_ids: vec!["a1".into()],
    };
    let commit = Commit {
        deliveries: vec![delivery(1, 0, sent), delivery(2, 0, DeliveryState::Sending)],
        ..Commit::default()
    };
    store.commit(commit).await.await.unwrap();
    store.close().await.unwrap();
    let (store, loaded) = bench.open();
    assert_eq!(loaded.open_deliveries.len(), 2);
    store.close().await.unwrap();
    bench.clock.advance(bench.options.receipts_for * 2);
    let (_store, loaded) = bench.open();
    let states: Vec<_> = loaded.open_deliveries.iter().map(|d| &d.state).collect();
    assert_eq!(states, [&DeliveryState::Sending]);
}
