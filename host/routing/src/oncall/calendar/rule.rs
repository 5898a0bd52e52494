//! Recurrence rules (RFC 5545, section 3.3.10), as far as calendars of shifts use them: by days,
//! weeks, months and years, with every `BY…` that people can choose in a calendar program.
//!
//! A rule is expanded in local time, period by period. It can be asked for any stretch of time
//! without beginning at its first occurrence; `COUNT` is turned into the last occurrence once,
//! when the rule is read. The crates that do this expand from the first occurrence and bring a
//! database of time zones of their own, which could disagree with the one that the rest uses.

use jiff::civil::{Date, DateTime, Weekday};

use super::value;
use crate::oncall::hours::monday_offset;

/// Most occurrences that a `COUNT` may ask for.
const COUNT_MAX: u32 = 5_000;
/// Most periods that are looked through for them.
const PERIODS_MAX: i64 = 20_000;

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frequency {
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// A day of the week, or the nth one of a month or a year; negative counts from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByDay {
    pub(crate) nth: Option<i16>,
    pub(crate) day: Weekday,
}

/// A rule as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) frequency: Frequency,
    pub(crate) interval: u16,
    pub(crate) count: Option<u32>,
    /// Last moment, as it is written.
    pub(crate) until: Option<String>,
    pub(crate) by_month: Vec<i8>,
    pub(crate) by_month_day: Vec<i8>,
    pub(crate) by_day: Vec<ByDay>,
    pub(crate) by_set_pos: Vec<i16>,
    pub(crate) week_starts: Weekday,
}

