//! Who is on call when.
//!
//! A [`Schedule`] is made of rotations in layers, overrides and the events of an iCalendar file.
//! It answers who is on call at a moment and what says so, when that changes next, and in which
//! times nobody is. It is pure: the same question always has the same answer, whenever it is put.
//!
//! Shifts are agreed by the clock on the wall of one place, so all of it is reckoned in local time;
//! [`wall`] says what that means on the days on which clocks are moved.
//! Of several sources, an override beats every layer, a higher layer beats a lower one, and those
//! of one layer count together.

mod ahead;
mod calendar;
mod check;
mod holidays;
mod hours;
mod latest;
mod names;
mod read;
mod rotation;
mod schedule;
mod settings;
mod wall;
mod watch;

pub use check::Outside;
pub(crate) use check::check;
pub(crate) use names::Names;
pub use schedule::{DutyBy, OnDuty, Schedule, Stretch};
pub use settings::{Gaps, HolidayUse, OverrideSettings, RotationSettings, ScheduleSettings};
pub(crate) use watch::{Watch, is_about_nobody};
