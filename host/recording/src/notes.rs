//! What is to be said of a recording after it was read: nothing is left out in silence.

use std::fmt;

use andon_model::Timestamp;
use serde::{Serialize, Serializer};

/// What a reading came upon.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Notes {
    /// Rows that hold a sample and were read.
    pub samples: u64,
    /// Batches that they made.
    pub batches: u64,
    /// `now` of the first batch.
    #[serde(serialize_with = "shown")]
    pub from: Option<Timestamp>,
    /// The last moment that the recording speaks of.
    #[serde(serialize_with = "shown")]
    pub to: Option<Timestamp>,
    /// Rows that could not be read and are left out.
    pub unreadable: u64,
    /// Batches whose time was earlier than that of the batch before; they count as of that moment.
    pub backwards: u64,
    /// Rows that were lost while it was recorded, by the marks `gap`.
    pub lost: u64,
    /// Files that end in the middle of a line or have no mark `end`.
    pub unfinished: u64,
    /// The first [`Notes::PROBLEMS_MAX`] places where something is wrong, in order.
    pub problems: Vec<Problem>,
    /// How many there are in all.
    pub problems_total: u64,
}

impl Notes {
    /// Most problems that are kept with their place; the others are counted.
    pub const PROBLEMS_MAX: usize = 100;

    pub(crate) fn add(&mut self, kind: ProblemKind, file: &str, line: u64, says: String) {
        match kind {
            ProblemKind::Unreadable => self.unreadable += 1,
            ProblemKind::Backwards => self.backwards += 1,
            ProblemKind::Unfinished => self.unfinished += 1,
            ProblemKind::Lost | ProblemKind::Split => {}
        }
        self.problems_total += 1;
        if self.problems.len() < Self::PROBLEMS_MAX {
            self.problems.push(Problem {
                kind,
                file: file.to_owned(),
                line,
                says,
            });
        }
    }
}

fn shown<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.serialize_some(&crate::show_moment(*at)),
        None => serializer.serialize_none(),
    }
}

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// A row that cannot be read; it is left out.
    Unreadable,
    /// The time goes backwards; the batch counts as of the moment before.
    Backwards,
    /// Rows were lost while it was recorded.
    Lost,
    /// The file was cut off.
    Unfinished,
    /// More rows belong together than one batch holds; they are taken as several.
    Split,
}

/// A place where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// What kind of thing.
    pub kind: ProblemKind,
    /// The file.
    pub file: String,
    /// The line, the first is 1.
    pub line: u64,
    /// What is wrong and what becomes of it.
    pub says: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.says)
    }
}
