//! Submits and their answers.

use andon_model::{Outcome, Reason};
use rusmpp::Pdu;
use rusmpp::pdus::SubmitSm;
use rusmpp::tlvs::{TlvTag, TlvValue};
use rusmpp::values::{DataCoding, Npi, Ton};

use crate::plant::{Plant, outcome, sent, settings};
use crate::smsc::{Smsc, submit_answer};

#[tokio::test]
async fn a_text_goes_out_as_one_submit_and_comes_back_with_the_smscs_id() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    let mut peer = smsc.bound().await;
    plant.up().await;
    let waiting = plant.send("Tank 3 high [A7]");
    let (sequence, submit) = peer.submit().await;
    assert_eq!(submit.source_addr_ton, Ton::Alphanumeric);
    assert_eq!(submit.source_addr_npi, Npi::Unknown);
    assert_eq!(submit.source_addr.as_str(), "Andon");
    assert_eq!(submit.dest_addr_ton, Ton::International);
    assert_eq!(submit.dest_addr_npi, Npi::Isdn);
    assert_eq!(submit.destination_addr.as_str(), "4790000001");
    assert_eq!(u8::from(submit.esm_class), 0);
    assert_eq!(u8::from(submit.registered_delivery), 1);
    assert_eq!(submit.validity_period.as_str(), "000000001000000R");
    assert_eq!(submit.data_coding, DataCoding::McSpecific);
    assert_eq!(submit.short_message().as_ref(), b"Tank 3 high \x1B<A7\x1B>");
    peer.take(sequence, "id-1").await;
    assert_eq!(outcome(waiting).await, sent(&["id-1"]));
}

/// `data_coding`, `esm_class` and user data of each submit.
async fn parts_of(settings_more: &str, text: &str, count: usize) -> Vec<(u8, u8, SubmitSm)> {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, settings_more));
    let mut peer = smsc.bound().await;
    plant.up().await;
    let waiting = plant.send(text);
    let mut parts = Vec::new();
    let mut ids = Vec::new();
    for index in 0..count {
        let (sequence, submit) = peer.submit().await;
        let id = format!("id-{index}");
        peer.take(sequence, &id).await;
        ids.push(id);
        parts.push((
            u8::from(submit.data_coding),
            u8::from(submit.esm_class),
            submit,
        ));
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    assert_eq!(outcome(waiting).await, sent(&ids));
    parts
}

#[tokio::test]
async fn a_long_text_goes_out_in_parts_with_headers_that_share_a_reference() {
    let text = "a".repeat(153) + &"b".repeat(153) + "c";
    let parts = parts_of("", &text, 3).await;
    let mut references = Vec::new();
    let mut read: Vec<u8> = Vec::new();
    for (index, (coding, esm_class, submit)) in parts.iter().enumerate() {
        assert_eq!((*coding, *esm_class), (0, 0x40));
        let octets: &[u8] = submit.short_message().as_ref();
        let (header, body) = octets.split_at(6);
        assert_eq!(header[..3], [5, 0, 3]);
        assert_eq!(usize::from(header[5]), index + 1);
        assert_eq!(header[4], 3);
        references.push(header[3]);
        read.extend(body);
    }
    assert_eq!(read, text.as_bytes());
    references.dedup();
    assert_eq!(references.len(), 1);
}

