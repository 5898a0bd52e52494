//! A disk that fails for a while: the host goes on, nothing is lost, order is kept.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use andon_model::{Commit, OccurrenceId, StateChange};
use andon_store::{CommitError, Health, JournalFilter, Store, StoreStatus};
use rusqlite::Connection;
use tokio::sync::watch;

use crate::kit::{Bench, line, raised, state};

/// Waits for a status; the store publishes every change.
async fn until(
    status: &mut watch::Receiver<StoreStatus>,
    fits: impl FnMut(&StoreStatus) -> bool,
) -> StoreStatus {
    status.wait_for(fits).await.unwrap().clone()
}

/// Another process that holds the database locked, as a stand-in for a disk that does not answer.
fn hold(path: &Path) -> Connection {
    let other = Connection::open(path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[tokio::test]
async fn commits_wait_in_order_and_are_written_when_the_disk_answers_again() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let mut status = store.status();
    store.commit(raised(1)).await.await.unwrap();
    let other = hold(&bench.path());
    for n in 2..=50 {
        let answer = store.commit(raised(n)).await.await;
        let Err(CommitError::Deferred(why)) = answer else {
            unreachable!("{answer:?}");
        };
        assert!(why.contains("andon.db"), "{why}");
    }
    let failing = until(&mut status, |s| s.backlog_rows >= 49 * 6).await;
    assert_eq!(failing.health, Health::Deferring);
    assert!(failing.since.is_some() && failing.backlog_bytes > 10_000);
    let reader = store.reader().unwrap();
    assert_eq!(reader.standing().unwrap().len(), 1);

    drop(other);
    let good = until(&mut status, |s| s.health == Health::Good).await;
    let good = if good.backlog_rows > 0 {
        until(&mut status, |s| s.backlog_rows == 0).await
    } else {
        good
    };
    assert_eq!((good.since, good.why, good.commits_lost), (None, None, 0));
    assert_eq!(reader.standing().unwrap().len(), 50);
    let lines = reader.journal(&JournalFilter::default()).unwrap();
    let order: Vec<u64> = lines
        .iter()
        .rev()
        .map(|row| row.entry.occurrence.unwrap().0)
        .collect();
    assert!(order.is_sorted() && order.len() == 100);
    store.commit(raised(51)).await.await.unwrap();
}

#[tokio::test]
async fn a_full_backlog_gives_up_journal_lines_first_and_says_how_many() {
    let mut bench = Bench::new();
    bench.options.backlog_rows_max = 400;
    let (store, _) = bench.open();
    let mut status = store.status();
    let other = hold(&bench.path());
    for n in 1..=20 {
        let lines = Commit {
            journal: (0..50).map(|_| line(None, "chatter")).collect(),
            ..Commit::default()
        };
        for commit in [raised(n), lines] {
            let answer = store.commit(commit).await.await;
            assert!(
                matches!(answer, Err(CommitError::Deferred(_))),
                "{answer:?}"
            );
        }
    }
    drop(other);
    until(&mut status, |s| {
        s.health == Health::Good && s.backlog_rows == 0
    })
    .await;
    let dropped = status.borrow().journal_dropped;
    assert!(dropped >= 600, "{dropped}");
    assert_eq!(status.borrow().commits_lost, 0);
    let reader = store.reader().unwrap();
    assert_eq!(reader.standing().unwrap().len(), 20);
    assert_eq!(reader.counts().unwrap().queued, 20);
    let filter = JournalFilter {
        subject: Some("journal".to_owned()),
        ..JournalFilter::default()
    };
    let told = reader.journal(&filter).unwrap();
    let told: u64 = told
        .iter()
        .map(|row| row.entry.data["lines"].as_u64().unwrap())
        .sum();
    assert_eq!(told, dropped);
}

#[tokio::test]
async fn what_has_no_room_even_then_is_refused_aloud() {
    let mut bench = Bench::new();
    bench.options.backlog_rows_max = 10;
    let (store, _) = bench.open();
    let mut status = store.status();
    let other = hold(&bench.path());
    let mut kept = 0;
    for n in 0..20 {
        let commit = Commit {
            states: vec![state("a", &n.to_string(), Some(b"x"))],
            ..Commit::default()
        };
        match store.commit(commit).await.await {
            Err(CommitError::Deferred(_)) => kept += 1,
            Err(CommitError::Full(why)) => assert!(why.contains("rows wait"), "{why}"),
            answer => unreachable!("{answer:?}"),
        }
    }
    assert_eq!(kept, 10);
    assert_eq!(status.borrow().commits_lost, 10);
    drop(other);
    until(&mut status, |s| s.health == Health::Good).await;
    store.close().await.unwrap();
    assert_eq!(bench.open().1.states["a"].len(), 10);
}

#[tokio::test]
async fn rows_that_the_database_refuses_do_not_hold_up_the_others() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let other = Connection::open(bench.path()).unwrap();
    other
        .execute_batch(
            "CREATE TRIGGER no_poison BEFORE INSERT ON plugin_state WHEN new.key = 'poison'
             BEGIN SELECT raise(ABORT, 'poison'); END",
        )
        .unwrap();
    let poison = Commit {
        states: vec![StateChange {
            key: "poison".into(),
            ..state("a", "", Some(b"x"))
        }],
        ..raised(2)
    };
    let first = store.commit(raised(1)).await;
    let second = store.commit(poison).await;
    let third = store.commit(raised(3)).await;
    assert_eq!(first.await, Ok(()));
    let answer = second.await;
    assert!(matches!(&answer, Err(CommitError::Refused(why)) if why.contains("poison")));
    assert_eq!(third.await, Ok(()));
    let standing = store.reader().unwrap().standing().unwrap();
    let standing: Vec<_> = standing.iter().map(|record| record.occurrence).collect();
    assert_eq!(standing, [OccurrenceId(1), OccurrenceId(3)]);
    assert_eq!(store.status().borrow().commits_lost, 1);
    assert_eq!(store.status().borrow().health, Health::Good);
}

