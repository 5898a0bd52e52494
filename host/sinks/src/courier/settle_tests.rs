//! Every case of [`settle`](super::settle).

use std::time::Duration;

use andon_model::{
    Channel, Delivery, DeliveryId, DeliveryKind, DeliveryState, OccurrenceId, Outcome, Priority,
    Reason, Timestamp, Why,
};
use proptest::prelude::*;

use super::{CourierPolicy, settle};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn row(attempts: u32, channels: usize) -> Delivery {
    let channels: Vec<Channel> = (0..channels)
        .map(|n| Channel {
            sink: format!("sink{n}"),
            address: "+4790000001".into(),
        })
        .collect();
    let occurrence = OccurrenceId(1);
    Delivery {
        id: DeliveryId::of(occurrence, DeliveryKind::Alert, 0, "ann", &channels[0]),
        occurrence,
        kind: DeliveryKind::Alert,
        step: 0,
        contact: "ann".into(),
        channel: channels[0].clone(),
        channel_index: 0,
        channels,
        priority: Priority::High,
        text: "level high".into(),
        code: None,
        created_at: NOW,
        expires_at: NOW.plus(Duration::from_secs(3600)),
        state: DeliveryState::Sending,
        attempts,
        next_at: NOW,
        repeat: false,
        after: None,
        why: Why::new(Reason::RouteMatched, ""),
        test: false,
    }
}

fn retry(after: Option<u64>) -> Outcome {
    Outcome::Retry {
        after: after.map(Duration::from_secs),
        why: Why::new(Reason::RetryLater, "busy"),
    }
}

fn wait_of(settled: &super::Settled) -> f64 {
    settled.delivery.next_at.since(NOW).as_secs_f64()
}

#[test]
fn waits_double_up_to_the_longest() {
    let policy = CourierPolicy::default();
    let waits: Vec<f64> = (1..8)
        .map(|n| wait_of(&settle(&policy, &row(n, 1), retry(None), NOW, 0.0)))
        .collect();
    assert_eq!(waits, [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]);
}

#[test]
fn a_wait_that_the_provider_asked_for_is_never_cut_short() {
    let policy = CourierPolicy::default();
    for jitter in [-1.0, 0.0, 1.0, f64::NAN, f64::INFINITY] {
        let settled = settle(&policy, &row(1, 1), retry(Some(20)), NOW, jitter);
        assert!((20.0..=22.1).contains(&wait_of(&settled)), "{jitter}");
    }
}

#[test]
fn the_next_channel_is_tried_when_this_one_takes_too_long() {
    let policy = CourierPolicy::default();
    let later = NOW.plus(Duration::from_secs(27));
    let patient = settle(&policy, &row(1, 2), retry(None), later, 0.0);
    assert!(!patient.give_up_channel);
    let late = settle(&policy, &row(2, 2), retry(None), later, 0.0);
    assert!(late.give_up_channel);
    assert_eq!(late.delivery.state, DeliveryState::Failed);
    assert_eq!(late.delivery.why.reason, Reason::Failover);
    assert!(late.delivery.why.detail.contains("busy"));
    let asked = settle(&policy, &row(1, 2), retry(Some(60)), NOW, 0.0);
    assert!(asked.give_up_channel);
    let tired = settle(&policy, &row(5, 2), retry(None), NOW, 0.0);
    assert!(tired.give_up_channel);
}

#[test]
fn an_only_channel_is_tried_until_the_message_expires() {
    let policy = CourierPolicy::default();
    let later = NOW.plus(Duration::from_secs(3000));
    for outcome in passing_troubles() {
        let settled = settle(&policy, &row(50, 1), outcome, later, 0.0);
        assert!(!settled.give_up_channel);
        assert_eq!(settled.delivery.state, DeliveryState::Queued);
        assert!(settled.delivery.next_at > later);
    }
}

#[test]
fn the_last_of_several_channels_is_given_up_like_the_first() {
    let policy = CourierPolicy::default();
    let later = NOW.plus(Duration::from_secs(3000));
    for outcome in passing_troubles() {
        for index in 0..2 {
            let mut tired = row(5, 2);
            tired.channel_index = index;
            let settled = settle(&policy, &tired, outcome.clone(), later, 0.0);
            assert!(settled.give_up_channel, "channel {index}: {outcome:?}");
            assert_eq!(settled.delivery.state, DeliveryState::Failed);
        }
    }
}

#[test]
fn a_channel_that_is_given_up_remembers_how_long_its_provider_asked_to_wait() {
    let policy = CourierPolicy::default();
    let settled = settle(&policy, &row(1, 2), retry(Some(500)), NOW, 0.0);
    assert!(settled.give_up_channel);
    assert_eq!(wait_of(&settled), 500.0);
}

