//! The alarms that are not over, with the ways to find them, always in step with one another.

use std::collections::{BTreeMap, HashMap};

use andon_model::{AlarmId, AlarmRecord, OccurrenceId, ShortCode};

#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    records: BTreeMap<OccurrenceId, AlarmRecord>,
    by_id: BTreeMap<AlarmId, OccurrenceId>,
    by_code: HashMap<ShortCode, OccurrenceId>,
    held: HashMap<String, usize>,
}

impl Standing {
    /// Adds a record; one of the same condition must have been taken out before.
    pub(crate) fn insert(&mut self, record: AlarmRecord) {
        self.by_id.insert(record.id.clone(), record.occurrence);
        self.by_code.insert(record.code.clone(), record.occurrence);
        match self.held.get_mut(&record.id.instance) {
            Some(held) => *held += 1,
            None => {
                self.held.insert(record.id.instance.clone(), 1);
            }
        }
        self.records.insert(record.occurrence, record);
    }

    pub(crate) fn remove(&mut self, occurrence: OccurrenceId) -> Option<AlarmRecord> {
        let record = self.records.remove(&occurrence)?;
        self.by_id.remove(&record.id);
        if self.by_code.get(&record.code) == Some(&occurrence) {
            self.by_code.remove(&record.code);
        }
        if let Some(held) = self.held.get_mut(&record.id.instance) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                self.held.remove(&record.id.instance);
            }
        }
        Some(record)
    }

    pub(crate) fn get(&self, occurrence: OccurrenceId) -> Option<&AlarmRecord> {
        self.records.get(&occurrence)
    }

    /// For changes of anything but what the record is found by.
    pub(crate) fn get_mut(&mut self, occurrence: OccurrenceId) -> Option<&mut AlarmRecord> {
        self.records.get_mut(&occurrence)
    }

    pub(crate) fn find(&self, id: &AlarmId) -> Option<OccurrenceId> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn find_code(&self, code: &ShortCode) -> Option<OccurrenceId> {
        self.by_code.get(code).copied()
    }

    /// Records in the order in which they began.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &AlarmRecord> {
        self.records.values()
    }

    /// Records of one instance whose keys are not before `key`, in the order of their keys.
    pub(crate) fn of_instance_from<'a>(
        &'a self,
        instance: &'a str,
        key: &str,
    ) -> impl Iterator<Item = &'a AlarmRecord> {
        self.by_id
            .range(AlarmId::new(instance, key)..)
            .take_while(move |(id, _)| id.instance == instance)
            .filter_map(|(_, occurrence)| self.records.get(occurrence))
    }

    pub(crate) fn held_by(&self, instance: &str) -> usize {
        self.held.get(instance).copied().unwrap_or(0)
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }
}
