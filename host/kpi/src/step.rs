//! A line of the journal as figures need it.

use andon_model::{
    AlarmRecord, JournalEntry, JournalKind, Labels, OccurrenceId, Priority, Timestamp,
};
use serde::Deserialize;

/// A line of the journal, borrowed from wherever it is read. Lines of other kinds than alarm and
/// operator say nothing here and need not be given.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub kind: JournalKind,
    /// Of which occurrence.
    pub occurrence: Option<OccurrenceId>,
    /// The alarm as `INSTANCE/KEY`.
    pub subject: &'a str,
    /// What happened, as [`andon_model::Transition::word`] says it.
    pub event: &'a str,
    /// The rest as JSON.
    pub data: &'a str,
}

/// A step in an alarm's life.
#[derive(Debug, Clone)]
pub(crate) struct Step<'a> {
    pub(crate) at: Timestamp,
    pub(crate) occurrence: Option<OccurrenceId>,
    pub(crate) alarm: &'a str,
    pub(crate) what: What,
    pub(crate) facts: Facts,
}

/// What happened, as far as figures tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Raised,
    Notified,
    ReAlarmed,
    Acknowledged,
    Cleared,
    Shelved,
    Suppressed,
    OutOfService,
    /// From any of the three.
    Freed,
    /// Anything else, also what a later version of the host may say.
    Other,
}

impl What {
    fn of(word: &str) -> Self {
        match word {
            "raised" => Self::Raised,
            "notified" => Self::Notified,
            "re-alarmed" => Self::ReAlarmed,
            "acknowledged" => Self::Acknowledged,
            "cleared" => Self::Cleared,
            "shelved" => Self::Shelved,
            "suppressed" => Self::Suppressed,
            "out of service" => Self::OutOfService,
            "unshelved" | "unsuppressed" | "returned to service" => Self::Freed,
            _ => Self::Other,
        }
    }

    /// Whether it begins to call for a person, if the record does so after it.
    pub(crate) const fn may_annunciate(self) -> bool {
        matches!(self, Self::Raised | Self::ReAlarmed | Self::Freed)
    }
}

/// Where an alarm is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Phase {
    #[default]
    Normal,
    Unacknowledged,
    Acknowledged,
    Returned,
    Latched,
}

impl Phase {
    pub(crate) const fn is_active(self) -> bool {
        matches!(self, Self::Unacknowledged | Self::Acknowledged)
    }

    const fn of(letter: char) -> Self {
        match letter {
            'B' => Self::Unacknowledged,
            'C' => Self::Acknowledged,
            'D' => Self::Returned,
            'L' => Self::Latched,
            _ => Self::Normal,
        }
    }
}

/// Since when something silences an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Silence {
    pub(crate) shelved: Option<Timestamp>,
    pub(crate) suppressed: Option<Timestamp>,
    pub(crate) out_of_service: Option<Timestamp>,
}

impl Silence {
    pub(crate) const fn is_any(&self) -> bool {
        self.shelved.is_some() || self.suppressed.is_some() || self.out_of_service.is_some()
    }
}

/// What the record was after the step.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) phase: Phase,
    pub(crate) priority: Priority,
    pub(crate) labels: Labels,
    pub(crate) silence: Silence,
    pub(crate) test: bool,
    pub(crate) raised_at: Option<Timestamp>,
    pub(crate) cleared_at: Option<Timestamp>,
    pub(crate) acknowledged_at: Option<Timestamp>,
}

impl Facts {
    /// Whether it calls for a person. Diagnostics never do: they are journalled and told to nobody.
    pub(crate) fn is_annunciated(&self) -> bool {
        self.phase == Phase::Unacknowledged
            && !self.silence.is_any()
            && self.priority != Priority::Diagnostic
    }

    pub(crate) fn of(record: &AlarmRecord) -> Self {
        let flags = &record.flags;
        Self {
            phase: Phase::of(record.state.letter()),
            priority: record.priority,
            labels: record.labels.clone(),
            silence: Silence {
                shelved: flags.shelved.as_ref().map(|shelving| shelving.at),
                suppressed: flags.suppressed.as_ref().map(|by| by.since),
                out_of_service: flags.out_of_service.as_ref().map(|out| out.since),
            },
            test: record.test,
            raised_at: Some(record.raised_at),
            cleared_at: record.cleared_at,
            acknowledged_at: record.acknowledged.as_ref().map(|by| by.at),
        }
    }
}

/// `data` of a line of kind alarm, as the alarm book writes it.
#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    state: Option<char>,
    #[serde(default)]
    priority: Option<Priority>,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    test: bool,
    #[serde(default)]
    raised_at: Option<Timestamp>,
    #[serde(default)]
    cleared_at: Option<Timestamp>,
    #[serde(default)]
    acknowledged: Option<At>,
    #[serde(default)]
    flags: Flags,
}

#[derive(Deserialize)]
struct At {
    at: Timestamp,
}

#[derive(Default, Deserialize)]
struct Flags {
    #[serde(default)]
    shelved: Option<At>,
    #[serde(default)]
    suppressed: Option<Since>,
    #[serde(default)]
    out_of_service: Option<Since>,
}

#[derive(Deserialize)]
struct Since {
    since: Timestamp,
}

impl Data {
    /// `None` if an occurrence is spoken of and its state or priority is not told. Lines about a
    /// condition of which no alarm stands need neither.
    fn facts(self, of_occurrence: bool) -> Option<Facts> {
        if of_occurrence && (self.state.is_none() || self.priority.is_none()) {
            return None;
        }
        Some(Facts::from(self))
    }
}

impl From<Data> for Facts {
    fn from(data: Data) -> Self {
        Self {
            phase: data.state.map(Phase::of).unwrap_or_default(),
            priority: data.priority.unwrap_or(Priority::Diagnostic),
            labels: data.labels,
            silence: Silence {
                shelved: data.flags.shelved.map(|flag| flag.at),
                suppressed: data.flags.suppressed.map(|flag| flag.since),
                out_of_service: data.flags.out_of_service.map(|flag| flag.since),
            },
            test: data.test,
            raised_at: data.raised_at,
            cleared_at: data.cleared_at,
            acknowledged_at: data.acknowledged.map(|flag| flag.at),
        }
    }
}

impl<'a> Step<'a> {
    /// Reads a line of kind alarm; `None` if its data says nothing of an alarm.
    pub(crate) fn read(line: &Line<'a>) -> Option<Self> {
        let data: Data = serde_json::from_str(line.data).ok()?;
        Some(Self {
            at: line.at,
            occurrence: line.occurrence,
            alarm: line.subject,
            what: What::of(line.event),
            facts: data.facts(line.occurrence.is_some())?,
        })
    }

    /// The same of a line that was just written.
    pub(crate) fn of(entry: &'a JournalEntry) -> Option<Self> {
        if entry.kind != JournalKind::Alarm {
            return None;
        }
        let data = Data::deserialize(&entry.data).ok()?;
        Some(Self {
            at: entry.at,
            occurrence: entry.occurrence,
            alarm: &entry.subject,
            what: What::of(&entry.event),
            facts: data.facts(entry.occurrence.is_some())?,
        })
    }

    /// Whether the step began to call for a person.
    pub(crate) fn annunciates(&self) -> bool {
        self.what.may_annunciate() && self.facts.is_annunciated()
    }
}
