//! Floods: more alarms than people can act on.
//!
//! Annunciations are counted, not activations: what is silenced does not count, what is told again
//! does. A flood begins above `start` of them within `window` and ends below `end` (ISA-18.2: 10 and 5
//! in 10 minutes). While it lasts, alarms that can wait are held and told together, every
//! `digest_every` and once when it ends; from `tell_from` on they are told one by one. The host's own
//! alarms never count and are never held.
//!
//! Rows: `scope/NAME` is a scope with its last annunciations and its flood, `held/NAME/NUMBER` an alarm
//! that is held. Nothing is lost by a hold: the alarm stands in the book, and each one that a digest
//! told is journalled with it.

mod settings;

use std::collections::{BTreeMap, VecDeque};

use andon_model::{
    Action, AlarmEvent, AlarmId, AlarmRecord, AlarmRequest, DurationText, OccurrenceId, Priority,
    Stage, StageRow, Timestamp, Transition,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use settings::FloodSettings;

/// Scopes that are counted by themselves; alarms of further values of the label count together.
const SCOPES_MAX: usize = 1_000;
/// Alarms that a scope holds for one digest; of further ones the digest says only how many.
const HELD_MAX: usize = 2_000;
/// Key of the host's alarm about a flood.
const FLOOD_KEY: &str = "alarms-flood";

/// How an event of an alarm is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// As always.
    Now,
    /// With others, in the next digest of the flood.
    InDigest,
    /// It was held for a digest and became urgent: now, as if it had just been raised.
    AfterAll,
}

/// Alarms that are told in one message.
#[derive(Debug, Clone, PartialEq)]
pub struct FloodDigest {
    /// Value of the label by which floods are counted; empty for all alarms together.
    pub scope: String,
    /// When the flood began.
    pub since: Timestamp,
    /// Whether the flood is over.
    pub over: bool,
    /// The alarms as they were when they were held, in the order in which they came.
    pub held: Vec<AlarmRecord>,
    /// How many more there were than could be held.
    pub more: u64,
}

/// What is due.
#[derive(Debug, Default)]
pub(crate) struct FloodDue {
    pub(crate) digests: Vec<FloodDigest>,
    pub(crate) host: Vec<Action>,
}

/// All scopes.
#[derive(Debug, Default)]
pub(crate) struct Floods {
    scopes: BTreeMap<String, Scope>,
    rows: Vec<StageRow>,
}

/// The row of a scope, but for what it holds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Scope {
    /// The last annunciations, oldest first, no more than are needed to tell begin and end.
    recent: VecDeque<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flood: Option<Flood>,
    #[serde(skip)]
    held: BTreeMap<OccurrenceId, AlarmRecord>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Flood {
    since: Timestamp,
    digest_at: Timestamp,
    more: u64,
}

impl Floods {
    /// What was kept over a restart.
    pub(crate) fn restore(rows: &[StageRow]) -> Self {
        let mut all = Self::default();
        let of_stage = || rows.iter().filter(|row| row.stage == Stage::Flood);
        for row in of_stage() {
            let record = row.record.clone().unwrap_or_default();
            if let Some(name) = row.key.strip_prefix("scope/")
                && let Ok(scope) = serde_json::from_value(record)
            {
                all.scopes.insert(name.to_owned(), scope);
            }
        }
        for row in of_stage() {
            let record = row.record.clone().unwrap_or_default();
            if let Some((name, _)) = row
                .key
                .strip_prefix("held/")
                .and_then(|rest| rest.rsplit_once('/'))
                && let Ok(record) = serde_json::from_value::<AlarmRecord>(record)
            {
                let scope = all.scopes.entry(name.to_owned()).or_default();
                scope.held.insert(record.occurrence, record);
            }
        }
        all
    }

