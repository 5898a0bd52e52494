//! Delivery reports: early, late, repeated, in parts.

use andon_model::{Delivery, DeliveryState, Reason, Receipt, ReceiptStatus, Why};

use crate::office::{Office, pump};

fn receipt(id: &str, status: ReceiptStatus) -> Receipt {
    Receipt {
        provider_id: id.to_owned(),
        status,
        detail: String::new(),
    }
}

fn sent_as(office: &mut Office, ids: &[&str]) -> Delivery {
    let row = office.raise(&pump(7))[0].clone();
    let row = office.sending(&row);
    let row = Delivery {
        state: DeliveryState::Sent {
            provider_ids: ids.iter().map(|&id| id.to_owned()).collect(),
        },
        why: Why::new(Reason::ProviderAccepted, "taken"),
        ..row
    };
    office.settle(row.clone(), false);
    row
}

fn report(office: &mut Office, id: &str, status: ReceiptStatus) -> Vec<Delivery> {
    let now = office.now;
    let decision = office.desk.on_receipt("smsc", &receipt(id, status), now);
    office.commit(decision)
}

#[test]
fn a_receipt_that_is_faster_than_the_result_is_kept_for_it() {
    let mut office = Office::new();
    assert!(report(&mut office, "m1", ReceiptStatus::Delivered).is_empty());
    assert_eq!(office.desk.figures().early_receipts, 1);
    let row = sent_as(&mut office, &["m1"]);
    assert_eq!(office.store[&row.id].state, DeliveryState::Delivered);
    assert_eq!(office.desk.figures().early_receipts, 0);
}

#[test]
fn receipts_of_strangers_are_bounded_in_number_and_time_and_journalled() {
    let mut office = Office::new();
    for n in 0..1_500 {
        report(&mut office, &format!("x{n}"), ReceiptStatus::Failed);
    }
    assert_eq!(office.desk.figures().early_receipts, 1_000);
    assert_eq!(office.journal.len(), 500);
    office.pass(601);
    report(&mut office, "y", ReceiptStatus::Underway);
    assert_eq!(office.desk.figures().early_receipts, 0);
    assert_eq!(office.journal.len(), 1_500);
}

#[test]
fn a_message_in_parts_has_arrived_when_every_part_has_also_over_a_restart() {
    let mut office = Office::new();
    let row = sent_as(&mut office, &["a", "b", "c"]);
    report(&mut office, "b", ReceiptStatus::Delivered);
    report(&mut office, "b", ReceiptStatus::Delivered);
    office.restart();
    report(&mut office, "a", ReceiptStatus::Delivered);
    assert!(office.store[&row.id].state.has_left());
    assert_ne!(office.store[&row.id].state, DeliveryState::Delivered);
    report(&mut office, "c", ReceiptStatus::Delivered);
    assert_eq!(office.store[&row.id].state, DeliveryState::Delivered);
}

#[test]
fn one_failed_part_fails_the_message_over_to_the_next_channel() {
    let mut office = Office::new();
    let row = sent_as(&mut office, &["a", "b"]);
    report(&mut office, "a", ReceiptStatus::Delivered);
    let changed = report(&mut office, "b", ReceiptStatus::Failed);
    assert_eq!(changed[0].id, row.id);
    assert_eq!(changed[0].why.reason, Reason::ReceiptFailed);
    assert_eq!(changed[1].channel.sink, "twilio");
}

#[test]
fn receipts_only_go_forward_and_only_for_their_sink() {
    let mut office = Office::new();
    let row = sent_as(&mut office, &["m1"]);
    let now = office.now;
    let foreign = office
        .desk
        .on_receipt("twilio", &receipt("m1", ReceiptStatus::Failed), now);
    assert!(foreign.is_empty());
    report(&mut office, "m1", ReceiptStatus::Underway);
    report(&mut office, "m1", ReceiptStatus::Delivered);
    assert!(report(&mut office, "m1", ReceiptStatus::Failed).is_empty());
    assert_eq!(office.store[&row.id].state, DeliveryState::Delivered);
}

#[test]
fn an_alert_whose_end_was_told_is_not_sent_again_by_another_channel() {
    let mut office = Office::new();
    let row = sent_as(&mut office, &["m1"]);
    let over = office.clear(&pump(7));
    let end = over.iter().find(|r| r.contact == "anna").expect("told");
    office.sent(&end.clone());
    let changed = report(&mut office, "m1", ReceiptStatus::Failed);
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].id, row.id);
}

#[test]
fn an_end_that_has_not_left_waits_for_the_alert_by_the_next_channel() {
    let mut office = Office::new();
    sent_as(&mut office, &["m1"]);
    let over = office.clear(&pump(7));
    let end = over
        .iter()
        .find(|r| r.contact == "anna")
        .expect("told")
        .clone();
    assert_eq!(end.after, None);
    report(&mut office, "m1", ReceiptStatus::Failed);
    let alert = office
        .due()
        .into_iter()
        .find(|r| r.contact == "anna")
        .expect("failover");
    assert_eq!(alert.channel.sink, "twilio");
    assert_eq!(office.store[&end.id].after, Some(alert.id));
}
