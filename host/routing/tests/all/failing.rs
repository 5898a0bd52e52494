//! Failover, rounds, exhaustion, and the alarm about a contact whom nothing reaches.

use std::time::Duration;

use andon_model::{Action, Delivery, DeliveryState, Reason, ReceiptStatus, Why};
use andon_routing::{TestError, TestScope};

use crate::office::{Office, PEOPLE, contacts, plan, pump};

fn anna(office: &Office) -> Delivery {
    office
        .due()
        .into_iter()
        .find(|row| row.contact == "anna")
        .expect("anna is owed")
}

#[test]
fn a_failed_channel_gives_way_to_the_next_and_says_why() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    let changed = office.fails(&rows[0], Reason::RecipientRefused);
    assert_eq!(contacts(&changed), [("anna", "smsc"), ("anna", "twilio")]);
    assert_eq!(changed[0].state, DeliveryState::Failed);
    assert_eq!(changed[1].state, DeliveryState::Queued);
    assert_eq!(changed[1].channel_index, 1);
    assert_eq!(changed[1].why.reason, Reason::Failover);
    assert_eq!(
        changed[1].why.detail,
        "smsc +4790000001 failed (recipient-refused), so by twilio +4790000001"
    );
}

#[test]
fn a_queued_row_whose_channel_is_given_up_counts_as_failed_for_now() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    let changed = office.settle(rows[0].clone(), true);
    assert_eq!(changed[0].state, DeliveryState::Failed);
    assert_eq!(changed[1].channel.sink, "twilio");
}

#[test]
fn channels_that_failed_for_the_time_being_are_tried_in_rounds_until_expiry() {
    let mut office = Office::new();
    office.raise(&pump(7));
    let mut order = Vec::new();
    for _ in 0..1_000 {
        let Some(row) = office.due().into_iter().find(|row| row.contact == "anna") else {
            if office
                .store
                .values()
                .any(|r| r.contact == "anna" && r.state.is_owed())
            {
                office.pass(60);
                continue;
            }
            break;
        };
        order.push(row.channel.sink.clone());
        office.fails(&row, Reason::ProviderFailed);
    }
    // Two at once, then one a minute for nearly two hours, taking turns.
    assert_eq!(order.len(), 2 + 119 - 1 + 1);
    assert!(order.chunks_exact(2).all(|pair| pair == ["smsc", "twilio"]));
    assert_eq!(office.host.len(), 1);
    assert!(office.reasons().contains(&Reason::ChannelsExhausted));
}

#[test]
fn a_channel_that_is_dead_is_not_tried_in_later_rounds() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    office.fails(&rows[0], Reason::MessageRefused);
    let row = anna(&office);
    office.fails(&row, Reason::Throttled);
    office.pass(60);
    assert_eq!(anna(&office).channel.sink, "twilio");
}

#[test]
fn a_provider_that_asked_for_a_long_pause_keeps_no_other_channel_waiting() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    let mut paused = office.sending(&rows[0]);
    paused.state = DeliveryState::Failed;
    paused.why = Why::new(Reason::Failover, "asked for 10 minutes");
    paused.next_at = office.now.plus(Duration::from_secs(600));
    office.settle(paused.clone(), true);
    let mut tries = Vec::new();
    while tries.len() < 12 {
        match office.due().into_iter().find(|row| row.contact == "anna") {
            Some(row) => {
                tries.push((row.channel.sink.clone(), office.now));
                office.fails(&row, Reason::ProviderFailed);
            }
            None => office.pass(60),
        }
    }
    let again = tries.iter().position(|(sink, _)| sink == "smsc");
    let again = again.expect("its turn comes as well");
    assert_eq!(again, 10, "the other channel has every turn until then");
    assert_eq!(tries[again].1, paused.next_at);
}

#[test]
fn a_contact_whom_nothing_reaches_becomes_an_alarm_for_the_others() {
    let mut office = Office::with(
        &PEOPLE
            .replace(r#"["chief"]"#, r#"["chief", "anna"]"#)
            .replace(
                "channels = [\"twilio\"]\n\n[[groups]]",
                "channels = [\"twilio\"]\n[[groups]]",
            ),
    );
    let rows = office.raise(&pump(7));
    office.fails(&rows[0], Reason::RecipientRefused);
    let row = anna(&office);
    let changed = office.fails(&row, Reason::RecipientRefused);
    assert_eq!(changed[0].why.reason, Reason::ChannelsExhausted);
    let Some(Action::Raise(request)) = office.host.first().cloned() else {
        panic!("no alarm")
    };
    assert_eq!(request.key, "unreached.anna");
    assert!(
        request.message.starts_with("anna was not reached"),
        "{}",
        request.message
    );
    let alarm = office.host_alarms(100);
    assert_eq!(
        contacts(&alarm),
        [("chief", "twilio")],
        "never the same contact"
    );
    // That one fails as well: journalled, and no further alarm.
    office.fails(&alarm[0], Reason::RecipientRefused);
    assert!(office.host.is_empty());
    assert!(office.reasons().contains(&Reason::ChannelsExhausted));
}

#[test]
fn the_alarm_about_a_contact_ends_when_a_message_leaves_again() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    office.fails(&rows[0], Reason::RecipientRefused);
    let row = anna(&office);
    office.fails(&row, Reason::RecipientRefused);
    office.host_alarms(100);
    office.restart();
    let rows = office.raise(&pump(8));
    office.sent(&rows[0]);
    assert_eq!(office.host, [Action::Clear("unreached.anna".to_owned())]);
}

