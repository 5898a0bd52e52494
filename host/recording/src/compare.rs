//! Two outcomes of one recording side by side: what the second would have sent fewer, and what is new.
//!
//! A message of one is the same as a message of the other if it tells the same contact the same kind
//! of thing about the same alarm, and their times differ by at most a tolerance: a rule that waits ten
//! seconds longer sends the same message later, and not one fewer and one more. Pairs are made in
//! the order of time, each message in one pair at most.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use andon_model::DeliveryKind;
use serde::Serialize;

use crate::outcome::{AlarmTally, Message, Outcome};

/// How two outcomes differ.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Messages of the first alone, in order.
    pub gone: Vec<Message>,
    /// Messages of the second alone, in order.
    pub new: Vec<Message>,
    /// Messages that both would have sent, and whose time, priority or words differ.
    pub changed: Vec<Pair>,
    /// Messages that are the same to the letter and the moment.
    pub same: u64,
    /// Alarms whose counts differ, by `INSTANCE/KEY`.
    pub alarms: BTreeMap<String, AlarmChange>,
}

/// A message of each.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// Of the first.
    pub before: Message,
    /// Of the second.
    pub after: Message,
}

/// How often an alarm began and ended in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AlarmChange {
    /// Raised or notified, in the first and in the second.
    pub raised: (u64, u64),
    /// Cleared, in the first and in the second.
    pub cleared: (u64, u64),
}

impl Comparison {
    /// Whether there is no difference at all.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.gone.is_empty()
            && self.new.is_empty()
            && self.changed.is_empty()
            && self.alarms.is_empty()
    }
}

/// Holds the second outcome against the first.
#[must_use]
pub fn compare(before: &Outcome, after: &Outcome, tolerance: Duration) -> Comparison {
    let mut comparison = Comparison::default();
    let mut waiting: BTreeMap<Key<'_>, VecDeque<&Message>> = BTreeMap::new();
    for message in &before.messages {
        waiting.entry(key(message)).or_default().push_back(message);
    }
    for message in &after.messages {
        match partner(
            waiting.get_mut(&key(message)),
            message,
            tolerance,
            &mut comparison,
        ) {
            Some(earlier) if is_same(earlier, message) => comparison.same += 1,
            Some(earlier) => comparison.changed.push(Pair {
                before: earlier.clone(),
                after: message.clone(),
            }),
            None => comparison.new.push(message.clone()),
        }
    }
    let left = waiting.into_values().flatten().cloned();
    comparison.gone.extend(left);
    comparison.gone.sort_by(|a, b| {
        let order =
            |message: &Message| (message.at, message.alarm.clone(), message.contact.clone());
        order(a).cmp(&order(b))
    });
    comparison.alarms = alarms(before, after);
    comparison
}

type Key<'a> = (&'a str, &'a str, DeliveryKind);

fn key(message: &Message) -> Key<'_> {
    (&message.alarm, &message.contact, message.kind)
}

/// The earliest message that waits and is near enough; those that are too early for this and all
/// later ones are gone.
fn partner<'a>(
    waiting: Option<&mut VecDeque<&'a Message>>,
    message: &Message,
    tolerance: Duration,
    comparison: &mut Comparison,
) -> Option<&'a Message> {
    let waiting = waiting?;
    while let Some(first) = waiting.front() {
        if first.at.plus(tolerance) < message.at {
            comparison.gone.extend(waiting.pop_front().cloned());
        } else if message.at.plus(tolerance) < first.at {
            return None;
        } else {
            return waiting.pop_front();
        }
    }
    None
}

fn is_same(before: &Message, after: &Message) -> bool {
    before.at == after.at && before.priority == after.priority && before.says == after.says
}

fn alarms(before: &Outcome, after: &Outcome) -> BTreeMap<String, AlarmChange> {
    let counts = |tally: Option<&AlarmTally>| {
        tally.map_or((0, 0), |tally| {
            (tally.raised + tally.notified, tally.cleared)
        })
    };
    let mut changes = BTreeMap::new();
    for id in before.alarms.keys().chain(after.alarms.keys()) {
        let (old, new) = (counts(before.alarms.get(id)), counts(after.alarms.get(id)));
        if old != new {
            let change = AlarmChange {
                raised: (old.0, new.0),
                cleared: (old.1, new.1),
            };
            changes.insert(id.clone(), change);
        }
    }
    changes
}
