//! How soon somebody must act.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Priority as in ISA-18.2, lowest first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
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

impl Priority {
    /// All priorities, lowest first.
    pub const ALL: [Self; 5] = [
        Self::Diagnostic,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The name as settings write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Diagnostic => "diagnostic",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A text that names no priority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a priority: use diagnostic, low, medium, high or critical")]
pub struct UnknownPriority(pub String);

impl FromStr for Priority {
    type Err = UnknownPriority;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|p| p.name() == text)
            .ok_or_else(|| UnknownPriority(text.to_owned()))
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
