//! The journal from a moment on, line by line, for whoever counts: oldest first, without keeping it.
//!
//! Lines are in the order of commits, which is that of time as long as the clock is not set back.
//! The first line is found by halving, so the years before cost nothing; where the clock was set
//! back, begin early enough and look at the time of each line.

use andon_model::{JournalKind, OccurrenceId, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use crate::error::StoreError;
use crate::reader::Reader;
use crate::rows::{integer, kind, number};

/// Numbers of lines that are gone through at once; between two such steps a host may write, and
/// other questions are answered.
const STEP: u64 = 10_000;

/// A line of the journal as it lies in the database.
#[derive(Debug, Clone, Copy)]
pub struct RawLine<'a> {
    /// Its number, in the order of commits.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub kind: JournalKind,
    /// Of which occurrence.
    pub occurrence: Option<OccurrenceId>,
    /// The alarm, delivery, plugin or device.
    pub subject: &'a str,
    /// What happened.
    pub event: &'a str,
    /// More, as JSON.
    pub data: &'a str,
}

impl Reader {
    /// Hands out the lines of these kinds from a moment on, the oldest first, up to the newest
    /// there is when it begins. `take` must not ask this reader anything.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn each_line(
        &self,
        since: Timestamp,
        kinds: &[JournalKind],
        mut take: impl FnMut(&RawLine<'_>),
    ) -> Result<(), StoreError> {
        let failed = |error| StoreError::read(self.path(), error);
        let bounds = bounds(&self.connection()).map_err(failed)?;
        let Some((first, last)) = bounds else {
            return Ok(());
        };
        let mut next = first_since(&self.connection(), since, first, last).map_err(failed)?;
        while next <= last {
            let end = next.saturating_add(STEP).min(last.saturating_add(1));
            each(&self.connection(), next, end, kinds, &mut take).map_err(failed)?;
            next = end;
        }
        Ok(())
    }

    /// The time of the oldest line of the journal, those of alarms that stand left aside: they are
    /// kept when others of their age are deleted. `None` for an empty journal.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn journal_begins(&self) -> Result<Option<Timestamp>, StoreError> {
        self.connection()
            .query_row(
                "SELECT at FROM journal
                 WHERE occurrence IS NULL OR occurrence NOT IN (SELECT occurrence FROM alarms)
                 ORDER BY id LIMIT 1",
                [],
                |row| row.get(0).map(Timestamp::from_nanos),
            )
            .optional()
            .map_err(|error| StoreError::read(self.path(), error))
    }
}

/// The numbers of the oldest and the newest line.
fn bounds(connection: &Connection) -> rusqlite::Result<Option<(u64, u64)>> {
    connection.query_row("SELECT min(id), max(id) FROM journal", [], |row| {
        let (first, last): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
        Ok(first
            .zip(last)
            .map(|(first, last)| (number(first), number(last))))
    })
}

/// The number from which on lines are not earlier than a moment.
fn first_since(
    connection: &Connection,
    since: Timestamp,
    first: u64,
    last: u64,
) -> rusqlite::Result<u64> {
    let mut statement =
        connection.prepare_cached("SELECT at FROM journal WHERE id >= ?1 ORDER BY id LIMIT 1")?;
    let (mut low, mut high) = (first, last.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        let at: i64 = statement.query_row([integer(middle)], |row| row.get(0))?;
        if at < since.nanos() {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

fn each(
    connection: &Connection,
    from: u64,
    to: u64,
    kinds: &[JournalKind],
    take: &mut impl FnMut(&RawLine<'_>),
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "SELECT id, at, kind, occurrence, subject, event, data FROM journal
         WHERE id >= ?1 AND id < ?2 ORDER BY id",
    )?;
    let mut rows = statement.query([integer(from), integer(to)])?;
    while let Some(row) = rows.next()? {
        let kind = kind(row.get_ref(2)?.as_str()?);
        if !kinds.contains(&kind) {
            continue;
        }
        let occurrence: Option<i64> = row.get(3)?;
        take(&RawLine {
            number: number(row.get(0)?),
            at: Timestamp::from_nanos(row.get(1)?),
            kind,
            occurrence: occurrence.map(|one| OccurrenceId(number(one))),
            subject: row.get_ref(4)?.as_str()?,
            event: row.get_ref(5)?.as_str()?,
            data: row.get_ref(6)?.as_str()?,
        });
    }
    Ok(())
}
