//! Alarms that are told together, because more come than people can act on.
//!
//! While a flood lasts, alarms that can wait come here instead of being told one by one. A digest is
//! one message to each contact whom the routes would have told, with what that contact would have
//! heard: how many alarms, how many of them are over, and the most urgent by name and code. Nothing
//! is lost by it: each alarm has a line of the journal that names the digest and who got it.
//!
//! ```text
//! FLOOD 37 alarms in 12m, 12 over (30 low, 7 medium): MEDIUM (first out) Pump 2 runs dry [K7]; MEDIUM ...
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use andon_model::{
    AlarmEvent, AlarmRecord, DeliveryKind, Mark, OccurrenceId, Priority, Reason, Timestamp,
    Transition, Why,
};
use serde_json::json;

use crate::desk::{Decision, Desk, NewDelivery, Roll, new_delivery};
use crate::plan::Recipient;
use crate::{journal, text, unreached};

/// Alarms that a digest names at most, if there is room.
const NAMED_MAX: usize = 5;

/// Alarms that are told in one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    /// A fresh number: the occurrence of its deliveries.
    pub number: OccurrenceId,
    /// By what the flood is counted; empty for all alarms together.
    pub scope: String,
    /// When the flood began.
    pub since: Timestamp,
    /// Whether the flood is over.
    pub over: bool,
    /// The alarms, in the order in which they came.
    pub held: Vec<Held>,
    /// How many more there were than could be held.
    pub more: u64,
}

/// An alarm that is told with others.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// As it is now, or as it was when it was over.
    pub record: AlarmRecord,
    /// Whether its condition holds still.
    pub stands: bool,
}

/// What one contact is told.
struct Share<'a> {
    recipient: Recipient,
    held: Vec<&'a Held>,
}

impl Desk {
    /// A step of an alarm that is told later, with others.
    pub fn hold_for_digest(&mut self, event: &AlarmEvent, now: Timestamp) -> Decision {
        let mut out = self.begin(now);
        let record = &event.record;
        if event.transition == Transition::Updated {
            return out;
        }
        if event.transition == Transition::Raised {
            self.ledger
                .open(record.occurrence, unreached::about(record));
        }
        let why = Why::new(
            Reason::Flood,
            "more alarms come than people can act on, so it is told in the next digest",
        );
        let line = journal::of_alarm(record, "held for digest", why, json!({}), now);
        out.journal.push(line);
        out
    }

    /// Tells alarms that were held: one message to each contact whom their routes name.
    pub fn digest(&mut self, digest: &Digest, now: Timestamp) -> Decision {
        let mut out = self.begin(now);
        let plan = Arc::clone(&self.plan);
        let mut shares: BTreeMap<Arc<str>, Share<'_>> = BTreeMap::new();
        let mut told_by_alarm = Vec::with_capacity(digest.held.len());
        for held in &digest.held {
            let mut told: Vec<Arc<str>> = Vec::new();
            let roll = Roll {
                plan: &plan,
                record: &held.record,
                now,
            };
            for call in roll.at_first().people {
                let recipient = call.recipient;
                if told.contains(&recipient.contact) {
                    continue;
                }
                told.push(Arc::clone(&recipient.contact));
                let share = shares.entry(Arc::clone(&recipient.contact));
                let share = share.or_insert_with(|| Share {
                    recipient,
                    held: Vec::new(),
                });
                share.held.push(held);
            }
            told_by_alarm.push((held, told));
        }
        for share in shares.into_values() {
            let Some(channel) = share.recipient.channels.first().cloned() else {
                continue;
            };
            let contact = &*share.recipient.contact;
            let urgent = share.held.iter().map(|held| held.record.priority).max();
            let priority = urgent.unwrap_or(Priority::Low);
            let detail = format!(
                "{} alarms of a flood are told to {contact} together, by {channel}",
                share.held.len()
            );
            let mut row = new_delivery(NewDelivery {
                occurrence: digest.number,
                kind: DeliveryKind::Digest,
                step: 0,
                contact,
                channel,
                channels: share.recipient.channels.to_vec(),
                priority,
                text: words(digest, &share.held, now, plan.text_chars_max),
                why: Why::new(Reason::Flood, detail),
                created_at: now,
                expires_at: now.plus(plan.expire_after.of(priority)),
            });
            if self.ledger.get(&row.id).is_some() {
                continue;
            }
            row.test = share.held.iter().all(|held| held.record.test);
            self.owe(row, false, now, &mut out);
        }
        for (held, told) in told_by_alarm {
            out.journal.push(told_line(digest, held, &told, now));
        }
        out
    }
}

/// The line of the journal for an alarm of a digest.
fn told_line(
    digest: &Digest,
    held: &Held,
    told: &[Arc<str>],
    now: Timestamp,
) -> andon_model::JournalEntry {
    let (event, why) = if told.is_empty() {
        let detail = "no route matches and there is no fallback, so nobody is told";
        ("not told", Why::new(Reason::NoRouteMatched, detail))
    } else {
        let detail = format!("told {} in digest {}", told.join(", "), digest.number);
        ("told in digest", Why::new(Reason::Flood, detail))
    };
    let data = json!({ "digest": digest.number, "told": told });
    journal::of_alarm(&held.record, event, why, data, now)
}

/// The text for one contact.
fn words(digest: &Digest, held: &[&Held], now: Timestamp, chars_max: usize) -> String {
    let over = held.iter().filter(|held| !held.stands).count();
    let mut counts: BTreeMap<Priority, usize> = BTreeMap::new();
    for held in held {
        *counts.entry(held.record.priority).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(priority, count)| format!("{count} {priority}"))
        .collect();
    let head = format!(
        "{} {} alarms in {}, {over} over ({}): ",
        if digest.over { "FLOOD OVER," } else { "FLOOD" },
        held.len(),
        text::rough(now.since(digest.since)),
        counts.join(", "),
    );
    let mut sorted = held.to_vec();
    sorted.sort_by_key(|held| {
        let record = &held.record;
        let first_out = record.flags.marks.contains(&Mark::FirstOut);
        let urgency = std::cmp::Reverse((held.stands, first_out, record.priority));
        (urgency, record.occurrence)
    });
    let named: Vec<String> = sorted
        .iter()
        .take(NAMED_MAX)
        .map(|held| name(held))
        .collect();
    let rest = (held.len() - named.len()) as u64 + digest.more;
    let tail = if rest > 0 {
        format!(" and {rest} more")
    } else {
        String::new()
    };
    text::framed(&head, &named.join("; "), &tail, chars_max)
}

fn name(held: &Held) -> String {
    let record = &held.record;
    let first_out = if record.flags.marks.contains(&Mark::FirstOut) {
        " (first out)"
    } else {
        ""
    };
    let over = if held.stands { "" } else { "over: " };
    format!(
        "{over}{}{first_out} {} [{}]",
        text::word(record.priority),
        record.message,
        record.code
    )
}
