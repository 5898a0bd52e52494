//! Every bound, reached.

use std::time::Duration;

use andon_model::{CallError, CallErrorKind, Columns, Setup};

use crate::guests::{
    NOW, call_once, call_once_with, load, load_text, notice, setup, start, try_start,
};
use crate::refusals::Text;

async fn fails(setup: Setup) -> CallError {
    call_once_with(setup)
        .await
        .expect_err("it leaves its bounds")
}

#[tokio::test]
async fn an_endless_loop_is_ended() {
    let error = fails(setup("loop", 0)).await;
    assert_eq!(error.kind, CallErrorKind::TimeOut);
    assert!(error.message.contains("50 ms"), "{error}");
}

#[tokio::test]
async fn an_endless_loop_lets_other_tasks_run() {
    let mut setup = setup("loop", 0);
    setup.limits.call_time = Duration::from_millis(200);
    let mut guest = start(setup).await;
    let mut turns = 0;
    let empty = Columns::default();
    let mut call = std::pin::pin!(guest.call(NOW, &empty));
    let error = loop {
        tokio::select! {
            biased;
            answer = &mut call => break answer.expect_err("it is ended"),
            () = tokio::task::yield_now() => turns += 1,
        }
    };
    assert_eq!(error.kind, CallErrorKind::TimeOut);
    assert!(turns > 1, "other tasks had {turns} turns");
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_waits_in_a_host_call_is_ended() {
    let hour = 3_600_000_000_000;
    let before = tokio::time::Instant::now();
    let error = fails(setup("sleep", hour)).await;
    assert_eq!(error.kind, CallErrorKind::TimeOut);
    assert!(error.message.contains("wake-at"), "{error}");
    assert_eq!(before.elapsed(), Duration::from_millis(50));
}

#[tokio::test]
async fn a_short_sleep_within_the_time_is_let_pass() {
    let mut setup = setup("sleep", 1_000);
    setup.limits.call_time = Duration::from_secs(60);
    call_once_with(setup).await.expect("it answers");
}

#[tokio::test]
async fn configure_has_its_own_time() {
    let mut setup = setup("configure-loops", 0);
    setup.limits.start_time = Duration::from_millis(30);
    let error = try_start(setup).await.err().expect("it is ended");
    assert_eq!(error.kind, CallErrorKind::TimeOut);
    assert!(
        error.message.contains("`configure` used up its 30 ms"),
        "{error}"
    );
}

#[tokio::test]
async fn a_recursion_without_end_is_ended() {
    let error = fails(setup("recurse", 0)).await;
    assert_eq!(error.kind, CallErrorKind::OutOfBounds);
    assert!(error.message.contains("stack"), "{error}");
}

#[tokio::test]
async fn memory_is_bounded() {
    let mut setup = setup("allocate", 0);
    setup.limits.memory_bytes = 8 << 20;
    setup.limits.call_time = Duration::from_secs(60);
    let error = fails(setup).await;
    assert_eq!(error.kind, CallErrorKind::OutOfBounds);
    assert!(error.message.contains("8 MiB of memory"), "{error}");
}

#[tokio::test]
async fn memory_is_told_and_never_above_its_bound() {
    let mut setup = setup("allocate", 16 << 20);
    setup.limits.call_time = Duration::from_secs(60);
    let mut guest = start(setup).await;
    let before = guest.memory_bytes();
    guest
        .call(NOW, &Columns::default())
        .await
        .expect("it answers");
    assert!(guest.memory_bytes() >= before + (16 << 20) - (1 << 20));
    assert!(guest.memory_bytes() <= 64 << 20);
}

#[tokio::test]
async fn memories_count_together_and_from_the_start() {
    let pages = "(core module $big (memory 600)) (core instance (instantiate $big)) \
                 (core instance (instantiate $big))";
    let text = Text {
        more: pages,
        ..Text::default()
    }
    .component();
    let error = load_text(&text)
        .await
        .err()
        .expect("2 times 37.5 MiB are too much");
    assert!(error.message.contains("64 MiB of memory"), "{error}");
    let text = text.replacen("(core instance (instantiate $big))", "", 1);
    load_text(&text).await.expect("once 37.5 MiB are allowed");
}

#[tokio::test]
async fn tables_are_bounded() {
    let table = "(core module $big (table 20001 funcref)) (core instance (instantiate $big))";
    let text = Text {
        more: table,
        ..Text::default()
    }
    .component();
    let error = load_text(&text).await.err().expect("it is too large");
    assert!(error.message.contains("20000 table elements"), "{error}");
}

#[tokio::test]
async fn core_instances_are_bounded() {
    let many =
        "(core module $tiny) ".to_owned() + &"(core instance (instantiate $tiny))".repeat(300);
    let text = Text {
        more: &many,
        ..Text::default()
    }
    .component();
    let error = load_text(&text).await.err().expect("they are too many");
    assert!(error.message.contains("instance"), "{error}");
}

#[tokio::test]
async fn an_answer_of_too_many_rows_is_refused() {
    let error = call_once("flood", 10_001)
        .await
        .expect_err("it is too long");
    assert_eq!(error.kind, CallErrorKind::BadAnswer);
    assert!(error.message.contains("10001 rows"), "{error}");
    call_once("flood", 10_000).await.expect("it just fits");
}

#[tokio::test]
async fn an_answer_of_too_many_bytes_is_refused() {
    let mut setup = setup("flood-wide", 500_000);
    setup.limits.call_time = Duration::from_secs(60);
    let error = fails(setup).await;
    assert_eq!(error.kind, CallErrorKind::BadAnswer);
    assert!(error.message.contains("too much data"), "{error}");
}

#[tokio::test]
async fn state_is_bounded_and_the_guest_is_told() {
    // Each entry has 7 bytes of key and 93 of value.
    let mut setup = setup("fill-state", 93);
    setup.limits.state_bytes = 1_050;
    let mut guest = start(setup).await;
    let reply = guest
        .call(NOW, &Columns::default())
        .await
        .expect("it answers");
    assert_eq!(reply.state.len(), 10);
    let notice = notice(reply);
    assert_eq!(
        (notice.key.as_str(), notice.message.as_str()),
        ("state-full", "10")
    );
}

#[tokio::test]
async fn two_hundred_instances_of_one_component_fit() {
    let rule = load("hostile-rule").await;
    let mut guests = Vec::new();
    for _ in 0..200 {
        guests.push(
            rule.start(setup("plain", 0))
                .await
                .expect("it starts")
                .guest,
        );
    }
    for guest in &mut guests {
        guest
            .call(NOW, &Columns::default())
            .await
            .expect("it answers");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_returns_when_a_guest_is_dropped() {
    let rule = load("hostile-rule").await;
    let mut setup = setup("allocate", 40 << 20);
    setup.limits.call_time = Duration::from_secs(60);
    let before = mapped_kib();
    for _ in 0..30 {
        let mut guest = rule.start(setup.clone()).await.expect("it starts").guest;
        guest
            .call(NOW, &Columns::default())
            .await
            .expect("it answers");
    }
    // 30 guests of 40 MiB would be 1,200 MiB; other tests of this program run beside.
    let grown = mapped_kib().saturating_sub(before);
    assert!(grown < 700 << 10, "{grown} KiB stayed");
}

/// Resident memory of this program.
#[cfg(target_os = "linux")]
fn mapped_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("it is readable");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("it is there");
    let number = line.split_whitespace().nth(1).expect("it has a number");
    number.parse().expect("it is a number")
}
