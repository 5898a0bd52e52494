//! Any sequence of commits and restarts against maps.

use std::collections::BTreeMap;

use andon_model::{
    AlarmState, Commit, DeliveryState, OccurrenceId, StateMap, TimerChange, Timestamp,
};
use andon_store::Loaded;
use proptest::prelude::*;

use crate::kit::{Bench, alarm, delivery, line, state};

#[derive(Debug, Clone)]
enum Change {
    State(u8, Option<u8>),
    Timer(u8, Option<i64>),
    Alarm(u64, AlarmState),
    Delivery(u64, DeliveryState),
    Line(u64),
}

#[derive(Debug, Clone)]
enum Input {
    Commit(Vec<Change>),
    Restart,
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let alarm_state = prop_oneof![
        Just(AlarmState::Normal),
        Just(AlarmState::Unacknowledged),
        Just(AlarmState::Acknowledged),
    ];
    let delivery_state = prop_oneof![
        Just(DeliveryState::Queued),
        Just(DeliveryState::Sending),
        Just(DeliveryState::Sent {
            provider_ids: vec!["x".into()]
        }),
        Just(DeliveryState::Delivered),
        Just(DeliveryState::Failed),
    ];
    let change = prop_oneof![
        (0..4_u8, any::<Option<u8>>()).prop_map(|(key, value)| Change::State(key, value)),
        (0..3_u8, any::<Option<i64>>()).prop_map(|(of, at)| Change::Timer(of, at)),
        (1..6_u64, alarm_state).prop_map(|(n, state)| Change::Alarm(n, state)),
        (1..6_u64, delivery_state).prop_map(|(n, state)| Change::Delivery(n, state)),
        (0..6_u64).prop_map(Change::Line),
    ];
    let input = prop_oneof![
        5 => prop::collection::vec(change, 0..6).prop_map(Input::Commit),
        1 => Just(Input::Restart),
    ];
    prop::collection::vec(input, 1..20)
}

fn commit_of(changes: &[Change]) -> Commit {
    let mut commit = Commit::default();
    for change in changes {
        match change.clone() {
            Change::State(key, value) => {
                let value = value.map(|byte| [byte]);
                let value = value.as_ref().map(<[u8; 1]>::as_slice);
                commit.states.push(state("a", &key.to_string(), value));
            }
            Change::Timer(of, at) => commit.timers.push(TimerChange {
                instance: of.to_string(),
                wake_at: at.map(Timestamp::from_nanos),
            }),
            // Two occurrences of each condition, so that they meet.
            Change::Alarm(n, state) => {
                commit.alarms.push(alarm(n, &(n / 2).to_string(), state));
            }
            Change::Delivery(n, state) => commit.deliveries.push(delivery(n, 0, state)),
            Change::Line(n) => commit.journal.push(line((n > 0).then_some(n), "e")),
        }
    }
    commit
}

#[derive(Default)]
struct Model {
    loaded: Loaded,
    lines: Vec<andon_model::JournalEntry>,
    deliveries: Vec<andon_model::Delivery>,
}

impl Model {
    fn commit(&mut self, commit: &Commit) {
        for change in &commit.states {
            let of: &mut StateMap = self
                .loaded
                .states
                .entry(change.instance.clone())
                .or_default();
            match &change.value {
                Some(value) => of.insert(change.key.clone(), value.clone()),
                None => of.remove(&change.key),
            };
        }
        for change in &commit.timers {
            match change.wake_at {
                Some(at) => self.loaded.timers.insert(change.instance.clone(), at),
                None => self.loaded.timers.remove(&change.instance),
            };
        }
        for record in &commit.alarms {
            let over = record.state == AlarmState::Normal;
            self.loaded.alarms.retain(|known| {
                known.occurrence != record.occurrence && (over || known.id != record.id)
            });
            if !over {
                self.loaded.alarms.push(record.clone());
            }
        }
        self.lines.extend(commit.journal.clone());
        for delivery in &commit.deliveries {
            match self
                .deliveries
                .iter_mut()
                .find(|known| known.id == delivery.id)
            {
                Some(known) => *known = delivery.clone(),
                None => self.deliveries.push(delivery.clone()),
            }
        }
    }

    fn loaded(&self) -> Loaded {
        let mut loaded = self.loaded.clone();
        loaded.alarms.sort_by_key(|record| record.occurrence);
        loaded.states.retain(|_, of| !of.is_empty());
        loaded.open_deliveries = self.deliveries.clone();
        loaded.open_deliveries.retain(|delivery| {
            delivery.state.is_owed() || matches!(delivery.state, DeliveryState::Sent { .. })
        });
        let lines = self.lines.iter().filter_map(|line| line.occurrence);
        let deliveries = self.deliveries.iter().map(|delivery| delivery.occurrence);
        let alarms = loaded.alarms.iter().map(|record| record.occurrence);
        loaded.last_occurrence = lines
            .chain(deliveries)
            .chain(alarms)
            .max()
            .unwrap_or(OccurrenceId(0));
        loaded
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_restart_finds_exactly_what_was_committed(inputs in inputs()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bench = Bench::new();
        let mut model = Model::default();
        let (mut store, _) = bench.open();
        for input in inputs.into_iter().chain([Input::Restart]) {
            match input {
                Input::Commit(changes) => {
                    let commit = commit_of(&changes);
                    model.commit(&commit);
                    runtime.block_on(async { store.commit(commit).await.await }).unwrap();
                }
                Input::Restart => {
                    runtime.block_on(store.close()).unwrap();
                    let loaded;
                    (store, loaded) = bench.open();
                    prop_assert_eq!(loaded, model.loaded());
                }
            }
        }
        let reader = store.reader().unwrap();
        let rows = reader.journal(&Default::default()).unwrap();
        let lines: Vec<_> = rows.into_iter().rev().map(|row| row.entry).collect();
        prop_assert_eq!(&lines, &model.lines);
        prop_assert_eq!(reader.standing().unwrap(), model.loaded().alarms);
        let counts = reader.counts().unwrap();
        let queued = model.deliveries.iter().filter(|d| d.state == DeliveryState::Queued);
        prop_assert_eq!(counts.queued, queued.count() as u64);
        let of_two: BTreeMap<_, _> = reader
            .deliveries_of(OccurrenceId(2))
            .unwrap()
            .into_iter()
            .map(|delivery| (delivery.id.clone(), delivery))
            .collect();
        for delivery in model.deliveries.iter().filter(|d| d.occurrence == OccurrenceId(2)) {
            prop_assert_eq!(&of_two[&delivery.id], delivery);
            let found = reader.delivery(&delivery.id).unwrap();
            prop_assert_eq!(found.as_ref(), Some(delivery));
        }
    }
}
