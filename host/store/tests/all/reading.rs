//! Questions, also from another process and while no host runs.

use andon_model::{
    AlarmId, AlarmState, Commit, DeliveryState, JournalKind, OccurrenceId, ShortCode, Timestamp,
};
use andon_store::{JournalFilter, RawLine, Store};

use crate::kit::{Bench, START, alarm, delivery, line, raised};

#[tokio::test]
async fn a_reader_sees_commits_while_the_host_runs_and_after_it() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let reader = Store::read_only(&bench.path()).unwrap();
    assert_eq!(reader.standing().unwrap(), []);
    store.commit(raised(1)).await.await.unwrap();
    assert_eq!(reader.standing().unwrap().len(), 1);
    store.close().await.unwrap();
    assert_eq!(reader.standing().unwrap().len(), 1);
    drop(reader);
    let reader = Store::read_only(&bench.path()).unwrap();
    assert_eq!(
        reader.alarm(OccurrenceId(1)).unwrap(),
        Some(raised(1).alarms.remove(0))
    );
    assert_eq!(reader.alarm(OccurrenceId(2)).unwrap(), None);
}

#[tokio::test]
async fn the_journal_is_filtered_and_paged_newest_first() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let mut lines: Vec<_> = (0..25).map(|n| line(Some(n % 5), &n.to_string())).collect();
    lines[3].kind = JournalKind::Device;
    lines[3].subject = "plc1".into();
    for (n, line) in (0..).zip(&mut lines) {
        line.at = Timestamp::from_secs(START + n);
    }
    let commit = Commit {
        journal: lines,
        ..Commit::default()
    };
    store.commit(commit).await.await.unwrap();
    let reader = store.reader().unwrap();
    let events = |filter: JournalFilter| -> Vec<String> {
        let rows = reader.journal(&filter).unwrap();
        rows.into_iter().map(|row| row.entry.event).collect()
    };
    let occurrence = Some(OccurrenceId(2));
    let all = JournalFilter::default;
    assert_eq!(
        events(JournalFilter {
            occurrence,
            ..all()
        }),
        ["22", "17", "12", "7", "2"]
    );
    let kind = Some(JournalKind::Device);
    assert_eq!(events(JournalFilter { kind, ..all() }), ["3"]);
    let subject = Some("plc1".to_owned());
    assert_eq!(events(JournalFilter { subject, ..all() }), ["3"]);
    let since = Some(Timestamp::from_secs(START + 23));
    assert_eq!(events(JournalFilter { since, ..all() }), ["24", "23"]);

    let first = reader
        .journal(&JournalFilter { limit: 10, ..all() })
        .unwrap();
    let before = first.last().map(|row| row.number);
    let second = reader
        .journal(&JournalFilter {
            limit: 10,
            before,
            ..all()
        })
        .unwrap();
    assert_eq!((first.len(), second.len()), (10, 10));
    assert_eq!(second[0].entry.event, "14");
    assert_eq!(events(JournalFilter { limit: 0, ..all() }), [""; 0]);
}

#[tokio::test]
async fn a_code_means_the_standing_alarm_or_else_the_newest_that_had_it() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let code = ShortCode::from_number(1, 2);
    store.commit(raised(1)).await.await.unwrap();
    let reader = store.reader().unwrap();
    assert_eq!(
        reader.occurrence_of_code(&code).unwrap(),
        Some(OccurrenceId(1))
    );
    let over = Commit {
        alarms: vec![alarm(1, "k1", AlarmState::Normal)],
        ..Commit::default()
    };
    store.commit(over).await.await.unwrap();
    assert_eq!(reader.standing().unwrap(), []);
    assert_eq!(
        reader.occurrence_of_code(&code).unwrap(),
        Some(OccurrenceId(1))
    );
    let unknown = ShortCode::from_number(5, 2);
    assert_eq!(reader.occurrence_of_code(&unknown).unwrap(), None);
    let high = AlarmId::new("tanks", "high");
    assert_eq!(
        reader.occurrence_of_alarm(&high).unwrap(),
        Some(OccurrenceId(1))
    );
}

