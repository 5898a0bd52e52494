//! What is too old, or too much, is deleted in small steps between commits.
//!
//! Alarms that are not over and deliveries that are owed never are. Cut-offs are whole days (UTC),
//! so that a step finds many rows at once or none, and the lines of the journal that say what was
//! deleted stay few.

use std::time::Duration;

use andon_model::{JournalEntry, JournalKind, Reason, Timestamp, Why};
use rusqlite::{Connection, TransactionBehavior};
use serde_json::json;

use crate::options::Retention;
use crate::rows::number;
use crate::write::{WriteError, journal};

/// Most rows of each table that one step deletes.
const STEP_ROWS: u32 = 1_000;

/// Oldest rows of the outbox among which one step looks: enough to see past those that must stay,
/// and few enough not to hold up commits.
const LOOK_ROWS: u32 = 20_000;

/// What one step deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tidied {
    /// Lines of the journal.
    pub journal: usize,
    /// Deliveries that had ended.
    pub deliveries: usize,
    /// Known messages from phones.
    pub incoming: usize,
    /// Whether a further step may find more.
    pub more: bool,
}

impl Tidied {
    /// Whether nothing was to delete.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        self.journal == 0 && self.deliveries == 0 && self.incoming == 0
    }
}

/// One step.
pub(crate) fn step(
    connection: &mut Connection,
    now: Timestamp,
    retention: &Retention,
    receipts_for: Duration,
) -> Result<Tidied, WriteError> {
    let too_large = bytes_in_use(connection)? > retention.bytes_max;
    let cut = start_of_day(now.minus(retention.keep_for));
    // By size, anything may go that does not belong to what still goes on.
    let journal_cut = if too_large { Timestamp::MAX } else { cut };
    let sent_cut = start_of_day(now.minus(receipts_for.max(if too_large {
        Duration::ZERO
    } else {
        retention.keep_for
    })));
    let incoming_cut = start_of_day(now.minus(retention.incoming_for));

    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let tidied = {
        let lines = transaction
            .prepare_cached(
                "DELETE FROM journal WHERE id IN (
                     SELECT id FROM (SELECT id, at, occurrence FROM journal ORDER BY id LIMIT ?3)
                     WHERE at < ?1
                         AND (occurrence IS NULL OR occurrence NOT IN (SELECT occurrence FROM alarms))
                     ORDER BY id LIMIT ?2)",
            )?
            .execute((journal_cut.nanos(), STEP_ROWS, LOOK_ROWS))?;
        let deliveries = transaction
            .prepare_cached(
                "DELETE FROM deliveries WHERE number IN (
                     SELECT number FROM (SELECT * FROM deliveries ORDER BY number LIMIT ?4)
                     WHERE (state IN ('delivered', 'failed', 'expired') AND created_at < ?1
                            OR state = 'sent' AND created_at < ?2)
                         AND occurrence NOT IN (SELECT occurrence FROM alarms)
                     ORDER BY number LIMIT ?3)",
            )?
            .execute((journal_cut.nanos(), sent_cut.nanos(), STEP_ROWS, LOOK_ROWS))?;
        let incoming = transaction
            .prepare_cached(
                "DELETE FROM incoming WHERE (sink, id) IN (
                     SELECT sink, id FROM incoming WHERE at < ?1 LIMIT ?2)",
            )?
            .execute((incoming_cut.nanos(), STEP_ROWS))?;
        let full = STEP_ROWS as usize;
        Tidied {
            journal: lines,
            deliveries,
            incoming,
            more: lines == full || deliveries == full || incoming == full,
        }
    };
    if !tidied.is_nothing() {
        let why = if too_large { By::Size } else { By::Age };
        journal(&transaction, &[line(now, &tidied, why, retention)])?;
    }
    transaction.commit()?;
    if !tidied.is_nothing() {
        give_pages_back(connection)?;
    }
    Ok(tidied)
}

/// Why rows went.
enum By {
    Age,
    Size,
}

fn line(now: Timestamp, tidied: &Tidied, by: By, retention: &Retention) -> JournalEntry {
    let detail = match by {
        By::Age => format!("older than {} days", retention.keep_for.as_secs() / 86_400),
        By::Size => format!(
            "the database is above its bound of {} MiB",
            retention.bytes_max >> 20
        ),
    };
    JournalEntry {
        at: now,
        kind: JournalKind::System,
        occurrence: None,
        subject: "journal".to_owned(),
        event: "tidied".to_owned(),
        why: Why::new(Reason::LimitReached, detail),
        data: json!({
            "journal": tidied.journal,
            "deliveries": tidied.deliveries,
            "incoming": tidied.incoming,
        }),
    }
}

fn bytes_in_use(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row(
        "SELECT (page_count - freelist_count) * page_size
         FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
        [],
        |row| row.get(0).map(number),
    )
}

/// Shrinks the file a little, if it was made to allow it.
fn give_pages_back(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA incremental_vacuum(1000)")?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

fn start_of_day(at: Timestamp) -> Timestamp {
    const DAY: i64 = 86_400_000_000_000;
    Timestamp::from_nanos(at.nanos().div_euclid(DAY).saturating_mul(DAY))
}
