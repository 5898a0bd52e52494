//! An SMSC that breaks the protocol or the connection.

use andon_model::Outcome;
use proptest::prelude::*;
use rusmpp::{CommandStatus, Pdu};

use crate::plant::{Plant, outcome, sent, settings};
use crate::smsc::{Peer, Smsc, raw};

/// A running sink and its bound connection.
async fn bound(smsc: &Smsc) -> (Plant, Peer) {
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    let peer = smsc.bound().await;
    plant.up().await;
    (plant, peer)
}

/// The session still works.
async fn sends(plant: &mut Plant, peer: &mut Peer) {
    let waiting = plant.send("still here");
    let (sequence, _) = peer.submit().await;
    peer.take(sequence, "7").await;
    assert_eq!(outcome(waiting).await, sent(&["7"]));
}

/// The next PDU is a `generic_nack` with this sequence number and status.
async fn nacked(peer: &mut Peer, sequence: u32, status: CommandStatus) {
    let command = peer.next_command().await.expect("a nack");
    assert!(
        matches!(command.pdu(), Some(Pdu::GenericNack)),
        "{command:?}"
    );
    assert_eq!(
        (command.sequence_number(), command.status()),
        (sequence, status)
    );
}

#[tokio::test]
async fn an_unknown_command_is_nacked_and_the_session_goes_on() {
    let smsc = Smsc::start().await;
    let (mut plant, mut peer) = bound(&smsc).await;
    peer.send(&raw(0x0000_7777, 0, 41, b"whatever")).await;
    nacked(&mut peer, 41, CommandStatus::EsmeRinvcmdid).await;
    // A request that only an SMSC serves is as unknown.
    peer.send(&raw(0x04, 0, 42, &[0; 30])).await;
    nacked(&mut peer, 42, CommandStatus::EsmeRinvcmdid).await;
    // Unknown answers, outbind and alert_notification have no answer.
    for id in [0x8000_7777, 0x0B, 0x102] {
        peer.send(&raw(id, 0, 43, &[1, 2, 3])).await;
    }
    sends(&mut plant, &mut peer).await;
}

#[tokio::test]
async fn a_length_that_cannot_be_is_nacked_and_the_connection_is_made_anew() {
    for length in [3_u32, 100_000, u32::MAX] {
        let smsc = Smsc::start().await;
        let (mut plant, mut peer) = bound(&smsc).await;
        let waiting = plant.send("text");
        peer.submit().await;
        let mut octets = raw(0x15, 0, 44, &[]);
        octets[..4].copy_from_slice(&length.to_be_bytes());
        peer.send(&octets).await;
        nacked(&mut peer, 44, CommandStatus::EsmeRinvcmdlen).await;
        assert!(matches!(outcome(waiting).await, Outcome::Unknown { .. }));
        let why = plant.down().await;
        assert!(why.detail.contains(&length.to_string()), "{}", why.detail);
        let mut again = smsc.bound().await;
        plant.up().await;
        sends(&mut plant, &mut again).await;
    }
}

#[tokio::test]
async fn a_connection_closed_inside_a_pdu_leaves_the_result_unknown() {
    let smsc = Smsc::start().await;
    let (mut plant, mut peer) = bound(&smsc).await;
    let waiting = plant.send("text");
    let (sequence, _) = peer.submit().await;
    let answer = raw(0x8000_0004, 0, sequence, b"id-1\0");
    peer.send(&answer[..18]).await;
    drop(peer);
    assert!(matches!(outcome(waiting).await, Outcome::Unknown { .. }));
    plant.down().await;
    let mut again = smsc.bound().await;
    plant.up().await;
    sends(&mut plant, &mut again).await;
}

#[tokio::test]
async fn a_pdu_may_come_octet_by_octet_and_many_at_once() {
    let smsc = Smsc::start().await;
    let (mut plant, mut peer) = bound(&smsc).await;
    let waiting = plant.send("text");
    let (sequence, _) = peer.submit().await;
    let mut octets = raw(0x15, 0, 50, &[]);
    octets.extend(raw(0x15, 0, 51, &[]));
    octets.extend(raw(0x8000_0004, 0, sequence, b"id-1\0"));
    for octet in octets {
        peer.send(&[octet]).await;
    }
    assert!(matches!(peer.next().await, (50, Pdu::EnquireLinkResp)));
    assert!(matches!(peer.next().await, (51, Pdu::EnquireLinkResp)));
    assert_eq!(outcome(waiting).await, sent(&["id-1"]));
}

