//! A person who orders something of the book, and why an order is refused.
//!
//! A refusal is a sentence for that person: what is so, and what to do instead. It changes nothing.

use std::fmt;
use std::time::Duration;

use andon_model::{
    AlarmEvent, AlarmId, AlarmRecord, DurationText, OccurrenceId, OutOfService, Priority, Shelving,
    ShortCode, Timestamp,
};

use crate::acknowledge::Target;
use crate::book::AlarmBook;
use crate::silence::{Changed, REASON_CHARS_MAX, SILENCES_MAX};

/// Who does something to an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// Name of the contact, or of the user of the machine.
    pub name: String,
    /// When.
    pub at: Timestamp,
    /// By what: `sms`, `command line`, `api`.
    pub how: String,
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.how)
    }
}

/// Why an order was not followed. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Nothing of that name stands or ended lately.
    #[error(
        "no alarm is called `{name}`: `andon alarms` lists those that stand; one that is normal is named INSTANCE/KEY"
    )]
    Unknown {
        /// As the person named it.
        name: String,
    },
    /// The occurrence is over.
    #[error("{code} ({id}) is over, so there is nothing to do")]
    Over {
        /// Which condition.
        id: AlarmId,
        /// Of the occurrence.
        code: ShortCode,
    },
    /// No reason was given.
    #[error("say why: a reason is needed, so that others know what to think of the silence")]
    NoReason,
    /// The reason is too long.
    #[error(
        "the reason has {chars} characters, and at most {REASON_CHARS_MAX} are kept: shorten it"
    )]
    LongReason {
        /// How many it has.
        chars: usize,
    },
    /// The time is zero, or over already.
    #[error("that time is over at once: name a longer or a later one")]
    NoTime,
    /// It is shelved.
    #[error(
        "{id} is already shelved by {} until {}: {}; `andon unshelve {id}` ends that first",
        shelving.by, shelving.until, shelving.reason
    )]
    AlreadyShelved {
        /// Which condition.
        id: AlarmId,
        /// By whom and until when.
        shelving: Box<Shelving>,
    },
    /// It is not shelved.
    #[error("{id} is not shelved: `andon alarms --silenced` lists what is")]
    NotShelved {
        /// Which condition.
        id: AlarmId,
    },
    /// Its priority may not be shelved.
    #[error(
        "{id} {} and cannot be shelved, as [alarms.shelving] says: `andon service out {id}` takes it away until you bring it back",
        priority.map_or_else(|| "has no known priority".to_owned(), |priority| format!("is of priority {priority}"))
    )]
    NotShelvable {
        /// Which condition.
        id: AlarmId,
        /// Its priority, if it is known.
        priority: Option<Priority>,
    },
    /// The time is longer than its priority allows.
    #[error(
        "longer than {}, the longest for which {id} may be shelved{}: [alarms.shelving] says so",
        DurationText(*max),
        priority.map_or_else(
            || ", as nobody knows its priority".to_owned(),
            |priority| format!(" at priority {priority}")
        )
    )]
    TooLong {
        /// Which condition.
        id: AlarmId,
        /// Its priority, if it is known.
        priority: Option<Priority>,
        /// The longest time.
        max: Duration,
    },
    /// It is out of service.
    #[error("{id} is already out of service by {} since {}: {}", out.by, out.since, out.reason)]
    AlreadyOut {
        /// Which condition.
        id: AlarmId,
        /// By whom and since when.
        out: Box<OutOfService>,
    },
    /// It is not out of service.
    #[error("{id} is not out of service: `andon service list` lists what is")]
    NotOut {
        /// Which condition.
        id: AlarmId,
    },
    /// Too many conditions are silenced.
    #[error(
        "{SILENCES_MAX} alarms are shelved or out of service, the most that may be: look through `andon alarms --silenced` and end some"
    )]
    TooMany,
    /// A reset while the condition holds.
    #[error("{code} ({id}) still holds: an alarm is reset once its condition is gone")]
    StillHolds {
        /// Which condition.
        id: AlarmId,
        /// Of the occurrence.
        code: ShortCode,
    },
    /// A reset before the acknowledgement.
    #[error("{code} ({id}) is not acknowledged yet: `andon ack {code}` comes first")]
    NotAcknowledged {
        /// Which condition.
        id: AlarmId,
        /// Of the occurrence.
        code: ShortCode,
    },
    /// A reset of what does not latch.
    #[error("{code} ({id}) does not latch: `andon ack {code}` ends it")]
    NotLatching {
        /// Which condition.
        id: AlarmId,
        /// Of the occurrence.
        code: ShortCode,
    },
}

/// A reason as it is kept.
///
/// # Errors
/// There is none, or it is too long.
pub(crate) fn reason(text: &str) -> Result<&str, OrderError> {
    let text = text.trim();
    let chars = text.chars().count();
    match chars {
        0 => Err(OrderError::NoReason),
        1..=REASON_CHARS_MAX => Ok(text),
        _ => Err(OrderError::LongReason { chars }),
    }
}

impl AlarmBook {
    /// The condition that a person means, and its occurrence, if one stands. A condition that is
    /// named as such need not be known.
    pub(crate) fn condition(
        &self,
        target: &Target,
    ) -> Result<(AlarmId, Option<OccurrenceId>), OrderError> {
        if let Some(record) = self.find(target) {
            return Ok((record.id.clone(), Some(record.occurrence)));
        }
        match target {
            Target::Alarm(id) => Ok((id.clone(), None)),
            Target::Code(_) | Target::Occurrence(_) => match self.find_ended(target) {
                // Whoever answers a message late means its condition.
                Some(record) => Ok((record.id.clone(), self.standing.find(&record.id))),
                None => Err(OrderError::Unknown {
                    name: target.to_string(),
                }),
            },
        }
    }

    /// Refuses one silence more than may be.
    pub(crate) fn room_for(&self, id: &AlarmId) -> Result<(), OrderError> {
        if self.silences.get(id).is_none() && self.silences.len() >= SILENCES_MAX {
            return Err(OrderError::TooMany);
        }
        Ok(())
    }

    /// The priority of a condition: of the alarm that stands, of the last that did, or as it was
    /// when the condition was silenced.
    pub(crate) fn known_priority(
        &self,
        id: &AlarmId,
        occurrence: Option<OccurrenceId>,
    ) -> Option<Priority> {
        self.known(id, occurrence)
            .map(|record| record.priority)
            .or_else(|| self.silences.get(id).and_then(|entry| entry.priority))
    }

    /// The alarm of a condition that stands, or the last one that ended lately, with what silences
    /// the condition now.
    #[must_use]
    pub fn latest(&self, id: &AlarmId) -> Option<AlarmRecord> {
        let record = self.known(id, self.standing.find(id))?;
        Some(AlarmRecord {
            flags: self.flags_of(id),
            ..record.clone()
        })
    }

    /// What the last alarm of a condition said.
    pub(crate) fn known_message(
        &self,
        id: &AlarmId,
        occurrence: Option<OccurrenceId>,
    ) -> Option<String> {
        self.known(id, occurrence)
            .map(|record| record.message.clone())
    }

    fn known(&self, id: &AlarmId, occurrence: Option<OccurrenceId>) -> Option<&AlarmRecord> {
        occurrence
            .and_then(|occurrence| self.standing.get(occurrence))
            .or_else(|| self.ended(|record| record.id == *id))
    }

    pub(crate) fn changed(&self, id: AlarmId, event: Option<AlarmEvent>) -> Changed {
        Changed {
            flags: self.flags_of(&id),
            id,
            event,
        }
    }
}
