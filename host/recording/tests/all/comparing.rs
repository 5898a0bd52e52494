//! Two outcomes side by side.

use std::time::Duration;

use andon_model::{DeliveryKind, Priority};
use andon_recording::{Message, Outcome, compare};

use crate::kit::at;

const TOLERANCE: Duration = Duration::from_secs(60);

fn message(seconds: i64, contact: &str, alarm: &str, says: &str) -> Message {
    Message {
        at: at(seconds * 1_000),
        contact: contact.to_owned(),
        sink: "sms".to_owned(),
        kind: DeliveryKind::Alert,
        alarm: alarm.to_owned(),
        priority: Priority::High,
        text: format!("HIGH {says}. Reply K{seconds} to ack"),
        says: says.to_owned(),
    }
}

fn outcome(messages: Vec<Message>) -> Outcome {
    Outcome {
        messages_total: messages.len() as u64,
        messages,
        ..Outcome::default()
    }
}

#[test]
fn a_message_that_comes_later_is_the_same_message_and_its_code_does_not_matter() {
    let before = outcome(vec![
        message(0, "anna", "tank/high", "full"),
        message(100, "anna", "tank/high", "full"),
    ]);
    let after = outcome(vec![
        message(10, "anna", "tank/high", "full"),
        message(100, "anna", "tank/high", "full"),
    ]);
    let found = compare(&before, &after, TOLERANCE);
    assert_eq!((found.same, found.changed.len()), (1, 1));
    assert!(found.new.is_empty() && found.gone.is_empty());
}

#[test]
fn what_is_too_far_away_is_one_gone_and_one_new() {
    let before = outcome(vec![message(0, "anna", "tank/high", "full")]);
    let after = outcome(vec![message(61, "anna", "tank/high", "full")]);
    let found = compare(&before, &after, TOLERANCE);
    assert_eq!((found.gone.len(), found.new.len()), (1, 1));
}

#[test]
fn a_burst_that_one_message_replaces_is_gone_but_for_one() {
    let burst = (0..15).map(|second| message(second, "anna", "tank/high", "full"));
    let before = outcome(burst.collect());
    let after = outcome(vec![message(14, "anna", "tank/high", "full")]);
    let found = compare(&before, &after, TOLERANCE);
    assert_eq!(
        (found.gone.len(), found.changed.len(), found.new.len()),
        (14, 1, 0)
    );
}

#[test]
fn other_contacts_alarms_and_kinds_are_never_the_same() {
    let before = outcome(vec![message(0, "anna", "tank/high", "full")]);
    let end = Message {
        kind: DeliveryKind::Resolved,
        ..message(0, "anna", "tank/high", "full")
    };
    let after = outcome(vec![
        message(0, "bo", "tank/high", "full"),
        message(0, "anna", "tank/low", "full"),
        end,
    ]);
    let found = compare(&before, &after, TOLERANCE);
    assert_eq!((found.gone.len(), found.new.len(), found.same), (1, 3, 0));
}

#[test]
fn every_message_is_in_exactly_one_list() {
    // Each second one of the first, each third one of the second, some far away from all others.
    let before = outcome(
        (0..500)
            .map(|n| message(n * 20, "anna", "a/k", "x"))
            .collect(),
    );
    let after = outcome(
        (0..300)
            .map(|n| message(n * 31 + n / 100 * 5_000, "anna", "a/k", "x"))
            .collect(),
    );
    let found = compare(&before, &after, Duration::from_secs(5));
    let paired = found.changed.len() + usize::try_from(found.same).unwrap();
    assert_eq!(found.gone.len() + paired, 500);
    assert_eq!(found.new.len() + paired, 300);
    assert!(paired > 0 && !found.new.is_empty());
    let in_order = |messages: &[Message]| messages.is_sorted_by_key(|one| one.at);
    assert!(in_order(&found.gone) && in_order(&found.new));
}
