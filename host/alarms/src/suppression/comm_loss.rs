//! The loss of a device inhibits the alarms that it brings about: people hear of the device, and
//! not of each of its tags.
//!
//! A unit counts as lost while the host's alarm about it is active. Since the samples that a loss
//! turns bad arrive just before that alarm, a unit also counts as lost once one of its tags says so,
//! for [`CONFIRM`] at most: without the alarm nobody would be told of anything. It counts as lost for
//! [`SETTLE`] after its end, so that rules see values before what they said is told.
//!
//! Only alarms that began during the loss are silenced: what was told before goes on as it was.
//! A row a lost unit: `comm/NAME/UNIT`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use andon_model::{AlarmId, AlarmRecord, Stage, StageRow, TagId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::book::AlarmBook;
use crate::reach::{LinkChange, Reach, UnitName};

/// How long a unit counts as lost because of its tags alone.
const CONFIRM: Duration = Duration::from_secs(10);
/// How long after the end of a loss its alarms stay silenced.
const SETTLE: Duration = Duration::from_secs(2);

/// Key of the host's alarm about a unit that does not answer.
#[must_use]
pub fn comm_key(device: &str, unit: u8) -> String {
    format!("device.{device}.unit{unit}.comm")
}

/// The unit that a host alarm is about.
fn unit_of_key(key: &str) -> Option<UnitName> {
    let (device, unit) = key
        .strip_prefix("device.")?
        .strip_suffix(".comm")?
        .rsplit_once(".unit")?;
    Some((device.into(), unit.parse().ok()?))
}

/// The units of which something is known.
#[derive(Debug, Default)]
pub(super) struct CommLoss {
    units: BTreeMap<UnitName, UnitState>,
}

#[derive(Debug, Clone, Default)]
struct UnitState {
    /// Tags that say so.
    lost_tags: BTreeSet<TagId>,
    /// Its alarm is active.
    told: bool,
    /// Until when the tags alone count.
    tags_count_until: Option<Timestamp>,
    lost: Option<Lost>,
}

/// The row of a lost unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Lost {
    since: Timestamp,
    /// It answers again, and counts as lost until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

impl CommLoss {
    pub(super) fn restore(&mut self, key: &str, record: &Value) {
        let Some((device, unit)) = key
            .strip_prefix("comm/")
            .and_then(|name| name.rsplit_once('/'))
        else {
            return;
        };
        if let (Ok(unit), Ok(lost)) = (unit.parse(), serde_json::from_value(record.clone())) {
            let state = self.units.entry((device.into(), unit)).or_default();
            state.lost = Some(lost);
        }
    }

    /// Finds anew what tags and alarms say.
    pub(super) fn replace(
        &mut self,
        reach: &Reach,
        lost: impl Iterator<Item = TagId>,
        book: &AlarmBook,
        now: Timestamp,
    ) {
        for state in self.units.values_mut() {
            state.lost_tags.clear();
            state.told = false;
        }
        for tag in lost {
            if let Some(state) = self.unit(reach, tag) {
                state.lost_tags.insert(tag);
            }
        }
        for record in book.of_instance(AlarmId::HOST) {
            if record.state.is_active()
                && let Some(unit) = unit_of_key(&record.id.key)
            {
                let state = self.units.entry(unit).or_default();
                state.told = true;
                let since = state
                    .lost
                    .map_or(record.raised_at.minus(CONFIRM), |lost| lost.since);
                state.lost = Some(Lost { since, until: None });
            }
        }
        // Rows of units that nothing speaks of any more end by their time.
        for state in self.units.values_mut() {
            let ends = state.lost.is_some_and(|lost| lost.until.is_none());
            if let (true, false, Some(lost)) = (ends, state.told, &mut state.lost) {
                lost.until = Some(now.plus(SETTLE));
            }
        }
    }

    fn unit(&mut self, reach: &Reach, tag: TagId) -> Option<&mut UnitState> {
        let unit = reach.units().get(reach.unit_of(tag)?)?;
        Some(self.units.entry(unit.clone()).or_default())
    }

