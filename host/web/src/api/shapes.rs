//! What the API answers: plain shapes with moments as RFC 3339, so that a change of the model does
//! not change what other programs read.

use std::collections::BTreeMap;

use andon_model::{Acknowledgement, AlarmRecord, Delivery, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::access::TokenRecord;
use crate::books::{ContactView, JournalLine, Story};
use crate::view::TagView;

fn moment(at: Timestamp) -> String {
    at.to_string()
}

/// A standing alarm.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alarm {
    /// Number of the occurrence; counts up for ever.
    pub(super) number: u64,
    /// What people type to speak of it.
    #[schema(example = "K7")]
    pub(super) code: String,
    /// The rule instance that watches the condition; `andon` for the host's own.
    pub(super) instance: String,
    /// The condition within the instance.
    pub(super) key: String,
    /// `unacknowledged`, `acknowledged`, `returned, unacknowledged`, `returned, latched`.
    pub(super) state: String,
    /// ISA-18.2 letters: the state, then `E` shelved, `F` suppressed, `G` out of service.
    #[schema(example = "BE")]
    pub(super) letters: String,
    /// `diagnostic`, `low`, `medium`, `high`, `critical`.
    pub(super) priority: String,
    /// What a person reads.
    pub(super) message: String,
    /// What routes match on.
    pub(super) labels: BTreeMap<String, String>,
    /// When it began.
    #[schema(format = DateTime)]
    pub(super) raised_at: String,
    /// When anything of it changed last.
    #[schema(format = DateTime)]
    pub(super) changed_at: String,
    /// When the condition ended.
    #[schema(format = DateTime)]
    pub(super) cleared_at: Option<String>,
    /// Who acknowledged it.
    pub(super) acknowledged: Option<Deed>,
    /// Who works on it.
    pub(super) taken: Option<Deed>,
    /// Why nobody is told of it; nothing if people are.
    pub(super) silenced: Option<String>,
    /// What was noticed about it: `chattering`, `fleeting`, `stale`, `first out`.
    pub(super) marks: Vec<String>,
    /// How often the rule raised it, the first included.
    pub(super) raises: u64,
    /// Whether it came from a test value.
    pub(super) test: bool,
}

/// Who did something, when and how.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deed {
    /// Name of the contact, user or token.
    pub(super) by: String,
    /// When.
    #[schema(format = DateTime)]
    pub(super) at: String,
    /// `sms`, `command line`, `api`.
    pub(super) how: String,
}

impl From<&Acknowledgement> for Deed {
    fn from(acknowledgement: &Acknowledgement) -> Self {
        Self {
            by: acknowledgement.by.clone(),
            at: moment(acknowledgement.at),
            how: acknowledgement.how.clone(),
        }
    }
}

impl From<&AlarmRecord> for Alarm {
    fn from(record: &AlarmRecord) -> Self {
        let flags = &record.flags;
        Self {
            number: record.occurrence.0,
            code: record.code.to_string(),
            instance: record.id.instance.clone(),
            key: record.id.key.clone(),
            state: record.state.to_string(),
            letters: format!("{}{}", record.state.letter(), flags.letters()),
            priority: record.priority.name().to_owned(),
            message: record.message.clone(),
            labels: record.labels.clone(),
            raised_at: moment(record.raised_at),
            changed_at: moment(record.changed_at),
            cleared_at: record.cleared_at.map(moment),
            acknowledged: record.acknowledged.as_ref().map(Deed::from),
            taken: flags.taken.as_ref().map(|taken| Deed {
                by: taken.by.clone(),
                at: moment(taken.at),
                how: taken.how.clone(),
            }),
            silenced: flags.silence(),
            marks: flags
                .marks
                .iter()
                .map(|mark| mark.words().to_owned())
                .collect(),
            raises: record.raises,
            test: record.test,
        }
    }
}

/// Some of the standing alarms.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alarms {
    /// The alarms, most urgent first.
    pub(super) alarms: Vec<Alarm>,
    /// How many fit the filters in all.
    pub(super) total: usize,
}

/// What came of a wish.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Granted {
    /// `done`; `already` if it was so before; `counted` if more people have to acknowledge; `over` if
    /// the alarm had ended.
    pub(super) result: String,
    /// The alarm as it is now, or as it ended.
    pub(super) alarm: Alarm,
    /// The same condition stands again, where it does.
    pub(super) again: Option<Alarm>,
}

/// A line of the journal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Line {
    /// Its number; counts up in the order of commits.
    pub(super) number: u64,
    /// When.
    #[schema(format = DateTime)]
    pub(super) at: String,
    /// `alarm`, `delivery`, `operator`, `plugin`, `device`, `system`.
    pub(super) kind: String,
    /// Number of the occurrence that it is about.
    pub(super) occurrence: Option<u64>,
    /// The alarm, delivery, plugin, device or person.
    pub(super) subject: String,
    /// What happened: `raised`, `sent`, `quarantined`.
    pub(super) event: String,
    /// Why, as a stable code.
    #[schema(example = "first-raise")]
    pub(super) reason: String,
    /// Why, as a person reads it.
    pub(super) why: String,
    /// More, for machines.
    #[schema(value_type = Object, nullable)]
    pub(super) data: Value,
}