    /// Counts an event if it calls for a person, and says how it is told; a flood that begins by it
    /// is told by the action.
    pub(crate) fn note(
        &mut self,
        settings: &FloodSettings,
        event: &AlarmEvent,
        now: Timestamp,
    ) -> (Telling, Option<Action>) {
        let record = &event.record;
        if !settings.enabled || record.id.instance == AlarmId::HOST {
            return (Telling::Now, None);
        }
        if event.transition == Transition::Updated {
            return (self.updated(settings, record), None);
        }
        if !calls_for_a_person(event) {
            return (Telling::Now, None);
        }
        let name = self.scope_of(settings, record);
        let scope = self.scopes.entry(name.clone()).or_default();
        scope.recent.push_back(now);
        let kept = usize::try_from(settings.start.max(settings.end)).unwrap_or(usize::MAX);
        while scope.recent.len() > kept.saturating_add(1) {
            scope.recent.pop_front();
        }
        let mut begun = None;
        if scope.flood.is_none() && scope.count(settings, now) > settings.start as usize {
            scope.flood = Some(Flood {
                since: now,
                digest_at: now.plus(settings.digest_every.0),
                more: 0,
            });
            begun = Some(Action::Raise(flood_alarm(settings, &name)));
        }
        let telling = match &mut scope.flood {
            Some(flood) if record.priority < settings.tell_from => {
                if scope.held.len() < HELD_MAX {
                    scope.held.insert(record.occurrence, record.clone());
                    let key = held_key(&name, record.occurrence);
                    self.rows.push(row(key, serde_json::to_value(record).ok()));
                } else {
                    flood.more = flood.more.saturating_add(1);
                }
                Telling::InDigest
            }
            _ => Telling::Now,
        };
        self.keep(&name);
        (telling, begun)
    }

    /// An alarm that is held and has become urgent is held no longer.
    fn updated(&mut self, settings: &FloodSettings, record: &AlarmRecord) -> Telling {
        let holder = self
            .scopes
            .iter_mut()
            .find(|(_, scope)| scope.held.contains_key(&record.occurrence));
        let Some((name, scope)) = holder else {
            return Telling::Now;
        };
        if record.priority < settings.tell_from {
            return Telling::InDigest;
        }
        scope.held.remove(&record.occurrence);
        self.rows.push(row(held_key(name, record.occurrence), None));
        Telling::AfterAll
    }

    fn scope_of(&self, settings: &FloodSettings, record: &AlarmRecord) -> String {
        let value = settings
            .per_label
            .as_ref()
            .and_then(|label| record.labels.get(label))
            .map_or("", String::as_str);
        if self.scopes.contains_key(value) || self.scopes.len() < SCOPES_MAX {
            value.to_owned()
        } else {
            String::new()
        }
    }

    /// When [`Floods::on_time`] has something to do next.
    pub(crate) fn next_wake(&self, settings: &FloodSettings) -> Option<Timestamp> {
        self.scopes
            .values()
            .filter_map(|scope| match scope.flood {
                Some(flood) if settings.enabled => {
                    Some(flood.digest_at.min(scope.ends_at(settings)))
                }
                None if scope.held.is_empty() => None,
                Some(_) | None => Some(Timestamp::EPOCH),
            })
            .min()
    }

    /// Tells what is held where a digest is due or a flood is over.
    pub(crate) fn on_time(&mut self, settings: &FloodSettings, now: Timestamp) -> FloodDue {
        let mut due = FloodDue::default();
        let flooded: Vec<String> = self
            .scopes
            .iter()
            .filter(|(_, scope)| scope.flood.is_some() || !scope.held.is_empty())
            .map(|(name, _)| name.clone())
            .collect();
        for name in flooded {
            self.due_in(settings, &name, now, &mut due);
        }
        let idle = |scope: &Scope| {
            scope.flood.is_none() && scope.held.is_empty() && scope.count(settings, now) == 0
        };
        let over: Vec<String> = self
            .scopes
            .iter()
            .filter(|(_, scope)| idle(scope))
            .map(|(name, _)| name.clone())
            .collect();
        for name in over {
            self.scopes.remove(&name);
            self.rows.push(row(format!("scope/{name}"), None));
        }
        due
    }

