//! A disk in memory that keeps what the real store keeps.

use std::collections::{BTreeMap, BTreeSet};

use andon_model::{
    AlarmId, AlarmRecord, AlarmState, Commit, Delivery, DeliveryId, DeliveryState, JournalEntry,
    OccurrenceId, Stage, StageRow, Timestamp,
};
use andon_store::Loaded;

/// All tables.
#[derive(Debug, Default)]
pub(super) struct Disk {
    alarms: BTreeMap<AlarmId, AlarmRecord>,
    /// In the order in which they became owed.
    order: Vec<DeliveryId>,
    deliveries: BTreeMap<DeliveryId, Delivery>,
    journal: Vec<JournalEntry>,
    states: BTreeMap<String, andon_model::StateMap>,
    timers: BTreeMap<String, Timestamp>,
    rows: BTreeMap<(Stage, String), serde_json::Value>,
    heard: BTreeSet<(String, String)>,
    last_occurrence: OccurrenceId,
}

impl Disk {
    pub(super) fn write(&mut self, commit: Commit, _now: Timestamp) {
        for change in commit.states {
            let of = self.states.entry(change.instance).or_default();
            match change.value {
                Some(value) => of.insert(change.key, value),
                None => of.remove(&change.key),
            };
        }
        for change in commit.timers {
            match change.wake_at {
                Some(at) => self.timers.insert(change.instance, at),
                None => self.timers.remove(&change.instance),
            };
        }
        for record in commit.alarms {
            let stands = self.alarms.get(&record.id);
            if record.state != AlarmState::Normal {
                self.alarms.insert(record.id.clone(), record);
            } else if stands.is_some_and(|stands| stands.occurrence == record.occurrence) {
                self.alarms.remove(&record.id);
            }
        }
        self.journal.extend(commit.journal);
        for row in commit.deliveries {
            if !self.deliveries.contains_key(&row.id) {
                self.order.push(row.id.clone());
            }
            self.deliveries.insert(row.id.clone(), row);
        }
        for row in commit.rows {
            match row.record {
                Some(record) => self.rows.insert((row.stage, row.key), record),
                None => self.rows.remove(&(row.stage, row.key)),
            };
        }
        self.heard.extend(commit.incoming);
        self.last_occurrence = self
            .last_occurrence
            .max(commit.last_occurrence.unwrap_or_default());
    }

    /// What a host finds when it starts.
    pub(super) fn load(&self) -> Loaded {
        let mut alarms: Vec<AlarmRecord> = self.alarms.values().cloned().collect();
        alarms.sort_by_key(|record| record.occurrence);
        let open = |row: &&Delivery| {
            row.state.is_owed() || matches!(row.state, DeliveryState::Sent { .. })
        };
        Loaded {
            alarms,
            states: self.states.clone(),
            timers: self.timers.clone(),
            open_deliveries: self.in_order().filter(open).cloned().collect(),
            rows: self
                .rows
                .iter()
                .map(|((stage, key), record)| StageRow {
                    stage: *stage,
                    key: key.clone(),
                    record: Some(record.clone()),
                })
                .collect(),
            last_occurrence: self.last_occurrence,
            ..Loaded::default()
        }
    }

    /// Rows that the desk must know: those that are open, and all of their alarms.
    pub(super) fn remembered(&self) -> Vec<Delivery> {
        let open =
            |row: &Delivery| row.state.is_owed() || matches!(row.state, DeliveryState::Sent { .. });
        let alarms: BTreeSet<OccurrenceId> = self
            .alarms
            .values()
            .map(|record| record.occurrence)
            .chain(
                self.deliveries
                    .values()
                    .filter(|row| row.state.is_owed())
                    .map(|row| row.occurrence),
            )
            .collect();
        self.in_order()
            .filter(|row| open(row) || alarms.contains(&row.occurrence))
            .cloned()
            .collect()
    }

    fn in_order(&self) -> impl Iterator<Item = &Delivery> {
        self.order.iter().filter_map(|id| self.deliveries.get(id))
    }

    pub(super) fn heard(&self, sink: &str, provider_id: &str) -> bool {
        self.heard
            .contains(&(sink.to_owned(), provider_id.to_owned()))
    }

    pub(super) const fn deliveries(&self) -> &BTreeMap<DeliveryId, Delivery> {
        &self.deliveries
    }

    pub(super) const fn alarms(&self) -> &BTreeMap<AlarmId, AlarmRecord> {
        &self.alarms
    }

    pub(super) fn journal(&self) -> &[JournalEntry] {
        &self.journal
    }
}