impl Rule {
    /// Reads the value of an `RRULE`.
    ///
    /// # Errors
    /// What is wrong or not supported, and what to do.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut rule = Self {
            frequency: Frequency::Daily,
            interval: 1,
            count: None,
            until: None,
            by_month: Vec::new(),
            by_month_day: Vec::new(),
            by_day: Vec::new(),
            by_set_pos: Vec::new(),
            week_starts: Weekday::Monday,
        };
        let mut frequency = None;
        for part in text.split(';').filter(|part| !part.trim().is_empty()) {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| format!("`{part}` of the rule is not `KEY=VALUE`"))?;
            let (key, value) = (key.trim().to_ascii_uppercase(), value.trim());
            if key == "FREQ" {
                frequency = Some(read_frequency(value)?);
            } else {
                rule.part(&key, value)?;
            }
        }
        rule.frequency = frequency.ok_or("the rule has no FREQ")?;
        if rule.count.is_some() && rule.until.is_some() {
            return Err("the rule has both COUNT and UNTIL".to_owned());
        }
        let nth = rule.by_day.iter().any(|by| by.nth.is_some());
        let by_week = matches!(rule.frequency, Frequency::Daily | Frequency::Weekly);
        if nth && by_week {
            return Err("the nth day of a week stands only in monthly and yearly rules".to_owned());
        }
        Ok(rule)
    }

    fn part(&mut self, key: &str, value: &str) -> Result<(), String> {
        let bad = || format!("{key}={value} of the rule cannot be read");
        match key {
            "INTERVAL" => {
                self.interval = value.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?;
            }
            "COUNT" => {
                let count: u32 = value.parse().ok().filter(|n| *n > 0).ok_or_else(bad)?;
                if count > COUNT_MAX {
                    return Err(format!(
                        "COUNT={count} is more than the {COUNT_MAX} that are possible; use UNTIL"
                    ));
                }
                self.count = Some(count);
            }
            "UNTIL" => {
                let is_one = value::date(value).is_some() || value::date_time(value).is_some();
                self.until = Some(is_one.then(|| value.to_owned()).ok_or_else(bad)?);
            }
            "BYMONTH" => self.by_month = list(value, 1, 12, false).ok_or_else(bad)?,
            "BYMONTHDAY" => self.by_month_day = list(value, 1, 31, true).ok_or_else(bad)?,
            "BYSETPOS" => {
                let places: Vec<i16> = list(value, 1, 366, true).ok_or_else(bad)?;
                self.by_set_pos = places;
            }
            "BYDAY" => {
                self.by_day = value
                    .split(',')
                    .map(by_day)
                    .collect::<Option<_>>()
                    .ok_or_else(bad)?;
            }
            "WKST" => self.week_starts = weekday(value).ok_or_else(bad)?,
            other => {
                return Err(format!(
                    "{other} of the rule is not supported; write the shift with BYMONTH, BYMONTHDAY, BYDAY and BYSETPOS"
                ));
            }
        }
        Ok(())
    }

    /// The last occurrence that `COUNT` allows, if there is a `COUNT`.
    ///
    /// # Errors
    /// The rule never comes to so many.
    pub(crate) fn last_counted(&self, first: DateTime) -> Result<Option<DateTime>, String> {
        let Some(count) = self.count else {
            return Ok(None);
        };
        // The first occurrence counts, whether the rule gives it or not.
        let (mut found, mut last) = (1, first);
        for period in 0..PERIODS_MAX {
            for day in self.period(first.date(), period) {
                if found == count {
                    return Ok(Some(last));
                }
                let local = day.to_datetime(first.time());
                if local > first {
                    found += 1;
                    last = local;
                }
            }
        }
        if found == count {
            return Ok(Some(last));
        }
        Err(format!(
            "the rule comes to {found} occurrences in {PERIODS_MAX} periods, COUNT wants {count}"
        ))
    }

    /// The local times of occurrences between two days, both included, beside the first one.
    pub(crate) fn occurrences(&self, first: DateTime, from: Date, to: Date) -> Vec<DateTime> {
        let mut found = Vec::new();
        let mut period = self.period_of(first.date(), from.max(first.date()));
        loop {
            let begins = self.begins(first.date(), period);
            if begins.is_none_or(|begins| begins > to) {
                return found;
            }
            let days = self.period(first.date(), period).into_iter();
            let within = days.filter(|day| (from..=to).contains(day));
            let local = within.map(|day| day.to_datetime(first.time()));
            found.extend(local.filter(|local| *local > first));
            period += 1;
        }
    }

    /// A period that is not after the one of this day; the one of the day or the one before.
    fn period_of(&self, first: Date, day: Date) -> i64 {
        let interval = i64::from(self.interval);
        let months = |day: Date| i64::from(day.year()) * 12 + i64::from(day.month());
        let units = match self.frequency {
            Frequency::Daily => days_between(first, day),
            Frequency::Weekly => days_between(first, day).div_euclid(7),
            Frequency::Monthly => months(day) - months(first),
            Frequency::Yearly => i64::from(day.year()) - i64::from(first.year()),
        };
        (units.div_euclid(interval) - 1).max(0)
    }

    /// The first day of a period; `None` beyond the end of time.
    fn begins(&self, first: Date, period: i64) -> Option<Date> {
        let units = period.checked_mul(i64::from(self.interval))?;
        match self.frequency {
            Frequency::Daily => plus_days(first, units),
            Frequency::Weekly => {
                let into = monday_offset(first.weekday()) + 7 - monday_offset(self.week_starts);
                let into = i64::try_from(into % 7).ok()?;
                plus_days(first, units.checked_mul(7)?.checked_sub(into)?)
            }
            Frequency::Monthly => {
                let months = i64::from(first.year()) * 12 + i64::from(first.month()) - 1 + units;
                month(months.div_euclid(12), months.rem_euclid(12) + 1)
            }
            Frequency::Yearly => month(i64::from(first.year()) + units, 1),
        }
    }

    /// The days of a period, in order.
    fn period(&self, first: Date, period: i64) -> Vec<Date> {
        let Some(begins) = self.begins(first, period) else {
            return Vec::new();
        };
        let mut days = match self.frequency {
            Frequency::Daily => vec![begins],
            Frequency::Weekly => self.week(first, begins),
            Frequency::Monthly => self.month_days(first, begins),
            Frequency::Yearly => self.year_days(first, begins),
        };
        days.retain(|day| self.by_month.is_empty() || self.by_month.contains(&day.month()));
        if self.frequency == Frequency::Daily {
            days.retain(|day| self.is_month_day(*day) && self.is_week_day(*day));
        }
        days.sort_unstable();
        days.dedup();
        self.places(days)
    }

    fn week(&self, first: Date, begins: Date) -> Vec<Date> {
        let days = (0..7).filter_map(|n| plus_days(begins, n));
        days.filter(|day| {
            if self.by_day.is_empty() {
                day.weekday() == first.weekday()
            } else {
                self.is_week_day(*day)
            }
        })
        .filter(|day| self.is_month_day(*day))
        .collect()
    }

    fn month_days(&self, first: Date, begins: Date) -> Vec<Date> {
        let all = || (0..i64::from(begins.days_in_month())).filter_map(|n| plus_days(begins, n));
        if self.by_day.is_empty() && self.by_month_day.is_empty() {
            return all().filter(|day| day.day() == first.day()).collect();
        }
        let last = begins.last_of_month();
        all()
            .filter(|day| self.is_month_day(*day) && self.is_nth(*day, begins, last))
            .collect()
    }

    fn year_days(&self, first: Date, begins: Date) -> Vec<Date> {
        let months = (1..=12).filter_map(|n| month(i64::from(begins.year()), n));
        if !self.by_month.is_empty() || !self.by_month_day.is_empty() {
            return months.flat_map(|one| self.month_days(first, one)).collect();
        }
        if self.by_day.is_empty() {
            let same = Date::new(begins.year(), first.month(), first.day());
            return same.into_iter().collect();
        }
        let last = begins.last_of_year();
        let all = (0..i64::from(begins.days_in_year())).filter_map(|n| plus_days(begins, n));
        all.filter(|day| self.is_nth(*day, begins, last)).collect()
    }

    fn is_week_day(&self, day: Date) -> bool {
        self.by_day.is_empty() || self.by_day.iter().any(|by| by.day == day.weekday())
    }

    fn is_month_day(&self, day: Date) -> bool {
        let from_end = day.day() - day.days_in_month() - 1;
        self.by_month_day.is_empty()
            || self.by_month_day.contains(&day.day())
            || self.by_month_day.contains(&from_end)
    }

    /// Whether `BYDAY` means this day, between the first and the last day of its month or year.
    fn is_nth(&self, day: Date, first: Date, last: Date) -> bool {
        self.by_day.is_empty()
            || self.by_day.iter().any(|by| {
                let from_start = days_between(first, day) / 7 + 1;
                let from_end = -(days_between(day, last) / 7 + 1);
                by.day == day.weekday()
                    && by
                        .nth
                        .is_none_or(|nth| [from_start, from_end].contains(&i64::from(nth)))
            })
    }

    /// What `BYSETPOS` leaves of a period.
    fn places(&self, days: Vec<Date>) -> Vec<Date> {
        if self.by_set_pos.is_empty() {
            return days;
        }
        let count = days.len();
        let wanted = |index: usize| {
            let from_start = i16::try_from(index + 1).unwrap_or(i16::MAX);
            let from_end = i16::try_from(count - index).map_or(i16::MIN, |place| -place);
            self.by_set_pos.contains(&from_start) || self.by_set_pos.contains(&from_end)
        };
        let places = days.into_iter().enumerate();
        places
            .filter(|(index, _)| wanted(*index))
            .map(|(_, day)| day)
            .collect()
    }
}

