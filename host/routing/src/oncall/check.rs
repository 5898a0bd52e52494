//! From `[[schedules]]` to checked schedules, with every problem at once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Finding, Timestamp};
use jiff::civil::DateTime;

use super::ahead::ahead;
use super::calendar::{Calendar, Refused};
use super::holidays::Holidays;
use super::hours::{DAY_MINUTES, Hours};
use super::latest::Latest;
use super::names::{Named, Names};
pub(crate) use super::read::local_time;
use super::read::{date, day_of_year, days_of_week, minute_of_day};
use super::rotation::{Every, Rotation};
use super::schedule::{Override, Schedule, Shifts};
use super::settings::{Gaps, HolidayUse, OverrideSettings, RotationSettings, ScheduleSettings};
use super::wall::Wall;

/// Most rotations of a schedule.
const ROTATIONS_MAX: usize = 50;
/// Most overrides of a schedule.
const OVERRIDES_MAX: usize = 2_000;
/// Most people or groups of a rotation.
const PEOPLE_MAX: usize = 500;
/// Most holidays of a schedule.
const HOLIDAYS_MAX: usize = 1_000;
/// Longest `warn_before`.
const WARN_MAX: Duration = Duration::from_secs(7 * 86_400);
/// Most events without a known name that are told of one file.
const UNNAMED_MAX: usize = 10;
const LOCAL_HINT: &str = "write it like 2026-01-05 08:00";

/// What a check may ask of the world around the settings.
pub struct Outside<'a> {
    /// The text of a file that the settings name, or why it cannot be read.
    pub read: &'a dyn Fn(&str) -> Result<String, String>,
    /// The present, for what is told of the coming weeks; `None` leaves that out.
    pub now: Option<Timestamp>,
}

impl Outside<'_> {
    /// No files and no present.
    pub(crate) fn nothing() -> Self {
        Self {
            read: &|_| Err("there are no files here".to_owned()),
            now: None,
        }
    }
}

impl std::fmt::Debug for Outside<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outside")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// Checks the schedules. Pointers of the findings begin with `/schedules`.
pub(crate) fn check(
    settings: &[ScheduleSettings],
    names: &Names,
    outside: &Outside<'_>,
) -> (Vec<Arc<Schedule>>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut schedules = Vec::new();
    let files = RefCell::new(BTreeMap::new());
    for (index, one) in settings.iter().enumerate() {
        let mut check = Check {
            settings: one,
            path: format!("/schedules/{index}"),
            names,
            outside,
            files: &files,
            findings: Vec::new(),
        };
        let schedule = check.schedule();
        findings.append(&mut check.findings);
        schedules.extend(schedule.map(Arc::new));
    }
    (schedules, findings)
}

/// What was read of each file, so that several schedules may share one.
type Files = RefCell<BTreeMap<String, Result<String, String>>>;

struct Check<'a> {
    settings: &'a ScheduleSettings,
    path: String,
    names: &'a Names,
    outside: &'a Outside<'a>,
    files: &'a Files,
    findings: Vec<Finding>,
}

