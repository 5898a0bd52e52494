//! Recorded samples: writing, reading, and what rules would have made of them.
//!
//! A recording is CSV, one row a sample, that a spreadsheet opens and a person can make by hand:
//!
//! ```text
//! now,batch,tag,value,text,quality,time,mark
//! 2026-11-23T02:14:05.120456789Z,1,tank1.level,81.2,,192,2026-11-23T02:14:05.118000000Z,
//! 2026-11-23T02:14:05.120456789Z,1,line.recipe,,Brine 4,192,2026-11-23T02:14:05.118000000Z,
//! 2026-11-23T02:14:06.120000000Z,2,tank1.level,97,,216,2026-11-23T02:14:06.120000000Z,test
//! 2026-11-23T02:14:09.000000000Z,,,250,the disk was too slow,,,gap
//! 2026-11-23T02:15:09.000000000Z,,,,somebody asked for the end,,,end
//! ```
//!
//! - `now` is the moment at which the host took the batch, `time` that at which the device was read.
//! - Rows of one `batch` went through the rules together. Without that column, rows of one `now` are one.
//! - `value` is a number; a row with `text` instead is a sample of a text tag, in which `\\`, `\n` and
//!   `\r` stand for a backslash and the two ends of a line. So each row is one line.
//! - `quality` is the OPC byte, 192 where the column is missing; `time` is `now` where it is missing.
//! - `mark` is empty, `test` (a person put the value there), `gap` (so many rows were lost) or `end`.
//!
//! `now`, `tag` and `value` must be there; columns may stand in any order.
//! [`RecordingWriter`] writes, [`Recording`] reads, [`Outcome`] is what came of it, and [`compare`]
//! holds two of them against each other. Nothing here knows rules, plugins or the host.

mod compare;
mod error;
mod files;
mod line;
mod moment;
mod names;
mod notes;
mod outcome;
mod read;
mod write;

pub use compare::{AlarmChange, Comparison, Pair, compare};
pub use error::RecordingError;
pub use files::{Kept, files_of, stamp, tidy};
pub use moment::{read_moment, show_moment};
pub use names::Known;
pub use notes::{Notes, Problem, ProblemKind};
pub use outcome::{AlarmTally, Message, Outcome, Trouble};
pub use read::{Item, Recording};
pub use write::RecordingWriter;

/// The columns as they are written.
pub(crate) const COLUMNS: [&str; 8] = [
    "now", "batch", "tag", "value", "text", "quality", "time", "mark",
];
