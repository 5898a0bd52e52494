//! The book of alarms: what stands, and the questions that others ask of it.

use std::collections::VecDeque;

use andon_model::{
    AlarmId, AlarmRecord, AlarmState, JournalEntry, OccurrenceId, Priority, ShortCode, StageRow,
};

use crate::acknowledge::Target;
use crate::due::ReAlarms;
use crate::limits::AlarmLimits;
use crate::policy::AlarmPolicy;
use crate::silence::{Reminder, Silences};
use crate::standing::Standing;

/// Every alarm that is not over, and the numbering of occurrences.
///
/// One per host. It is made from what was stored by [`AlarmBook::restore`]; after that
/// [`AlarmBook::apply`], the orders of people ([`AlarmBook::acknowledge`], [`AlarmBook::shelve`]
/// and their like) and time ([`AlarmBook::on_time`]) change it.
#[derive(Debug, Clone, Default)]
pub struct AlarmBook {
    pub(crate) standing: Standing,
    /// Records that are over, oldest first, at most [`AlarmBook::ENDED_MAX`]; they let a late
    /// reply be answered. The oldest is forgotten beyond that, and after a restart all are.
    ended: VecDeque<AlarmRecord>,
    last_occurrence: OccurrenceId,
    pub(crate) limits: AlarmLimits,
    pub(crate) refused_total: u64,
    /// Rows that changed and are not in a commit yet.
    pub(crate) rows: Vec<StageRow>,
    /// Lines of the journal about conditions of which no alarm stands, not in a commit yet.
    pub(crate) lines: Vec<JournalEntry>,
    /// What people are to be reminded of.
    pub(crate) reminders: Vec<Reminder>,
    pub(crate) policy: AlarmPolicy,
    pub(crate) silences: Silences,
    pub(crate) re_alarms: ReAlarms,
}

/// How many alarms stand, for metrics and the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Not over: B, C, D, latched.
    pub standing: usize,
    /// The process is abnormal: B, C.
    pub active: usize,
    /// An acknowledgement is owed: B, D.
    pub unacknowledged: usize,
}

impl AlarmBook {
    /// Most records that are kept after they are over, to answer late replies.
    pub const ENDED_MAX: usize = 1_000;

    /// A book with what was stored: alarms that were not over, and the highest number ever given.
    /// Rows of the stage are taken up after it by [`AlarmBook::restore_rows`].
    ///
    /// Records that are over are left out. Of two records of one condition the newer counts.
    #[must_use]
    pub fn restore(
        records: Vec<AlarmRecord>,
        last_occurrence: OccurrenceId,
        limits: AlarmLimits,
    ) -> Self {
        let mut book = Self {
            last_occurrence,
            limits,
            ..Self::default()
        };
        let mut records = records;
        records.sort_by_key(|record| record.occurrence);
        for record in records {
            book.last_occurrence = book.last_occurrence.max(record.occurrence);
            if record.state == AlarmState::Normal {
                continue;
            }
            if let Some(older) = book.standing.find(&record.id) {
                book.standing.remove(older);
            }
            book.standing.insert(record);
        }
        book
    }

    /// Takes up the rows that were stored, and plans what is due under these settings.
    ///
    /// Answers a sentence for each row that is not understood; what it silenced is told again,
    /// and the row stays where it is.
    pub fn restore_rows(&mut self, rows: &[StageRow], policy: AlarmPolicy) -> Vec<String> {
        self.policy = policy;
        let unreadable = self.restore_silences(rows);
        self.replan_re_alarms();
        unreadable
    }

    /// The highest number given so far, for [`andon_model::Commit::last_occurrence`].
    #[must_use]
    pub const fn last_occurrence(&self) -> OccurrenceId {
        self.last_occurrence
    }

    /// Gives a fresh number; also for what is no alarm but is delivered, such as a test message.
    /// The number must be committed before anything that carries it leaves the host.
    pub fn next_occurrence(&mut self) -> OccurrenceId {
        // 2^64 numbers last longer than any plant.
        self.last_occurrence = OccurrenceId(self.last_occurrence.0.saturating_add(1));
        self.last_occurrence
    }

    /// Alarms that are not over, in the order in which they began; `rev()` gives the newest first.
    pub fn standing(&self) -> impl DoubleEndedIterator<Item = &AlarmRecord> {
        self.standing.iter()
    }

    /// Alarms that are not over as an operator wants them: unacknowledged before acknowledged,
    /// active before returned, the more urgent first, then the newest first; what is silent comes
    /// last.
    #[must_use]
    pub fn by_urgency(&self) -> Vec<&AlarmRecord> {
        let mut records: Vec<&AlarmRecord> = self.standing.iter().rev().collect();
        records.sort_by_key(|record| {
            let rank = match record.state {
                AlarmState::Unacknowledged => 0,
                AlarmState::Acknowledged => 2,
                AlarmState::ReturnedUnacknowledged => 1,
                AlarmState::Latched => 3,
                AlarmState::Normal => 4,
            };
            (
                record.is_silenced(),
                rank,
                std::cmp::Reverse(record.priority),
            )
        });
        records
    }

    /// Alarms of one instance that are not over, in the order of their keys.
    pub fn of_instance<'a>(&'a self, instance: &'a str) -> impl Iterator<Item = &'a AlarmRecord> {
        self.standing.of_instance_from(instance, "")
    }

    /// The highest priority among an instance's active alarms: what a rule that is down may hide.
    #[must_use]
    pub fn highest_priority(&self, instance: &str) -> Option<Priority> {
        self.of_instance(instance)
            .filter(|record| record.state.is_active())
            .map(|record| record.priority)
            .max()
    }

    /// The alarm of this condition, if it is not over.
    #[must_use]
    pub fn get(&self, id: &AlarmId) -> Option<&AlarmRecord> {
        self.standing
            .find(id)
            .and_then(|occurrence| self.standing.get(occurrence))
    }

    /// The alarm that a person names, if it is not over.
    #[must_use]
    pub fn standing_of(&self, target: &Target) -> Option<&AlarmRecord> {
        match target {
            Target::Code(code) => self.by_code(code),
            Target::Occurrence(occurrence) => self.by_occurrence(*occurrence),
            Target::Alarm(id) => self.get(id),
        }
    }

    /// The occurrence of this number, if it is not over.
    #[must_use]
    pub fn by_occurrence(&self, occurrence: OccurrenceId) -> Option<&AlarmRecord> {
        self.standing.get(occurrence)
    }

    /// The occurrence of this code, if it is not over.
    #[must_use]
    pub fn by_code(&self, code: &ShortCode) -> Option<&AlarmRecord> {
        self.standing
            .find_code(code)
            .and_then(|occurrence| self.standing.get(occurrence))
    }

    /// How many alarms stand.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for record in self.standing.iter() {
            counts.standing += 1;
            counts.active += usize::from(record.state.is_active());
            counts.unacknowledged += usize::from(record.state.is_unacknowledged());
        }
        counts
    }

    /// How many raises were refused at a bound since the host started.
    #[must_use]
    pub const fn refused_total(&self) -> u64 {
        self.refused_total
    }

    /// Remembers a record that is over, for late replies.
    pub(crate) fn remember(&mut self, record: AlarmRecord) {
        if self.ended.len() >= Self::ENDED_MAX {
            self.ended.pop_front();
        }
        self.ended.push_back(record);
    }

    /// The newest record that is over and fits.
    pub(crate) fn ended(&self, fits: impl Fn(&AlarmRecord) -> bool) -> Option<&AlarmRecord> {
        self.ended.iter().rev().find(|record| fits(record))
    }
}
