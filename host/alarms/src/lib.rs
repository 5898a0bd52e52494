//! The ISA-18.2 life of an alarm.
//!
//! [`AlarmBook`] holds every alarm that is not over and decides what an action of a rule, or a
//! person's acknowledgement, makes of it.
//! It is pure: `now` is an argument, and what happened comes back as [`andon_model::AlarmEvent`]s.
//! Nothing here knows contacts, plugins or the disk.
//!
//! | from | input | to | event |
//! |---|---|---|---|
//! | A | raise | B | raised |
//! | B, C | raise with another message, priority or labels | same | updated |
//! | B, C | the same raise again | same | none; only the count of raises grows |
//! | B, C of a test | raise from a device | B | cleared, then raised, a new occurrence |
//! | B | acknowledge | C | acknowledged |
//! | B | clear | D; where no acknowledgement is needed, A, or L if it latches | cleared |
//! | C | clear | A, or L if it latches | cleared |
//! | C | its re-alarm time is over | B | re-alarmed, the same occurrence |
//! | D | acknowledge | A, or L if it latches | acknowledged |
//! | D, L | raise | B | raised, a new occurrence |
//! | D, L | clear | same | none |
//! | L | reset | A | reset |
//! | A | clear | A | none |
//! | any | notify | same | notified, an occurrence of its own that is over at once |
//! | B, C, D | take, escalate | same | taken, escalated |
//! | any | shelve, suppress, out of service | same, silent | shelved, suppressed, out of service |
//! | B, C | the last silence ends | B | unshelved, unsuppressed, returned to service |
//! | A, D, L | a silence ends | same | the same three |
//!
//! The letters are those of ISA-18.2 and IEC 62682, with L for latched.
//! Shelved, suppressed by design and out of service (E, F, G) are flags beside the state, as OPC UA
//! Part 9 keeps them: they silence, while the state goes on underneath and every step is an event.
//! Shelving and out of service are of a condition and may begin while it is normal (module `silence`).
//!
//! [`Conditioning`] stands around the book: delays before it, suppression, marks and floods behind it.

mod acknowledge;
mod answered;
mod apply;
mod book;
mod codes;
mod conditioning;
mod due;
mod flood;
mod journal;
mod limits;
mod operator;
mod pattern;
mod policy;
mod reach;
mod reset;
mod selector;
mod settings;
mod silence;
mod source;
mod standing;
mod suppression;
mod take;

pub use acknowledge::Target;
pub use answered::Answered;
pub use apply::Applied;
pub use book::{AlarmBook, Counts};
pub use conditioning::{
    Admitted, ChatteringSettings, ConditionSettings, Conditioning, ConditioningPlan,
    ConditioningSettings, FleetingSettings, InstanceDelays, OnBadQuality, OnChatter, Settled,
    StaleSettings, Step, check_conditioning, check_instance_delays,
};
pub use flood::{FloodDigest, FloodSettings, Telling};
pub use journal::journal_entry;
pub use limits::AlarmLimits;
pub use operator::{Operator, OrderError};
pub use policy::{AlarmPolicy, PerPriority, ReAlarm};
pub use reach::{Reach, UnitName};
pub use selector::AlarmSelectorSettings;
pub use settings::{PrioritySettings, ShelvingSettings, check};
pub use silence::{Changed, OutOrder, Reminder, ShelveOrder, ShelveTime, Silenced};
pub use source::{AcknowledgementNeed, ResetNeed, Source};
pub use suppression::{AlarmGroupSettings, SuppressionSettings, WhenSettings, comm_key};
