//! An alarm and its life, as all stages see it.

use std::fmt;
use std::ops::Not;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{AlarmFlags, Labels, Priority, Timestamp, Why};

/// Names a condition: the instance that watches it and its key there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AlarmId {
    /// Name of the rule instance; `andon` for what the host itself finds.
    pub instance: String,
    /// Key within the instance.
    pub key: String,
}

impl AlarmId {
    /// The instance name under which the host raises its own alarms.
    pub const HOST: &'static str = "andon";

    /// Names a condition.
    #[must_use]
    pub fn new(instance: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            instance: instance.into(),
            key: key.into(),
        }
    }
}

impl fmt::Display for AlarmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.instance, self.key)
    }
}

/// Numbers one stay of an alarm away from normal; counts up for ever, also over restarts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct OccurrenceId(pub u64);

impl fmt::Display for OccurrenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a person types to speak of an occurrence: letters and digits that cannot be mistaken for
/// one another (no `0 O 1 I L`), unique among the occurrences that are not over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShortCode(String);

impl ShortCode {
    /// The signs that a code is made of.
    pub const ALPHABET: &'static [u8] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

    /// The code of a number: at least `signs_min` signs of [`ShortCode::ALPHABET`], most
    /// significant first.
    #[must_use]
    pub fn from_number(mut number: u64, signs_min: usize) -> Self {
        let base = Self::ALPHABET.len() as u64;
        let mut signs = Vec::new();
        while number > 0 || signs.len() < signs_min.max(1) {
            let index = usize::try_from(number % base).unwrap_or(0);
            signs.push(char::from(
                Self::ALPHABET.get(index).copied().unwrap_or(b'2'),
            ));
            number /= base;
        }
        Self(signs.into_iter().rev().collect())
    }

    /// The code as people read it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ShortCode {
    type Err = String;

    /// Reads a code in either case; other signs are refused.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let upper = text.trim().to_ascii_uppercase();
        let valid =
            (1..=13).contains(&upper.len()) && upper.bytes().all(|b| Self::ALPHABET.contains(&b));
        if valid {
            Ok(Self(upper))
        } else {
            Err(format!("`{text}` is not an alarm's short code"))
        }
    }
}

impl fmt::Display for ShortCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// ISA-18.2 states A to D. Shelving, suppression and out of service (E, F, G) are flags beside
/// this, not further values of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    /// A: the process is normal and nothing is left to acknowledge.
    Normal,
    /// B: abnormal, nobody acknowledged.
    Unacknowledged,
    /// C: abnormal, somebody acknowledged.
    Acknowledged,
    /// D: back to normal, nobody acknowledged.
    ReturnedUnacknowledged,
    /// Back to normal and acknowledged; latching, so a person must reset it (OPC UA
    /// `LatchedState`).
    Latched,
}

impl AlarmState {
    /// The standard's letter; `L`, which is no letter of the standard, for latched.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::Normal => 'A',
            Self::Unacknowledged => 'B',
            Self::Acknowledged => 'C',
            Self::ReturnedUnacknowledged => 'D',
            Self::Latched => 'L',
        }
    }

    /// Whether the process is abnormal (B, C).
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Unacknowledged | Self::Acknowledged)
    }

    /// Whether an acknowledgement is owed (B, D).
    #[must_use]
    pub const fn is_unacknowledged(self) -> bool {
        matches!(self, Self::Unacknowledged | Self::ReturnedUnacknowledged)
    }
}

impl fmt::Display for AlarmState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Normal => "normal",
            Self::Unacknowledged => "unacknowledged",
            Self::Acknowledged => "acknowledged",
            Self::ReturnedUnacknowledged => "returned, unacknowledged",
            Self::Latched => "returned, latched",
        })
    }
}

/// Who acknowledged, when and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Name of the contact, or of the user of the machine.
    pub by: String,
    /// When the host took it.
    pub at: Timestamp,
    /// By what: `sms`, `command line`, `api`.
    pub how: String,
}