    fn due_in(&mut self, settings: &FloodSettings, name: &str, now: Timestamp, due: &mut FloodDue) {
        let Some(scope) = self.scopes.get_mut(name) else {
            return;
        };
        let over = !settings.enabled || scope.ends_at(settings) <= now;
        let flood = scope.flood;
        if !over && flood.is_some_and(|flood| flood.digest_at > now) {
            return;
        }
        let held = std::mem::take(&mut scope.held);
        for occurrence in held.keys() {
            self.rows.push(row(held_key(name, *occurrence), None));
        }
        let more = flood.map_or(0, |flood| flood.more);
        if !held.is_empty() || more > 0 {
            due.digests.push(FloodDigest {
                scope: name.to_owned(),
                since: flood.map_or(now, |flood| flood.since),
                over,
                held: held.into_values().collect(),
                more,
            });
        }
        scope.flood = flood.filter(|_| !over).map(|flood| Flood {
            digest_at: now.plus(settings.digest_every.0),
            more: 0,
            ..flood
        });
        if over {
            due.host.push(Action::Clear(flood_key(name)));
        }
        self.keep(name);
    }

    fn keep(&mut self, name: &str) {
        let record = self
            .scopes
            .get(name)
            .and_then(|scope| serde_json::to_value(scope).ok());
        self.rows.push(row(format!("scope/{name}"), record));
    }

    /// Rows that changed and are not in a commit yet.
    pub(crate) fn take_rows(&mut self) -> Vec<StageRow> {
        std::mem::take(&mut self.rows)
    }
}

impl Scope {
    /// Annunciations within the window, as far as they are remembered.
    fn count(&self, settings: &FloodSettings, now: Timestamp) -> usize {
        let inside = |at: &&Timestamp| now.since(**at) < settings.window.0;
        self.recent.iter().rev().take_while(inside).count()
    }

    /// When there are fewer than `end` within the window if nothing more comes.
    fn ends_at(&self, settings: &FloodSettings) -> Timestamp {
        let end = usize::try_from(settings.end).unwrap_or(usize::MAX);
        let mut newest_first = self.recent.iter().rev();
        newest_first
            .nth(end.saturating_sub(1))
            .map_or(Timestamp::EPOCH, |at| at.plus(settings.window.0))
    }
}

/// Whether people are called by this event.
fn calls_for_a_person(event: &AlarmEvent) -> bool {
    let record = &event.record;
    if record.priority == Priority::Diagnostic {
        return false;
    }
    match event.transition {
        Transition::Notified => true,
        Transition::Raised
        | Transition::Unshelved
        | Transition::Unsuppressed
        | Transition::ReturnedToService
        | Transition::ReAlarmed => record.is_annunciated(),
        Transition::Updated
        | Transition::Acknowledged
        | Transition::Cleared
        | Transition::Shelved
        | Transition::Suppressed
        | Transition::OutOfService
        | Transition::Reset
        | Transition::Taken
        | Transition::Escalated
        | Transition::Marked => false,
    }
}

fn flood_key(scope: &str) -> String {
    if scope.is_empty() {
        FLOOD_KEY.to_owned()
    } else {
        format!("{FLOOD_KEY}/{scope}")
    }
}

fn flood_alarm(settings: &FloodSettings, scope: &str) -> AlarmRequest {
    let of = match (&settings.per_label, scope) {
        (Some(label), scope) if !scope.is_empty() => format!(" of {label} {scope}"),
        _ => String::new(),
    };
    let attributes = match (&settings.per_label, scope) {
        (Some(label), scope) if !scope.is_empty() => vec![(label.clone(), scope.to_owned())],
        _ => Vec::new(),
    };
    AlarmRequest {
        key: flood_key(scope),
        priority: Priority::High,
        message: format!(
            "Alarm flood{of}: more than {} alarms in {}. Those below {} priority are told together every {}",
            settings.start,
            settings.window,
            settings.tell_from,
            DurationText(settings.digest_every.0)
        ),
        attributes,
    }
}

fn held_key(scope: &str, occurrence: OccurrenceId) -> String {
    format!("held/{scope}/{occurrence}")
}

fn row(key: String, record: Option<Value>) -> StageRow {
    StageRow {
        stage: Stage::Flood,
        key,
        record,
    }
}
