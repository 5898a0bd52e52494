//! What a rule asks of the host.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The condition holds. Raising a raised key updates it and alerts nobody again.
    Raise(Alarm),
    /// The condition with this key no longer holds.
    Clear(String),
    /// Tell people once; nothing stays active.
    Notify(Alarm),
}

impl fmt::Display for Action {
    /// One line: `raise tank1.level.high high: tank1.level is at 81 %`, `clear tank1.level.high`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raise(alarm) => write!(f, "raise {alarm}"),
            Self::Clear(key) => write!(f, "clear {key}"),
            Self::Notify(alarm) => write!(f, "notify {alarm}"),
        }
    }
}

/// A condition that is true until it is cleared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Names the condition within this instance: `tank1.level.high`.
    pub key: String,
    /// How soon somebody must act.
    pub priority: Priority,
    /// What a person reads, complete in itself: what, where, how much.
    pub message: String,
    /// Become labels of the alarm, by which it is routed; labels in the settings win.
    pub attributes: Vec<(String, String)>,
}

impl Alarm {
    /// An alarm without attributes.
    #[must_use]
    pub fn new(key: impl Into<String>, priority: Priority, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            priority,
            message: message.into(),
            attributes: Vec::new(),
        }
    }

    /// The alarm with one more attribute.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.key, self.priority, self.message)
    }
}

/// How soon somebody must act, as in ISA-18.2; lowest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Priority {
    /// Journalled, never sent to anybody.
    Diagnostic,
    /// Somebody should look during the day.
    Low,
    /// Somebody must act this shift.
    Medium,
    /// Somebody must act soon.
    High,
    /// Somebody must act now.
    Critical,
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Diagnostic => "diagnostic",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}
