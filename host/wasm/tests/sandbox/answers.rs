//! Answers that make no sense, and those that are put right.

use std::time::Duration;

use andon_model::{CallError, CallErrorKind, Columns, Guest, Output, PluginKind, Timestamp};

use crate::guests::{NOW, call_once, call_once_with, load, notice, setup, values};

async fn function(mode: &str) -> Box<dyn Guest> {
    let function = load("hostile-function").await;
    assert_eq!(function.kind(), PluginKind::Function);
    function
        .start(setup(mode, 0))
        .await
        .expect("it starts")
        .guest
}

async fn compute(mode: &str) -> Result<Columns, CallError> {
    let reply = function(mode).await.call(NOW, &values(&[1.5, 2.0])).await?;
    match reply.output {
        Output::Samples(columns) => Ok(columns),
        Output::Actions(_) => panic!("a function gives samples"),
    }
}

#[tokio::test]
async fn a_function_computes() {
    let mut expected = Columns::default();
    expected.push(0, 3.0, 192, NOW);
    expected.push(0, 4.0, 192, NOW);
    assert_eq!(compute("plain").await, Ok(expected));
}

#[tokio::test]
async fn columns_of_unequal_length_are_refused() {
    let error = compute("uneven").await.expect_err("it is nonsense");
    assert_eq!(error.kind, CallErrorKind::BadAnswer);
    assert!(error.message.contains("2 inputs, 3 values"), "{error}");
}

#[tokio::test]
async fn an_output_that_is_not_described_is_refused() {
    let mut guest = function("bad-index").await;
    let error = guest
        .call(NOW, &values(&[1.0]))
        .await
        .expect_err("it is nonsense");
    assert_eq!(error.kind, CallErrorKind::BadAnswer);
    assert!(error.message.contains("output 2"), "{error}");
    assert!(error.guest_is_lost());
    let error = guest
        .call(NOW, &values(&[1.0]))
        .await
        .expect_err("it is lost");
    assert_eq!(error.kind, CallErrorKind::Engine);
}

#[tokio::test]
async fn values_that_are_not_finite_are_bad() {
    for mode in ["nan", "infinite"] {
        let columns = compute(mode).await.expect("it is put right");
        assert_eq!(columns.quality, [0, 0], "{mode}");
    }
}

#[tokio::test]
async fn times_later_than_now_become_now() {
    let columns = compute("future").await.expect("it is put right");
    assert_eq!(columns.time, [NOW.nanos(), NOW.nanos()]);
    let late = Timestamp::MAX;
    let mut guest = function("future").await;
    guest
        .call(late, &values(&[1.0]))
        .await
        .expect("it does not overflow");
}

#[tokio::test]
async fn a_function_that_floods_is_refused() {
    let mut setup = setup("flood", 0);
    setup.limits.call_time = Duration::from_secs(60);
    let function = load("hostile-function").await;
    let mut guest = function.start(setup).await.expect("it starts").guest;
    let error = guest
        .call(NOW, &values(&[1.0]))
        .await
        .expect_err("it is too long");
    assert_eq!(error.kind, CallErrorKind::BadAnswer, "{error}");
}

#[tokio::test]
async fn a_long_message_is_cut_at_a_character() {
    let mut setup = setup("long-message", 50);
    setup.limits.message_chars = 10;
    let message = notice(call_once_with(setup).await.expect("it answers")).message;
    assert_eq!(message, format!("{}…", "é".repeat(9)));
}

#[tokio::test]
async fn control_characters_become_spaces() {
    let request = notice(
        call_once("control-characters", 0)
            .await
            .expect("it answers"),
    );
    assert_eq!(request.key, "a b");
    assert_eq!(request.message, "one  two  three");
}

#[tokio::test]
async fn an_empty_message_becomes_the_key() {
    let request = notice(call_once("empty-message", 0).await.expect("it answers"));
    assert_eq!(request.message, "k");
}

#[tokio::test]
async fn empty_names_are_refused() {
    for mode in ["empty-key", "empty-attribute"] {
        let error = call_once(mode, 0).await.expect_err("it is nonsense");
        assert_eq!(error.kind, CallErrorKind::BadAnswer, "{mode}");
        assert!(error.message.contains("empty"), "{error}");
    }
}

#[tokio::test]
async fn attributes_are_bounded() {
    call_once("attributes", 64).await.expect("it just fits");
    let error = call_once("attributes", 65)
        .await
        .expect_err("they are too many");
    assert_eq!(error.kind, CallErrorKind::BadAnswer);
}
