//! The time that a report is about: from a moment to a moment, cut into intervals and days.

use std::ops::Range;
use std::time::Duration;

use andon_model::{DurationText, Timestamp};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// A span of time with the days of a time zone.
#[derive(Debug, Clone)]
pub struct Period {
    from: Timestamp,
    to: Timestamp,
    zone: TimeZone,
    /// Each day with its begin; the first may begin before the period.
    days: Vec<(String, Timestamp)>,
}

/// Why there is no such period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// The text is no moment.
    #[error(
        "`{0}` is no moment: write a date like 2026-11-01, a date with a time like 2026-11-01T06:00, or how long ago it is, like 30d"
    )]
    NoMoment(String),
    /// The end is not after the begin.
    #[error(
        "the period ends at {to}, which is not after its begin, {from}: give --from before --to"
    )]
    Empty {
        /// Begin.
        from: Timestamp,
        /// End.
        to: Timestamp,
    },
    /// It is longer than [`Period::DAYS_MAX`].
    #[error(
        "the period has more than {} days, the most that are counted at once",
        Period::DAYS_MAX
    )]
    TooLong,
}

impl Period {
    /// Most days of a period, ten years.
    pub const DAYS_MAX: usize = 3_660;
    /// What the standards count in.
    pub const INTERVAL: Duration = Duration::from_secs(600);
    /// Fewer days say little: both standards want at least thirty.
    pub const DAYS_WANTED: u64 = 30;
    /// How long before its begin the journal is read, so that floods, chatter and alarms that go
    /// on are known when it begins.
    pub const LEAD: Duration = Duration::from_secs(86_400);

    /// From a moment until just before another one.
    ///
    /// # Errors
    /// The end is not after the begin, or too far from it.
    pub fn new(from: Timestamp, to: Timestamp, zone: TimeZone) -> Result<Self, PeriodError> {
        if to <= from {
            return Err(PeriodError::Empty { from, to });
        }
        let days = days(from, to, &zone)?;
        Ok(Self {
            from,
            to,
            zone,
            days,
        })
    }

    /// The thirty days before `now`.
    ///
    /// # Errors
    /// `now` is no moment of the calendar.
    pub fn latest(now: Timestamp, zone: TimeZone) -> Result<Self, PeriodError> {
        let length = Duration::from_secs(Self::DAYS_WANTED * 86_400);
        Self::new(now.minus(length), now, zone)
    }

    /// Begin.
    #[must_use]
    pub const fn from(&self) -> Timestamp {
        self.from
    }

    /// End; itself not part of it.
    #[must_use]
    pub const fn to(&self) -> Timestamp {
        self.to
    }

    /// The first moment that must be read to count it.
    #[must_use]
    pub fn read_from(&self) -> Timestamp {
        self.from.minus(Self::LEAD)
    }

    /// Name of the time zone.
    #[must_use]
    pub fn zone_name(&self) -> String {
        self.zone.iana_name().unwrap_or("fixed offset").to_owned()
    }

    /// A moment as people of the plant read it, to the minute.
    #[must_use]
    pub fn show(&self, at: Timestamp) -> String {
        match jiff::Timestamp::from_nanosecond(i128::from(at.nanos())) {
            Ok(moment) => moment
                .to_zoned_datetime(self.zone.clone())
                .strftime("%Y-%m-%d %H:%M")
                .to_string(),
            Err(_) => at.to_string(),
        }
    }

    pub(crate) fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    /// The part of a span that is within the period.
    pub(crate) fn clip(&self, from: Timestamp, to: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let (from, to) = (from.max(self.from), to.min(self.to));
        (from < to).then_some((from, to))
    }

    /// Number of the interval that holds a moment of the period.
    pub(crate) fn interval(&self, at: Timestamp) -> u64 {
        at.since(self.from).as_secs() / Self::INTERVAL.as_secs()
    }

    /// Number of the hour, counted from the begin of the period.
    pub(crate) fn hour(&self, at: Timestamp) -> u64 {
        at.since(self.from).as_secs() / 3_600
    }

    /// Number of the day that holds a moment of the period.
    pub(crate) fn day(&self, at: Timestamp) -> usize {
        let after = self.days.partition_point(|(_, begin)| *begin <= at);
        after.saturating_sub(1)
    }

    /// The days that a span within the period touches.
    pub(crate) fn days_of(&self, from: Timestamp, to: Timestamp) -> Range<usize> {
        let last = self.day(Timestamp::from_nanos(to.nanos().saturating_sub(1)));
        self.day(from)..last.saturating_add(1)
    }

    /// The part of a span that is within a day.
    pub(crate) fn clip_to_day(&self, day: usize, from: Timestamp, to: Timestamp) -> Duration {
        let begin = self.days.get(day).map_or(self.from, |(_, begin)| *begin);
        to.min(self.day_end(day)).since(from.max(begin))
    }

