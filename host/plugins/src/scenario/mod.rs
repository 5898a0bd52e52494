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
//! the guest is called when it is new, when samples come, and when it asked to wake up. Unlike the
//! host, a call that failed is not tried again.

mod bind;
mod file;
mod play;
mod report;

pub use file::{Scenario, ScenarioError};
pub use play::play;
pub use report::{Difference, Report};
