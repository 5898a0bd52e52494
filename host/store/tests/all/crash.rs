//! The process is killed while it commits: what it was told to be on the disk is there, and no
//! batch is there by half.
//!
//! The test starts itself again as the process that is killed.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use andon_model::{ManualClock, OccurrenceId, Timestamp};
use andon_store::{JournalFilter, Reader, Store, StoreOptions};

use crate::kit::{START, raised};

/// Names the database to the process that is killed.
const DATABASE: &str = "ANDON_STORE_CRASH_TEST_DATABASE";

#[test]
fn a_kill_at_any_moment_loses_no_commit_and_splits_none() {
    if let Some(path) = std::env::var_os(DATABASE) {
        commit_until_killed(Path::new(&path));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("andon.db");
    let mut told = 0;
    // A small generator of its own: the same moments each time, as far as a scheduler allows.
    let mut seed = 0x9e37_79b9_u64;
    for _ in 0..10 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let lines = 1 + (seed >> 33) % 120;
        told = told.max(run_and_kill(&path, lines));
        check(&path, told);
    }
    assert!(told > 100, "{told}");
}

/// Starts the process, hears `lines` of its tickets, kills it; answers the last number it told.
fn run_and_kill(path: &Path, lines: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .arg("crash::a_kill_at_any_moment_loses_no_commit_and_splits_none")
        .env(DATABASE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = 0;
    let mut heard = 0;
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in output.by_ref() {
        if let Some(number) = line.unwrap().strip_prefix("durable ") {
            told = number.parse().unwrap();
            heard += 1;
            if heard == lines {
                break;
            }
        }
    }
    assert_eq!(heard, lines, "the process ended by itself");
    child.kill().unwrap();
    child.wait().unwrap();
    // What it could still say before it died counts too; a cut line is a smaller number.
    for line in output.map_while(Result::ok) {
        let number = line.strip_prefix("durable ").and_then(|n| n.parse().ok());
        told = told.max(number.unwrap_or(0));
    }
    told
}

/// Commits batches of several alarms, several at a time, and tells each ticket.
fn commit_until_killed(path: &Path) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(START)));
    let options = StoreOptions {
        reserve_bytes: 0,
        ..StoreOptions::default()
    };
    let (store, loaded) = Store::open(path, options, clock).unwrap();
    let mut next = loaded.last_occurrence.0 + 1;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        loop {
            let mut tickets = Vec::new();
            for _ in 0..4 {
                let mut commit = raised(next);
                commit.states.extend(raised(next + 1).states);
                commit.alarms.extend(raised(next + 1).alarms);
                commit.journal.extend(raised(next + 1).journal);
                commit.deliveries.extend(raised(next + 1).deliveries);
                next += 2;
                tickets.push((next - 1, store.commit(commit).await));
            }
            for (number, ticket) in tickets {
                ticket.await.unwrap();
                // Past the capture of the test harness, in one write.
                let line = format!("durable {number}\n");
                std::io::stdout().write_all(line.as_bytes()).unwrap();
            }
        }
    });
}

fn check(path: &Path, told: u64) {
    let reader = Reader::open(path).unwrap();
    let standing = reader.standing().unwrap();
    let numbers: BTreeSet<u64> = standing.iter().map(|r| r.occurrence.0).collect();
    let last = numbers.last().copied().unwrap_or(0);
    assert!(last >= told, "{told} was told, {last} is there");
    // No gap, and both alarms of a batch.
    assert_eq!(numbers.len() as u64, last);
    assert_eq!(last % 2, 0);
    assert_eq!(reader.counts().unwrap().queued, last);
    for number in [1, told.max(1), last] {
        let filter = JournalFilter {
            occurrence: Some(OccurrenceId(number)),
            ..JournalFilter::default()
        };
        assert_eq!(reader.journal(&filter).unwrap().len(), 2);
        assert_eq!(reader.deliveries_of(OccurrenceId(number)).unwrap().len(), 1);
    }
    drop(reader);
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(START)));
    let (store, loaded) = Store::open(path, StoreOptions::default(), clock).unwrap();
    assert_eq!(loaded.states["tanks"].len() as u64, last);
    assert_eq!(loaded.last_occurrence, OccurrenceId(last));
    assert_eq!(loaded.unreadable, Vec::<String>::new());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(store.close()).unwrap();
}