    /// A tag says that its device fell silent, or answers again; whether that changed anything.
    pub(super) fn see(
        &mut self,
        reach: &Reach,
        change: LinkChange,
        now: Timestamp,
        rows: &mut Vec<StageRow>,
    ) -> bool {
        let (LinkChange::Lost(tag) | LinkChange::Found(tag)) = change;
        let Some(unit) = reach.unit_of(tag).and_then(|unit| reach.units().get(unit)) else {
            return false;
        };
        let state = self.units.entry(unit.clone()).or_default();
        match change {
            LinkChange::Lost(tag) => {
                let is_first = state.lost_tags.is_empty();
                state.lost_tags.insert(tag);
                if is_first {
                    state.tags_count_until = Some(now.plus(CONFIRM));
                }
            }
            LinkChange::Found(tag) => {
                state.lost_tags.remove(&tag);
            }
        }
        state.settle(unit, now, rows)
    }

    /// A step of the host's alarm about a unit; whether that changed anything.
    pub(super) fn note(
        &mut self,
        record: &AlarmRecord,
        now: Timestamp,
        rows: &mut Vec<StageRow>,
    ) -> bool {
        if record.id.instance != AlarmId::HOST {
            return false;
        }
        let Some(unit) = unit_of_key(&record.id.key) else {
            return false;
        };
        let state = self.units.entry(unit.clone()).or_default();
        let told = record.state.is_active();
        if state.told && !told && !state.lost_tags.is_empty() {
            // The good samples may be on their way still.
            state.tags_count_until = Some(now.plus(CONFIRM));
        }
        state.told = told;
        state.settle(&unit, now, rows)
    }

    pub(super) fn next_wake(&self) -> Option<Timestamp> {
        self.units
            .values()
            .filter_map(|state| {
                let lost = state.lost.as_ref()?;
                let by_tags = state.tags_count_until.filter(|_| !state.told);
                lost.until.or(by_tags)
            })
            .min()
    }

    pub(super) fn on_time(&mut self, now: Timestamp, rows: &mut Vec<StageRow>) -> bool {
        let mut flipped = false;
        for (unit, state) in &mut self.units {
            flipped |= state.settle(unit, now, rows);
        }
        flipped
    }

    /// The lost unit under which this alarm began.
    pub(super) fn lost_under(&self, reach: &Reach, record: &AlarmRecord) -> Option<(Arc<str>, u8)> {
        if self.units.values().all(|state| state.lost.is_none()) {
            return None;
        }
        let lost = |unit: usize| {
            let state = reach
                .units()
                .get(unit)
                .and_then(|name| self.units.get(name));
            let lost = state.and_then(|state| state.lost);
            lost.is_some_and(|lost| lost.since <= record.raised_at)
        };
        let AlarmId { instance, key } = &record.id;
        let unit = reach.lies_on_lost(instance, key, &record.labels, lost)?;
        reach.units().get(unit).cloned()
    }
}

impl UnitState {
    /// Brings what counts in line with what tags and alarm say; whether that changed.
    fn settle(&mut self, unit: &UnitName, now: Timestamp, rows: &mut Vec<StageRow>) -> bool {
        if self.tags_count_until.is_some_and(|until| until <= now) {
            self.tags_count_until = None;
        }
        let by_tags = !self.lost_tags.is_empty() && self.tags_count_until.is_some();
        let next = match (self.lost, self.told || by_tags) {
            (None, true) => Some(Lost {
                since: now,
                until: None,
            }),
            (Some(lost), true) => Some(Lost {
                until: None,
                ..lost
            }),
            (Some(lost), false) => match lost.until {
                None => Some(Lost {
                    until: Some(now.plus(SETTLE)),
                    ..lost
                }),
                Some(until) if until <= now => None,
                Some(_) => Some(lost),
            },
            (None, false) => None,
        };
        if next == self.lost {
            return false;
        }
        let flipped = next.is_some() != self.lost.is_some();
        self.lost = next;
        rows.push(StageRow {
            stage: Stage::Suppression,
            key: format!("comm/{}/{}", unit.0, unit.1),
            record: next.and_then(|lost| serde_json::to_value(lost).ok()),
        });
        flipped
    }
}
