//! Receipts and messages from phones.

use andon_model::ReceiptStatus;
use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::MessageDeliveryRequestTlvValue as Tlv;
use rusmpp::types::{AnyOctetString, OctetString};
use rusmpp::values::{DataCoding, EsmClass, MessagePayload, MessageState, Npi, Ton};

use crate::plant::{Plant, outcome, sent, settings};
use crate::smsc::{Peer, Smsc, raw, string};

async fn bound(smsc: &Smsc, more: &str) -> (Plant, Peer) {
    let mut plant = Plant::start(&settings(&smsc.address, more));
    let peer = smsc.bound().await;
    plant.up().await;
    (plant, peer)
}

fn message(esm_class: u8, coding: DataCoding, octets: &[u8], tlvs: Vec<Tlv>) -> DeliverSm {
    let mut deliver = DeliverSm::builder()
        .source_addr_ton(Ton::International)
        .source_addr_npi(Npi::Isdn)
        .source_addr(string("4790000001"))
        .destination_addr(string("1999"))
        .esm_class(EsmClass::from(esm_class))
        .data_coding(coding)
        .build();
    deliver.set_short_message(OctetString::from_slice(octets).expect("short"));
    deliver.set_tlvs(tlvs);
    deliver
}

fn receipt(text: &str) -> DeliverSm {
    message(4, DataCoding::McSpecific, text.as_bytes(), Vec::new())
}

#[tokio::test]
async fn a_receipt_may_come_before_the_answer_to_its_submit() {
    let smsc = Smsc::start().await;
    let (mut plant, mut peer) = bound(&smsc, "").await;
    let waiting = plant.send("text");
    let (sequence, _) = peer.submit().await;
    let early = receipt(
        "id:77 sub:001 dlvrd:001 submit date:2611230212 done date:2611230213 stat:DELIVRD err:000 text:text",
    );
    assert_eq!(peer.deliver(5, early).await, 0);
    let said = plant.receipt().await;
    assert_eq!(
        (said.provider_id.as_str(), said.status),
        ("77", ReceiptStatus::Delivered)
    );
    peer.take(sequence, "77").await;
    assert_eq!(outcome(waiting).await, sent(&["77"]));
}

#[tokio::test]
async fn ids_of_receipts_and_answers_meet_in_one_form() {
    for (base, answered, in_receipt, form) in [
        ("as-is", "AbC-1", "AbC-1", "AbC-1"),
        ("dec-to-hex", "0A1F", "0000002591", "a1f"),
        ("hex-to-dec", "2591", "A1F", "2591"),
    ] {
        let smsc = Smsc::start().await;
        let more = format!("receipt_id_base = '{base}'");
        let (mut plant, mut peer) = bound(&smsc, &more).await;
        let waiting = plant.send("text");
        let (sequence, _) = peer.submit().await;
        peer.take(sequence, answered).await;
        assert_eq!(outcome(waiting).await, sent(&[form]));
        peer.deliver(5, receipt(&format!("id:{in_receipt} stat:ACCEPTD")))
            .await;
        let said = plant.receipt().await;
        assert_eq!(
            (said.provider_id.as_str(), said.status),
            (form, ReceiptStatus::Underway)
        );
    }
}

#[tokio::test]
async fn receipts_are_read_from_tlvs_also_where_esm_class_or_text_say_nothing() {
    let smsc = Smsc::start().await;
    let (mut plant, mut peer) = bound(&smsc, "").await;
    let tlvs = vec![
        Tlv::ReceiptedMessageId(string("id-9")),
        Tlv::MessageState(MessageState::Undeliverable),
    ];
    peer.deliver(5, message(0, DataCoding::McSpecific, b"", tlvs))
        .await;
    let said = plant.receipt().await;
    assert_eq!(
        (said.provider_id.as_str(), said.status),
        ("id-9", ReceiptStatus::Failed)
    );
    assert_eq!(said.detail, "UNDELIVERABLE");
}

#[tokio::test]
async fn a_text_that_looks_like_a_receipt_is_a_message_like_any_other() {
    let smsc = Smsc::start().await;
    let (mut plant, mut peer) = bound(&smsc, "").await;
    let forged = message(0, DataCoding::McSpecific, b"id:77 stat:DELIVRD", Vec::new());
    assert_eq!(peer.deliver(5, forged).await, 0);
    assert_eq!(plant.incoming().await.text, "id:77 stat:DELIVRD");
    // And a receipt that names nothing is answered and told to nobody.
    assert_eq!(peer.deliver(6, receipt("no id here")).await, 0);
    peer.deliver(7, message(0, DataCoding::McSpecific, b"next", Vec::new()))
        .await;
    assert_eq!(plant.incoming().await.text, "next");
}

#[tokio::test]
async fn receipts_come_by_data_sm_too() {
    let smsc = Smsc::start().await;
    let (mut plant, mut peer) = bound(&smsc, "").await;
    let mut body = b"\0\x01\x014790000001\0\0\x001999\0\x04\0\0".to_vec();
    body.extend(b"\x00\x1E\x00\x03id\0\x04\x27\x00\x01\x02");
    peer.send(&raw(0x103, 0, 8, &body)).await;
    let answer = peer.next_command().await.expect("an answer");
    assert_eq!(
        (u32::from(answer.id()), answer.sequence_number()),
        (0x8000_0103, 8)
    );
    let said = plant.receipt().await;
    assert_eq!(
        (said.provider_id.as_str(), said.status),
        ("id", ReceiptStatus::Delivered)
    );
}

