//! Which instance gets which samples: functions before rules, strikes and quarantine.
//!
//! The [`Scheduler`] takes each batch through the instances that read it and says in a [`Round`]
//! what they asked for. It knows guests only by the traits of `andon_model`, has no clock, no
//! thread and no I/O: `now` is an argument, and the same batches give the same rounds.
//! [`check_order`] is the part of the settings' check that belongs here; [`scenario`] runs rules
//! and functions against a written course of events.
//!
//! A changed instance may run beside the old one as a *shadow*: compared, and not heard.
//!
//! What a failed call means:
//!
//! | failure | state, answer | its samples | what follows |
//! |---|---|---|---|
//! | trap, time-out, limit, senseless answer, no guest | discarded | wait for the retry | a strike: called again after 0.1 s, 1 s, 10 s, … |
//! | `strikes_max` of them in 10 minutes | discarded | dropped | down: quarantine for 30 s, doubled up to 1 h, then one trial call |
//! | declined | discarded | spent | no strike: asked again after 1 s, 2 s, … 60 s |
//! | nothing but declined for 60 s and 3 calls | discarded | spent | down, but still called |
//!
//! One that used up its time is called apart from the batches for ten minutes (see `suspects`), and
//! a guest that takes long to be made anew is made beside them (see `starting`).
//! In each case the timer stays, a function's outputs turn bad once, and the next call holds the
//! current sample of every input. The first call that goes well ends it.

mod change;
mod chars;
mod current;
mod history;
mod order;
mod round;
mod routes;
pub mod scenario;
mod scheduler;
mod shadow;
mod slot;
mod starting;
mod status;
mod strikes;
mod suspects;

pub use change::{ChangeError, Preparation, Prepared, Remember, Replacement};
pub use history::SampleHistory;
pub use order::{Order, check_order};
pub use round::{CallStat, CauseSample, Fired, Incident, IncidentKind, Round, ShadowStat, Trigger};
pub use scheduler::{Applied, Scheduler};
pub use shadow::{Candidate, Difference, DifferenceKind, ShadowCounts, ShadowOrigin};
pub use status::{InstanceStatus, LastError, RefusedShadow, RunState, ShadowStatus};
