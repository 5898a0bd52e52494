//! What is too old or too much goes; what goes on stays.

use std::time::Duration;

use andon_model::{AlarmState, Commit, DeliveryState, OccurrenceId};
use andon_store::{JournalFilter, Tidied};

use crate::kit::{Bench, alarm, delivery, line};

const DAY: Duration = Duration::from_secs(86_400);

fn history() -> Commit {
    let sent = DeliveryState::Sent {
        provider_ids: vec![],
    };
    Commit {
        alarms: vec![alarm(1, "high", AlarmState::Acknowledged)],
        journal: vec![
            line(Some(1), "raised"),
            line(Some(2), "raised"),
            line(None, "e"),
        ],
        deliveries: vec![
            delivery(1, 0, DeliveryState::Delivered),
            delivery(2, 0, DeliveryState::Delivered),
            delivery(2, 1, DeliveryState::Failed),
            delivery(3, 0, DeliveryState::Queued),
            delivery(3, 1, DeliveryState::Sending),
            delivery(4, 0, sent),
        ],
        incoming: vec![("smsc".into(), "1".into())],
        ..Commit::default()
    }
}

#[tokio::test]
async fn old_rows_go_and_the_journal_says_so() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    store.commit(history()).await.await.unwrap();
    assert!(store.tidy().await.unwrap().is_nothing());
    bench.clock.advance(DAY * 92);
    let tidied = store.tidy().await.unwrap();
    let expected = Tidied {
        journal: 2,
        deliveries: 3,
        incoming: 1,
        more: false,
    };
    assert_eq!(tidied, expected);
    assert!(store.tidy().await.unwrap().is_nothing());

    let reader = store.reader().unwrap();
    let lines = reader.journal(&JournalFilter::default()).unwrap();
    let events: Vec<&str> = lines.iter().map(|row| row.entry.event.as_str()).collect();
    assert_eq!(events, ["tidied", "raised"]);
    assert_eq!(lines[0].entry.data["deliveries"], 3);
    assert_eq!(lines[1].entry.occurrence, Some(OccurrenceId(1)));
    // What stands keeps its history, and what is owed is never deleted.
    assert_eq!(reader.deliveries_of(OccurrenceId(1)).unwrap().len(), 1);
    assert_eq!(reader.deliveries_of(OccurrenceId(3)).unwrap().len(), 2);
}

#[tokio::test]
async fn above_the_size_bound_the_oldest_go_sooner_in_steps() {
    let mut bench = Bench::new();
    bench.options.retention.bytes_max = 300_000;
    let (store, _) = bench.open();
    for n in 0..30 {
        let commit = Commit {
            journal: (0..100).map(|_| line(None, &n.to_string())).collect(),
            deliveries: vec![delivery(9, n, DeliveryState::Queued)],
            ..Commit::default()
        };
        store.commit(commit).await.await.unwrap();
    }
    let reader = store.reader().unwrap();
    let before = reader.counts().unwrap().bytes;
    assert!(before > 300_000, "{before}");
    let mut steps = 0;
    while reader.counts().unwrap().bytes > 300_000 {
        let tidied = store.tidy().await.unwrap();
        assert!(tidied.journal <= 1_000);
        steps += 1;
        assert!(steps < 10);
    }
    assert!(store.tidy().await.unwrap().is_nothing());
    let newest = reader.journal(&JournalFilter::default()).unwrap();
    assert!(newest.iter().any(|row| row.entry.event == "29"));
    assert_eq!(reader.counts().unwrap().queued, 30);
}
