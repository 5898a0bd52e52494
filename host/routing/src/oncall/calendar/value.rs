//! Dates, times and durations as iCalendar writes them (RFC 5545, section 3.3).

use andon_model::Timestamp;
use jiff::civil::{Date, DateTime, Time};

use crate::oncall::hours::after;
use crate::oncall::wall::Wall;

/// A date or a time of an event, with the clock by which it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum When {
    /// A whole day, by the clock of the schedule.
    Day(Date),
    /// A local time; without a zone by the clock of the schedule.
    At(DateTime, Option<Wall>),
}

impl When {
    /// The local time at which it begins.
    pub(crate) fn local(&self) -> DateTime {
        match self {
            Self::Day(day) => day.to_datetime(Time::midnight()),
            Self::At(local, _) => *local,
        }
    }

    /// The clock by which it is read.
    pub(crate) fn wall<'a>(&'a self, of_schedule: &'a Wall) -> &'a Wall {
        match self {
            Self::Day(_) | Self::At(_, None) => of_schedule,
            Self::At(_, Some(wall)) => wall,
        }
    }

    /// The moment at which it begins.
    pub(crate) fn moment(&self, of_schedule: &Wall) -> Timestamp {
        self.wall(of_schedule).moment(self.local())
    }

    /// The first moment after it: after the day, or just after the moment. `UNTIL` includes what
    /// it names.
    pub(crate) fn past(&self, of_schedule: &Wall) -> Timestamp {
        match self {
            Self::Day(day) => of_schedule.moment(after(*day).to_datetime(Time::midnight())),
            Self::At(..) => {
                let moment = self.moment(of_schedule);
                Timestamp::from_nanos(moment.nanos().saturating_add(1))
            }
        }
    }
}

/// Reads `20260105`.
pub(crate) fn date(text: &str) -> Option<Date> {
    if text.len() != 8 {
        return None;
    }
    let year = digits(text.get(..4)?)?;
    let month = digits(text.get(4..6)?)?;
    let day = digits(text.get(6..)?)?;
    Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()
}

/// Reads `20260105T080000`; says whether a `Z` followed.
pub(crate) fn date_time(text: &str) -> Option<(DateTime, bool)> {
    let (bare, utc) = match text.strip_suffix(['Z', 'z']) {
        Some(bare) => (bare, true),
        None => (text, false),
    };
    let (day, time) = bare.split_once(['T', 't'])?;
    if time.len() != 6 {
        return None;
    }
    let hour = i8::try_from(digits(time.get(..2)?)?).ok()?;
    let minute = i8::try_from(digits(time.get(2..4)?)?).ok()?;
    // A leap second counts as the second before it.
    let second = i8::try_from(digits(time.get(4..)?)?.min(59)).ok()?;
    let time = Time::new(hour, minute, second, 0).ok()?;
    Some((date(day)?.to_datetime(time), utc))
}

fn digits(text: &str) -> Option<u16> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

/// How long an event lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Length {
    /// By the wall clock, seconds: the clock at the end shows so much more.
    pub(crate) wall_seconds: i64,
    /// By a stop watch, seconds, after that.
    pub(crate) exact_seconds: i64,
}

impl Length {
    /// Whole days of the calendar.
    pub(crate) const fn days(days: i64) -> Self {
        Self {
            wall_seconds: days * 86_400,
            exact_seconds: 0,
        }
    }

    /// Whether there is nothing of it.
    pub(crate) const fn is_nothing(self) -> bool {
        self.wall_seconds + self.exact_seconds <= 0
    }

    /// Reads `P1W`, `P2D`, `PT12H`, `P1DT6H30M`; weeks and days go by the calendar.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('+').unwrap_or(text).strip_prefix('P')?;
        let (days, time) = match rest.split_once('T') {
            Some((days, time)) if !time.is_empty() => (days, time),
            Some(_) => return None,
            None => (rest, ""),
        };
        let days = amounts(days, &[('W', 7 * 86_400), ('D', 86_400)])?;
        let time = amounts(time, &[('H', 3_600), ('M', 60), ('S', 1)])?;
        (!rest.is_empty()).then_some(Self {
            wall_seconds: days,
            exact_seconds: time,
        })
    }
}

/// Numbers with units, at most nine digits each.
fn amounts(text: &str, units: &[(char, i64)]) -> Option<i64> {
    let (mut sum, mut number) = (0_i64, String::new());
    for sign in text.chars() {
        if sign.is_ascii_digit() && number.len() < 9 {
            number.push(sign);
            continue;
        }
        let (_, scale) = units.iter().find(|(unit, _)| *unit == sign)?;
        sum += number.parse::<i64>().ok()? * scale;
        number.clear();
    }
    number.is_empty().then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_are_read_and_nonsense_is_not() {
        assert_eq!(
            date("20260228").map(|d| d.to_string()),
            Some("2026-02-28".into())
        );
        for bad in ["20260230", "2026022", "2026-02-28", "+2260228", "2026022é"] {
            assert_eq!(date(bad), None, "{bad}");
        }
        let (local, utc) = date_time("20260105T080000Z").expect("a time");
        assert_eq!(
            (local.to_string(), utc),
            ("2026-01-05T08:00:00".into(), true)
        );
        for bad in ["20260105T250000", "20260105", "20260105T0800", "T"] {
            assert_eq!(date_time(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations_are_read_and_nonsense_is_not() {
        let length = Length::parse("P1DT6H30M").expect("a duration");
        assert_eq!(
            (length.wall_seconds, length.exact_seconds),
            (86_400, 23_400)
        );
        assert_eq!(Length::parse("P2W"), Some(Length::days(14)));
        for bad in ["", "P", "PT", "12H", "P1", "P1H", "PT9999999999H", "-PT1H"] {
            assert_eq!(Length::parse(bad), None, "{bad}");
        }
    }
}
