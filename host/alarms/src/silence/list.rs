//! The list of all that is silent, for people to look through.

use andon_model::{AlarmFlags, AlarmId, AlarmRecord, Priority};
use serde::{Deserialize, Serialize};

use crate::book::AlarmBook;

/// A condition that is shelved, suppressed or out of service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Silenced {
    /// Which.
    pub id: AlarmId,
    /// What silences it, by whom, since when and until when.
    pub flags: AlarmFlags,
    /// How urgent its alarms are, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// What its alarm said last, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The alarm that stands; `None` while the condition is normal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<AlarmRecord>,
}

impl AlarmBook {
    /// All that is silent, by condition.
    #[must_use]
    pub fn silenced(&self) -> Vec<Silenced> {
        let by_people = self.silences.iter().map(|entry| {
            let alarm = self.get(&entry.id).cloned();
            Silenced {
                flags: self.flags_of(&entry.id),
                priority: alarm
                    .as_ref()
                    .map(|alarm| alarm.priority)
                    .or(entry.priority),
                message: alarm
                    .as_ref()
                    .map(|alarm| alarm.message.clone())
                    .or_else(|| entry.message.clone()),
                id: entry.id.clone(),
                alarm,
            }
        });
        let suppressed = self
            .standing()
            .filter(|record| record.is_silenced() && self.silences.get(&record.id).is_none())
            .map(|record| Silenced {
                id: record.id.clone(),
                flags: record.flags.clone(),
                priority: Some(record.priority),
                message: Some(record.message.clone()),
                alarm: Some(record.clone()),
            });
        let mut all: Vec<Silenced> = by_people.chain(suppressed).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }
}