#[tokio::test]
async fn a_long_text_goes_out_with_sar_tlvs_where_the_settings_say_so() {
    let parts = parts_of("long_messages = 'sar'", &"я".repeat(68 + 3), 2).await;
    for (index, (coding, esm_class, submit)) in parts.iter().enumerate() {
        assert_eq!((*coding, *esm_class), (8, 0));
        let number = |tag: TlvTag| {
            let tlv = submit.tlvs().iter().find(|tlv| tlv.tag() == tag);
            match tlv.and_then(|tlv| tlv.value()) {
                Some(TlvValue::SarTotalSegments(n) | TlvValue::SarSegmentSeqnum(n)) => {
                    usize::from(*n)
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(number(TlvTag::SarTotalSegments), 2);
        assert_eq!(number(TlvTag::SarSegmentSeqnum), index + 1);
    }
    assert_eq!(parts[0].2.short_message().as_ref().len(), 134);
}

#[tokio::test]
async fn a_long_text_goes_out_whole_as_payload_where_the_settings_say_so() {
    let parts = parts_of("long_messages = 'payload'", &"x".repeat(400), 1).await;
    let (coding, esm_class, submit) = &parts[0];
    assert_eq!((*coding, *esm_class), (0, 0));
    assert!(submit.short_message().as_ref().is_empty());
    match submit.tlvs()[0].value() {
        Some(TlvValue::MessagePayload(payload)) => {
            assert_eq!(payload.value.as_ref(), "x".repeat(400).as_bytes());
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn settings_reach_every_field_of_a_submit() {
    let more = "source = '+4790000009'\ndest_ton = 2\ndest_npi = 0\nservice_type = 'WAP'\n\
        receipts = 'failures'\nvalidity = 'none'\nalphabet = 'latin1'\ntransliterate = false";
    let parts = parts_of(more, "Käse", 1).await;
    let (coding, _, submit) = &parts[0];
    assert_eq!(*coding, 0);
    assert_eq!(submit.short_message().as_ref(), b"K\xE4se");
    assert_eq!(submit.source_addr_ton, Ton::International);
    assert_eq!(submit.source_addr.as_str(), "4790000009");
    assert_eq!(submit.dest_addr_ton, Ton::National);
    assert_eq!(submit.service_type.value().as_str(), "WAP");
    assert_eq!(u8::from(submit.registered_delivery), 2);
    assert_eq!(submit.validity_period.as_str(), "");
}

#[tokio::test]
async fn no_more_submits_than_the_window_wait_and_answers_find_theirs_in_any_order() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, "window = 2"));
    let mut peer = smsc.bound().await;
    plant.up().await;
    assert_eq!(plant.sink.window(), 2);
    let waiting: Vec<_> = (0..3).map(|n| plant.send(&format!("text {n}"))).collect();
    let mut first = Vec::new();
    for _ in 0..2 {
        first.push(peer.submit().await);
    }
    // The third is not there: the next that the sink writes is the answer to a question.
    peer.answer(77, 0, Pdu::EnquireLink).await;
    assert!(matches!(peer.next().await, (77, Pdu::EnquireLinkResp)));
    let text_of =
        |submit: &SubmitSm| String::from_utf8_lossy(submit.short_message().as_ref()).into_owned();
    for (sequence, submit) in first.iter().rev() {
        peer.take(*sequence, &text_of(submit)).await;
    }
    let (sequence, submit) = peer.submit().await;
    peer.take(sequence, &text_of(&submit)).await;
    for (n, waiting) in waiting.into_iter().enumerate() {
        assert_eq!(outcome(waiting).await, sent(&[&format!("text {n}")]));
    }
}

#[tokio::test]
async fn each_status_means_what_the_table_says() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    let mut peer = smsc.bound().await;
    plant.up().await;
    for (status, word, reason) in [
        (0x58, "retry", Reason::Throttled),
        (0x14, "retry", Reason::Throttled),
        (0x0B, "dead", Reason::RecipientRefused),
        (0x01, "dead", Reason::MessageRefused),
        (0x0A, "failed", Reason::SinkMisconfigured),
        (0x62, "failed", Reason::SinkMisconfigured),
        (0x08, "retry", Reason::RetryLater),
        (0xFF, "retry", Reason::RetryLater),
        (0x0445, "retry", Reason::RetryLater),
        (0xDEAD, "retry", Reason::RetryLater),
    ] {
        let waiting = plant.send("text");
        let (sequence, _) = peer.submit().await;
        peer.answer(sequence, status, submit_answer("")).await;
        let (found, why) = match outcome(waiting).await {
            Outcome::Retry { why, .. } => ("retry", why),
            Outcome::Dead { why } => ("dead", why),
            Outcome::SinkFailed { why } => ("failed", why),
            other => panic!("{status:#x}: {other:?}"),
        };
        assert_eq!((found, why.reason), (word, reason), "{status:#x}");
        assert!(
            why.detail.contains(&format!("0x{status:02X}")),
            "{}",
            why.detail
        );
    }
    // Throttling slowed it down, and it still sends.
    let waiting = plant.send("text");
    let (sequence, _) = peer.submit().await;
    peer.take(sequence, "9").await;
    assert_eq!(outcome(waiting).await, sent(&["9"]));
}

#[tokio::test]
async fn a_generic_nack_to_a_submit_is_its_answer() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    let mut peer = smsc.bound().await;
    plant.up().await;
    let waiting = plant.send("text");
    let (sequence, _) = peer.submit().await;
    peer.answer(sequence, 0x08, Pdu::GenericNack).await;
    assert!(matches!(outcome(waiting).await, Outcome::Retry { .. }));
}

#[tokio::test]
async fn a_throttled_later_part_goes_again_by_itself() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    let mut peer = smsc.bound().await;
    plant.up().await;
    let waiting = plant.send(&"a".repeat(161));
    let (sequence, _) = peer.submit().await;
    peer.take(sequence, "1").await;
    let (sequence, second) = peer.submit().await;
    peer.answer(sequence, 0x58, submit_answer("")).await;
    let (sequence, again) = peer.submit().await;
    assert_eq!(again, second);
    peer.take(sequence, "2").await;
    assert_eq!(outcome(waiting).await, sent(&["1", "2"]));
}

