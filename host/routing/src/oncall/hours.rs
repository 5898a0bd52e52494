//! The part of the week in which a rotation counts: days of the week, times of the day, holidays.
//!
//! A window belongs to the local day on which it begins, also where it ends on the next one.

use andon_model::Timestamp;
use jiff::civil::{Date, DateTime, Time, Weekday};

use super::holidays::Holidays;
use super::settings::HolidayUse;
use super::wall::Wall;

/// Minutes of a day of 24 hours.
pub(crate) const DAY_MINUTES: u16 = 24 * 60;

/// When a rotation counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hours {
    /// Days of the week, Monday first.
    pub(crate) days: [bool; 7],
    /// Minute of the day at which it begins, below [`DAY_MINUTES`].
    pub(crate) from: u16,
    /// Minute of the day at which it ends, at most [`DAY_MINUTES`]; at or before `from` it is on
    /// the next day.
    pub(crate) to: u16,
    pub(crate) holidays: HolidayUse,
}

impl Hours {
    /// Whether nothing is left out.
    pub(crate) fn is_always(&self) -> bool {
        // From a time to the same time of the next day is all of the time as well.
        let whole = (self.from == 0 && self.to == DAY_MINUTES) || self.from == self.to;
        whole && self.days == [true; 7] && self.holidays == HolidayUse::Any
    }

    /// The windows that touch a stretch of time, in order; they may touch each other.
    pub(crate) fn windows(
        &self,
        wall: &Wall,
        holidays: &Holidays,
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<(Timestamp, Timestamp)> {
        let mut windows = Vec::new();
        // A window begins at most two days before it ends, and a zone may leave out a day.
        let mut day = before(wall.local(from).date(), 3);
        let last = wall.local(to).date();
        while day <= last {
            if self.counts_on(day, wall, holidays) {
                let end_day = if self.to <= self.from {
                    after(day)
                } else {
                    day
                };
                let window = (
                    wall.moment(at(day, self.from)),
                    wall.moment(at(end_day, self.to)),
                );
                if window.0 < window.1 && window.1 > from && window.0 < to {
                    windows.push(window);
                }
            }
            let next = after(day);
            if next == day {
                break;
            }
            day = next;
        }
        windows
    }

    fn counts_on(&self, day: Date, wall: &Wall, holidays: &Holidays) -> bool {
        let in_week = self
            .days
            .get(monday_offset(day.weekday()))
            .copied()
            .unwrap_or(false);
        in_week
            && match self.holidays {
                HolidayUse::Any => true,
                HolidayUse::Only => holidays.contains(day, wall),
                HolidayUse::Except => !holidays.contains(day, wall),
            }
    }
}

/// Place in a week that begins on Monday.
pub(crate) const fn monday_offset(day: Weekday) -> usize {
    match day {
        Weekday::Monday => 0,
        Weekday::Tuesday => 1,
        Weekday::Wednesday => 2,
        Weekday::Thursday => 3,
        Weekday::Friday => 4,
        Weekday::Saturday => 5,
        Weekday::Sunday => 6,
    }
}

/// The local time at a minute of a day; minute [`DAY_MINUTES`] is midnight at its end.
fn at(day: Date, minute: u16) -> DateTime {
    if minute >= DAY_MINUTES {
        return after(day).to_datetime(Time::midnight());
    }
    let (hour, minute) = (minute / 60, minute % 60);
    let time = Time::new(
        i8::try_from(hour).unwrap_or(0),
        i8::try_from(minute).unwrap_or(0),
        0,
        0,
    );
    day.to_datetime(time.unwrap_or(Time::midnight()))
}

/// The day after; the same at the end of time.
pub(crate) fn after(day: Date) -> Date {
    day.tomorrow().unwrap_or(day)
}

fn before(day: Date, days: u8) -> Date {
    (0..days).fold(day, |day, _| day.yesterday().unwrap_or(day))
}
