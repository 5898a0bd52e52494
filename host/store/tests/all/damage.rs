//! Files that are not what they should be: told clearly, and never changed.

use andon_store::{Store, StoreError};
use rusqlite::Connection;

use crate::kit::{Bench, raised};

async fn filled(bench: &Bench, count: u64) {
    let (store, _) = bench.open();
    for n in 1..=count {
        store.commit(raised(n)).await.await.unwrap();
    }
    store.close().await.unwrap();
}

/// The refusal, after checking that the file is byte for byte as it was.
fn refused(bench: &Bench) -> String {
    let before = std::fs::read(bench.path()).unwrap();
    let error = bench.try_open().unwrap_err();
    assert_eq!(std::fs::read(bench.path()).unwrap(), before);
    error.to_string()
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let bench = Bench::new();
    std::fs::write(
        bench.path(),
        "this is a shopping list, not a database\n".repeat(200),
    )
    .unwrap();
    let says = refused(&bench);
    assert!(says.contains("andon.db is damaged"), "{says}");
    assert!(says.contains("move it away"), "{says}");
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let bench = Bench::new();
    let other = Connection::open(bench.path()).unwrap();
    other
        .execute_batch("CREATE TABLE recipes (name TEXT)")
        .unwrap();
    drop(other);
    assert!(refused(&bench).contains("of another program"));
    let error = Store::read_only(&bench.path()).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }));
}

#[tokio::test]
async fn a_newer_database_is_left_alone() {
    let bench = Bench::new();
    filled(&bench, 1).await;
    let newer = Connection::open(bench.path()).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let says = refused(&bench);
    assert!(says.contains("version 99"), "{says}");
    let error = Store::read_only(&bench.path()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }));
}

#[tokio::test]
async fn a_cut_off_database_is_damaged() {
    let bench = Bench::new();
    filled(&bench, 200).await;
    let bytes = std::fs::read(bench.path()).unwrap();
    for keep in [bytes.len() / 2, bytes.len() - 4_096, 5_000, 50] {
        std::fs::write(bench.path(), &bytes[..keep]).unwrap();
        assert!(refused(&bench).contains("is damaged"), "{keep} bytes");
    }
    std::fs::write(bench.path(), &bytes).unwrap();
    assert_eq!(bench.open().1.alarms.len(), 200);
}

#[tokio::test]
async fn overwritten_pages_are_damage_or_harmless_but_never_a_panic() {
    let bench = Bench::new();
    filled(&bench, 200).await;
    let bytes = std::fs::read(bench.path()).unwrap();
    let mut refusals = 0;
    for page in 0..bytes.len() / 4_096 {
        let mut broken = bytes.clone();
        broken[page * 4_096..(page + 1) * 4_096].fill(0xa5);
        std::fs::write(bench.path(), &broken).unwrap();
        match bench.try_open() {
            Ok((store, _)) => drop(store.close().await),
            Err(StoreError::Damaged { .. }) => refusals += 1,
            Err(error) => assert!(error.to_string().contains("andon.db"), "{error}"),
        }
        for end in ["-wal", "-shm"] {
            drop(std::fs::remove_file(
                bench.folder.path().join(format!("andon.db{end}")),
            ));
        }
    }
    assert!(refusals > 10, "{refusals}");
}

#[tokio::test]
async fn a_row_that_cannot_be_understood_is_named_and_kept() {
    let bench = Bench::new();
    filled(&bench, 2).await;
    let other = Connection::open(bench.path()).unwrap();
    other
        .execute(
            "UPDATE alarms SET record = '{\"half' WHERE occurrence = 1",
            [],
        )
        .unwrap();
    drop(other);
    let (store, loaded) = bench.open();
    assert_eq!(loaded.alarms.len(), 1);
    assert_eq!(loaded.open_deliveries.len(), 2);
    assert_eq!(loaded.unreadable.len(), 1);
    assert!(loaded.unreadable[0].starts_with("alarm tanks/k1 cannot be understood"));
    store.close().await.unwrap();
    assert_eq!(bench.open().1.unreadable.len(), 1);
}

#[test]
fn a_second_host_is_refused_while_the_first_runs() {
    let bench = Bench::new();
    let (_store, _) = bench.open();
    let error = bench.try_open().unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let mut bench = Bench::new();
    bench.options.reserve_bytes = 0;
    let path = bench.folder.path().join("missing").join("andon.db");
    let error = Store::open(&path, bench.options.clone(), bench.clock.clone()).unwrap_err();
    assert!(error.to_string().contains("missing/andon.db"), "{error}");
    let error = Store::read_only(&path).unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error}");
}