#[tokio::test]
async fn a_text_of_which_a_part_is_gone_is_never_sent_again_unmarked() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    let mut peer = smsc.bound().await;
    plant.up().await;
    for (status, dead) in [(0x45, false), (0x0B, true)] {
        let waiting = plant.send(&"a".repeat(161));
        let (sequence, _) = peer.submit().await;
        peer.take(sequence, "1").await;
        let (sequence, _) = peer.submit().await;
        peer.answer(sequence, status, submit_answer("")).await;
        match outcome(waiting).await {
            Outcome::Unknown { why } => {
                assert!(!dead);
                assert!(why.detail.contains("1 of 2 segments"), "{}", why.detail);
            }
            Outcome::Dead { .. } => assert!(dead),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn no_answer_is_an_unknown_result_and_a_late_one_disturbs_nothing() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, "response_timeout = '100ms'"));
    let mut peer = smsc.bound().await;
    plant.up().await;
    let waiting = plant.send("first");
    let (late, _) = peer.submit().await;
    match outcome(waiting).await {
        Outcome::Unknown { why } => assert_eq!(why.reason, Reason::ResultUnknown),
        other => panic!("{other:?}"),
    }
    let waiting = plant.send("second");
    let (sequence, _) = peer.submit().await;
    assert_ne!(sequence, late);
    peer.take(late, "late").await;
    peer.take(sequence, "right").await;
    assert_eq!(outcome(waiting).await, sent(&["right"]));
}

#[tokio::test]
async fn an_answer_with_a_wrong_sequence_number_or_to_another_command_is_nobodys() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    let mut peer = smsc.bound().await;
    plant.up().await;
    let waiting = plant.send("text");
    let (sequence, _) = peer.submit().await;
    peer.take(sequence + 1000, "wrong").await;
    peer.answer(sequence, 0, Pdu::EnquireLinkResp).await;
    peer.take(sequence, "right").await;
    assert_eq!(outcome(waiting).await, sent(&["right"]));
}

#[tokio::test]
async fn an_address_that_is_no_number_is_dead_and_never_leaves() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    let _peer = smsc.bound().await;
    plant.up().await;
    let waiting = plant.send_to("kari@example.net", "text");
    match outcome(waiting).await {
        Outcome::Dead { why } => assert_eq!(why.reason, Reason::RecipientRefused),
        other => panic!("{other:?}"),
    }
}

/// Prints the rate with `--nocapture`; asserts only that all arrive.
#[tokio::test]
async fn a_thousand_texts_pass_through_a_window_of_ten() {
    let smsc = Smsc::start().await;
    let mut plant = Plant::start(&settings(&smsc.address, ""));
    let mut peer = smsc.bound().await;
    plant.up().await;
    let started = tokio::time::Instant::now();
    let waiting: Vec<_> = (0..1000)
        .map(|n| plant.send(&format!("text {n}")))
        .collect();
    for n in 0..1000 {
        let (sequence, _) = peer.submit().await;
        peer.take(sequence, &format!("{n}")).await;
    }
    for waiting in waiting {
        assert!(matches!(outcome(waiting).await, Outcome::Sent { .. }));
    }
    let rate = 1000.0 / started.elapsed().as_secs_f64();
    println!("{rate:.0} messages a second through one bind");
}