fn read_frequency(text: &str) -> Result<Frequency, String> {
    match text.to_ascii_uppercase().as_str() {
        "DAILY" => Ok(Frequency::Daily),
        "WEEKLY" => Ok(Frequency::Weekly),
        "MONTHLY" => Ok(Frequency::Monthly),
        "YEARLY" => Ok(Frequency::Yearly),
        other => Err(format!(
            "FREQ={other} of the rule is not supported; shifts recur DAILY, WEEKLY, MONTHLY or YEARLY"
        )),
    }
}

fn list<T: TryFrom<i16>>(text: &str, low: i16, high: i16, signed: bool) -> Option<Vec<T>> {
    let number = |one: &str| {
        let number: i16 = one.trim().parse().ok()?;
        let bare = if signed {
            number.checked_abs()?
        } else {
            number
        };
        ((low..=high).contains(&bare)).then(|| T::try_from(number).ok())?
    };
    text.split(',').map(number).collect()
}

fn by_day(text: &str) -> Option<ByDay> {
    let text = text.trim();
    let at = text.len().checked_sub(2)?;
    let (nth, day) = text.split_at_checked(at)?;
    let nth = match nth {
        "" => None,
        nth => Some(
            nth.parse::<i16>()
                .ok()
                .filter(|n| *n != 0 && (-53..=53).contains(n))?,
        ),
    };
    Some(ByDay {
        nth,
        day: weekday(day)?,
    })
}

pub(crate) fn weekday(text: &str) -> Option<Weekday> {
    match text.trim().to_ascii_uppercase().as_str() {
        "MO" => Some(Weekday::Monday),
        "TU" => Some(Weekday::Tuesday),
        "WE" => Some(Weekday::Wednesday),
        "TH" => Some(Weekday::Thursday),
        "FR" => Some(Weekday::Friday),
        "SA" => Some(Weekday::Saturday),
        "SU" => Some(Weekday::Sunday),
        _ => None,
    }
}

fn days_between(first: Date, day: Date) -> i64 {
    day.duration_since(first).as_hours() / 24
}

fn plus_days(day: Date, days: i64) -> Option<Date> {
    let by = jiff::SignedDuration::from_hours(days.checked_mul(24)?);
    day.checked_add(by).ok()
}

fn month(year: i64, month: i64) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()
}