#[tokio::test]
async fn the_outbox_is_asked_by_occurrence_key_and_state() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let sent = DeliveryState::Sent {
        provider_ids: vec!["x".into()],
    };
    let rows = vec![
        delivery(1, 0, DeliveryState::Failed),
        delivery(1, 1, sent),
        delivery(2, 0, DeliveryState::Queued),
    ];
    let commit = Commit {
        deliveries: rows.clone(),
        ..Commit::default()
    };
    store.commit(commit).await.await.unwrap();
    let reader = store.reader().unwrap();
    assert_eq!(reader.deliveries_of(OccurrenceId(1)).unwrap(), rows[..2]);
    assert_eq!(
        reader.delivery(&rows[2].id).unwrap().as_ref(),
        Some(&rows[2])
    );
    assert_eq!(reader.open_deliveries(10).unwrap(), rows[1..]);
    assert_eq!(reader.open_deliveries(1).unwrap().len(), 1);
    let counts = reader.counts().unwrap();
    assert_eq!((counts.queued, counts.sending, counts.sent), (1, 0, 1));
    assert!(counts.bytes > 4_096);
}

#[tokio::test]
async fn a_message_from_a_phone_is_known_from_the_moment_it_is_queued() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let reader = store.reader().unwrap();
    let commit = Commit {
        incoming: vec![("smsc".into(), "77".into())],
        ..Commit::default()
    };
    assert!(!store.incoming_seen(&reader, "smsc", "77").unwrap());
    let ticket = store.commit(commit.clone()).await;
    assert!(store.incoming_seen(&reader, "smsc", "77").unwrap());
    assert!(!store.incoming_seen(&reader, "twilio", "77").unwrap());
    ticket.await.unwrap();
    assert!(reader.incoming_seen("smsc", "77").unwrap());
    store.commit(commit).await.await.unwrap();
    store.close().await.unwrap();
    let (store, _) = bench.open();
    let reader = store.reader().unwrap();
    assert!(store.incoming_seen(&reader, "smsc", "77").unwrap());
}

#[tokio::test]
async fn lines_are_handed_out_from_a_moment_on() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let reader = store.reader().unwrap();
    let since = |seconds: i64| Timestamp::from_secs(START + seconds);
    let read = |from: i64, kinds: &[JournalKind]| {
        let mut read = Vec::new();
        let take = |line: &RawLine<'_>| read.push((line.number, line.event.to_owned()));
        reader.each_line(since(from), kinds, take).unwrap();
        read
    };
    assert_eq!(read(0, &[JournalKind::Alarm]), []);
    assert_eq!(reader.journal_begins().unwrap(), None);

    // A line a second; every third is of another kind.
    let at = |number: i64| {
        let mut entry = line(Some(1), &number.to_string());
        entry.at = since(number);
        if number % 3 == 0 {
            entry.kind = JournalKind::Operator;
        }
        entry
    };
    let commit = Commit {
        journal: (0..100).map(at).collect(),
        ..Commit::default()
    };
    store.commit(commit).await.await.unwrap();
    let events = |from: i64, kinds: &[JournalKind]| -> Vec<i64> {
        let lines = read(from, kinds).into_iter();
        lines.map(|(_, event)| event.parse().unwrap()).collect()
    };
    assert_eq!(events(95, &[JournalKind::Alarm]), [95, 97, 98]);
    assert_eq!(events(95, &[JournalKind::Operator]), [96, 99]);
    let both = [JournalKind::Alarm, JournalKind::Operator];
    assert_eq!(events(-5, &both), (0..100).collect::<Vec<i64>>());
    assert_eq!(events(99, &both), [99]);
    assert_eq!(events(100, &both), [0_i64; 0]);
    assert_eq!(reader.journal_begins().unwrap(), Some(since(0)));
}

#[tokio::test]
async fn the_journal_begins_after_the_lines_that_only_standing_alarms_keep() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let reader = store.reader().unwrap();
    let mut later = line(Some(2), "raised");
    later.at = Timestamp::from_secs(START + 60);
    let commit = Commit {
        alarms: vec![alarm(1, "k1", AlarmState::Unacknowledged)],
        journal: vec![line(Some(1), "raised"), later],
        ..Commit::default()
    };
    store.commit(commit).await.await.unwrap();
    let begins = reader.journal_begins().unwrap();
    assert_eq!(begins, Some(Timestamp::from_secs(START + 60)));
}
