//! SQLite: journal, alarm states, plugin state, timers, outbox; one commit a batch.
//!
//! [`Store`] is the writing side, one per host; [`Reader`] asks, also from another process.
//! This is the only crate that knows the database.
//!
//! ```text
//! commit(Commit) ──▶ queue ──▶ writer thread: all that waits, one transaction, one fsync ──▶ tickets
//!                                   │ disk full, I/O error
//!                                   ▼
//!                             backlog in memory, in order, written when the disk answers again
//! ```
//!
//! Files beside the database `andon.db`: `-wal` and `-shm` (SQLite's own, part of the database),
//! `.lock` (held while a host runs), `.reserve` (room that is given up when the disk is full) and
//! `.before-vN` (the copy that a migration to version N makes first).
//!
//! Bounds, each said where it is kept: commits that queue ([`StoreOptions::queue_max`], callers
//! wait), rows of a transaction, rows and bytes of the backlog ([`StoreOptions::backlog_rows_max`],
//! what gives way is said in [`StoreStatus`]), age and size of the journal ([`Retention`]).

mod backlog;
mod ballast;
mod check;
mod error;
mod lines;
mod loaded;
mod open;
mod options;
mod pages;
mod query;
mod reader;
mod retention;
mod rows;
mod schema;
mod status;
mod store;
mod ticket;
mod write;
mod writer;

pub use error::{CommitError, StoreError};
pub use lines::RawLine;
pub use loaded::Loaded;
pub use options::{Retention, StoreOptions};
pub use pages::{DeliveryFilter, RowPage};
pub use query::{JournalFilter, JournalRow, StoreCounts};
pub use reader::Reader;
pub use retention::Tidied;
pub use status::{Health, StoreStatus};
pub use store::Store;
pub use ticket::Ticket;
