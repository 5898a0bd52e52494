//! Who is told, when and by what.
//!
//! [`check`] turns contacts, groups and routes of the settings into a [`RoutingPlan`].
//! The [`Desk`] holds that plan and the ledger of deliveries that are not over, and decides: on each
//! step of an alarm who is told, on each failed channel what is tried next, on each receipt what it
//! settles, on each message from a phone what its sender asks for.
//!
//! All of it is pure. `now` is an argument, and a [`Decision`] is data: rows and journal lines that
//! the caller commits in one go, and actions on the host's own alarms that the caller applies.
//! Nothing is dropped in silence: whatever is not sent is a row or a journal line with a reason.

mod check;
mod desk;
mod digest;
mod failover;
mod journal;
mod ledger;
mod limits;
mod oncall;
mod plan;
mod quiet;
mod receipts;
mod reminder;
mod replies;
mod runs;
mod settings;
mod test_message;
mod text;
mod unanswered;
mod unreached;

pub use check::{check, check_with};
pub use desk::{Decision, Desk, DeskFigures, Tally};
pub use digest::{Digest, Held};
pub use oncall::{
    DutyBy, Gaps, HolidayUse, OnDuty, Outside, OverrideSettings, RotationSettings, Schedule,
    ScheduleSettings, Stretch,
};
pub use plan::{AddressForm, KnownSink, Person, RoutingPlan};
pub use quiet::QuietHours;
pub use reminder::Reminding;
pub use replies::{Heard, ReplyRequest, ReplyResult, ReplyTarget, Wish};
pub use settings::{
    ChannelSettings, ContactSettings, DayName, EscalationSettings, ExpirySettings, GroupSettings,
    PeopleSettings, QuietSettings, RepeatSettings, RouteSettings, RoutingSettings, StepSettings,
    UntilSettings,
};
pub use test_message::{TestError, TestScope};