#[tokio::test]
async fn messages_from_phones_are_read_in_every_alphabet() {
    let smsc = Smsc::start().await;
    let (mut plant, mut peer) = bound(&smsc, "").await;
    let utf16: Vec<u8> = "ок 😀".encode_utf16().flat_map(u16::to_be_bytes).collect();
    for (coding, octets, text) in [
        (
            DataCoding::McSpecific,
            b"ack A7 \x1Be \x00".as_slice(),
            "ack A7 € @",
        ),
        (DataCoding::Latin1, b"K\xE4se", "Käse"),
        (DataCoding::Ucs2, &utf16, "ок 😀"),
        (DataCoding::Ia5, b"ack [A7]", "ack [A7]"),
        (DataCoding::Ia5, b"ack \x1B<A7\x1B>", "ack [A7]"),
        (DataCoding::Other(0xF1), b"\x5B", "Ä"),
        (
            DataCoding::OctetUnspecified2,
            b"\x01\x02",
            "[binary message of 2 octets]",
        ),
    ] {
        peer.deliver(5, message(0, coding, octets, Vec::new()))
            .await;
        let read = plant.incoming().await;
        assert_eq!(read.text, text);
        assert_eq!(
            (read.from.as_str(), read.to.as_str()),
            ("+4790000001", "1999")
        );
        assert_eq!(read.provider_id, "");
    }
    let payload = Tlv::MessagePayload(MessagePayload::new(AnyOctetString::from_slice(
        &[b'x'; 500],
    )));
    peer.deliver(6, message(0, DataCoding::McSpecific, b"", vec![payload]))
        .await;
    assert_eq!(plant.incoming().await.text, "x".repeat(500));
}

#[tokio::test]
async fn a_message_in_parts_is_put_together_over_a_reconnect() {
    let smsc = Smsc::start().await;
    let (mut plant, mut peer) = bound(&smsc, "").await;
    let second = message(
        0x40,
        DataCoding::McSpecific,
        b"\x05\x00\x03\x2A\x02\x02A7",
        Vec::new(),
    );
    assert_eq!(peer.deliver(5, second).await, 0);
    drop(peer);
    plant.down().await;
    let mut peer = smsc.bound().await;
    plant.up().await;
    let first = message(
        0x40,
        DataCoding::McSpecific,
        b"\x05\x00\x03\x2A\x02\x01ack ",
        Vec::new(),
    );
    peer.deliver(6, first).await;
    assert_eq!(plant.incoming().await.text, "ack A7");
}

#[tokio::test]
async fn parts_named_by_tlvs_are_put_together() {
    let smsc = Smsc::start().await;
    let (mut plant, mut peer) = bound(&smsc, "").await;
    for (index, text) in [(2, "A7"), (1, "ack ")] {
        let tlvs = vec![
            Tlv::SarMsgRefNum(300),
            Tlv::SarTotalSegments(2),
            Tlv::SarSegmentSeqnum(index),
        ];
        peer.deliver(
            u32::from(index),
            message(0, DataCoding::McSpecific, text.as_bytes(), tlvs),
        )
        .await;
    }
    assert_eq!(plant.incoming().await.text, "ack A7");
}

#[tokio::test]
async fn a_host_without_room_makes_the_smsc_keep_its_messages_and_the_link_stays_up() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::with_room_for(&settings(&smsc.address, ""), 1);
    let mut peer = smsc.bound().await;
    // The event "up" fills the only place; the first message waits in the sink.
    let text = |n: u32| {
        let text = format!("message {n}");
        message(0, DataCoding::McSpecific, text.as_bytes(), Vec::new())
    };
    assert_eq!(peer.deliver(1, text(1)).await, 0);
    assert_eq!(peer.deliver(2, text(2)).await, 0x64);
    peer.answer(3, 0, rusmpp::Pdu::EnquireLink).await;
    assert!(matches!(
        peer.next().await,
        (3, rusmpp::Pdu::EnquireLinkResp)
    ));
    plant.up().await;
    assert_eq!(plant.incoming().await.text, "message 1");
    assert_eq!(peer.deliver(4, text(2)).await, 0);
    assert_eq!(plant.incoming().await.text, "message 2");
}

#[tokio::test]
async fn a_message_that_was_answered_reaches_the_host_also_if_the_connection_breaks_first() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::with_room_for(&settings(&smsc.address, ""), 1);
    let mut peer = smsc.bound().await;
    let deliver = message(0, DataCoding::McSpecific, b"ack A7", Vec::new());
    assert_eq!(peer.deliver(1, deliver).await, 0);
    drop(peer);
    plant.up().await;
    assert_eq!(plant.incoming().await.text, "ack A7");
    plant.down().await;
}

#[tokio::test]
async fn parts_that_were_answered_reach_the_host_as_it_stops() {
    let smsc = Smsc::start().await;
    let (mut plant, mut peer) = bound(&smsc, "").await;
    let first = message(
        0x40,
        DataCoding::McSpecific,
        b"\x05\x00\x03\x2A\x02\x01ack A7",
        Vec::new(),
    );
    assert_eq!(peer.deliver(6, first).await, 0);
    plant.stop.cancel();
    let (sequence, pdu) = peer.next().await;
    assert!(matches!(pdu, rusmpp::Pdu::Unbind), "{pdu:?}");
    peer.answer(sequence, 0, rusmpp::Pdu::UnbindResp).await;
    assert_eq!(plant.incoming().await.text, "ack A7[...]");
    plant.stopped().await;
}
