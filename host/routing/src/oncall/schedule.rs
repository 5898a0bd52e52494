//! A checked schedule, and the questions that it answers.
//!
//! Everything is told by [`Schedule::stretches`]: spans of all rotations, overrides and events
//! within a stretch of time, of which those of the highest rank count at each moment. A single
//! moment is the shortest stretch.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Reason, Timestamp, Why};
use serde::Serialize;

use super::calendar::Calendar;
use super::holidays::Holidays;
use super::latest::Latest;
use super::rotation::Rotation;
use super::settings::Gaps;
use super::wall::Wall;

/// An override beats every layer.
const OVERRIDE_RANK: u16 = 256;
/// How long an answer is remembered at most.
const REMEMBERED: Duration = Duration::from_secs(3_600);
/// A day by a stop watch.
const DAY: Duration = Duration::from_secs(86_400);
/// How far [`Schedule::next_change`] looks, days, one after the other.
const LOOKS: [u32; 4] = [2, 14, 92, 400];

/// Who is on call when: a name that stands for whoever it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub(crate) name: Arc<str>,
    pub(crate) zone: String,
    pub(crate) wall: Wall,
    pub(crate) people: Option<usize>,
    pub(crate) gaps: Gaps,
    pub(crate) warn_before: Duration,
    pub(crate) rotations: Vec<Rotation>,
    pub(crate) overrides: Vec<Override>,
    pub(crate) calendar: Option<Shifts>,
    pub(crate) holidays: Holidays,
    /// The latest answer of [`Schedule::on_call`]: an alarm asks once for each person.
    pub(crate) latest: Latest,
}

/// A checked override.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Override {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) people: Arc<[Arc<str>]>,
    pub(crate) reason: String,
}

/// The events of a calendar with the people whom they name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shifts {
    pub(crate) file: String,
    pub(crate) calendar: Calendar,
    /// By event; empty where an event names nobody.
    pub(crate) people: Vec<Arc<[Arc<str>]>>,
}

/// Somebody on call, and what says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OnDuty {
    /// Name of the contact.
    pub contact: Arc<str>,
    /// Name of the schedule.
    pub schedule: Arc<str>,
    /// What put the contact on call.
    pub by: DutyBy,
    /// When the shift began.
    pub since: Timestamp,
    /// When the shift ends, unless something of a higher rank comes first.
    pub until: Timestamp,
}

/// What put somebody on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum DutyBy {
    /// A turn of a rotation.
    Rotation {
        /// Its name, or its number from 1.
        name: String,
    },
    /// An override.
    Override {
        /// Its number from 1.
        number: usize,
        /// Why, as the settings say; may be empty.
        reason: String,
    },
    /// An event of the calendar.
    Event {
        /// The file.
        file: String,
        /// Where the event begins in the file.
        line: usize,
        /// What it is called.
        summary: String,
    },
}

impl fmt::Display for DutyBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rotation { name } => write!(f, "rotation `{name}`"),
            Self::Override { number, reason } if reason.is_empty() => {
                write!(f, "override {number}")
            }
            Self::Override { number, reason } => write!(f, "override {number} ({reason})"),
            Self::Event {
                file,
                line,
                summary,
            } => write!(f, "`{summary}` of {file}, line {line}"),
        }
    }
}

impl OnDuty {
    /// The reason for which the contact is told.
    #[must_use]
    pub fn why(&self) -> Why {
        Why::new(Reason::OnCall, self.to_string())
    }
}

impl fmt::Display for OnDuty {
    /// `ada is on call by rotation `weeks` of schedule `night` until 2026-…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is on call by {} of schedule `{}` until {}",
            self.contact, self.by, self.schedule, self.until
        )
    }
}

/// A stretch of time in which the same people are on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stretch {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// Who is on call at its beginning, each contact once; empty for nobody.
    pub on_duty: Vec<OnDuty>,
}

impl Stretch {
    /// Whether nobody is on call.
    #[must_use]
    pub fn is_gap(&self) -> bool {
        self.on_duty.is_empty()
    }
}

