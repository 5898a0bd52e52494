//! Which instance gets which samples: functions before rules, strikes and quarantine.
//!
//! The [`Scheduler`] takes each batch through the instances that read it and says in a [`Round`]
//! what they asked for. It knows guests only by the traits of `andon_model`, has no clock, no
//! thread and no I/O: `now` is an argument, and the same batches give the same rounds.
//! [`check_order`] is the part of the settings' check that belongs here; [`scenario`] runs rules
//! and functions against a written course of events.

mod change;
mod current;
mod history;
mod order;
mod round;
mod routes;
pub mod scenario;
mod scheduler;
mod slot;
mod status;
mod strikes;

pub use change::{ChangeError, Preparation, Prepared, Remember, Replacement};
pub use history::SampleHistory;
pub use order::{Order, check_order};
pub use round::{CallStat, CauseSample, Fired, Incident, IncidentKind, Round, Trigger};
pub use scheduler::{Applied, Scheduler};
pub use status::{InstanceStatus, LastError, RunState};
