//! What rules made of a recording: alarms and how often, messages that would have been sent, and
//! what went wrong with the rules themselves. It grows from commits, one a round.

use std::collections::BTreeMap;

use andon_model::{
    Commit, DeliveryKind, DeliveryState, JournalEntry, JournalKind, OccurrenceId, Priority,
    Timestamp,
};
use serde::{Serialize, Serializer};

/// What came of a replay.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// Alarms by `INSTANCE/KEY`; at most [`Outcome::ALARMS_MAX`].
    pub alarms: BTreeMap<String, AlarmTally>,
    /// The first [`Outcome::MESSAGES_MAX`] messages that would have been sent, in order.
    pub messages: Vec<Message>,
    /// How many there are in all.
    pub messages_total: u64,
    /// Messages that would not have been sent, by reason.
    pub not_sent: BTreeMap<String, u64>,
    /// What went wrong with instances, by `INSTANCE EVENT`; at most [`Outcome::ALARMS_MAX`].
    pub troubles: BTreeMap<String, Trouble>,
    /// Steps of alarms and troubles beyond the bound, which are in no list.
    pub unlisted: u64,
}

/// One condition, over the whole recording.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlarmTally {
    /// The highest priority that it had.
    pub priority: Priority,
    /// How often it began.
    pub raised: u64,
    /// How often it ended.
    pub cleared: u64,
    /// How often it was told once, without staying.
    pub notified: u64,
    /// When it began first.
    #[serde(serialize_with = "shown")]
    pub first: Timestamp,
    /// When it began last.
    #[serde(serialize_with = "shown")]
    pub last: Timestamp,
    /// What it said at first.
    pub message: String,
}

/// A message that would have been sent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// When.
    #[serde(serialize_with = "shown")]
    pub at: Timestamp,
    /// To whom.
    pub contact: String,
    /// By which sink.
    pub sink: String,
    /// Alert or end.
    pub kind: DeliveryKind,
    /// `INSTANCE/KEY` of the alarm.
    pub alarm: String,
    /// How soon somebody must act.
    pub priority: Priority,
    /// The whole text.
    pub text: String,
    /// What the rule said, without the frame that the host puts around it.
    #[serde(skip)]
    pub says: String,
}

/// Something that happened to an instance beside its normal work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trouble {
    /// How often.
    pub count: u64,
    /// When first.
    #[serde(serialize_with = "shown")]
    pub first: Timestamp,
    /// What was said then.
    pub says: String,
}

fn shown<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&crate::show_moment(*at))
}

/// An alarm as a line of the journal tells it.
struct Told {
    id: String,
    message: String,
}

impl Outcome {
    /// Most alarms, and most troubles, that are listed.
    pub const ALARMS_MAX: usize = 100_000;
    /// Most messages that are listed.
    pub const MESSAGES_MAX: usize = 100_000;

    /// Takes in what one round came to.
    pub fn take(&mut self, commit: &Commit) {
        let mut told = BTreeMap::new();
        for entry in &commit.journal {
            match entry.kind {
                JournalKind::Alarm => self.alarm(entry, &mut told),
                JournalKind::Plugin => self.trouble(entry),
                JournalKind::Delivery
                | JournalKind::Operator
                | JournalKind::Device
                | JournalKind::System => {}
            }
        }
        for row in &commit.deliveries {
            match row.state {
                DeliveryState::Sent { .. } | DeliveryState::Delivered => {}
                DeliveryState::Failed | DeliveryState::Expired => {
                    let reason = row.why.reason.code().to_owned();
                    *self.not_sent.entry(reason).or_default() += 1;
                    continue;
                }
                // It waits for another one.
                DeliveryState::Queued | DeliveryState::Sending => continue,
            }
            self.messages_total += 1;
            if self.messages.len() >= Self::MESSAGES_MAX {
                continue;
            }
            let about = told.get(&row.occurrence);
            self.messages.push(Message {
                at: row.created_at,
                contact: row.contact.clone(),
                sink: row.channel.sink.clone(),
                kind: row.kind,
                alarm: about.map_or_else(String::new, |told: &Told| told.id.clone()),
                priority: row.priority,
                text: row.text.clone(),
                says: about.map_or_else(|| row.text.clone(), |told| told.message.clone()),
            });
        }
    }

    fn alarm(&mut self, entry: &JournalEntry, told: &mut BTreeMap<OccurrenceId, Told>) {
        let (raised, cleared, notified) = match entry.event.as_str() {
            "raised" => (1, 0, 0),
            "cleared" => (0, 1, 0),
            "notified" => (0, 0, 1),
            _ => return,
        };
        let text = |name: &str| entry.data.get(name).and_then(|value| value.as_str());
        let message = text("message").unwrap_or_default().to_owned();
        let priority = text("priority")
            .and_then(|word| word.parse().ok())
            .unwrap_or(Priority::Medium);
        if let Some(occurrence) = entry.occurrence {
            let (id, message) = (entry.subject.clone(), message.clone());
            told.insert(occurrence, Told { id, message });
        }
        if self.alarms.len() >= Self::ALARMS_MAX && !self.alarms.contains_key(&entry.subject) {
            self.unlisted += 1;
            return;
        }
        let tally = self
            .alarms
            .entry(entry.subject.clone())
            .or_insert_with(|| AlarmTally {
                priority,
                raised: 0,
                cleared: 0,
                notified: 0,
                first: entry.at,
                last: entry.at,
                message,
            });
        tally.priority = tally.priority.max(priority);
        tally.raised += raised;
        tally.cleared += cleared;
        tally.notified += notified;
        if cleared == 0 {
            tally.last = entry.at;
        }
    }

    fn trouble(&mut self, entry: &JournalEntry) {
        // That instances are added at the start, or made anew as planned, is no trouble.
        if ["swapped", "renewed"].contains(&entry.event.as_str()) {
            return;
        }
        let key = format!("{} {}", entry.subject, entry.event);
        if self.troubles.len() >= Self::ALARMS_MAX && !self.troubles.contains_key(&key) {
            self.unlisted += 1;
            return;
        }
        let trouble = self.troubles.entry(key).or_insert_with(|| Trouble {
            count: 0,
            first: entry.at,
            says: entry.why.to_string(),
        });
        trouble.count += 1;
    }

    /// How many of the listed messages are of this kind.
    #[must_use]
    pub fn messages_of(&self, kind: DeliveryKind) -> usize {
        self.messages.iter().filter(|one| one.kind == kind).count()
    }
}
