//! What 1,000 alarms raised in one batch cost, against a plain SQLite transaction that inserts as
//! many rows of as many bytes into one table, with the same durability.
//!
//! Both run in turn in one process on one disk; the figure is the median of the ratios of
//! neighbouring runs, so that a slow moment of the machine meets both. Prints lines
//! `NAME VALUE UNIT`; `cargo xtask bench` reads them.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a bench measures with the real clock and prints"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use andon_model::{
    AlarmFlags, AlarmId, AlarmRecord, AlarmState, Channel, Commit, Delivery, DeliveryId,
    DeliveryKind, DeliveryState, JournalEntry, JournalKind, Labels, ManualClock, OccurrenceId,
    Priority, Reason, ShortCode, Timestamp, Why,
};
use andon_store::{Store, StoreOptions};
use rusqlite::{Connection, params};

/// The allocator of the program, for both sides.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ALARMS: u64 = 1_000;
const ROUNDS: u64 = 31;

fn main() {
    // On the disk that programs are built on; a folder in memory would hide what a commit costs.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    let path = folder.path().join("andon.db");
    let (store, _) = Store::open(&path, StoreOptions::default(), clock).unwrap();
    let mut plain = plain(&folder.path().join("plain.db"));
    let mut rounds = Vec::new();
    for round in 0..ROUNDS {
        let commit = batch(round * ALARMS);
        let rows = plain_rows(&commit);
        let started = Instant::now();
        insert(&mut plain, &rows);
        let plain_took = started.elapsed();
        let started = Instant::now();
        runtime
            .block_on(async { store.commit(commit).await.await })
            .unwrap();
        rounds.push((plain_took, started.elapsed()));
        // What was raised ends, unmeasured: a plant has its alarms, not those of all rounds.
        runtime
            .block_on(async { store.commit(ended(round * ALARMS)).await.await })
            .unwrap();
    }
    runtime.block_on(store.close()).unwrap();
    report(rounds);
}

fn report(rounds: Vec<(Duration, Duration)>) {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let millis = |duration: &Duration| duration.as_secs_f64() * 1_000.0;
    let plain = median(rounds.iter().map(|(plain, _)| millis(plain)).collect());
    let store = median(rounds.iter().map(|(_, store)| millis(store)).collect());
    let ratio = median(
        rounds
            .iter()
            .map(|(plain, store)| millis(store) / millis(plain))
            .collect(),
    );
    println!("commit_plain_{} {plain:.2} ms", ALARMS * 3);
    println!("commit_alarms_{ALARMS} {store:.2} ms");
    println!("commit_ratio {ratio:.2} times");
}

fn plain(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8192;
             CREATE TABLE rows (id INTEGER PRIMARY KEY, record TEXT NOT NULL) STRICT;",
        )
        .unwrap();
    connection
}

fn insert(connection: &mut Connection, rows: &[String]) {
    let transaction = connection.transaction().unwrap();
    {
        let mut put = transaction
            .prepare_cached("INSERT INTO rows (record) VALUES (?1)")
            .unwrap();
        for row in rows {
            put.execute(params![row]).unwrap();
        }
    }
    transaction.commit().unwrap();
}

/// The same rows as ready texts.
fn plain_rows(commit: &Commit) -> Vec<String> {
    let alarms = commit.alarms.iter().map(serde_json::to_string);
    let journal = commit.journal.iter().map(serde_json::to_string);
    let deliveries = commit.deliveries.iter().map(serde_json::to_string);
    alarms
        .chain(journal)
        .chain(deliveries)
        .map(Result::unwrap)
        .collect()
}

/// Alarms of their own numbers and keys, so that each round inserts.
fn batch(from: u64) -> Commit {
    let mut commit = Commit::default();
    for number in from + 1..=from + ALARMS {
        let record = alarm(number);
        commit.journal.push(JournalEntry {
            at: record.raised_at,
            kind: JournalKind::Alarm,
            occurrence: Some(record.occurrence),
            subject: record.id.to_string(),
            event: "raised".to_owned(),
            why: Why::new(Reason::FirstRaise, "the condition began to hold"),
            data: serde_json::json!({ "code": record.code, "state": "B", "message": record.message }),
        });
        commit.deliveries.push(delivery(&record));
        commit.alarms.push(record);
    }
    commit.last_occurrence = Some(OccurrenceId(from + ALARMS));
    commit
}

/// The end of the alarms of a round.
fn ended(from: u64) -> Commit {
    let over = |number| AlarmRecord {
        state: AlarmState::Normal,
        ..alarm(number)
    };
    Commit {
        alarms: (from + 1..=from + ALARMS).map(over).collect(),
        ..Commit::default()
    }
}

fn alarm(number: u64) -> AlarmRecord {
    let at = Timestamp::from_secs(1_800_000_000);
    AlarmRecord {
        id: AlarmId::new("tanks", format!("tank{number}.level.high")),
        occurrence: OccurrenceId(number),
        code: ShortCode::from_number(number, 2),
        state: AlarmState::Unacknowledged,
        priority: Priority::High,
        message: format!("Tank {number}: level is 93.2 %, above 90 %"),
        labels: Labels::from([("area".to_owned(), "north".to_owned())]),
        raised_at: at,
        changed_at: at,
        cleared_at: None,
        acknowledged: None,
        raises: 1,
        test: false,
        flags: AlarmFlags::default(),
    }
}

fn delivery(record: &AlarmRecord) -> Delivery {
    let channel = Channel {
        sink: "smsc".to_owned(),
        address: "+4790000001".to_owned(),
    };
    Delivery {
        id: DeliveryId::of(record.occurrence, DeliveryKind::Alert, 0, "ola", &channel),
        occurrence: record.occurrence,
        kind: DeliveryKind::Alert,
        step: 0,
        contact: "ola".to_owned(),
        channels: vec![channel.clone()],
        channel,
        channel_index: 0,
        priority: record.priority,
        text: format!("{} {}", record.message, record.code),
        code: Some(record.code.clone()),
        created_at: record.raised_at,
        expires_at: record.raised_at.plus(Duration::from_secs(3_600)),
        state: DeliveryState::Queued,
        attempts: 0,
        next_at: record.raised_at,
        repeat: false,
        after: None,
        why: Why::new(Reason::RouteMatched, "route night"),
        test: false,
    }
}
