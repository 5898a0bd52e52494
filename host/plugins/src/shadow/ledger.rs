//! What the comparison of a shadow came to: counts, the last differences, and what of them goes
//! into the journal.
//!
//! All of it is bounded: [`DIFFERENCES_MAX`] differences are kept, [`JOURNAL_PER_MINUTE`] lines a
//! minute are journalled, and one round puts at most [`DIFFERENCES_MAX`] of them into words. What
//! is beyond a bound is counted, and the next line says how many there were.

use std::collections::VecDeque;
use std::time::Duration;

use andon_model::Timestamp;
use serde::Serialize;

/// Differences that are kept for people, the newest.
pub(crate) const DIFFERENCES_MAX: usize = 100;
/// Differences of one shadow that are journalled in a minute.
pub(crate) const JOURNAL_PER_MINUTE: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// How the running version and its shadow compare so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ShadowCounts {
    /// Calls of the shadow.
    pub calls: u64,
    /// Calls of the shadow that counted as a strike.
    pub strikes: u64,
    /// Calls that the shadow declined while the running version failed at nothing.
    pub declines: u64,
    /// Rounds in which both were well, and at least one was called.
    pub compared: u64,
    /// Rounds that were not compared, because one of the two had just failed or begun anew.
    pub uncompared: u64,
    /// Actions or outputs that were the same.
    pub same: u64,
    /// Actions that only the running version asked for.
    pub only_running: u64,
    /// Actions that only the shadow asked for.
    pub only_shadow: u64,
    /// Actions with another priority, message or attribute; outputs of another value or quality.
    pub changed: u64,
    /// Actions that were the same, but in another round.
    pub shifted: u64,
}

impl ShadowCounts {
    /// All that was not the same, in time or in content.
    #[must_use]
    pub const fn differences(&self) -> u64 {
        self.only_running + self.only_shadow + self.changed + self.shifted
    }

    /// Calls that went wrong and that the running version did not fail at as well.
    #[must_use]
    pub const fn failures(&self) -> u64 {
        self.strikes + self.declines
    }

    fn of(&mut self, kind: DifferenceKind) -> &mut u64 {
        match kind {
            DifferenceKind::OnlyRunning => &mut self.only_running,
            DifferenceKind::OnlyShadow => &mut self.only_shadow,
            DifferenceKind::Changed => &mut self.changed,
            DifferenceKind::Shifted => &mut self.shifted,
        }
    }
}

/// In what two versions differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// Only the running version asked for it.
    OnlyRunning,
    /// Only the shadow asked for it.
    OnlyShadow,
    /// Both did, with another content.
    Changed,
    /// Both did the same, at another time.
    Shifted,
}

/// One difference, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// When it was seen.
    pub at: Timestamp,
    /// What kind.
    pub kind: DifferenceKind,
    /// What the two versions did.
    pub says: String,
}

/// Takes down what a comparison finds.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) counts: ShadowCounts,
    /// The newest last.
    kept: VecDeque<Difference>,
    /// Found since it was asked last.
    found: u64,
    /// Put into words in this round.
    worded: usize,
    /// Found in this round and not journalled yet.
    fresh: Vec<Difference>,
    minute_began: Option<Timestamp>,
    journalled: u32,
    left_out: u64,
}

impl Ledger {
    /// Takes down a difference; the words are made only where they are kept.
    pub(crate) fn note(
        &mut self,
        at: Timestamp,
        kind: DifferenceKind,
        says: impl FnOnce() -> String,
    ) {
        *self.counts.of(kind) += 1;
        self.found += 1;
        if self.worded >= DIFFERENCES_MAX {
            self.left_out += 1;
            return;
        }
        self.worded += 1;
        let difference = Difference {
            at,
            kind,
            says: says(),
        };
        while self.kept.len() >= DIFFERENCES_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(difference.clone());
        self.fresh.push(difference);
    }

    /// What was taken down as `count` differences of one kind was the same at another time.
    pub(crate) fn mend(
        &mut self,
        at: Timestamp,
        kind: DifferenceKind,
        count: u64,
        says: impl FnOnce() -> String,
    ) {
        let counted = self.counts.of(kind);
        *counted = counted.saturating_sub(count);
        self.note(at, DifferenceKind::Shifted, says);
    }

    /// How many differences were found since this was asked last.
    pub(crate) const fn found(&mut self) -> u64 {
        std::mem::replace(&mut self.found, 0)
    }

    /// The differences of this round that belong into the journal, within the bound of a minute.
    pub(crate) fn journal(&mut self, now: Timestamp) -> Vec<Difference> {
        self.worded = 0;
        if self
            .minute_began
            .is_none_or(|began| now.since(began) >= MINUTE)
        {
            self.minute_began = Some(now);
            self.journalled = 0;
        }
        let mut lines = Vec::new();
        for mut difference in std::mem::take(&mut self.fresh) {
            if self.journalled >= JOURNAL_PER_MINUTE {
                self.left_out += 1;
                continue;
            }
            self.journalled += 1;
            let left_out = std::mem::take(&mut self.left_out);
            if left_out > 0 {
                let more = format!(" ({left_out} more were only counted)");
                difference.says.push_str(&more);
            }
            lines.push(difference);
        }
        lines
    }

    /// The differences that are kept, the newest first.
    pub(crate) fn last(&self) -> Vec<Difference> {
        self.kept.iter().rev().cloned().collect()
    }
}