    /// When a day of the period ends; the last one ends with the period.
    pub(crate) fn day_end(&self, day: usize) -> Timestamp {
        let next = self.days.get(day.saturating_add(1));
        next.map_or(self.to, |(_, begin)| *begin)
    }

    /// The dates of all days.
    pub(crate) fn dates(&self) -> impl Iterator<Item = &str> {
        self.days.iter().map(|(date, _)| date.as_str())
    }
}

fn days(
    from: Timestamp,
    to: Timestamp,
    zone: &TimeZone,
) -> Result<Vec<(String, Timestamp)>, PeriodError> {
    let outside = || PeriodError::NoMoment(from.to_string());
    let first = jiff::Timestamp::from_nanosecond(i128::from(from.nanos()))
        .map_err(|_| outside())?
        .to_zoned_datetime(zone.clone())
        .date();
    let mut days = Vec::new();
    let mut date = first;
    loop {
        let begin = begin_of(date, zone).ok_or_else(outside)?;
        if begin >= to {
            return Ok(days);
        }
        if days.len() >= Period::DAYS_MAX {
            return Err(PeriodError::TooLong);
        }
        days.push((date.to_string(), begin));
        date = date.tomorrow().map_err(|_| outside())?;
    }
}

fn begin_of(date: Date, zone: &TimeZone) -> Option<Timestamp> {
    stamp(date.to_zoned_datetime(zone.clone()).ok()?.timestamp())
}

fn stamp(moment: jiff::Timestamp) -> Option<Timestamp> {
    let nanos = i64::try_from(moment.as_nanosecond()).ok()?;
    Some(Timestamp::from_nanos(nanos))
}

/// Reads a moment as people write it: `2026-11-01` (when that day begins in the plant),
/// `2026-11-01T06:00`, RFC 3339 with an offset, or how long before `now` it is: `30d`, `12h`.
///
/// # Errors
/// The text is none of these.
pub fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, PeriodError> {
    let text = text.trim();
    if let Ok(ago) = text.parse::<DurationText>() {
        return Ok(now.minus(ago.0));
    }
    let at = match text.parse::<jiff::Timestamp>() {
        Ok(at) => Some(at),
        Err(_) => text
            .parse::<DateTime>()
            .ok()
            .and_then(|local| local.to_zoned_datetime(zone.clone()).ok())
            .map(|zoned| zoned.timestamp()),
    };
    at.and_then(stamp)
        .ok_or_else(|| PeriodError::NoMoment(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        moment(text, Timestamp::EPOCH, &TimeZone::UTC).unwrap()
    }

    #[test]
    fn a_moment_is_a_date_a_time_or_how_long_ago() {
        let now = at("2026-11-24T12:00:00Z");
        let oslo = TimeZone::fixed(jiff::tz::offset(1));
        let read = |text: &str| moment(text, now, &oslo).map(|at| at.to_string());
        assert_eq!(read("2026-11-01").unwrap(), "2026-10-31T23:00:00.000Z");
        assert_eq!(
            read("2026-11-01T06:00").unwrap(),
            "2026-11-01T05:00:00.000Z"
        );
        assert_eq!(
            read("2026-11-01T06:00Z").unwrap(),
            "2026-11-01T06:00:00.000Z"
        );
        assert_eq!(read("30d").unwrap(), "2026-10-25T12:00:00.000Z");
        let says = read("yesterday").unwrap_err().to_string();
        assert!(says.contains("2026-11-01"), "{says}");
    }

    #[test]
    fn days_are_those_of_the_plant_also_when_clocks_are_set() {
        // Europe/Berlin as a rule: the 25th of October 2026 has 25 hours.
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let (from, to) = (at("2026-10-24T10:00Z"), at("2026-10-27T00:00Z"));
        let period = Period::new(from, to, berlin).unwrap();
        let dates: Vec<&str> = period.dates().collect();
        assert_eq!(
            dates,
            ["2026-10-24", "2026-10-25", "2026-10-26", "2026-10-27"]
        );
        let sunday = period.clip_to_day(1, from, to);
        assert_eq!(sunday, Duration::from_secs(25 * 3600));
        assert_eq!(period.day(at("2026-10-25T22:59Z")), 1);
        assert_eq!(period.day(at("2026-10-25T23:00Z")), 2);
    }

    #[test]
    fn an_end_before_the_begin_is_refused() {
        let (from, to) = (at("2026-10-24T10:00Z"), at("2026-10-24T10:00Z"));
        let refused = Period::new(from, to, TimeZone::UTC).unwrap_err();
        assert!(refused.to_string().contains("--from"), "{refused}");
        let old = at("1990-01-01T00:00Z");
        assert_eq!(
            Period::new(old, to, TimeZone::UTC).unwrap_err(),
            PeriodError::TooLong
        );
    }
}