/// One occurrence of an alarm, as it is stored and shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlarmRecord {
    /// Which condition.
    pub id: AlarmId,
    /// Which stay away from normal.
    pub occurrence: OccurrenceId,
    /// What a person types to speak of it.
    pub code: ShortCode,
    /// Where it is in its life.
    pub state: AlarmState,
    /// How soon somebody must act.
    pub priority: Priority,
    /// What a person reads.
    pub message: String,
    /// What routes match on: attributes of the rule, labels of the instance.
    pub labels: Labels,
    /// When this occurrence began.
    pub raised_at: Timestamp,
    /// When anything of it changed last.
    pub changed_at: Timestamp,
    /// When the condition ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared_at: Option<Timestamp>,
    /// Who acknowledged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledgement>,
    /// How often the rule raised it, the first included.
    pub raises: u64,
    /// Came from a test value.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub test: bool,
    /// What stands beside the state.
    #[serde(default, skip_serializing_if = "AlarmFlags::is_plain")]
    pub flags: AlarmFlags,
}

impl AlarmRecord {
    /// Whether it is shelved, suppressed or out of service (E, F, G).
    #[must_use]
    pub const fn is_silenced(&self) -> bool {
        self.flags.is_silenced()
    }

    /// Whether it calls for a person: unacknowledged, the process abnormal, and nothing silences
    /// it.
    #[must_use]
    pub const fn is_annunciated(&self) -> bool {
        matches!(self.state, AlarmState::Unacknowledged) && !self.is_silenced()
    }
}

/// What happened to an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transition {
    /// A or D to B: people are told.
    Raised,
    /// Raised while raised: the record changed, nobody is told.
    Updated,
    /// B to C, or D to A.
    Acknowledged,
    /// B to D, C to A, or B to A where no acknowledgement is needed.
    Cleared,
    /// A one-time message: people are told, nothing stays.
    Notified,
    /// To E: a person silenced it for a time.
    Shelved,
    /// From E: its time is over, or a person ended it. If the record calls for a person now,
    /// people are told as if it had just been raised; the same for the two below.
    Unshelved,
    /// To F: the settings silence it.
    Suppressed,
    /// From F.
    Unsuppressed,
    /// To G.
    OutOfService,
    /// From G.
    ReturnedToService,
    /// From latched to A.
    Reset,
    /// C to B: it stayed too long, so people are told again of the same occurrence.
    ReAlarmed,
    /// Somebody works on it.
    Taken,
    /// Somebody asked that the next are told now.
    Escalated,
    /// It was marked, or is no longer: chattering, fleeting, stale, first out.
    Marked,
}

impl Transition {
    /// The word as it is stored and shown.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Updated => "updated",
            Self::Acknowledged => "acknowledged",
            Self::Cleared => "cleared",
            Self::Notified => "notified",
            Self::Shelved => "shelved",
            Self::Unshelved => "unshelved",
            Self::Suppressed => "suppressed",
            Self::Unsuppressed => "unsuppressed",
            Self::OutOfService => "out of service",
            Self::ReturnedToService => "returned to service",
            Self::Reset => "reset",
            Self::ReAlarmed => "re-alarmed",
            Self::Taken => "taken",
            Self::Escalated => "escalated",
            Self::Marked => "marked",
        }
    }
}

/// A step in an alarm's life, with the record as it is after it.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmEvent {
    /// What happened.
    pub transition: Transition,
    /// The record after it.
    pub record: AlarmRecord,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: Why,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_short_and_read_in_either_case() {
        assert_eq!(ShortCode::from_number(0, 2).as_str(), "22");
        assert_eq!(ShortCode::from_number(31, 2).as_str(), "32");
        assert_eq!("k7".parse(), Ok(ShortCode("K7".into())));
        assert!("O0".parse::<ShortCode>().is_err());
        assert!("".parse::<ShortCode>().is_err());
    }
}
