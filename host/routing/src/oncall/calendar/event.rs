//! One event of a calendar: when it begins, how long it lasts, how it recurs, and whom it names.

use andon_model::Timestamp;
use jiff::civil::DateTime;

use super::Refused;
use super::component::Component;
use super::lines::Line;
use super::rule::Rule;
use super::value::{self, Length, When};
use super::zone::Zones;
use crate::oncall::hours::after;
use crate::oncall::wall::Wall;

/// Longest event, days.
const DAYS_MAX: i64 = 366;
/// Most single dates that an event may add or take out.
const DATES_MAX: usize = 5_000;

/// An attendee who did not decline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attendee {
    /// Display name; empty if there is none.
    pub(crate) name: String,
    /// Address without `mailto:`.
    pub(crate) address: String,
}

/// A checked event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// Where it begins in the file.
    pub(crate) line: usize,
    pub(crate) uid: String,
    pub(crate) summary: String,
    pub(crate) attendees: Vec<Attendee>,
    pub(crate) start: When,
    pub(crate) length: Length,
    pub(crate) cancelled: bool,
    /// Which occurrence of the series with the same `uid` it stands for.
    pub(crate) instead_of: Option<When>,
    rule: Option<Rule>,
    /// The last local time at which an occurrence may begin.
    last: Option<DateTime>,
    /// Occurrences beside those of the rule.
    more: Vec<When>,
    /// Occurrences that do not take place.
    pub(crate) less: Vec<When>,
}

/// Reads a `VEVENT`; `None` where it is of no length.
pub(crate) fn event(
    component: &Component,
    zones: &Zones,
    of_schedule: &Wall,
) -> Result<Option<Event>, Refused> {
    let reader = Reader { zones, of_schedule };
    let hint = "correct the event in the calendar and export it again";
    let missing = || Refused::new(component.line, "the event has no DTSTART", hint);
    let start_line = component.property("DTSTART").ok_or_else(missing)?;
    let start = reader.when(start_line)?;
    let length = reader.length(component, start_line, &start)?;
    if length.is_nothing() {
        return Ok(None);
    }
    if length.wall_seconds + length.exact_seconds > DAYS_MAX * 86_400 {
        let says = format!("the event is longer than {DAYS_MAX} days");
        return Err(Refused::new(start_line.number, says, hint));
    }
    let (rule, last) = reader.rule(component, &start)?;
    let instead_of = component.property("RECURRENCE-ID");
    if let Some(line) = instead_of.filter(|line| line.parameter("RANGE").is_some()) {
        let says = "RECURRENCE-ID with RANGE is not supported";
        let hint = "end the series there and begin another one";
        return Err(Refused::new(line.number, says, hint));
    }
    let text = |name: &str| component.property(name).map(Line::text).unwrap_or_default();
    Ok(Some(Event {
        line: component.line,
        uid: text("UID"),
        summary: text("SUMMARY").trim().to_owned(),
        attendees: component.all("ATTENDEE").filter_map(attendee).collect(),
        cancelled: text("STATUS").trim().eq_ignore_ascii_case("CANCELLED"),
        instead_of: instead_of.map(|line| reader.when(line)).transpose()?,
        more: reader.dates(component, "RDATE")?,
        less: reader.dates(component, "EXDATE")?,
        start,
        length,
        rule,
        last,
    }))
}

fn attendee(line: &Line) -> Option<Attendee> {
    let declined = line
        .parameter("PARTSTAT")
        .is_some_and(|state| state.eq_ignore_ascii_case("DECLINED"));
    let value = line.value.trim();
    let address = match value.split_once(':') {
        Some((scheme, address)) if scheme.eq_ignore_ascii_case("mailto") => address,
        Some(_) | None => value,
    };
    (!declined).then(|| Attendee {
        name: line.parameter("CN").unwrap_or_default().trim().to_owned(),
        address: address.to_owned(),
    })
}

/// Reads times by the zones of the file.
struct Reader<'a> {
    zones: &'a Zones,
    of_schedule: &'a Wall,
}

