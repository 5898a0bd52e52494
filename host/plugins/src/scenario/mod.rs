//! Scenarios: a written course of events, and what a rule or function must make of it.
//!
//! A scenario file sits beside a plugin's source. Its clock is virtual, so a week runs in a moment,
//! and the same file always gives the same result:
//!
//! ```toml
//! name = "clears only after the deadband is left"
//! component = "limits"
//! [parameters]
//! high = 80.0
//! [inputs]
//! level = "tank1.level"
//! [[step]]
//! at = "0s"
//! set = { "tank1.level" = 81.0 }
//! expect = [{ raise = "tank1.level.high", priority = "high" }]
//! ```
//!
//! [`Scenario::parse`] reads a file, [`play`] runs it through the same traits as the host does:
//! the guest is called when it is new, when samples come, and when it asked to wake up. A new guest
//! sees the current sample of every input in its first call. Unlike the host, a call that failed is
//! not tried again.
//!
//! The order within a step: wake-ups that are due until its time, each at its own; with
//! `restart = true` the guest is dropped at the time of the step, made anew from its state and called;
//! then `set` and `quality` become one batch, in the order of the tags' names, and `more`, a list of
//! further `set`s, follows in the same batch. What all of these calls ask for is compared with
//! `expect`; a call that must fail is told by `error`, its kind, and `says`, a part of its message.

mod bind;
mod file;
mod play;
mod report;
mod side_by_side;

pub use file::{Scenario, ScenarioError};
pub use play::play;
pub use report::{Difference, Report};
pub use side_by_side::{Beside, Field, Verdict};
