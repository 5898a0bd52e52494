//! Long lists page by page, the newest first.
//!
//! A page is found by going through rows one by one where no index knows the answer, so it looks
//! at no more than [`SCAN_MAX`] rows; its cursor says where the next page goes on, also when this
//! one holds fewer rows than were asked for, or none.

use andon_model::{Delivery, OccurrenceId, Timestamp};
use rusqlite::params_from_iter;
use rusqlite::types::Value;
use std::time::Duration;

use crate::error::StoreError;
use crate::query::{JournalFilter, JournalRow};
use crate::reader::Reader;
use crate::rows::{JOURNAL_COLUMNS, integer, journal_entry, json, number};

/// Most rows that one page looks at.
const SCAN_MAX: u64 = 20_000;
/// By how much lines may stand out of the order of their times: those of devices and providers
/// carry the time at which they happened there.
const DISORDER: Duration = Duration::from_secs(120);

/// Which deliveries are wanted. The newest come first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Only of this occurrence.
    pub occurrence: Option<OccurrenceId>,
    /// Only in this state, by its word.
    pub state: Option<String>,
    /// Only to this contact.
    pub contact: Option<String>,
    /// Only those before this one.
    pub before: Option<u64>,
    /// At most so many; never more than [`JournalFilter::LIMIT_MAX`].
    pub limit: usize,
}

/// Some rows, the newest first, and where the next ones begin.
#[derive(Debug, Clone, PartialEq)]
pub struct RowPage<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Ask for what comes before this one next; `None` if there is no more.
    pub next: Option<u64>,
}

/// Conditions of a statement with their values.
#[derive(Default)]
struct Conditions {
    texts: Vec<&'static str>,
    values: Vec<Value>,
}

impl Conditions {
    fn only(&mut self, text: &'static str, value: impl Into<Value>) {
        self.texts.push(text);
        self.values.push(value.into());
    }

    fn sql(&self) -> String {
        let texts = ["TRUE"].into_iter().chain(self.texts.iter().copied());
        texts.collect::<Vec<_>>().join(" AND ")
    }
}