/// One shift as its source gives it.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: Timestamp,
    end: Timestamp,
    rank: u16,
    source: Source,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    /// Number of the rotation, and whose turn it is.
    Rotation(usize, usize),
    Override(usize),
    Event(usize),
}

impl Schedule {
    /// Its name in the settings.
    #[must_use]
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its time zone as the settings name it.
    #[must_use]
    pub fn time_zone(&self) -> &str {
        &self.zone
    }

    /// Who is on call at a moment, each contact once, and what says so; empty for nobody.
    #[must_use]
    pub fn on_call(&self, at: Timestamp) -> Vec<OnDuty> {
        if let Some(known) = self.latest.at(at) {
            return known;
        }
        let horizon = at.plus(REMEMBERED);
        let spans = self.spans(at, horizon);
        let edges = spans.iter().flat_map(|span| [span.start, span.end]);
        let changes = edges.filter(|edge| *edge > at).min();
        let active = spans
            .iter()
            .filter(|span| span.start <= at && span.end > at);
        let on_duty = self.on_duty(&active.copied().collect::<Vec<_>>());
        let until = changes.map_or(horizon, |changes| changes.min(horizon));
        self.latest.keep(at, until, &on_duty);
        on_duty
    }

    /// Everybody whom the schedule names anywhere, sorted.
    #[must_use]
    pub fn people(&self) -> BTreeSet<&Arc<str>> {
        let turns = self.rotations.iter().flat_map(|one| &one.people);
        let overrides = self.overrides.iter().map(|one| &one.people);
        let shifts = self.calendar.iter().flat_map(|shifts| &shifts.people);
        let named = turns.chain(overrides).chain(shifts);
        named.flat_map(|people| people.iter()).collect()
    }