impl Check<'_> {
    fn error(&mut self, key: &str, says: impl Into<String>, hint: impl Into<String>) {
        let path = format!("{}{key}", self.path);
        self.findings.push(Finding::error(path, says).hint(hint));
    }

    fn schedule(&mut self) -> Option<Schedule> {
        let settings = self.settings;
        let Some(wall) = Wall::named(&settings.time_zone) else {
            self.error(
                "/time_zone",
                format!("`{}` is not a time zone", settings.time_zone.escape_debug()),
                "use a name of the IANA database, such as Europe/Oslo or America/New_York",
            );
            return None;
        };
        let sources = settings.rotations.len()
            + settings.overrides.len()
            + usize::from(settings.calendar.is_some());
        if sources == 0 {
            let says = format!("schedule `{}` never has anybody on call", settings.name);
            self.error("", says, "add [[schedules.rotations]] or a calendar");
        }
        self.count("/rotations", settings.rotations.len(), ROTATIONS_MAX);
        self.count("/overrides", settings.overrides.len(), OVERRIDES_MAX);
        self.count("/holidays", settings.holidays.len(), HOLIDAYS_MAX);
        if settings.warn_before.0 > WARN_MAX {
            self.error(
                "/warn_before",
                "warn_before must be at most 7d",
                "write 24h",
            );
        }
        let holidays = self.holidays(&wall);
        let schedule = Schedule {
            name: settings.name.as_str().into(),
            zone: settings.time_zone.clone(),
            people: settings.people,
            gaps: settings.gaps,
            warn_before: settings.warn_before.0,
            rotations: self.rotations(&holidays),
            overrides: self.overrides(&wall),
            calendar: self.shifts(&wall),
            wall,
            holidays,
            latest: Latest::default(),
        };
        if let (true, Some(now)) = (self.findings.is_empty(), self.outside.now) {
            let coming = ahead(&schedule, &self.path, now);
            self.findings.extend(coming);
        }
        Some(schedule)
    }

    fn count(&mut self, key: &str, count: usize, most: usize) {
        if count > most {
            let says = format!("there are {count} entries; at most {most} are possible");
            self.error(key, says, "remove what is over or make another schedule");
        }
    }

    fn rotations(&mut self, holidays: &Holidays) -> Vec<Rotation> {
        let settings = self.settings;
        let mut rotations = Vec::new();
        for (index, one) in settings.rotations.iter().take(ROTATIONS_MAX).enumerate() {
            let key = format!("/rotations/{index}");
            if one.holidays != HolidayUse::Any && holidays.is_empty() {
                self.error(
                    &format!("{key}/holidays"),
                    "the schedule has no holidays",
                    "list them: holidays = [\"12-25\", \"2026-05-01\", \"holidays.ics\"]",
                );
            }
            rotations.extend(self.rotation(&key, index, one));
        }
        rotations
    }

    fn rotation(&mut self, key: &str, index: usize, one: &RotationSettings) -> Option<Rotation> {
        let places = self.places(&format!("{key}/people"), &one.people);
        self.count(&format!("{key}/people"), one.people.len(), PEOPLE_MAX);
        let every = Every::parse(&one.every);
        if every.is_none() {
            self.error(
                &format!("{key}/every"),
                format!("`{}` is not a turn", one.every),
                "write 12h, day, week, 2 weeks or month, an hour to a year",
            );
        }
        let starts = self.local(&format!("{key}/starts"), &one.starts);
        let ends = one
            .ends
            .as_ref()
            .and_then(|ends| self.local(&format!("{key}/ends"), ends));
        if let (Some(starts), Some(ends)) = (starts, ends)
            && ends <= starts
        {
            let says = format!("the rotation ends at {ends} and starts at {starts}");
            self.error(&format!("{key}/ends"), says, "let it end after it starts");
        }
        let hours = self.hours(key, one);
        Some(Rotation {
            name: one.name.clone().unwrap_or_else(|| (index + 1).to_string()),
            layer: one.layer,
            people: places,
            every: every?,
            starts: starts?,
            ends,
            hours,
        })
        .filter(|rotation| !rotation.people.is_empty())
    }

    /// Who takes each turn.
    fn places(&mut self, key: &str, names: &[String]) -> Vec<Arc<[Arc<str>]>> {
        if names.is_empty() {
            self.error(key, "nobody is named", "name contacts or groups");
        }
        let mut places = Vec::new();
        for (index, name) in names.iter().take(PEOPLE_MAX).enumerate() {
            if let Some(people) = self.people(&format!("{key}/{index}"), name) {
                places.push(people.into());
            }
        }
        places
    }

    fn people(&mut self, key: &str, name: &str) -> Option<Vec<Arc<str>>> {
        match self.names.find(name) {
            Named::People(people) if !people.is_empty() => return Some(people),
            // An empty group is refused where it stands.
            Named::People(_) => {}
            Named::Schedule => self.error(
                key,
                format!("`{name}` is or holds a schedule, which cannot be on call itself"),
                "name contacts, or groups of contacts",
            ),
            Named::Nobody(hint) => self.error(
                key,
                format!("there is no contact or group named `{name}`"),
                hint.unwrap_or_else(|| "add it to [[contacts]]".to_owned()),
            ),
        }
        None
    }

    fn local(&mut self, key: &str, text: &str) -> Option<DateTime> {
        let found = local_time(text);
        if found.is_none() {
            self.error(key, format!("`{text}` is not a local time"), LOCAL_HINT);
        }
        found
    }

    fn hours(&mut self, key: &str, one: &RotationSettings) -> Hours {
        let mut days = [one.on.is_empty(); 7];
        for (index, text) in one.on.iter().enumerate() {
            match days_of_week(text) {
                Some(named) => {
                    for (day, named) in days.iter_mut().zip(named) {
                        *day |= named;
                    }
                }
                None => self.error(
                    &format!("{key}/on/{index}"),
                    format!("`{text}` is not a day of the week"),
                    "write mon, tue, wed, thu, fri, sat, sun, or mon..fri",
                ),
            }
        }
        let from = self.minute(&format!("{key}/from"), one.from.as_deref());
        let to = self.minute(&format!("{key}/to"), one.to.as_deref());
        if from == Some(DAY_MINUTES) {
            let says = "a time of the day cannot begin at 24:00";
            self.error(&format!("{key}/from"), says, "write 00:00");
        }
        Hours {
            days,
            from: from.unwrap_or(0).min(DAY_MINUTES - 1),
            to: to.unwrap_or(DAY_MINUTES),
            holidays: one.holidays,
        }
    }

    fn minute(&mut self, key: &str, text: Option<&str>) -> Option<u16> {
        let text = text?;
        let found = minute_of_day(text);
        if found.is_none() {
            let says = format!("`{text}` is not a time of the day");
            self.error(key, says, "write 06:00, 18:30 or 24:00");
        }
        found
    }

    fn overrides(&mut self, wall: &Wall) -> Vec<Override> {
        let settings = self.settings;
        let mut overrides = Vec::new();
        for (index, one) in settings.overrides.iter().take(OVERRIDES_MAX).enumerate() {
            // Kept in its place also where it is refused: its number is its name.
            let checked = self.one_override(&format!("/overrides/{index}"), one, wall);
            overrides.extend(checked);
        }
        overrides
    }

    fn one_override(&mut self, key: &str, one: &OverrideSettings, wall: &Wall) -> Option<Override> {
        let from = self.local(&format!("{key}/from"), &one.from);
        let to = self.local(&format!("{key}/to"), &one.to);
        let places = self.places(&format!("{key}/people"), &one.people);
        let (from, to) = (from?, to?);
        if to <= from {
            let says = format!("the override ends at {to} and begins at {from}");
            self.error(&format!("{key}/to"), says, "let it end after it begins");
        }
        let mut people: Vec<Arc<str>> = Vec::new();
        for contact in places.iter().flat_map(|place| place.iter()) {
            if !people.contains(contact) {
                people.push(Arc::clone(contact));
            }
        }
        Some(Override {
            start: wall.moment(from),
            end: wall.moment(to),
            people: people.into(),
            reason: one.reason.trim().to_owned(),
        })
    }

    fn holidays(&mut self, wall: &Wall) -> Holidays {
        let settings = self.settings;
        let mut holidays = Holidays::default();
        for (index, text) in settings.holidays.iter().take(HOLIDAYS_MAX).enumerate() {
            let key = format!("/holidays/{index}");
            if text.to_ascii_lowercase().ends_with(".ics") {
                holidays.calendars.extend(self.calendar(&key, text, wall));
            } else if let Some(day) = date(text) {
                holidays.dates.insert(day);
            } else if let Some(day) = day_of_year(text) {
                holidays.yearly.insert(day);
            } else {
                let says = format!("`{text}` is not a date");
                self.error(
                    &key,
                    says,
                    "write 2026-05-01, 12-25 for each year, or a file.ics",
                );
            }
        }
        holidays
    }

    fn calendar(&mut self, key: &str, file: &str, wall: &Wall) -> Option<Calendar> {
        let text = self
            .files
            .borrow_mut()
            .entry(file.to_owned())
            .or_insert_with(|| (self.outside.read)(file))
            .clone();
        let text = match text {
            Ok(text) => text,
            Err(why) => {
                let says = format!("cannot read {file}: {why}");
                self.error(
                    key,
                    says,
                    "check the path, and that the host may read the file",
                );
                return None;
            }
        };
        let (calendar, refused) = Calendar::read(&text, wall);
        let path = format!("{}{key}", self.path);
        for Refused { line, says, hint } in refused {
            let finding = Finding::error(path.clone(), says).hint(hint);
            self.findings.push(finding.in_file(file, line));
        }
        Some(calendar)
    }

    fn shifts(&mut self, wall: &Wall) -> Option<Shifts> {
        let file = self.settings.calendar.as_ref()?;
        let calendar = self.calendar("/calendar", file, wall)?;
        let people: Vec<Arc<[Arc<str>]>> = calendar
            .events()
            .iter()
            .map(|event| self.names.of_event(event))
            .collect();
        self.unnamed(file, &calendar, &people, wall);
        Some(Shifts {
            file: file.clone(),
            calendar,
            people,
        })
    }

    /// Tells of events that are not over and name nobody.
    fn unnamed(
        &mut self,
        file: &str,
        calendar: &Calendar,
        people: &[Arc<[Arc<str>]>],
        wall: &Wall,
    ) {
        let now = self.outside.now;
        let events = calendar.events().iter().zip(people);
        let unnamed: Vec<(usize, String)> = events
            .filter(|(event, who)| who.is_empty() && now.is_none_or(|now| event.over(wall) > now))
            .map(|(event, _)| (event.line, event.summary.clone()))
            .collect();
        let path = format!("{}/calendar", self.path);
        for (line, summary) in unnamed.iter().take(UNNAMED_MAX) {
            let says = format!("event `{summary}` names nobody of [[contacts]], so it is no shift");
            let hint = "put a contact's name or display_name into its summary, or invite the contact by an address that it has here";
            let finding = Finding::warning(path.clone(), says).hint(hint);
            self.findings.push(finding.in_file(file, *line));
        }
        if let Some(more) = unnamed
            .len()
            .checked_sub(UNNAMED_MAX)
            .filter(|more| *more > 0)
        {
            let says = format!("{more} more events name nobody");
            self.findings
                .push(Finding::warning(path, says).in_file(file, 0));
        }
    }
}

impl Schedule {
    /// Whether a time with nobody on call is something to tell of.
    pub(crate) fn wants_somebody(&self) -> bool {
        self.gaps == Gaps::Told
    }
}