impl Reader<'_> {
    fn when(&self, line: &Line) -> Result<When, Refused> {
        self.one(line, line.value.trim())
    }

    fn one(&self, line: &Line, text: &str) -> Result<When, Refused> {
        let unread = || {
            let says = format!("{}: `{text}` is not a date or a time", line.name);
            Refused::new(line.number, says, "write 20260105 or 20260105T080000")
        };
        if let Some(day) = value::date(text) {
            return Ok(When::Day(day));
        }
        let (local, utc) = value::date_time(text).ok_or_else(unread)?;
        if utc {
            return Ok(When::At(local, Some(Wall::utc())));
        }
        let Some(name) = line.parameter("TZID") else {
            return Ok(When::At(local, None));
        };
        let wall = self.zones.find(name).map_err(|says| {
            let hint = "choose a zone with a name such as Europe/Oslo in the calendar program";
            Refused::new(line.number, says, hint)
        })?;
        Ok(When::At(local, Some(wall)))
    }

    fn length(
        &self,
        event: &Component,
        start_line: &Line,
        start: &When,
    ) -> Result<Length, Refused> {
        if let Some(line) = event.property("DURATION") {
            return Length::parse(line.value.trim()).ok_or_else(|| {
                let says = format!("`{}` is not a duration", line.value.trim());
                Refused::new(line.number, says, "write P1D or PT12H")
            });
        }
        let Some(line) = event.property("DTEND") else {
            return Ok(match start {
                When::Day(_) => Length::days(1),
                When::At(..) => Length::default(),
            });
        };
        let end = self.when(line)?;
        let wall = start.wall(self.of_schedule);
        // The end by the clock of the start, whatever zone it is written in.
        let same_clock = end.wall(self.of_schedule) == wall;
        let end_local = if same_clock {
            end.local()
        } else {
            wall.local(end.moment(self.of_schedule))
        };
        let seconds = end_local.duration_since(start.local()).as_secs();
        if seconds < 0 {
            let says = format!(
                "the event ends at {} and begins at {}",
                line.value.trim(),
                start_line.value.trim()
            );
            return Err(Refused::new(
                line.number,
                says,
                "let it end after it begins",
            ));
        }
        Ok(Length {
            wall_seconds: seconds,
            exact_seconds: 0,
        })
    }

    fn rule(
        &self,
        event: &Component,
        start: &When,
    ) -> Result<(Option<Rule>, Option<DateTime>), Refused> {
        let hint = "correct the event in the calendar and export it again";
        if let Some(line) = event.property("EXRULE") {
            let says = "EXRULE is not supported";
            return Err(Refused::new(
                line.number,
                says,
                "take dates out with EXDATE",
            ));
        }
        let mut lines = event.all("RRULE");
        let Some(line) = lines.next() else {
            return Ok((None, None));
        };
        if lines.next().is_some() {
            let says = "the event has more than one RRULE";
            return Err(Refused::new(line.number, says, "make an event of each"));
        }
        let refuse = |says: String| Refused::new(line.number, says, hint);
        let rule = Rule::parse(line.value.trim()).map_err(refuse)?;
        let mut last = rule.last_counted(start.local()).map_err(refuse)?;
        if let Some(until) = &rule.until {
            let limit = self.one(line, until)?;
            let past = limit.past(self.of_schedule);
            let before = Timestamp::from_nanos(past.nanos().saturating_sub(1));
            last = Some(start.wall(self.of_schedule).local(before));
        }
        Ok((Some(rule), last))
    }

    fn dates(&self, event: &Component, name: &str) -> Result<Vec<When>, Refused> {
        let mut dates = Vec::new();
        for line in event.all(name) {
            let parts = line.value.split(',').map(str::trim);
            for text in parts.filter(|text| !text.is_empty()) {
                if dates.len() >= DATES_MAX {
                    let says = format!("{name} has more than {DATES_MAX} dates");
                    return Err(Refused::new(line.number, says, "use a rule with UNTIL"));
                }
                if text.contains('/') {
                    let says = format!("a period in {name} is not supported");
                    return Err(Refused::new(
                        line.number,
                        says,
                        "make it an event of its own",
                    ));
                }
                dates.push(self.one(line, text)?);
            }
        }
        Ok(dates)
    }
}

impl Event {
    /// Begin and end of the occurrences that touch a stretch of time.
    pub(crate) fn occurrences(
        &self,
        of_schedule: &Wall,
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<(Timestamp, Timestamp)> {
        let wall = self.start.wall(of_schedule);
        let mut starts: Vec<Timestamp> = vec![self.start.moment(of_schedule)];
        if let Some(rule) = &self.rule {
            // A day more on both sides: zones differ by less, and lengths are added by the day.
            let back = (self.length.wall_seconds + self.length.exact_seconds) / 86_400 + 2;
            let hours = jiff::SignedDuration::from_hours(back * 24);
            let first_day = wall.local(from).date();
            let first_day = first_day.checked_sub(hours).unwrap_or(first_day);
            let last_day = after(wall.local(to).date());
            let locals = rule.occurrences(self.start.local(), first_day, last_day);
            let within = locals
                .into_iter()
                .filter(|local| self.last.is_none_or(|last| *local <= last));
            starts.extend(within.map(|local| wall.moment(local)));
        }
        starts.extend(self.more.iter().map(|more| more.moment(of_schedule)));
        starts.retain(|start| {
            !self
                .less
                .iter()
                .any(|less| is_at(less, *start, wall, of_schedule))
        });
        starts.sort_unstable();
        starts.dedup();
        starts
            .into_iter()
            .map(|start| (start, self.end(wall, start)))
            .filter(|(start, end)| start < end && *end > from && *start < to)
            .collect()
    }

    /// When it is over for good: the end of its last occurrence, if there is one.
    pub(crate) fn over(&self, of_schedule: &Wall) -> Timestamp {
        if self.rule.is_some() && self.last.is_none() {
            return Timestamp::MAX;
        }
        let wall = self.start.wall(of_schedule);
        let last = self.last.map(|last| wall.moment(last));
        let more = self.more.iter().map(|more| more.moment(of_schedule));
        let begins = more.chain(last).chain([self.start.moment(of_schedule)]);
        begins
            .max()
            .map_or(Timestamp::MAX, |start| self.end(wall, start))
    }

    fn end(&self, wall: &Wall, start: Timestamp) -> Timestamp {
        let by_wall = jiff::SignedDuration::from_secs(self.length.wall_seconds);
        let end = match wall.local(start).checked_add(by_wall) {
            Ok(_) if self.length.wall_seconds == 0 => start,
            Ok(local) => wall.moment(local),
            Err(_) => Timestamp::MAX,
        };
        let exact = u64::try_from(self.length.exact_seconds).unwrap_or(0);
        end.plus(std::time::Duration::from_secs(exact))
    }
}

/// Whether an exception means the occurrence that begins at this moment. A day means whichever
/// occurrence begins on it by the clock of the series.
pub(crate) fn is_at(less: &When, start: Timestamp, wall: &Wall, of_schedule: &Wall) -> bool {
    match less {
        When::Day(day) => wall.local(start).date() == *day,
        When::At(..) => less.moment(of_schedule) == start,
    }
}
