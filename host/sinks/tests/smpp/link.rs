//! Bind, link test, unbind, reconnect.

use andon_model::{Outcome, Reason};
use rusmpp::Pdu;

use crate::plant::{Plant, outcome, sent, settings};
use crate::smsc::{Smsc, bind_answer};

#[tokio::test]
async fn binds_as_the_settings_say() {
    let smsc = Smsc::start().await;
    let _plant = Plant::start(&settings(&smsc.address, "system_type = 'alerts'"));
    let mut peer = smsc.accept().await;
    let (sequence, pdu) = peer.next().await;
    let Pdu::BindTransceiver(bind) = pdu else {
        panic!("{pdu:?}")
    };
    assert!((1..=0x7FFF_FFFF).contains(&sequence));
    assert_eq!(bind.system_id.as_str(), "andon");
    assert_eq!(bind.password.as_str(), "secret");
    assert_eq!(bind.system_type.as_str(), "alerts");
    assert_eq!(u8::from(bind.interface_version), 0x34);
}

#[tokio::test]
async fn a_refused_account_fails_the_sink_until_it_is_let_in() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    let mut peer = smsc.accept().await;
    let (sequence, _) = peer.next().await;
    peer.answer(sequence, 0x0E, bind_answer()).await;
    let why = plant.down().await;
    assert_eq!(why.reason, Reason::SinkMisconfigured);
    assert!(why.detail.contains("password is invalid"), "{}", why.detail);
    assert!(!why.detail.contains("secret"));
    match outcome(plant.send("text")).await {
        Outcome::SinkFailed { why } => assert_eq!(why.reason, Reason::SinkMisconfigured),
        other => panic!("{other:?}"),
    }
    let _peer = smsc.bound().await;
    plant.up().await;
}

#[tokio::test]
async fn a_connection_that_keeps_failing_fails_the_sink_and_one_failure_does_not() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, "reconnect_delay = '200ms'"));
    assert!(matches!(
        outcome(plant.send("text")).await,
        Outcome::Retry { .. }
    ));
    drop(smsc.accept().await);
    assert_eq!(plant.down().await.reason, Reason::ProviderFailed);
    assert!(matches!(
        outcome(plant.send("text")).await,
        Outcome::Retry { .. }
    ));
    drop(smsc.accept().await);
    drop(smsc.accept().await);
    assert!(matches!(
        outcome(plant.send("text")).await,
        Outcome::SinkFailed { .. }
    ));
    let mut peer = smsc.bound().await;
    plant.up().await;
    let waiting = plant.send("text");
    let (sequence, _) = peer.submit().await;
    peer.take(sequence, "1").await;
    assert_eq!(outcome(waiting).await, sent(&["1"]));
}

#[tokio::test]
async fn a_bind_without_answer_is_given_up_and_tried_again() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, "bind_timeout = '50ms'"));
    let silent = smsc.accept().await;
    let why = plant.down().await;
    assert!(
        why.detail.contains("did not answer the bind"),
        "{}",
        why.detail
    );
    drop(silent);
    let mut again = smsc.accept().await;
    assert!(matches!(again.next().await, (_, Pdu::BindTransceiver(_))));
}

#[tokio::test]
async fn answers_the_smscs_link_test() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    let mut peer = smsc.bound().await;
    plant.up().await;
    peer.answer(5, 0, Pdu::EnquireLink).await;
    assert!(matches!(peer.next().await, (5, Pdu::EnquireLinkResp)));
}

#[tokio::test]
async fn a_link_test_without_answer_drops_the_connection_and_binds_again() {
    let smsc = Smsc::start().await;
    let more = "enquire_link_interval = '20ms'\nresponse_timeout = '100ms'";
    let mut plant = Plant::start(&settings(&smsc.address, more));
    let mut peer = smsc.bound().await;
    plant.up().await;
    for _ in 0..3 {
        let (sequence, pdu) = peer.next().await;
        assert!(matches!(pdu, Pdu::EnquireLink), "{pdu:?}");
        peer.answer(sequence, 0, Pdu::EnquireLinkResp).await;
    }
    assert!(matches!(peer.next().await, (_, Pdu::EnquireLink)));
    let why = plant.down().await;
    assert!(why.detail.contains("enquire_link"), "{}", why.detail);
    assert!(peer.next_command().await.is_none());
    let _peer = smsc.bound().await;
    plant.up().await;
}

#[tokio::test]
async fn an_smsc_that_nacks_the_link_test_is_alive() {
    let smsc = Smsc::start().await;
    let more = "enquire_link_interval = '20ms'\nresponse_timeout = '2s'";
    let mut plant = Plant::start(&settings(&smsc.address, more));
    let mut peer = smsc.bound().await;
    plant.up().await;
    for _ in 0..3 {
        let (sequence, pdu) = peer.next().await;
        assert!(matches!(pdu, Pdu::EnquireLink), "{pdu:?}");
        peer.answer(sequence, 3, Pdu::GenericNack).await;
    }
}

#[tokio::test]
async fn the_smscs_unbind_is_answered_and_the_sink_comes_back() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    let mut peer = smsc.bound().await;
    plant.up().await;
    let waiting = plant.send("text");
    peer.submit().await;
    peer.answer(9, 0, Pdu::Unbind).await;
    assert!(matches!(peer.next().await, (9, Pdu::UnbindResp)));
    assert!(peer.next_command().await.is_none());
    assert!(matches!(outcome(waiting).await, Outcome::Unknown { .. }));
    assert!(plant.down().await.detail.contains("unbound"));
    let _peer = smsc.bound().await;
    plant.up().await;
}

#[tokio::test]
async fn stopping_waits_for_answers_and_then_unbinds() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    let mut peer = smsc.bound().await;
    plant.up().await;
    let waiting = plant.send("text");
    let (submitted, _) = peer.submit().await;
    plant.stop.cancel();
    // Still answering while it waits.
    peer.answer(5, 0, Pdu::EnquireLink).await;
    assert!(matches!(peer.next().await, (5, Pdu::EnquireLinkResp)));
    peer.take(submitted, "1").await;
    let (sequence, pdu) = peer.next().await;
    assert!(matches!(pdu, Pdu::Unbind), "{pdu:?}");
    peer.answer(sequence, 0, Pdu::UnbindResp).await;
    assert_eq!(outcome(waiting).await, sent(&["1"]));
    assert!(matches!(
        outcome(plant.send("after")).await,
        Outcome::Retry { .. }
    ));
    plant.stopped().await;
}

#[tokio::test]
async fn stopping_ends_also_without_any_connection() {
    let smsc = Smsc::start().await;
    let plant = Plant::start(&settings(&smsc.address, ""));
    let peer = smsc.accept().await;
    plant.stopped().await;
    drop(peer);
}

#[tokio::test]
async fn a_session_that_worked_and_broke_is_no_failure_of_the_sink() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    for _ in 0..4 {
        let mut peer = smsc.bound().await;
        plant.up().await;
        peer.answer(5, 0, Pdu::EnquireLink).await;
        assert!(matches!(peer.next().await, (5, Pdu::EnquireLinkResp)));
        drop(peer);
        assert_eq!(plant.down().await.reason, Reason::ProviderFailed);
    }
    assert!(matches!(
        outcome(plant.send("text")).await,
        Outcome::Retry { .. }
    ));
}
