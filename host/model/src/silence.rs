//! What stands beside an alarm's state: what keeps it silent, who took it, what marks it.
//!
//! Shelved (E), suppressed by design (F) and out of service (G) of ISA-18.2 are flags over the
//! states A to D, as OPC UA Part 9 has them. While any of them is set nobody is told; the state
//! goes on underneath, and every step is journalled.

use std::collections::BTreeSet;
use std::ops::Not;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// All that stands beside the state of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmFlags {
    /// E: a person silenced it for a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shelved: Option<Shelving>,
    /// F: the settings silence it while something else holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppressed: Option<Suppression>,
    /// G: it was taken out of service, for instance for maintenance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_service: Option<OutOfService>,
    /// Somebody works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Taken>,
    /// What was noticed about it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub marks: BTreeSet<Mark>,
    /// It latches: after its return to normal a person must reset it.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub latching: bool,
    /// How often it went back to B because it stayed too long in C (OPC UA `ReAlarmRepeatCount`).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub re_alarms: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl AlarmFlags {
    /// Whether there is nothing to say.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it is shelved, suppressed or out of service: nobody is told.
    #[must_use]
    pub const fn is_silenced(&self) -> bool {
        self.shelved.is_some() || self.suppressed.is_some() || self.out_of_service.is_some()
    }

    /// The letters of ISA-18.2 that hold: some of `E`, `F`, `G`, in this order.
    #[must_use]
    pub fn letters(&self) -> String {
        [
            (self.shelved.is_some(), 'E'),
            (self.suppressed.is_some(), 'F'),
            (self.out_of_service.is_some(), 'G'),
        ]
        .into_iter()
        .filter_map(|(holds, letter)| holds.then_some(letter))
        .collect()
    }

    /// Why nobody is told, as a person reads it; `None` if nothing silences it.
    #[must_use]
    pub fn silence(&self) -> Option<String> {
        let shelved = self.shelved.as_ref().map(|shelving| {
            format!(
                "shelved by {} until {}: {}",
                shelving.by, shelving.until, shelving.reason
            )
        });
        let suppressed = self
            .suppressed
            .as_ref()
            .map(|suppression| format!("suppressed by {}: {}", suppression.by, suppression.reason));
        let out = self.out_of_service.as_ref().map(|out| {
            format!(
                "out of service since {} by {}: {}",
                out.since, out.by, out.reason
            )
        });
        let all: Vec<String> = [shelved, suppressed, out].into_iter().flatten().collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// How a shelving ends (OPC UA Part 9 `ShelvedStateMachine`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShelvingKind {
    /// At its time (`TimedShelved`).
    Timed,
    /// When the alarm returns to normal, at its time at the latest (`OneShotShelved`).
    OneShot,
}

/// E: a person silenced an alarm for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelving {
    /// How it ends.
    pub kind: ShelvingKind,
    /// When it ends at the latest.
    pub until: Timestamp,
    /// Name of the contact, or of the user of the machine.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// By what: `sms`, `command line`, `api`.
    pub how: String,
    /// Why, in that person's words.
    pub reason: String,
}

/// F: the settings silence an alarm while something else holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// What silences it: the name of the suppression in the settings.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
    /// Why, as a person reads it.
    pub reason: String,
}

/// G: an alarm was taken out of service until a person brings it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutOfService {
    /// Name of the contact, or of the user of the machine.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
    /// By what: `command line`, `api`.
    pub how: String,
    /// Why, in that person's words.
    pub reason: String,
    /// When it is expected back; it stays out beyond that, and people are reminded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back_by: Option<Timestamp>,
}

/// Somebody said that they work on an alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Name of the contact, or of the user of the machine.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// By what: `sms`, `command line`, `api`.
    pub how: String,
}

/// What was noticed about an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// It comes and goes too often for anybody to act.
    Chattering,
    /// It was gone before anybody could act, and did not come again.
    Fleeting,
    /// It has been active for longer than an alarm should be.
    Stale,
    /// It was the first of its group (OPC UA `FirstInGroupFlag`).
    FirstOut,
}

impl Mark {
    /// The words that people read.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Chattering => "chattering",
            Self::Fleeting => "fleeting",
            Self::Stale => "stale",
            Self::FirstOut => "first out",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_beside_the_state_is_not_written() {
        let plain = AlarmFlags::default();
        assert!(plain.is_plain() && !plain.is_silenced());
        assert_eq!(serde_json::to_string(&plain).unwrap(), "{}");
        assert_eq!(plain.silence(), None);
    }

    #[test]
    fn silences_add_up() {
        let at = Timestamp::from_nanos(0);
        let flags = AlarmFlags {
            suppressed: Some(Suppression {
                by: "shut-down".into(),
                since: at,
                reason: "the line stands".into(),
            }),
            out_of_service: Some(OutOfService {
                by: "ola".into(),
                since: at,
                how: "command line".into(),
                reason: "new sensor".into(),
                back_by: None,
            }),
            ..AlarmFlags::default()
        };
        assert!(flags.is_silenced());
        assert_eq!(flags.letters(), "FG");
        let says = flags.silence().unwrap();
        assert!(
            says.contains("the line stands") && says.contains("new sensor"),
            "{says}"
        );
    }
}
