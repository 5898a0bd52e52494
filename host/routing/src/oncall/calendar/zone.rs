//! The time zones of a calendar: names of the IANA database, also as programs decorate them, and
//! those that a file describes itself (`VTIMEZONE`), as Outlook does with names of Windows.

use std::collections::BTreeMap;

use super::component::Component;
use super::rule::{Frequency, Rule};
use super::value;
use crate::oncall::wall::Wall;

/// The zones of one file.
#[derive(Debug, Default)]
pub(crate) struct Zones {
    /// Those that the file describes; `None` where the description cannot be used.
    described: BTreeMap<String, Option<Wall>>,
}

impl Zones {
    /// Takes the descriptions of a file.
    pub(crate) fn of(components: &[Component]) -> Self {
        let mut described = BTreeMap::new();
        for one in components.iter().filter(|one| one.name == "VTIMEZONE") {
            if let Some(name) = one.property("TZID") {
                described.insert(name.value.clone(), wall_of(one));
            }
        }
        Self { described }
    }

    /// The clock behind a `TZID`.
    ///
    /// # Errors
    /// Nobody knows it, and what to do.
    pub(crate) fn find(&self, name: &str) -> Result<Wall, String> {
        if let Some(wall) = named(name) {
            return Ok(wall);
        }
        match self.described.get(name) {
            Some(Some(wall)) => Ok(wall.clone()),
            Some(None) => Err(format!(
                "the description of the time zone `{name}` has a shape that is not supported"
            )),
            None => Err(format!("nobody knows the time zone `{name}`")),
        }
    }
}

/// `Europe/Berlin`, and `/some.program/20240101_1/Europe/Berlin`.
fn named(name: &str) -> Option<Wall> {
    if !name.starts_with('/') {
        return Wall::named(name);
    }
    let mut rest = name;
    while let Some((_, shorter)) = rest.split_once('/') {
        rest = shorter;
        if rest.contains('/')
            && let Some(wall) = Wall::named(rest)
        {
            return Some(wall);
        }
    }
    None
}

/// The clock that a file describes: by the name of the database that it mentions, else by the
/// newest of its rules.
fn wall_of(zone: &Component) -> Option<Wall> {
    let location = zone.property("X-LIC-LOCATION");
    if let Some(wall) = location.and_then(|line| Wall::named(line.value.trim())) {
        return Some(wall);
    }
    let standard = newest(zone, "STANDARD")?;
    let normal = offset(standard)?;
    let Some(daylight) = newest(zone, "DAYLIGHT") else {
        return Wall::posix(&posix_offset(normal));
    };
    let summer = offset(daylight)?;
    // A zone that has given daylight saving up still describes the time when it had it.
    let (Some(to_summer), Some(to_normal)) = (change(daylight), change(standard)) else {
        return Wall::posix(&posix_offset(normal));
    };
    Wall::posix(&format!(
        "{}{},{to_summer},{to_normal}",
        posix_offset(normal),
        posix_offset(summer),
    ))
}

/// The part that begins last.
fn newest<'a>(zone: &'a Component, name: &str) -> Option<&'a Component> {
    let parts = zone.children.iter().filter(|part| part.name == name);
    parts.max_by_key(|part| start(part))
}

fn start(part: &Component) -> Option<jiff::civil::DateTime> {
    let line = part.property("DTSTART")?;
    value::date_time(line.value.trim()).map(|(local, _)| local)
}

/// Seconds east of UTC.
fn offset(part: &Component) -> Option<i32> {
    let text = part.property("TZOFFSETTO")?.value.trim();
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let at = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i32>().ok();
    let seconds = if digits.len() == 6 { at(4..6)? } else { 0 };
    let known = matches!(digits.len(), 4 | 6);
    known.then_some(sign * (at(0..2)? * 3_600 + at(2..4)? * 60 + seconds))
}

/// `<+0130>-01:30:00`: the sign of POSIX is the other way round.
fn posix_offset(east: i32) -> String {
    let (sign, inverse) = if east < 0 { ('-', '+') } else { ('+', '-') };
    let (hours, minutes, seconds) = (east.abs() / 3_600, east.abs() / 60 % 60, east.abs() % 60);
    format!("<{sign}{hours:02}{minutes:02}>{inverse}{hours:02}:{minutes:02}:{seconds:02}")
}

/// When a clock is moved each year, as `M3.5.0/02:00:00`.
fn change(part: &Component) -> Option<String> {
    let rule = Rule::parse(part.property("RRULE")?.value.trim()).ok()?;
    let over = rule.until.is_some() || rule.count.is_some();
    if over || rule.frequency != Frequency::Yearly || rule.interval != 1 {
        return None;
    }
    let ([month], [by]) = (rule.by_month.as_slice(), rule.by_day.as_slice()) else {
        return None;
    };
    let week = match (by.nth, rule.by_month_day.first()) {
        (Some(-1), None) => 5,
        (Some(nth @ 1..=4), None) => nth,
        // The day of the week within seven days of the month, as some programs write the nth.
        (None, Some(first)) if rule.by_month_day.len() == 7 && (first - 1) % 7 == 0 => {
            i16::from((first - 1) / 7 + 1)
        }
        _ => return None,
    };
    let day = by.day.to_sunday_zero_offset();
    let time = start(part)?.time();
    Some(format!(
        "M{month}.{week}.{day}/{:02}:{:02}:{:02}",
        time.hour(),
        time.minute(),
        time.second()
    ))
}
