//! Questions to the database and their answers.

use andon_model::{JournalEntry, JournalKind, OccurrenceId, Timestamp};

/// Which lines of the journal are wanted. The newest come first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalFilter {
    /// Only of this occurrence.
    pub occurrence: Option<OccurrenceId>,
    /// Only of this kind.
    pub kind: Option<JournalKind>,
    /// Only of this alarm, delivery, plugin or device.
    pub subject: Option<String>,
    /// Not earlier.
    pub since: Option<Timestamp>,
    /// Only lines before this one: the number of the last line of the page before.
    pub before: Option<u64>,
    /// At most so many; never more than [`JournalFilter::LIMIT_MAX`].
    pub limit: usize,
}

impl JournalFilter {
    /// Most lines of one page.
    pub const LIMIT_MAX: usize = 10_000;
}

impl Default for JournalFilter {
    fn default() -> Self {
        Self {
            occurrence: None,
            kind: None,
            subject: None,
            since: None,
            before: None,
            limit: 100,
        }
    }
}

/// A line of the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRow {
    /// Its number, in the order of commits.
    pub number: u64,
    /// The line.
    pub entry: JournalEntry,
}

/// How much the database holds, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreCounts {
    /// Alarms that are not over.
    pub alarms: u64,
    /// Deliveries that wait for their first or next try.
    pub queued: u64,
    /// Deliveries whose send has begun.
    pub sending: u64,
    /// Deliveries sent, without a receipt so far.
    pub sent: u64,
    /// Bytes in use in the database file.
    pub bytes: u64,
}
