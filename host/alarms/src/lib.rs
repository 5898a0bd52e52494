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
//! | B | clear | D, or A where no acknowledgement is needed | cleared |
//! | C | clear | A | cleared |
//! | D | acknowledge | A | acknowledged |
//! | D | raise | B | raised, a new occurrence |
//! | D | clear | D | none |
//! | A | clear | A | none |
//! | any | notify | same | notified, an occurrence of its own that is over at once |
//! | B, C, D | take, escalate | same | taken, escalated |
//!
//! The letters are those of ISA-18.2 and IEC 62682.
//! Shelved, suppressed by design and out of service (E, F, G) belong beside the state of a record,
//! as OPC UA Part 9 keeps them: a flag that silences, while the state goes on underneath.
//! Delays and re-alarm times of the host belong before [`AlarmBook::apply`], as rows with a time.

mod acknowledge;
mod answered;
mod apply;
mod book;
mod codes;
mod journal;
mod limits;
mod source;
mod standing;
mod take;

pub use acknowledge::Target;
pub use answered::Answered;
pub use apply::Applied;
pub use book::{AlarmBook, Counts};
pub use journal::journal_entry;
pub use limits::AlarmLimits;
pub use source::{AcknowledgementNeed, Source};
