//! Channels of one contact, from the outcome of a send to the next channel's row: the courier's
//! decision and the desk's together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use andon_alarms::{AlarmBook, AlarmLimits, Conditioning};
use andon_model::{
    AlarmId, Commit, Delivery, DeliveryId, DeliveryState, OccurrenceId, Outcome, Priority, Reason,
    Timestamp, Why,
};
use andon_routing::{AddressForm, Desk, KnownSink, PeopleSettings, RoutingPlan, check};
use andon_sinks::courier::CourierPolicy;
use andon_web::Metrics;
use proptest::prelude::*;

use super::Concern;
use super::draft::Draft;

const START: Timestamp = Timestamp::from_secs(1_800_000_000);

const PEOPLE: &str = r#"
[[contacts]]
name = "anna"
phone = "+4790000001"
channels = ["smsc", "twilio"]

[routing]
fallback = ["anna"]
"#;

fn plan() -> Arc<RoutingPlan> {
    let settings: PeopleSettings = toml::from_str(PEOPLE).expect("settings parse");
    let sinks = ["smsc", "twilio"].map(|name| KnownSink {
        name: name.to_owned(),
        address: AddressForm::Phone,
    });
    let (plan, findings) = check(&settings, &sinks);
    Arc::new(plan.unwrap_or_else(|| panic!("refused: {findings:?}")))
}

/// Alarm book, desk and outbox of a plant whose only contact is anna, with two channels.
struct Plant {
    now: Timestamp,
    book: AlarmBook,
    conditions: Conditioning,
    desk: Desk,
    metrics: Metrics,
    rows: BTreeMap<DeliveryId, Delivery>,
    /// Every send: channel, text on the wire, when.
    wire: Vec<(String, String, Timestamp)>,
}

impl Plant {
    /// With one alarm raised.
    fn alarmed() -> Self {
        let mut plant = Self {
            now: START,
            book: AlarmBook::restore(Vec::new(), OccurrenceId(0), AlarmLimits::default()),
            conditions: Conditioning::restore(&[], START),
            desk: Desk::restore(plan(), Vec::new(), &[], &[], START).0,
            metrics: Metrics::default(),
            rows: BTreeMap::new(),
            wire: Vec::new(),
        };
        plant.step(|draft| draft.concern(Concern::raise("level", Priority::High, "Level high")));
        plant
    }