    /// The next moment at which other people are on call; `None` where that is more than 400 days
    /// ahead.
    #[must_use]
    pub fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        LOOKS.into_iter().find_map(|days| {
            let horizon = at.plus(DAY * days);
            let first = self.stretches(at, horizon).into_iter().next()?;
            (first.to < horizon).then_some(first.to)
        })
    }

    /// The stretches of a time, without a hole between them; neighbours differ in their people.
    #[must_use]
    pub fn stretches(&self, from: Timestamp, to: Timestamp) -> Vec<Stretch> {
        if from >= to {
            return Vec::new();
        }
        let mut spans = self.spans(from, to);
        spans.sort_unstable_by_key(|span| span.start);
        let edges = spans.iter().flat_map(|span| [span.start, span.end]);
        let mut edges: Vec<Timestamp> = edges.filter(|at| *at > from && *at < to).collect();
        edges.push(from);
        edges.sort_unstable();
        edges.dedup();
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut coming = spans.into_iter().peekable();
        let mut active: Vec<Span> = Vec::new();
        for edge in edges {
            active.retain(|span| span.end > edge);
            while let Some(span) = coming.next_if(|span| span.start <= edge) {
                if span.end > edge {
                    active.push(span);
                }
            }
            let on_duty = self.on_duty(&active);
            if let Some(last) = stretches.last_mut() {
                if same_people(&last.on_duty, &on_duty) {
                    continue;
                }
                last.to = edge;
            }
            stretches.push(Stretch {
                from: edge,
                to,
                on_duty,
            });
        }
        stretches
    }

    /// The first stretch with nobody on call that touches a time.
    #[must_use]
    pub fn next_gap(&self, from: Timestamp, to: Timestamp) -> Option<Stretch> {
        self.stretches(from, to).into_iter().find(Stretch::is_gap)
    }

    /// What the clock of its place shows: `Mon 2026-01-05 08:00`.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> String {
        self.wall
            .local(at)
            .strftime("%a %Y-%m-%d %H:%M")
            .to_string()
    }

    /// The moment of a local time such as `2026-01-05 08:00`; `None` where it is none.
    #[must_use]
    pub fn moment(&self, local: &str) -> Option<Timestamp> {
        super::check::local_time(local).map(|local| self.wall.moment(local))
    }

    /// Every shift that touches a stretch of time, whatever its rank.
    fn spans(&self, from: Timestamp, to: Timestamp) -> Vec<Span> {
        let mut spans = Vec::new();
        for (index, rotation) in self.rotations.iter().enumerate() {
            let turns = rotation.turns(&self.wall, &self.holidays, from, to);
            spans.extend(turns.into_iter().map(|turn| Span {
                start: turn.start,
                end: turn.end,
                rank: rotation.layer.into(),
                source: Source::Rotation(index, turn.place),
            }));
        }
        for (index, one) in self.overrides.iter().enumerate() {
            if one.end > from && one.start < to {
                spans.push(Span {
                    start: one.start,
                    end: one.end,
                    rank: OVERRIDE_RANK,
                    source: Source::Override(index),
                });
            }
        }
        if let Some(shifts) = &self.calendar {
            let named = |event: usize| shifts.people.get(event).is_some_and(|who| !who.is_empty());
            let occurrences = shifts.calendar.occurrences(&self.wall, from, to);
            let named = occurrences.into_iter().filter(|one| named(one.event));
            spans.extend(named.map(|one| Span {
                start: one.start,
                end: one.end,
                rank: 0,
                source: Source::Event(one.event),
            }));
        }
        spans
    }

    /// The people of the highest rank, each once, by the first source that names them.
    fn on_duty(&self, active: &[Span]) -> Vec<OnDuty> {
        let top = active.iter().map(|span| span.rank).max();
        let mut counting: Vec<&Span> = active
            .iter()
            .filter(|span| Some(span.rank) == top)
            .collect();
        counting.sort_by_key(|span| (order(span.source), span.start));
        let mut found: Vec<OnDuty> = Vec::new();
        for span in counting {
            for contact in self.people_of(span.source) {
                if found.iter().all(|one| one.contact != *contact) {
                    found.push(OnDuty {
                        contact: Arc::clone(contact),
                        schedule: Arc::clone(&self.name),
                        by: self.by(span.source),
                        since: span.start,
                        until: span.end,
                    });
                }
            }
        }
        found
    }

    fn people_of(&self, source: Source) -> &[Arc<str>] {
        let people = match source {
            Source::Rotation(index, place) => self
                .rotations
                .get(index)
                .and_then(|rotation| rotation.people.get(place)),
            Source::Override(index) => self.overrides.get(index).map(|one| &one.people),
            Source::Event(event) => self
                .calendar
                .as_ref()
                .and_then(|shifts| shifts.people.get(event)),
        };
        people.map_or(&[], |people| people)
    }

    fn by(&self, source: Source) -> DutyBy {
        match source {
            Source::Rotation(index, _) => DutyBy::Rotation {
                name: self
                    .rotations
                    .get(index)
                    .map_or_else(String::new, |rotation| rotation.name.clone()),
            },
            Source::Override(index) => DutyBy::Override {
                number: index + 1,
                reason: self
                    .overrides
                    .get(index)
                    .map_or_else(String::new, |one| one.reason.clone()),
            },
            Source::Event(index) => {
                let shifts = self.calendar.as_ref();
                let event = shifts.and_then(|shifts| shifts.calendar.events().get(index));
                DutyBy::Event {
                    file: shifts.map_or_else(String::new, |shifts| shifts.file.clone()),
                    line: event.map_or(0, |event| event.line),
                    summary: event.map_or_else(String::new, |event| event.summary.clone()),
                }
            }
        }
    }
}

/// Order in which sources of one rank name people.
const fn order(source: Source) -> (u8, usize) {
    match source {
        Source::Override(index) => (0, index),
        Source::Rotation(index, _) => (1, index),
        Source::Event(index) => (2, index),
    }
}

fn same_people(one: &[OnDuty], other: &[OnDuty]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .all(|duty| other.iter().any(|same| same.contact == duty.contact))
}