#[tokio::test]
async fn closing_while_the_disk_fails_says_what_is_lost() {
    let bench = Bench::new();
    let (store, _) = bench.open();
    let other = hold(&bench.path());
    assert!(store.commit(raised(1)).await.await.is_err());
    let Err(CommitError::Deferred(why)) = store.close().await else {
        unreachable!();
    };
    assert!(why.contains("6 rows could not be written"), "{why}");
    drop(other);
}

/// A file system of few bytes, where this machine lets a test have one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(megabytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let done = Command::new("mount")
            .args([
                "-t",
                "tmpfs",
                "-o",
                &format!("size={megabytes}m"),
                "andon-test",
            ])
            .arg(folder.path())
            .output()
            .is_ok_and(|output| output.status.success());
        done.then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.0.path()).output());
    }
}

#[tokio::test]
async fn a_full_disk_costs_the_reserve_first_and_nothing_in_the_end() {
    let Some(disk) = SmallDisk::mount(8) else {
        println!("SKIPPED: this machine does not let a test mount a small tmpfs");
        return;
    };
    let mut bench = Bench::new();
    bench.options.reserve_bytes = 1 << 20;
    let path = disk.0.path().join("andon.db");
    let (store, _) =
        Store::open(&path, bench.options.clone(), Arc::clone(&bench.clock) as _).unwrap();
    let mut status = store.status();
    store.commit(raised(1)).await.await.unwrap();
    let reserve = disk.0.path().join("andon.db.reserve");
    assert_eq!(std::fs::metadata(&reserve).unwrap().len(), 1 << 20);

    // Something else fills the disk to the last byte.
    let filler = disk.0.path().join("somebody-else.log");
    let mut file = std::fs::File::create(&filler).unwrap();
    let mut size = 1 << 16;
    while size > 0 {
        if std::io::Write::write_all(&mut file, &vec![1; size]).is_err() {
            size /= 2;
        }
    }
    drop(file);

    let (mut on_disk, mut waiting) = (1, 0);
    for n in 2..=300 {
        match store.commit(raised(n)).await.await {
            Ok(()) => on_disk += 1,
            Err(CommitError::Deferred(_)) => waiting += 1,
            Err(error) => unreachable!("{error}"),
        }
    }
    assert!(on_disk > 1, "the reserve was of no use");
    assert!(waiting > 0, "the disk was never full");
    assert!(!reserve.exists());
    assert_eq!(status.borrow().health, Health::Deferring);

    std::fs::remove_file(&filler).unwrap();
    until(&mut status, |s| {
        s.health == Health::OnReserve && s.backlog_rows == 0
    })
    .await;
    let reader = store.reader().unwrap();
    assert_eq!(reader.standing().unwrap().len(), 300);
    store.close().await.unwrap();
    let (_store, loaded) =
        Store::open(&path, bench.options.clone(), Arc::clone(&bench.clock) as _).unwrap();
    assert_eq!(loaded.open_deliveries.len(), 300);
}
