//! How the store behaves; every default is here.

use std::time::Duration;

/// Settings of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// Commits that may queue before callers wait.
    pub queue_max: usize,
    /// Rows that may wait in memory while the disk fails.
    pub backlog_rows_max: usize,
    /// Bytes that may wait in memory while the disk fails.
    pub backlog_bytes_max: usize,
    /// Size of the file that is given up when the disk is full; 0 for none.
    pub reserve_bytes: u64,
    /// How long to wait for another process that holds the database locked.
    pub busy_timeout: Duration,
    /// First pause before a failed write is tried again; doubles up to `retry_max`.
    pub retry_min: Duration,
    /// Longest pause before a failed write is tried again.
    pub retry_max: Duration,
    /// Databases up to this size are checked whole when they are opened, bytes.
    pub check_bytes_max: u64,
    /// How long a sent message without a receipt is loaded as open.
    pub receipts_for: Duration,
    /// How long things are kept.
    pub retention: Retention,
}

/// How long and how much is kept. What is owed is never deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Age at which journal lines and ended deliveries go.
    pub keep_for: Duration,
    /// Bytes in use above which the oldest of them go sooner.
    pub bytes_max: u64,
    /// How long messages from phones are known, to tell a repeated one.
    pub incoming_for: Duration,
}

const DAY: Duration = Duration::from_secs(86_400);

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            queue_max: 1_024,
            backlog_rows_max: 100_000,
            backlog_bytes_max: 64 << 20,
            reserve_bytes: 8 << 20,
            busy_timeout: Duration::from_secs(2),
            retry_min: Duration::from_millis(100),
            retry_max: Duration::from_secs(10),
            check_bytes_max: 256 << 20,
            receipts_for: DAY.saturating_mul(3),
            retention: Retention::default(),
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            keep_for: DAY.saturating_mul(90),
            bytes_max: 2 << 30,
            incoming_for: DAY.saturating_mul(30),
        }
    }
}
