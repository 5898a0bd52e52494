//! The days that a schedule calls holidays.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time};

use super::calendar::Calendar;
use super::hours::after;
use super::wall::Wall;

/// Dates, days of each year, and the all-day events of calendars.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Holidays {
    pub(crate) dates: BTreeSet<Date>,
    /// Month and day.
    pub(crate) yearly: BTreeSet<(i8, i8)>,
    pub(crate) calendars: Vec<Calendar>,
}

impl Holidays {
    /// Whether there is none at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.dates.is_empty() && self.yearly.is_empty() && self.calendars.is_empty()
    }

    /// Whether a local day is one.
    pub(crate) fn contains(&self, day: Date, wall: &Wall) -> bool {
        self.dates.contains(&day)
            || self.yearly.contains(&(day.month(), day.day()))
            || self.calendars.iter().any(|one| covers(one, day, wall))
    }
}

fn covers(calendar: &Calendar, day: Date, wall: &Wall) -> bool {
    let midnight = |day: Date| wall.moment(day.to_datetime(Time::midnight()));
    let (begins, ends) = (midnight(day), midnight(after(day)));
    calendar
        .occurrences(wall, begins, ends)
        .iter()
        .any(|one| one.start <= begins && one.end >= ends)
}
