//! What people order in the life of an alarm beside its acknowledgement.

use serde::{Deserialize, Serialize};

/// What a person orders, of which alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LifeRequest {
    /// Short code, occurrence number, or `INSTANCE/KEY`, which also names one that is normal.
    pub alarm: String,
    /// Who.
    pub by: String,
    /// By what: `command line`, `api`.
    pub how: String,
    /// What.
    pub order: LifeOrder,
}

/// An order about one alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case")]
pub enum LifeOrder {
    /// Silence it for a time.
    Shelve {
        /// For how long, milliseconds; without it until it returns to normal, as long as its
        /// priority allows at most.
        for_ms: Option<u64>,
        /// Why; mandatory.
        reason: String,
    },
    /// End a shelving before its time.
    Unshelve,
    /// End a latched alarm.
    Reset,
    /// Take it out of service until somebody brings it back.
    ServiceOut {
        /// In which time it is expected back, milliseconds.
        back_in_ms: Option<u64>,
        /// Why; mandatory.
        reason: String,
    },
    /// Bring it back into service.
    ServiceBack,
}