/// Every outcome after which the same channel may work later.
fn passing_troubles() -> [Outcome; 4] {
    [
        retry(None),
        retry(Some(500)),
        Outcome::SinkFailed {
            why: Why::new(Reason::ProviderFailed, "down"),
        },
        Outcome::Unknown {
            why: Why::new(Reason::ResultUnknown, "lost"),
        },
    ]
}

#[test]
fn a_dead_message_keeps_its_reason_and_gives_the_channel_up() {
    let policy = CourierPolicy::default();
    let why = Why::new(Reason::RecipientRefused, "no such number");
    let settled = settle(
        &policy,
        &row(1, 1),
        Outcome::Dead { why: why.clone() },
        NOW,
        0.0,
    );
    assert!(settled.give_up_channel);
    assert_eq!(settled.delivery.state, DeliveryState::Failed);
    assert_eq!(settled.delivery.why, why);
}

#[test]
fn a_failed_sink_is_left_at_once_when_there_is_another_channel() {
    let policy = CourierPolicy::default();
    let failed = || Outcome::SinkFailed {
        why: Why::new(Reason::SinkMisconfigured, "password"),
    };
    assert!(settle(&policy, &row(1, 2), failed(), NOW, 0.0).give_up_channel);
    let alone = settle(&policy, &row(1, 1), failed(), NOW, 0.0);
    assert!(!alone.give_up_channel);
    assert_eq!(wait_of(&alone), 30.0);
}

#[test]
fn an_unknown_result_marks_what_goes_out_next_also_by_another_channel() {
    let policy = CourierPolicy::default();
    let unknown = || Outcome::Unknown {
        why: Why::new(Reason::ResultUnknown, "time-out"),
    };
    let again = settle(&policy, &row(1, 2), unknown(), NOW, 0.0);
    assert!(again.delivery.repeat);
    assert_eq!(again.delivery.state, DeliveryState::Queued);
    let over = settle(&policy, &row(5, 2), unknown(), NOW, 0.0);
    assert!(over.give_up_channel && over.delivery.repeat);
}

#[test]
fn an_outcome_changes_nothing_of_a_row_that_is_not_owed_unless_it_was_taken_after_all() {
    let policy = CourierPolicy::default();
    let mut delivered = row(1, 2);
    delivered.state = DeliveryState::Delivered;
    let sent = || Outcome::Sent {
        provider_ids: vec!["1".into()],
    };
    assert_eq!(
        settle(&policy, &delivered, sent(), NOW, 0.0).delivery,
        delivered
    );
    let mut expired = row(1, 2);
    expired.state = DeliveryState::Expired;
    assert_eq!(
        settle(&policy, &expired, retry(None), NOW, 0.0).delivery,
        expired
    );
    assert!(
        settle(&policy, &expired, sent(), NOW, 0.0)
            .delivery
            .state
            .has_left()
    );
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    let why = Why::new(Reason::RetryLater, "x");
    let throttled = Why::new(Reason::Throttled, "x");
    prop_oneof![
        Just(Outcome::Sent {
            provider_ids: vec!["1".into()]
        }),
        prop::option::of(any::<u64>()).prop_map(move |after| Outcome::Retry {
            after: after.map(Duration::from_secs),
            why: throttled.clone(),
        }),
        Just(Outcome::Dead { why: why.clone() }),
        Just(Outcome::SinkFailed { why: why.clone() }),
        Just(Outcome::Unknown { why: why.clone() }),
        Just(Outcome::Expired { why }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_settled_row_never_claims_to_be_sending_and_waits_a_bounded_time(
        outcome in any_outcome(),
        attempts: u32,
        channels in 1_usize..4,
        index in 0_u32..5,
        jitter: f64,
        passed in 0_u64..100_000,
        repeat: bool,
    ) {
        let mut before = row(attempts, channels);
        before.channel_index = index;
        before.repeat = repeat;
        let now = NOW.plus(Duration::from_secs(passed));
        let settled = settle(&CourierPolicy::default(), &before, outcome, now, jitter);
        let after = settled.delivery;
        prop_assert!(after.state != DeliveryState::Sending);
        prop_assert_eq!(after.attempts, attempts);
        prop_assert!(after.repeat || !repeat, "a repeat stays a repeat");
        prop_assert_eq!(settled.give_up_channel, after.state == DeliveryState::Failed);
        if after.state == DeliveryState::Queued {
            let wait = after.next_at.since(now);
            prop_assert!(wait >= Duration::from_secs(1));
            prop_assert!(wait <= Duration::from_secs(3961));
        }
        prop_assert_eq!((after.id, after.text), (before.id, before.text));
    }
}
