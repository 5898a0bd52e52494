//! Guests that behave, and what is kept when they do not.

use andon_model::{
    Action, CallErrorKind, Columns, Loader, PluginKind, Priority, StateChange, Timestamp,
};

use crate::guests::{
    NOW, actions, bytes, call_once, call_once_with, engine_caching_in, engine_with, load, notice,
    setup, start, state, try_start, values,
};

#[tokio::test]
async fn a_rule_describes_itself() {
    let rule = load("hostile-rule").await;
    assert_eq!(rule.kind(), PluginKind::Rule);
    assert_eq!(rule.description().name, "hostile-rule");
    assert_eq!(rule.description().inputs[0].name, "input");
    assert_eq!(rule.contract_version(), "0.1.0");
    assert_eq!(rule.hash().len(), 64);
    assert!(rule.imports().is_sorted());
    assert!(
        rule.imports()
            .contains(&"andon:plugin/state@0.1.0".to_owned())
    );
}

#[tokio::test]
async fn a_rule_raises_clears_remembers_and_asks_to_be_woken() {
    let mut guest = start(setup("plain", 0)).await;
    let reply = guest
        .call(NOW, &values(&[93.5, 12.0]))
        .await
        .expect("it answers");
    assert_eq!(reply.wake_at, Some(Timestamp::from_secs(1_700_000_060)));
    let count = |n: u64| StateChange {
        instance: "pump".to_owned(),
        key: "count".to_owned(),
        value: Some(n.to_le_bytes().as_slice().into()),
    };
    assert_eq!(reply.state, [count(2)]);
    match actions(reply).as_slice() {
        [Action::Raise(raised), Action::Clear(key)] => {
            assert_eq!(raised.key, "input0.high");
            assert_eq!(raised.message, "input 0 is 93.5");
            assert_eq!(raised.priority, Priority::High);
            assert_eq!(key, "input0.high");
        }
        other => panic!("{other:?}"),
    }
    let reply = guest.call(NOW, &values(&[1.0])).await.expect("it answers");
    assert_eq!(reply.state, [count(3)]);
    let woken = guest
        .call(NOW, &Columns::default())
        .await
        .expect("it answers");
    assert!(woken.state.is_empty(), "what does not change is no change");
    assert!(actions(woken).is_empty());
}

#[tokio::test]
async fn state_is_read_written_and_deleted() {
    let mut setup = setup("write", 5);
    setup.state = state(&[("kept", &[1]), ("gone", &[2])]);
    let mut guest = start(setup).await;
    let reply = guest.call(NOW, &values(&[1.0])).await.expect("it answers");
    let changed: Vec<_> = reply
        .state
        .iter()
        .map(|c| (c.key.as_str(), c.value.is_some()))
        .collect();
    assert_eq!(changed, [("gone", false), ("kept", true)]);
    assert_eq!(notice(reply).message, "[1] 1");
    let reply = guest
        .call(NOW, &Columns::default())
        .await
        .expect("it answers");
    assert!(reply.state.is_empty());
    assert_eq!(notice(reply).message, "[5, 0, 0, 0, 0, 0, 0, 0] 0");
}

#[tokio::test]
async fn configure_may_write_state_and_ask_to_be_woken() {
    let started = try_start(setup("configure-writes", 0))
        .await
        .expect("it starts");
    assert_eq!(started.state.len(), 1);
    assert_eq!(started.wake_at, Some(Timestamp::from_nanos(1_000)));
}

#[tokio::test]
async fn texts_and_windows_of_inputs_can_be_read() {
    let reply = call_once("text-and-window", 0).await.expect("it answers");
    assert_eq!(notice(reply).message, "running true [0] [2.0]");
}

#[tokio::test]
async fn a_guest_that_declines_lives_on() {
    let mut guest = start(setup("decline", 0)).await;
    for _ in 0..2 {
        let error = guest
            .call(NOW, &Columns::default())
            .await
            .expect_err("it declines");
        assert_eq!(error.kind, CallErrorKind::Declined);
        assert_eq!(
            error.message,
            "`evaluate` declined: cannot judge this (no-idea)"
        );
        assert!(!error.guest_is_lost());
    }
}

#[tokio::test]
async fn configure_that_declines_says_why_in_one_line() {
    let error = try_start(setup("configure-declines", 0))
        .await
        .err()
        .expect("it declines");
    assert_eq!(error.kind, CallErrorKind::Declined);
    assert_eq!(
        error.message,
        "`configure` declined: there is no such mode (no-such-thing)"
    );
}

#[tokio::test]
async fn a_trap_says_the_last_words_and_loses_the_guest() {
    let mut guest = start(setup("trap", 0)).await;
    let error = guest
        .call(NOW, &Columns::default())
        .await
        .expect_err("it traps");
    assert_eq!(error.kind, CallErrorKind::Trap);
    assert!(error.message.contains("the rule gives up"), "{error}");
    assert!(error.guest_is_lost());
    let error = guest
        .call(NOW, &Columns::default())
        .await
        .expect_err("it is lost");
    assert_eq!(error.kind, CallErrorKind::Engine);
    assert!(error.message.contains("make a new one"), "{error}");
}

