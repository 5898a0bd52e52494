//! iCalendar files (RFC 5545) as calendar programs export them: events with rules, exceptions and
//! time zones.
//!
//! Read with a place for everything that is refused, which the parsers that exist do not keep.
//! Ends are wall-clock times: a shift from 18:00 to 06:00 is over when the clock shows 06:00, also
//! in the night in which the clock is moved, because the next one begins then. Where an event
//! gives a `DURATION` in hours, a stop watch decides.
//!
//! Bounds: 4 MiB and 10,000 events a file; an event lasts a year at most.

mod component;
mod event;
mod lines;
mod rule;
mod value;
mod zone;

use std::collections::BTreeMap;

use andon_model::Timestamp;

use super::wall::Wall;
use component::components;
pub(crate) use event::Event;
use value::When;
use zone::Zones;

/// Largest file, bytes.
const BYTES_MAX: usize = 4 << 20;
/// Most events.
const EVENTS_MAX: usize = 10_000;
/// Most refused entries that are told of one file.
const REFUSED_MAX: usize = 50;

/// An entry that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Line of the file, from 1.
    pub(crate) line: usize,
    pub(crate) says: String,
    /// What to do.
    pub(crate) hint: String,
}

impl Refused {
    pub(crate) fn new(line: usize, says: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            line,
            says: says.into(),
            hint: hint.into(),
        }
    }
}

/// An occurrence of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Occurrence {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    /// Index of the event in [`Calendar::events`].
    pub(crate) event: usize,
}

/// The events of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Calendar {
    events: Vec<Event>,
    /// When each event is over for good, with its index, sorted: most events of a calendar are of
    /// the past and need not be looked at.
    over: Vec<(Timestamp, usize)>,
}

impl Calendar {
    /// Reads a file. Days and times without a zone are read by the clock of the schedule.
    pub(crate) fn read(text: &str, of_schedule: &Wall) -> (Self, Vec<Refused>) {
        if text.len() > BYTES_MAX {
            let says = format!(
                "the file has {} bytes; at most {BYTES_MAX} are read",
                text.len()
            );
            let refused = Refused::new(0, says, "export fewer years of the calendar");
            return (Self::default(), vec![refused]);
        }
        let (components, mut refused) = components(text);
        let zones = Zones::of(&components);
        let mut events = Vec::new();
        for component in components.iter().filter(|one| one.name == "VEVENT") {
            if events.len() >= EVENTS_MAX {
                let says = format!("there are more than {EVENTS_MAX} events");
                let hint = "export fewer years of the calendar";
                refused.push(Refused::new(component.line, says, hint));
                break;
            }
            match event::event(component, &zones, of_schedule) {
                Ok(event) => events.extend(event),
                Err(why) => refused.push(why),
            }
        }
        if refused.len() > REFUSED_MAX {
            let more = refused.len() - REFUSED_MAX;
            refused.truncate(REFUSED_MAX);
            let says = format!("{more} more entries are refused");
            refused.push(Refused::new(
                0,
                says,
                "correct the first ones and look again",
            ));
        }
        put_in_place(&mut events);
        let ends = events.iter().map(|event| event.over(of_schedule));
        let mut over: Vec<_> = ends
            .enumerate()
            .map(|(index, over)| (over, index))
            .collect();
        over.sort_unstable();
        (Self { events, over }, refused)
    }

    /// The events, in the order of the file.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// What takes place in a stretch of time.
    pub(crate) fn occurrences(
        &self,
        of_schedule: &Wall,
        from: Timestamp,
        to: Timestamp,
    ) -> Vec<Occurrence> {
        let past = self.over.partition_point(|(over, _)| *over <= from);
        let alive = self.over.iter().skip(past);
        let mut found = Vec::new();
        for &(_, index) in alive {
            let Some(event) = self.events.get(index) else {
                continue;
            };
            let spans = event.occurrences(of_schedule, from, to);
            found.extend(spans.into_iter().map(|(start, end)| Occurrence {
                start,
                end,
                event: index,
            }));
        }
        found
    }
}

/// An event that stands for one occurrence of a series takes that one out of the series; what is
/// cancelled goes.
fn put_in_place(events: &mut Vec<Event>) {
    let mut moved: BTreeMap<String, Vec<When>> = BTreeMap::new();
    for event in events.iter() {
        if let Some(instead_of) = &event.instead_of {
            let of_series = moved.entry(event.uid.clone()).or_default();
            of_series.push(instead_of.clone());
        }
    }
    for event in events.iter_mut().filter(|one| one.instead_of.is_none()) {
        if let Some(less) = moved.get(&event.uid) {
            event.less.extend(less.iter().cloned());
        }
    }
    events.retain(|event| !event.cancelled);
}