impl From<&JournalLine> for Line {
    fn from(line: &JournalLine) -> Self {
        let entry = &line.entry;
        Self {
            number: line.number,
            at: moment(entry.at),
            kind: entry.kind.word().to_owned(),
            occurrence: entry.occurrence.map(|number| number.0),
            subject: entry.subject.clone(),
            event: entry.event.clone(),
            reason: entry.why.reason.code().to_owned(),
            why: entry.why.to_string(),
            data: entry.data.clone(),
        }
    }
}

/// A page of the journal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Journal {
    /// The lines, newest first.
    pub(super) lines: Vec<Line>,
    /// Ask with `before` set to this for the lines before these; nothing if there are no more.
    pub(super) next: Option<u64>,
}

/// A message owed to a contact, and what became of it. Addresses are not shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Message {
    /// Its key.
    pub(super) id: String,
    /// Of which occurrence.
    pub(super) occurrence: u64,
    /// `alert`, `resolved`, `answer`, `test`, `digest`, `reminder`, `notice`.
    pub(super) kind: String,
    /// Step of the escalation, from 0.
    pub(super) step: u32,
    /// Name of the contact; empty for an answer to somebody unknown.
    pub(super) contact: String,
    /// The sink of its channel.
    pub(super) sink: String,
    /// Priority of the alarm.
    pub(super) priority: String,
    /// The text.
    pub(super) text: String,
    /// `queued`, `sending`, `sent`, `delivered`, `failed`, `expired`.
    pub(super) state: String,
    /// When it became owed.
    #[schema(format = DateTime)]
    pub(super) created_at: String,
    /// From when on it is noise.
    #[schema(format = DateTime)]
    pub(super) expires_at: String,
    /// It is not tried before.
    #[schema(format = DateTime)]
    pub(super) next_at: String,
    /// How often the wire was touched.
    pub(super) attempts: u32,
    /// Why it is in its state, as a stable code.
    pub(super) reason: String,
    /// Why it is in its state, as a person reads it.
    pub(super) why: String,
    /// Whether it came from a test.
    pub(super) test: bool,
}

impl From<&Delivery> for Message {
    fn from(row: &Delivery) -> Self {
        Self {
            id: row.id.to_string(),
            occurrence: row.occurrence.0,
            kind: row.kind.word().to_owned(),
            step: row.step,
            contact: row.contact.clone(),
            sink: row.channel.sink.clone(),
            priority: row.priority.name().to_owned(),
            text: row.wire_text(),
            state: row.state.word().to_owned(),
            created_at: moment(row.created_at),
            expires_at: moment(row.expires_at),
            next_at: moment(row.next_at),
            attempts: row.attempts,
            reason: row.why.reason.code().to_owned(),
            why: row.why.to_string(),
            test: row.test,
        }
    }
}

/// A page of deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deliveries {
    /// The deliveries, newest first.
    pub(super) deliveries: Vec<Message>,
    /// Ask with `before` set to this for those before; nothing if there are no more.
    pub(super) next: Option<u64>,
}

/// Everything that is known of one occurrence.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Explained {
    /// Number of the occurrence.
    pub(super) occurrence: u64,
    /// What happened, oldest first, each step with its reason.
    pub(super) journal: Vec<Line>,
    /// What was owed to whom.
    pub(super) deliveries: Vec<Message>,
}

impl From<&Story> for Explained {
    fn from(story: &Story) -> Self {
        Self {
            occurrence: story.occurrence.0,
            journal: story.journal.iter().map(Line::from).collect(),
            deliveries: story.deliveries.iter().map(Message::from).collect(),
        }
    }
}

/// Somebody who is told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Contact {
    /// Name in the settings.
    pub(super) name: String,
    /// What other people call this person.
    pub(super) display_name: String,
    /// Sinks of the channels, in the order in which they are tried.
    pub(super) channels: Vec<String>,
}

impl From<ContactView> for Contact {
    fn from(view: ContactView) -> Self {
        Self {
            name: view.name,
            display_name: view.display_name,
            channels: view.channels,
        }
    }
}

/// A tag with its latest value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tag {
    /// Name.
    pub(super) name: String,
    /// Value as a person reads it; empty before the first sample.
    pub(super) value: String,
    /// Unit.
    pub(super) unit: String,
    /// OPC quality in words.
    pub(super) quality: String,
    /// When it was read.
    #[schema(format = DateTime)]
    pub(super) time: Option<String>,
    /// Where it comes from.
    pub(super) source: String,
}

impl From<TagView> for Tag {
    fn from(view: TagView) -> Self {
        Self {
            name: view.name,
            value: view.value,
            unit: view.unit,
            quality: view.quality,
            time: view.time.map(moment),
            source: view.source,
        }
    }
}

/// A page of tags.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tags {
    /// The tags, by name.
    pub(super) tags: Vec<Tag>,
    /// Ask with `after` set to this for the next; nothing if there are no more.
    pub(super) next: Option<String>,
}

/// A token without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Token {
    /// Its name.
    pub(super) name: String,
    /// What may be done with it.
    pub(super) role: String,
    /// When it was made.
    #[schema(format = DateTime)]
    pub(super) made_at: String,
    /// From when on it is refused; nothing if it counts until it is revoked.
    #[schema(format = DateTime)]
    pub(super) expires_at: Option<String>,
}

impl From<&TokenRecord> for Token {
    fn from(record: &TokenRecord) -> Self {
        Self {
            name: record.name.clone(),
            role: record.role.word().to_owned(),
            made_at: moment(record.made_at),
            expires_at: record.expires_at.map(moment),
        }
    }
}
