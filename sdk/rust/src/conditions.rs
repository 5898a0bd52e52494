//! The conditions of a rule, by the key of their alarm, remembered as one value.
//!
//! It holds what each rule with delays would write again: which delay runs out next, what to
//! remember after a call, and which alarms stand for conditions that the settings no longer name.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Call, Condition, Delays, Edge, Edges, Failure, State, Timestamp, Verdict};

/// Key of the state. One value for all conditions: many alarms in one batch are one write.
/// A standing condition takes about 60 bytes of it, so that the host's usual bound on the state
/// of an instance is reached at some 4,000 alarms that stand at once.
const STATE_KEY: &str = "conditions";

/// The conditions of a rule, in an order of its own.
#[derive(Debug)]
pub struct Conditions {
    list: Vec<Entry>,
    /// Those on which a delay may run, so that nobody looks at all of them in each call.
    delayed: BTreeSet<usize>,
    /// Keys that were raised and are no longer in the list.
    abandoned: Vec<String>,
    changed: bool,
}

#[derive(Debug)]
struct Entry {
    key: String,
    delays: Delays,
    condition: Condition,
}

impl Conditions {
    /// Conditions by the key of their alarm, as they were remembered.
    ///
    /// # Errors
    /// Two of them have one key: a tag is bound twice.
    pub fn new(
        conditions: impl IntoIterator<Item = (String, Delays)>,
        state: State<'_>,
    ) -> Result<Self, Failure> {
        let mut remembered: BTreeMap<String, Condition> = state.get(STATE_KEY).unwrap_or_default();
        let mut keys = BTreeSet::new();
        let mut list = Vec::new();
        for (key, delays) in conditions {
            if !keys.insert(key.clone()) {
                return Err(Failure::inputs(format!(
                    "two alarms would have the key `{key}`: bind each tag once"
                )));
            }
            list.push(Entry {
                condition: remembered.remove(&key).unwrap_or_default(),
                key,
                delays,
            });
        }
        Ok(Self {
            delayed: BTreeSet::new(),
            changed: !remembered.is_empty(),
            abandoned: remembered
                .into_iter()
                .filter(|(_, condition)| condition.is_raised())
                .map(|(key, _)| key)
                .collect(),
            list,
        })
    }

    /// The key of the condition at this place.
    #[must_use]
    pub fn key(&self, place: usize) -> &str {
        self.list.get(place).map_or("", |entry| &entry.key)
    }

    /// Whether the condition at this place is raised.
    #[must_use]
    pub fn is_raised(&self, place: usize) -> bool {
        self.list
            .get(place)
            .is_some_and(|entry| entry.condition.is_raised())
    }

    /// Whether the condition at this place is normal and no delay runs on it.
    #[must_use]
    pub fn is_normal(&self, place: usize) -> bool {
        self.list
            .get(place)
            .is_none_or(|entry| entry.condition.is_normal())
    }

    /// Takes a verdict on the condition at this place.
    pub fn update(&mut self, place: usize, verdict: Verdict, at: Timestamp) -> Edges {
        let Some(entry) = self.list.get_mut(place) else {
            return Edges::default();
        };
        let before = entry.condition;
        let edges = entry.condition.update(verdict, at, entry.delays);
        self.changed |= !entry.condition.remembers_as(&before);
        if entry.condition.due(entry.delays).is_some() {
            self.delayed.insert(place);
        }
        edges
    }

    /// Lets time pass; answers the places whose delay ran out.
    pub fn tick(&mut self, now: Timestamp) -> Vec<(usize, Edge)> {
        let mut finished = Vec::new();
        for place in &self.delayed {
            let entry = self.list.get_mut(*place);
            if let Some(edge) = entry.and_then(|entry| entry.condition.tick(now, entry.delays)) {
                finished.push((*place, edge));
            }
        }
        self.changed |= !finished.is_empty();
        let list = &self.list;
        self.delayed.retain(|place| {
            list.get(*place)
                .is_some_and(|entry| entry.condition.due(entry.delays).is_some())
        });
        finished
    }

    /// Ends a call: clears what nobody watches any more, asks to be woken when the next delay runs
    /// out, and remembers what changed.
    ///
    /// # Errors
    /// The host refuses the state.
    pub fn settle(&mut self, call: &mut Call<'_>) -> Result<(), Failure> {
        for key in self.abandoned.drain(..) {
            call.clear(key);
        }
        let due = self.delayed.iter().filter_map(|place| {
            let entry = self.list.get(*place)?;
            entry.condition.due(entry.delays)
        });
        if let Some(next) = due.min() {
            call.wake_at(next);
        }
        if std::mem::take(&mut self.changed) {
            self.remember(call.state())?;
        }
        Ok(())
    }

    fn remember(&self, state: State<'_>) -> Result<(), Failure> {
        let standing: BTreeMap<&str, Condition> = self
            .list
            .iter()
            .filter(|entry| !entry.condition.is_normal())
            .map(|entry| (entry.key.as_str(), entry.condition))
            .collect();
        if standing.is_empty() {
            state.delete(STATE_KEY);
            return Ok(());
        }
        state.set(STATE_KEY, &standing)
    }
}