#[tokio::test]
async fn a_trap_in_configure_is_told() {
    let error = try_start(setup("configure-traps", 0))
        .await
        .err()
        .expect("it traps");
    assert_eq!(error.kind, CallErrorKind::Trap);
    assert!(error.message.contains("`configure` trapped"), "{error}");
    assert!(error.message.contains("configure gives up"), "{error}");
}

#[tokio::test]
async fn exit_is_a_trap() {
    let error = call_once("exit", 0).await.expect_err("it exits");
    assert_eq!(error.kind, CallErrorKind::Trap);
    assert!(error.message.contains("exit("), "{error}");
}

#[tokio::test]
async fn what_a_failed_call_wrote_is_forgotten() {
    let mut guest = start(setup("write-then-decline", 0)).await;
    let error = guest.call(NOW, &Columns::default()).await;
    assert_eq!(
        error.expect_err("it declines").kind,
        CallErrorKind::Declined
    );
    let reply = guest.call(NOW, &values(&[1.0])).await.expect("it answers");
    assert!(reply.state.is_empty());
    assert_eq!(reply.wake_at, None);
    assert_eq!(notice(reply).message, "count is None");
}

#[tokio::test]
async fn a_call_that_is_dropped_half_way_loses_the_guest() {
    let mut guest = start(setup("sleep", 1_000_000_000)).await;
    let empty = Columns::default();
    {
        let mut call = std::pin::pin!(guest.call(NOW, &empty));
        let first = std::future::poll_fn(|cx| std::task::Poll::Ready(call.as_mut().poll(cx))).await;
        assert!(first.is_pending());
    }
    let error = guest.call(NOW, &empty).await.expect_err("it is lost");
    assert_eq!(error.kind, CallErrorKind::Engine);
}

#[tokio::test]
async fn guests_of_one_component_do_not_share_memory_or_state() {
    let rule = load("hostile-rule").await;
    let mut first = rule
        .start(setup("plain", 0))
        .await
        .expect("it starts")
        .guest;
    let mut second = rule
        .start(setup("flood", 1))
        .await
        .expect("it starts")
        .guest;
    let one = first.call(NOW, &values(&[1.0])).await.expect("it answers");
    let other = second.call(NOW, &values(&[1.0])).await.expect("it answers");
    assert_eq!(one.state.len(), 1);
    assert!(other.state.is_empty());
    assert_eq!(actions(other), [Action::Clear("0".to_owned())]);
}

#[tokio::test]
async fn a_component_in_the_cache_is_not_compiled_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = bytes("hostile-function");
    let first = engine_caching_in(folder.path());
    first.load("f", file.clone()).await.expect("it loads");
    assert_eq!(
        (first.cache_counts().hits, first.cache_counts().misses),
        (0, 1)
    );
    let second = engine_caching_in(folder.path());
    let component = second.load("f", file).await.expect("it loads");
    assert_eq!(
        (second.cache_counts().hits, second.cache_counts().misses),
        (1, 0)
    );
    assert_eq!(component.description().name, "hostile-function");
}

#[tokio::test]
async fn a_damaged_cache_is_compiled_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = bytes("hostile-function");
    let engine = engine_caching_in(folder.path());
    engine.load("f", file.clone()).await.expect("it loads");
    let mut damaged = 0;
    let mut folders = vec![folder.path().join("compiled")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("it is readable") {
            let path = entry.expect("it is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                std::fs::write(&path, b"nonsense").expect("it is writable");
                damaged += 1;
            }
        }
    }
    assert!(damaged > 0);
    let second = engine_caching_in(folder.path());
    second.load("f", file).await.expect("it loads");
    assert_eq!(second.cache_counts().hits, 0);
}

#[cfg(unix)]
#[tokio::test]
async fn a_cache_that_others_can_write_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let compiled = folder.path().join("compiled");
    std::fs::create_dir(&compiled).expect("it can be made");
    std::fs::set_permissions(&compiled, std::fs::Permissions::from_mode(0o777))
        .expect("it can be opened");
    let engine = engine_caching_in(folder.path());
    engine
        .load("f", bytes("hostile-function"))
        .await
        .expect("it loads");
    assert_eq!(engine.cache_counts().misses, 0);
    assert_eq!(
        std::fs::read_dir(&compiled)
            .expect("it is readable")
            .count(),
        0
    );
}

#[tokio::test]
async fn an_engine_without_a_cache_loads_too() {
    let engine = engine_with(andon_wasm::EngineSettings::default());
    engine
        .load("f", bytes("hostile-function"))
        .await
        .expect("it loads");
    assert_eq!(engine.cache_counts(), andon_wasm::CacheCounts::default());
}

#[tokio::test]
async fn an_instance_whose_state_is_over_its_bound_still_runs() {
    let mut setup = setup("write", 5);
    setup.state = state(&[("kept", &[0; 8]), ("big", &[0; 5_000])]);
    setup.limits.state_bytes = 100;
    let reply = call_once_with(setup).await.expect("it answers");
    assert_eq!(reply.state.len(), 1);
}
