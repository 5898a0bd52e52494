//! Commits that are not on the disk yet, in order, within a bound.
//!
//! While the disk answers, this holds one group for a moment. While it does not, commits pile up
//! here. What gives way at the bound, in this order:
//!
//! 1. what a later commit replaces (states, timers, alarms, deliveries): nothing is lost;
//! 2. journal lines that belong to no occurrence, oldest first;
//! 3. journal lines of occurrences, oldest first;
//! 4. nothing else: a commit for which there is still no room is not taken, and its caller told.
//!
//! Lines given up are counted, and a line of the journal says how many once the disk is back.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

use andon_model::Commit;
use tokio::sync::oneshot;

use crate::error::CommitError;
use crate::rows::{byte_count, row_count};

/// Where the answer to a ticket goes; gone once it is given.
pub(crate) type Answer = Option<oneshot::Sender<Result<(), CommitError>>>;

/// A commit that waits.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) commit: Commit,
    pub(crate) answer: Answer,
    rows: usize,
    bytes: usize,
}

impl Pending {
    pub(crate) fn new(commit: Commit, answer: Answer) -> Self {
        Self {
            rows: row_count(&commit),
            bytes: byte_count(&commit),
            commit,
            answer,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Backlog {
    waiting: VecDeque<Pending>,
    rows: usize,
    bytes: usize,
    rows_max: usize,
    bytes_max: usize,
    journal_dropped: u64,
}

impl Backlog {
    pub(crate) const fn new(rows_max: usize, bytes_max: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            rows: 0,
            bytes: 0,
            rows_max,
            bytes_max,
            journal_dropped: 0,
        }
    }

    /// Takes a commit, making room if it must; gives it back if there is none.
    /// A commit larger than the whole bound is taken into an empty backlog.
    pub(crate) fn push(&mut self, pending: Pending) -> Result<(), Box<Pending>> {
        if !self.has_room_for(&pending) {
            self.merge();
            self.drop_journal(&pending, |occurrence| occurrence.is_none());
            self.drop_journal(&pending, |_| true);
        }
        if !self.has_room_for(&pending) {
            return Err(Box::new(pending));
        }
        self.rows += pending.rows;
        self.bytes += pending.bytes;
        self.waiting.push_back(pending);
        Ok(())
    }

    /// The oldest commits that make one transaction: at least one, at most about `rows_max` rows.
    pub(crate) fn group(&self, rows_max: usize) -> usize {
        let mut rows = 0;
        self.waiting
            .iter()
            .take_while(|pending| {
                let fits = rows == 0 || rows + pending.rows <= rows_max;
                rows += pending.rows;
                fits
            })
            .count()
    }

    /// The oldest commits.
    pub(crate) fn first(&self, count: usize) -> impl Iterator<Item = &Commit> {
        self.waiting
            .iter()
            .take(count)
            .map(|pending| &pending.commit)
    }

    pub(crate) fn pop(&mut self) -> Option<Pending> {
        let pending = self.waiting.pop_front()?;
        self.rows = self.rows.saturating_sub(pending.rows);
        self.bytes = self.bytes.saturating_sub(pending.bytes);
        Some(pending)
    }

    /// Tells all that wait that they are not on the disk yet.
    pub(crate) fn answer_all(&mut self, result: &Result<(), CommitError>) {
        for pending in &mut self.waiting {
            answer(&mut pending.answer, result.clone());
        }
    }

    /// Tells the one that came last.
    pub(crate) fn answer_newest(&mut self, result: Result<(), CommitError>) {
        if let Some(pending) = self.waiting.back_mut() {
            answer(&mut pending.answer, result);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Journal lines given up since the start.
    pub(crate) const fn journal_dropped(&self) -> u64 {
        self.journal_dropped
    }

    /// Whether the commit fits without anything giving way.
    pub(crate) fn has_room_for(&self, more: &Pending) -> bool {
        self.waiting.is_empty()
            || (self.rows + more.rows <= self.rows_max && self.bytes + more.bytes <= self.bytes_max)
    }

    /// Makes one commit of all that wait, in their order. They were answered when the disk failed:
    /// while it does not, the writer makes room by writing.
    fn merge(&mut self) {
        let mut whole = Commit::default();
        for pending in &mut self.waiting {
            let commit = std::mem::take(&mut pending.commit);
            whole.states.extend(commit.states);
            whole.timers.extend(commit.timers);
            whole.alarms.extend(commit.alarms);
            whole.journal.extend(commit.journal);
            whole.deliveries.extend(commit.deliveries);
            whole.incoming.extend(commit.incoming);
            whole.last_occurrence = whole.last_occurrence.max(commit.last_occurrence);
        }
        keep_last(&mut whole.states, |change| {
            (change.instance.clone(), change.key.clone())
        });
        keep_last(&mut whole.timers, |change| change.instance.clone());
        keep_last(&mut whole.alarms, |record| record.occurrence);
        keep_last(&mut whole.deliveries, |delivery| delivery.id.clone());
        keep_last(&mut whole.incoming, Clone::clone);
        self.replace_by(whole);
    }

    /// Gives up the oldest lines of the journal that fit, until there is room and a quarter over,
    /// so that the next commits do not each pay for a merge. Only after [`Backlog::merge`].
    fn drop_journal(
        &mut self,
        more: &Pending,
        may_go: impl Fn(Option<andon_model::OccurrenceId>) -> bool,
    ) {
        if self.has_room_for(more) {
            return;
        }
        let Some(mut whole) = self.pop() else { return };
        let mut rows = whole.rows;
        let mut bytes = whole.bytes;
        let (rows_max, bytes_max) = (self.rows_max / 4 * 3, self.bytes_max / 4 * 3);
        let before = whole.commit.journal.len();
        whole.commit.journal.retain(|entry| {
            let roomy = rows + more.rows <= rows_max && bytes + more.bytes <= bytes_max;
            if roomy || !may_go(entry.occurrence) {
                return true;
            }
            rows = rows.saturating_sub(1);
            bytes = bytes.saturating_sub(crate::rows::entry_bytes(entry) + crate::rows::ROW_BYTES);
            false
        });
        let dropped = before - whole.commit.journal.len();
        self.journal_dropped = self.journal_dropped.saturating_add(dropped as u64);
        self.replace_by(whole.commit);
    }

    fn replace_by(&mut self, whole: Commit) {
        let whole = Pending::new(whole, None);
        self.waiting.clear();
        self.rows = whole.rows;
        self.bytes = whole.bytes;
        self.waiting.push_back(whole);
    }
}

/// Gives an answer once; whoever dropped the ticket does not want it.
pub(crate) fn answer(to: &mut Answer, result: Result<(), CommitError>) {
    if let Some(to) = to.take() {
        drop(to.send(result));
    }
}

/// Keeps the last row of each key, in order.
fn keep_last<T, K: Hash + Eq>(rows: &mut Vec<T>, key: impl Fn(&T) -> K) {
    let mut seen = HashSet::with_capacity(rows.len());
    rows.reverse();
    rows.retain(|row| seen.insert(key(row)));
    rows.reverse();
}

#[cfg(test)]
mod tests;