    fn step(&mut self, work: impl FnOnce(&mut Draft<'_>)) {
        let mut draft = Draft {
            now: self.now,
            book: &mut self.book,
            conditions: &mut self.conditions,
            desk: &mut self.desk,
            metrics: &self.metrics,
            commit: Commit::default(),
        };
        work(&mut draft);
        let rows = draft.commit.deliveries;
        self.rows
            .extend(rows.into_iter().map(|row| (row.id.clone(), row)));
        let owed = self.rows.values().filter(|row| row.state.is_owed());
        assert!(owed.count() <= 1, "one channel of a debt at a time");
    }

    /// The row that is owed, at the time when it is due; `None` when nothing is owed any more.
    fn due(&mut self) -> Option<Delivery> {
        let row = self.rows.values().find(|row| row.state.is_owed())?.clone();
        assert_eq!(row.state, DeliveryState::Queued);
        self.now = self.now.max(row.next_at.min(row.expires_at));
        Some(row)
    }

    /// Claims and sends a row as the courier does; the channel answers this.
    fn send(&mut self, row: &Delivery, outcome: Outcome, jitter: f64) {
        let policy = CourierPolicy::default();
        if self.now >= row.expires_at {
            let why = Why::new(Reason::Expired, "too old");
            let expired = Outcome::Expired { why };
            return self
                .step(|draft| draft.outcome(&policy, &row.id, row.attempts, expired, jitter));
        }
        let claimed = Delivery {
            state: DeliveryState::Sending,
            attempts: row.attempts + 1,
            next_at: self.now,
            ..row.clone()
        };
        self.wire
            .push((row.channel.sink.clone(), claimed.wire_text(), self.now));
        self.step(|draft| draft.claim(vec![claimed.clone()]));
        self.now = self.now.plus(Duration::from_millis(10));
        self.step(|draft| draft.outcome(&policy, &row.id, claimed.attempts, outcome, jitter));
    }

    fn left(&self) -> bool {
        self.rows.values().any(|row| row.state.has_left())
    }

    fn anna_counts_as_unreached(&self) -> bool {
        let id = AlarmId::new(AlarmId::HOST, "unreached.anna");
        self.book
            .get(&id)
            .is_some_and(|record| record.state.is_active())
    }
}

fn retry() -> Outcome {
    Outcome::Retry {
        after: None,
        why: Why::new(Reason::RetryLater, "busy"),
    }
}

fn unknown() -> Outcome {
    Outcome::Unknown {
        why: Why::new(Reason::ResultUnknown, "no answer"),
    }
}

fn taken() -> Outcome {
    Outcome::Sent {
        provider_ids: vec!["id".into()],
    }
}

#[test]
fn what_may_have_arrived_by_one_channel_goes_out_marked_by_the_next() {
    let mut plant = Plant::alarmed();
    let first = plant.due().expect("owed");
    plant.send(&first, unknown(), 0.0);
    // The marked repeats are surely not taken: the mark stays because of the first send.
    while let Some(row) = plant.due() {
        if row.channel.sink == "twilio" && plant.wire.len() > 8 {
            plant.send(&row, taken(), 0.0);
        } else {
            plant.send(&row, retry(), 0.0);
        }
    }
    let texts: Vec<bool> = plant
        .wire
        .iter()
        .map(|(_, text, _)| text.starts_with("(repeat) "))
        .collect();
    assert!(!texts[0]);
    assert!(texts[1..].iter().all(|marked| *marked), "{:?}", plant.wire);
    let sinks: Vec<&str> = plant.wire.iter().map(|(sink, ..)| &**sink).collect();
    assert!(sinks.ends_with(&["smsc", "twilio"]), "rounds: {sinks:?}");
    assert!(plant.left());
}

#[test]
fn a_message_that_surely_never_left_is_not_marked_on_the_next_channel() {
    let mut plant = Plant::alarmed();
    while let Some(row) = plant.due() {
        let outcome = if row.channel.sink == "twilio" {
            taken()
        } else {
            retry()
        };
        plant.send(&row, outcome, 0.0);
    }
    assert!(plant.left());
    assert!(
        plant
            .wire
            .iter()
            .all(|(_, text, _)| !text.contains("(repeat)"))
    );
}

#[test]
fn a_first_channel_that_recovers_carries_the_message_although_the_last_one_failed() {
    let mut plant = Plant::alarmed();
    let recovers = START.plus(Duration::from_secs(1200));
    while let Some(row) = plant.due() {
        let works = row.channel.sink == "smsc" && plant.now >= recovers;
        plant.send(&row, if works { taken() } else { retry() }, 0.0);
    }
    assert!(plant.left());
    let (sink, _, at) = plant.wire.last().expect("sent");
    assert_eq!(sink, "smsc");
    assert!(
        at.since(recovers) <= Duration::from_secs(180),
        "its turn came soon"
    );
    assert!(!plant.anna_counts_as_unreached());
}

#[test]
fn channels_that_never_recover_take_turns_until_the_message_is_too_old() {
    for jitter in [-1.0, 0.0, 1.0] {
        let mut plant = Plant::alarmed();
        while let Some(row) = plant.due() {
            plant.send(&row, retry(), jitter);
        }
        assert!(!plant.left());
        assert!(plant.anna_counts_as_unreached());
        let tries = |sink: &str| plant.wire.iter().filter(|(by, ..)| by == sink).count();
        // Two hours, a minute from one try to the next after the first round.
        assert!(
            (100..=130).contains(&plant.wire.len()),
            "{}",
            plant.wire.len()
        );
        assert!(
            tries("smsc") >= 50 && tries("twilio") >= 50,
            "both have turns"
        );
    }
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    let why = |reason| Why::new(reason, "x");
    prop_oneof![
        3 => Just(retry()),
        2 => Just(unknown()),
        2 => (1_u64..4000).prop_map(move |secs| Outcome::Retry {
            after: Some(Duration::from_secs(secs)),
            why: why(Reason::Throttled),
        }),
        2 => Just(Outcome::SinkFailed { why: why(Reason::ProviderFailed) }),
        1 => Just(Outcome::Dead { why: why(Reason::RecipientRefused) }),
        1 => Just(taken()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_channels_answer_a_message_is_told_or_its_loss_is(
        outcomes in prop::collection::vec((any_outcome(), -1.0..1.0), 1..40),
    ) {
        let mut plant = Plant::alarmed();
        let mut told = Vec::new();
        // After what was drawn, channels fail for the time being.
        let mut drawn = outcomes.into_iter();
        while let Some(row) = plant.due() {
            let (outcome, jitter) = drawn.next().unwrap_or((retry(), 0.0));
            let sent = plant.wire.len();
            plant.send(&row, outcome.clone(), jitter);
            if plant.wire.len() > sent {
                told.push(outcome);
            }
        }
        let taken = told.iter().any(|outcome| matches!(outcome, Outcome::Sent { .. }));
        prop_assert_eq!(plant.left(), taken);
        prop_assert_eq!(plant.anna_counts_as_unreached(), !taken);
        prop_assert!(plant.wire.len() <= 10 + 130, "{} tries", plant.wire.len());
        for pair in plant.wire.windows(2) {
            let same = pair[0].0 == pair[1].0;
            prop_assert!(!same || pair[1].2.since(pair[0].2) >= Duration::from_secs(1));
        }
        let unknown = told.iter().position(|outcome| matches!(outcome, Outcome::Unknown { .. }));
        for (number, (_, text, _)) in plant.wire.iter().enumerate() {
            let marked = unknown.is_some_and(|first| number > first);
            prop_assert_eq!(text.starts_with("(repeat) "), marked, "send {}", number);
        }
    }
}