#[tokio::test]
async fn bodies_that_are_too_short_are_answered_and_what_they_say_is_used() {
    let smsc = Smsc::start().await;
    let (mut plant, mut peer) = bound(&smsc).await;
    // A message without a destination: the SMSC is told that it can never be read.
    peer.send(&raw(0x05, 0, 60, b"\0\x01\x014790000001\0"))
        .await;
    assert_eq!(peer.delivered(60).await, 0x65);
    peer.send(&raw(0x05, 0, 61, b"")).await;
    assert_eq!(peer.delivered(61).await, 0x65);
    // An id without its NUL, and link tests with a body.
    let waiting = plant.send("text");
    let (sequence, _) = peer.submit().await;
    peer.send(&raw(0x8000_0004, 0, sequence, b"id-1")).await;
    assert_eq!(outcome(waiting).await, sent(&["id-1"]));
    peer.send(&raw(0x15, 0, 62, b"noise")).await;
    assert!(matches!(peer.next().await, (62, Pdu::EnquireLinkResp)));
    // No id at all.
    let waiting = plant.send("text");
    let (sequence, _) = peer.submit().await;
    peer.send(&raw(0x8000_0004, 0, sequence, b"")).await;
    assert_eq!(outcome(waiting).await, sent(&[]));
    sends(&mut plant, &mut peer).await;
}

#[tokio::test]
async fn a_message_with_odd_fields_reaches_the_host_all_the_same() {
    let smsc = Smsc::start().await;
    let (mut plant, mut peer) = bound(&smsc).await;
    let mut body = b"\0\x01\x014790000001\0\x01\x011999\0".to_vec();
    // esm_class, protocol_id, priority; times that are neither empty nor full; flags; coding 3.
    body.extend(b"\0\0\0" as &[u8]);
    body.extend(b"2611\0now\0\0\0\x03\0");
    body.extend([2, b'o', b'k']);
    // A TLV that ends behind the PDU, after one of a wrong length.
    body.extend([0x04, 0x27, 0, 3, 1, 2, 3, 0x00, 0x1D, 0xFF, 0xFF, b'x']);
    peer.send(&raw(0x05, 0, 70, &body)).await;
    assert_eq!(peer.delivered(70).await, 0);
    let message = plant.incoming().await;
    assert_eq!(
        (message.from.as_str(), message.text.as_str()),
        ("+4790000001", "ok")
    );
}

/// Every command that an SMSC may send and some that it may not, but for those that end a session.
fn some_command() -> impl Strategy<Value = u32> {
    let known = [
        0x05,
        0x103,
        0x15,
        0x0B,
        0x102,
        0x04,
        0x09,
        0x8000_0000,
        0x8000_0004,
        0x8000_0006,
        0x8000_0009,
        0x8000_0015,
        0x8000_0103,
    ];
    prop_oneof![
        4 => proptest::sample::select(known.to_vec()),
        1 => any::<u32>().prop_filter("ends the session", |id| *id != 0x06),
    ]
}

/// A body that starts like a `deliver_sm` and goes on at random, or is random from the start.
fn some_body() -> impl Strategy<Value = Vec<u8>> {
    let random = proptest::collection::vec(any::<u8>(), 0..120);
    (any::<bool>(), random).prop_map(|(addressed, random)| {
        let start: &[u8] = if addressed {
            b"\0\x01\x014790000001\0\x01\x011999\0"
        } else {
            b""
        };
        [start, &random].concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_pdu_whatever_is_in_it_ends_a_session(
        pdus in proptest::collection::vec((some_command(), any::<u32>(), any::<u32>(), some_body()), 1..30)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let smsc = Smsc::start().await;
            let mut plant = Plant::with_room_for(&settings(&smsc.address, ""), 1000);
            let mut peer = smsc.bound().await;
            for (id, status, sequence, body) in &pdus {
                peer.send(&raw(*id, *status, *sequence, body)).await;
            }
            peer.answer(0x7ABC_DEF0, 0, Pdu::EnquireLink).await;
            loop {
                let command = peer.next_command().await.expect("the session goes on");
                if command.sequence_number() == 0x7ABC_DEF0 {
                    break;
                }
            }
            sends(&mut plant, &mut peer).await;
        });
    }
}
