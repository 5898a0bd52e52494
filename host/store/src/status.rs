//! How the disk is, for the host's own alarm, `/healthz` and metrics.

use andon_model::Timestamp;

/// State of the writing side. It is published on a watch and changes only when something does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreStatus {
    /// Whether commits reach the disk.
    pub health: Health,
    /// Since when it is not good.
    pub since: Option<Timestamp>,
    /// What is wrong and what to do, for a person.
    pub why: Option<String>,
    /// Rows that wait in memory.
    pub backlog_rows: usize,
    /// About as many bytes.
    pub backlog_bytes: usize,
    /// Journal lines given up since the host started, because the backlog was full.
    pub journal_dropped: u64,
    /// Commits that were not kept since the host started (full backlog, or refused rows).
    pub commits_lost: u64,
}

/// Whether commits reach the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Health {
    /// They do.
    #[default]
    Good,
    /// They do, but only because the reserve was given up: the disk is full.
    OnReserve,
    /// They wait in memory.
    Deferring,
}