#[test]
fn after_failed_receipts_only_a_receipt_ends_the_alarm_about_a_contact() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    let sent = office.sent(&rows[0]);
    office.receipt(&sent, ReceiptStatus::Failed);
    let row = anna(&office);
    let sent = office.sent(&row);
    office.receipt(&sent, ReceiptStatus::Failed);
    assert_eq!(office.desk.figures().unreached, 1);
    office.host_alarms(100);
    office.restart();
    let rows = office.raise(&pump(8));
    let sent = office.sent(&rows[0]);
    assert!(office.host.is_empty(), "taken is no proof any more");
    office.receipt(&sent, ReceiptStatus::Delivered);
    assert_eq!(office.host, [Action::Clear("unreached.anna".to_owned())]);
}

#[test]
fn a_new_plan_ends_the_alarms_about_people_who_left() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    office.fails(&rows[0], Reason::RecipientRefused);
    let row = anna(&office);
    office.fails(&row, Reason::RecipientRefused);
    office.host.clear();
    let other = plan(
        "[[contacts]]\nname = \"zoe\"\nphone = \"+4790000007\"\nchannels = [\"smsc\"]\n[routing]\nfallback = [\"zoe\"]",
    );
    let decision = office.desk.replace_plan(other);
    assert_eq!(decision.host, [Action::Clear("unreached.anna".to_owned())]);
}

#[test]
fn a_late_result_about_a_settled_row_changes_nothing() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    let sent = office.sent(&rows[0]);
    office.receipt(&sent, ReceiptStatus::Delivered);
    assert!(office.settle(rows[0].clone(), true).is_empty());
    assert!(office.settle(sent, false).is_empty());
    assert_eq!(office.store[&rows[0].id].state, DeliveryState::Delivered);
}

#[test]
fn a_message_that_was_taken_after_all_ends_what_was_to_replace_it() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    office.fails(&rows[0], Reason::ProviderFailed);
    let other = anna(&office);
    assert_eq!(other.channel.sink, "twilio");
    office.sent(&rows[0]);
    assert!(office.store[&rows[0].id].state.has_left());
    let other = &office.store[&other.id];
    assert_eq!(other.state, DeliveryState::Failed);
    assert_eq!(other.why.detail, "smsc +4790000001 took it after all");
    let over = office.clear(&pump(7));
    assert_eq!(over.iter().filter(|row| row.contact == "anna").count(), 1);
}

#[test]
fn an_end_that_was_withheld_is_told_when_the_alert_was_taken_after_all() {
    let mut office = Office::new();
    let rows = office.raise(&pump(7));
    let over = office.clear(&pump(7));
    office.fails(&rows[0], Reason::RecipientRefused);
    let row = anna(&office);
    office.fails(&row, Reason::RecipientRefused);
    assert_eq!(office.store[&over[0].id].why.reason, Reason::NeverTold);
    office.sent(&row);
    assert_eq!(office.store[&over[0].id].state, DeliveryState::Queued);
}

#[test]
fn a_test_message_uses_the_real_channels_and_names_a_misspelt_contact() {
    let mut office = Office::new();
    let now = office.now;
    let fresh = andon_model::OccurrenceId(50);
    let each = office
        .desk
        .test_message("anna", TestScope::EachChannel, fresh, now)
        .expect("known");
    assert_eq!(
        contacts(&each.deliveries),
        [("anna", "smsc"), ("anna", "twilio")]
    );
    assert!(
        each.deliveries
            .iter()
            .all(|row| row.test && row.channels.len() == 1)
    );
    office.commit(each);
    let row = office.due()[0].clone();
    let changed = office.fails(&row, Reason::RecipientRefused);
    assert_eq!(
        changed.len(),
        1,
        "no failover between tests of single channels"
    );
    assert!(office.host.is_empty());
    let error = office
        .desk
        .test_message("ana", TestScope::AsAlarm, fresh, now)
        .unwrap_err();
    assert!(matches!(error, TestError::UnknownContact { .. }));
    assert_eq!(
        error.to_string(),
        "there is no contact named `ana` (did you mean `anna`?)"
    );
}