impl Reader {
    /// A page of the journal before `until`, the newest line first, and where the next begins.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn journal_page(
        &self,
        filter: &JournalFilter,
        until: Option<Timestamp>,
    ) -> Result<RowPage<JournalRow>, StoreError> {
        let (mut range, mut wanted) = (Conditions::default(), Conditions::default());
        let mut before = filter.before;
        if let Some(until) = until {
            wanted.only("at < ?", until.nanos());
            let end = self.first_line_at(until.plus(DISORDER))?;
            before = Some(before.map_or(end, |before| before.min(end)));
        }
        if let Some(before) = before {
            range.only("id < ?", integer(before));
        }
        if let Some(since) = filter.since {
            wanted.only("at >= ?", since.nanos());
            let begin = self.first_line_at(since.minus(DISORDER))?;
            range.only("id >= ?", integer(begin));
        }
        if let Some(occurrence) = filter.occurrence {
            range.only("occurrence = ?", integer(occurrence.0));
        }
        if let Some(kind) = filter.kind {
            wanted.only("kind = ?", kind.word().to_owned());
        }
        if let Some(subject) = &filter.subject {
            wanted.only("subject = ?", subject.clone());
        }
        let limit = filter.limit.min(JournalFilter::LIMIT_MAX);
        let sql = format!(
            "SELECT {JOURNAL_COLUMNS} FROM
                 (SELECT * FROM journal WHERE {} ORDER BY id DESC LIMIT {SCAN_MAX})
             WHERE {} ORDER BY id DESC LIMIT {limit}",
            range.sql(),
            wanted.sql()
        );
        let values = range.values.iter().chain(&wanted.values);
        let rows = self.all(&sql, params_from_iter(values), |row| {
            journal_entry(row).map(|(number, entry)| JournalRow { number, entry })
        })?;
        let last = rows.last().map(|row| row.number);
        let full = rows.len() >= limit;
        let next = self.next_page("journal", "id", &range, if full { last } else { None })?;
        Ok(RowPage { rows, next })
    }

    /// Lines of the journal after this one, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn journal_after(&self, after: u64, limit: usize) -> Result<Vec<JournalRow>, StoreError> {
        let limit = limit.min(JournalFilter::LIMIT_MAX);
        let sql = format!(
            "SELECT {JOURNAL_COLUMNS} FROM journal WHERE id > ?1 ORDER BY id LIMIT {limit}"
        );
        self.all(&sql, [integer(after)], |row| {
            journal_entry(row).map(|(number, entry)| JournalRow { number, entry })
        })
    }

    /// Number of the newest line of the journal; 0 if there is none.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn journal_end(&self) -> Result<u64, StoreError> {
        let end = self.first("SELECT max(id) FROM journal", [], |row| {
            row.get::<_, Option<i64>>(0)
        })?;
        Ok(end.flatten().map_or(0, number))
    }

    /// A page of the deliveries, the newest first, and where the next begins.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn deliveries_page(
        &self,
        filter: &DeliveryFilter,
    ) -> Result<RowPage<Delivery>, StoreError> {
        let (mut range, mut wanted) = (Conditions::default(), Conditions::default());
        if let Some(before) = filter.before {
            range.only("number < ?", integer(before));
        }
        if let Some(occurrence) = filter.occurrence {
            range.only("occurrence = ?", integer(occurrence.0));
        }
        match filter.state.as_deref() {
            // These have an index, which must be named as it was made.
            Some(state @ ("queued" | "sending" | "sent")) => range.only(
                "state IN ('queued', 'sending', 'sent') AND state = ?",
                state.to_owned(),
            ),
            Some(state) => wanted.only("state = ?", state.to_owned()),
            None => {}
        }
        if let Some(contact) = &filter.contact {
            wanted.only("record ->> '$.contact' = ?", contact.clone());
        }
        let limit = filter.limit.min(JournalFilter::LIMIT_MAX);
        let sql = format!(
            "SELECT number, record FROM
                 (SELECT * FROM deliveries WHERE {} ORDER BY number DESC LIMIT {SCAN_MAX})
             WHERE {} ORDER BY number DESC LIMIT {limit}",
            range.sql(),
            wanted.sql()
        );
        let values = range.values.iter().chain(&wanted.values);
        let rows: Vec<(u64, Delivery)> = self.all(&sql, params_from_iter(values), |row| {
            Ok((number(row.get(0)?), json(row, 1)?))
        })?;
        let last = rows.last().map(|(number, _)| *number);
        let full = rows.len() >= limit;
        let next = self.next_page(
            "deliveries",
            "number",
            &range,
            if full { last } else { None },
        )?;
        Ok(RowPage {
            rows: rows.into_iter().map(|(_, row)| row).collect(),
            next,
        })
    }

    /// Where the page after this one begins: after its last row if it is full, else after the last
    /// row that it looked at, if that was not the last there is.
    fn next_page(
        &self,
        table: &str,
        key: &str,
        range: &Conditions,
        last: Option<u64>,
    ) -> Result<Option<u64>, StoreError> {
        if last.is_some() {
            return Ok(last);
        }
        let sql = format!(
            "SELECT count(*), min(key) FROM
                 (SELECT {key} AS key FROM {table} WHERE {} ORDER BY {key} DESC LIMIT {SCAN_MAX})",
            range.sql()
        );
        let looked_at = self.first(&sql, params_from_iter(&range.values), |row| {
            let count: i64 = row.get(0)?;
            let least: Option<i64> = row.get(1)?;
            Ok((number(count), least.map(number)))
        })?;
        Ok(looked_at.and_then(|(count, least)| least.filter(|_| count >= SCAN_MAX)))
    }

    /// The first line that is not earlier than this, as lines stand by their time; one beyond the
    /// end if there is none. Halves the numbers that are left, so it asks at most 64 times.
    fn first_line_at(&self, at: Timestamp) -> Result<u64, StoreError> {
        let (mut low, mut high) = (0, self.journal_end()?.saturating_add(1));
        while low < high {
            let middle = low + (high - low) / 2;
            let found = self.first(
                "SELECT id, at FROM journal WHERE id >= ?1 ORDER BY id LIMIT 1",
                [integer(middle)],
                |row| Ok((number(row.get(0)?), row.get::<_, i64>(1)?)),
            )?;
            match found {
                Some((id, time)) if time < at.nanos() => low = id.saturating_add(1),
                Some(_) | None => high = middle,
            }
        }
        Ok(low)
    }
}
