//! Long lists page by page, and the journal as a queue.

use andon_model::{Commit, DeliveryState, JournalKind, OccurrenceId, Timestamp};
use andon_store::{DeliveryFilter, JournalFilter, Store};

use crate::kit::{Bench, START, delivery, line};

async fn with_lines(store: &Store, count: i64) {
    let lines = (0..count).map(|n| {
        let mut line = line(Some(u64::try_from(n % 5).unwrap()), &n.to_string());
        // One line a second; those of devices carry an earlier time of their own.
        line.at = Timestamp::from_secs(START + n);
        if n % 10 == 3 {
            line.kind = JournalKind::Device;
            line.at = Timestamp::from_secs(START + n - 4);
        }
        line
    });
    let commit = Commit {
        journal: lines.collect(),
        ..Commit::default()
    };
    store.commit(commit).await.await.unwrap();
}

#[tokio::test]
async fn every_line_comes_once_whatever_the_size_of_the_page() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    with_lines(&store, 100).await;
    let reader = store.reader().unwrap();
    for limit in [1, 7, 100, 1_000] {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let filter = JournalFilter {
                before,
                limit,
                ..JournalFilter::default()
            };
            let page = reader.journal_page(&filter, None).unwrap();
            let (rows, next) = (page.rows, page.next);
            seen.extend(rows.iter().map(|row| row.entry.event.clone()));
            before = next;
            if before.is_none() {
                break;
            }
        }
        let all: Vec<String> = (0..100).rev().map(|n: i32| n.to_string()).collect();
        assert_eq!(seen, all, "{limit}");
    }
}

#[tokio::test]
async fn a_range_of_time_holds_what_happened_in_it_and_nothing_else() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    with_lines(&store, 1_000).await;
    let reader = store.reader().unwrap();
    let page = |since: i64, until: i64, kind: Option<JournalKind>| -> Vec<String> {
        let filter = JournalFilter {
            since: Some(Timestamp::from_secs(START + since)),
            kind,
            limit: 1_000,
            ..JournalFilter::default()
        };
        let until = Some(Timestamp::from_secs(START + until));
        let rows = reader.journal_page(&filter, until).unwrap().rows;
        rows.into_iter().map(|row| row.entry.event).collect()
    };
    assert_eq!(page(500, 503, None), ["502", "501", "500"]);
    // 503 carries the time of 499.
    assert_eq!(page(499, 500, None), ["503", "499"]);
    assert_eq!(
        page(480, 520, Some(JournalKind::Device)),
        ["523", "513", "503", "493"]
    );
    assert_eq!(page(2_000, 3_000, None), [""; 0]);
    assert_eq!(page(-50, 1, None), ["3", "0"]);
}

#[tokio::test]
async fn lines_after_a_number_come_in_their_order() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let reader = store.reader().unwrap();
    assert_eq!(reader.journal_end().unwrap(), 0);
    with_lines(&store, 50).await;
    let end = reader.journal_end().unwrap();
    let rows = reader.journal_after(end - 3, 2).unwrap();
    let events: Vec<&str> = rows.iter().map(|row| row.entry.event.as_str()).collect();
    assert_eq!(events, ["47", "48"]);
    assert_eq!(reader.journal_after(end, 10).unwrap(), []);
}

#[tokio::test]
async fn deliveries_are_found_by_state_contact_and_occurrence() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let rows = (1..=30).map(|n| {
        let state = match n % 3 {
            0 => DeliveryState::Queued,
            1 => DeliveryState::Delivered,
            _ => DeliveryState::Failed,
        };
        let mut row = delivery(n, 0, state);
        row.contact = if n % 2 == 0 { "anna" } else { "bo" }.into();
        row
    });
    let commit = Commit {
        deliveries: rows.collect(),
        ..Commit::default()
    };
    store.commit(commit).await.await.unwrap();
    let reader = store.reader().unwrap();
    let find = |filter: DeliveryFilter| -> (Vec<u64>, Option<u64>) {
        let page = reader.deliveries_page(&filter).unwrap();
        let numbers = page.rows.iter().map(|row| row.occurrence.0);
        (numbers.collect(), page.next)
    };
    let all = || DeliveryFilter {
        limit: 100,
        ..DeliveryFilter::default()
    };
    assert_eq!(find(all()).0.len(), 30);
    let state = |word: &str| Some(word.to_owned());
    let contact = state("anna");
    let queued = DeliveryFilter {
        state: state("queued"),
        contact: contact.clone(),
        ..all()
    };
    assert_eq!(find(queued).0, [30, 24, 18, 12, 6]);
    let failed = DeliveryFilter {
        state: state("failed"),
        contact,
        limit: 2,
        ..all()
    };
    let (first, next) = find(failed.clone());
    assert_eq!(first, [26, 20]);
    assert_eq!(
        find(DeliveryFilter {
            before: next,
            ..failed
        })
        .0,
        [14, 8]
    );
    let one = DeliveryFilter {
        occurrence: Some(OccurrenceId(7)),
        ..all()
    };
    assert_eq!(find(one), (vec![7], None));
}
