//! Each figure with its target, where that comes from, and whether it holds.
//!
//! Targets are those of ISA-18.2-2016 clause 16.4, for one operator position over thirty days or
//! more. That edition has no figure a day any more, so the one here is of IEC 62682:2014; the
//! number of standing alarms is of EEMUA 191. What chatters, is fleeting or is stale is defined by
//! settings whose defaults are starting values, so the sources of those say so.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::{GroupKind, GroupReport};

/// A figure of a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Figure {
    /// Stable name for machines: `per-10-minutes`.
    pub key: String,
    /// What people read.
    pub name: String,
    /// The figure; `None` where nothing happened that it could be of.
    pub value: Option<f64>,
    /// What it is counted in: empty for a bare number, `%`, `s`.
    pub unit: String,
    /// What it should be; `None` where the standards say nothing.
    pub target: Option<Target>,
    /// Whether it is.
    pub mark: Mark,
}

/// What a figure should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// On which side of the limit.
    pub bound: Bound,
    /// The limit, in the unit of the figure.
    pub limit: f64,
    /// Up to here people manage, although it should be less.
    pub manageable: Option<f64>,
    /// Where it comes from.
    pub source: String,
}

/// The side of a limit on which a figure should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// The limit or less.
    AtMost,
    /// Less than the limit.
    Below,
    /// The limit or more.
    AtLeast,
}

/// Whether a figure meets its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// It does.
    Holds,
    /// It does not, but people manage.
    Manageable,
    /// It does not.
    Missed,
    /// It has no target, or there is nothing to measure.
    None,
}

impl Mark {
    /// The word that people read.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Manageable => "manageable",
            Self::Missed => "missed",
            Self::None => "",
        }
    }
}

impl Target {
    fn mark(&self, value: f64) -> Mark {
        let within = |limit: f64| match self.bound {
            Bound::AtMost => value <= limit,
            Bound::Below => value < limit,
            Bound::AtLeast => value >= limit,
        };
        if within(self.limit) {
            Mark::Holds
        } else if self.manageable.is_some_and(within) {
            Mark::Manageable
        } else {
            Mark::Missed
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = match self.bound {
            Bound::AtMost => "at most",
            Bound::Below => "below",
            Bound::AtLeast => "at least",
        };
        write!(f, "{side} {}", self.limit)?;
        self.manageable
            .map_or(Ok(()), |most| write!(f, ", manageable {most}"))
    }
}

const ISA: &str = "ISA-18.2-2016 16.4";
const IEC: &str = "IEC 62682:2014";
const EEMUA: &str = "EEMUA 191";
const ISA_OURS: &str = "ISA-18.2-2016 16.4; defined by [kpi]";

/// All figures of a group, in the order in which they are shown. `refused_changes` is given for
/// the whole plant alone.
pub(crate) fn figures(group: &GroupReport, refused_changes: Option<u64>) -> Vec<Figure> {
    let mut figures = rates(group);
    figures.extend(nuisance(group));
    figures.extend(priorities(group));
    figures.extend(acknowledging(group));
    if let Some(refused) = refused_changes {
        let figure = figure(
            "refused-changes",
            "unauthorised changes that were tried",
            refused,
            "",
        );
        figures.push(figure.target(Bound::AtMost, 0.0, ISA));
    }
    if group.kind == GroupKind::Host {
        // What the host finds wrong with itself is no load that the standards speak of.
        for figure in &mut figures {
            figure.target = None;
            figure.mark = Mark::None;
        }
    }
    figures
}

fn rates(group: &GroupReport) -> Vec<Figure> {
    vec![
        figure(
            "per-10-minutes",
            "annunciated in 10 minutes, on average",
            group.per_10_minutes,
            "",
        )
        .target(Bound::AtMost, 1.0, ISA)
        .manageable(2.0),
        figure(
            "per-10-minutes-peak",
            "annunciated in 10 minutes, at most",
            group.per_10_minutes_peak,
            "",
        )
        .target(Bound::AtMost, 10.0, ISA),
        figure(
            "intervals-above-10",
            "10-minute intervals with more than 10",
            group.intervals_above_10_percent,
            "%",
        )
        .target(Bound::Below, 1.0, ISA),
        figure(
            "per-hour",
            "annunciated in an hour, on average",
            group.per_hour,
            "",
        )
        .target(Bound::AtMost, 6.0, ISA)
        .manageable(12.0),
        figure(
            "per-hour-peak",
            "annunciated in an hour, at most",
            group.per_hour_peak,
            "",
        ),
        figure(
            "per-day",
            "annunciated in a day, on average",
            group.per_day,
            "",
        )
        .target(Bound::AtMost, 144.0, IEC)
        .manageable(288.0),
        figure(
            "per-day-peak",
            "annunciated in a day, at most",
            group.per_day_peak,
            "",
        ),
        figure("flood-time", "time in flood", group.flood_percent, "%").target(
            Bound::Below,
            1.0,
            ISA,
        ),
        figure(
            "standing",
            "standing alarms, on average",
            group.standing,
            "",
        )
        .target(Bound::Below, 10.0, EEMUA),
    ]
}

fn nuisance(group: &GroupReport) -> Vec<Figure> {
    vec![
        optional(
            "top-ten",
            "share of the ten most frequent",
            group.top_ten_percent,
            "%",
        )
        .target(Bound::AtMost, 5.0, ISA),
        figure(
            "chattering",
            "alarms that chattered",
            group.chattering_count,
            "",
        )
        .target(Bound::AtMost, 0.0, ISA_OURS),
        figure(
            "fleeting",
            "alarms that were fleeting",
            group.fleeting_count,
            "",
        )
        .target(Bound::AtMost, 0.0, ISA_OURS),
        figure(
            "stale",
            "stale alarms on the worst day",
            group.stale_on_a_day_peak,
            "",
        )
        .target(Bound::Below, 5.0, ISA_OURS),
    ]
}

fn priorities(group: &GroupReport) -> Vec<Figure> {
    let share = |name: &str| {
        let found = group
            .priorities
            .iter()
            .find(|share| share.priority.name() == name);
        found.and_then(|share| share.percent)
    };
    vec![
        optional("priority-low", "of low priority", share("low"), "%").target(
            Bound::AtLeast,
            80.0,
            ISA,
        ),
        optional(
            "priority-medium",
            "of medium priority",
            share("medium"),
            "%",
        )
        .target(Bound::AtMost, 15.0, ISA),
        optional("priority-high", "of high priority", share("high"), "%").target(
            Bound::AtMost,
            5.0,
            ISA,
        ),
        optional(
            "priority-critical",
            "of critical priority",
            share("critical"),
            "%",
        )
        .target(Bound::Below, 1.0, ISA),
    ]
}

fn acknowledging(group: &GroupReport) -> Vec<Figure> {
    let times = &group.acknowledgements;
    let seconds = |time: Option<u64>| time.map(|time| time as f64);
    vec![
        optional(
            "acknowledge-median",
            "time to acknowledge, median",
            seconds(times.median_seconds),
            "s",
        ),
        optional(
            "acknowledge-95",
            "time to acknowledge, 95 %",
            seconds(times.percentile_95_seconds),
            "s",
        ),
        optional(
            "acknowledge-longest",
            "time to acknowledge, longest",
            seconds(times.longest_seconds),
            "s",
        ),
        optional(
            "never-acknowledged",
            "over before anybody acknowledged",
            times.never_percent,
            "%",
        ),
    ]
}

/// Numbers that a figure is made of; counts stay far below the 53 bits that are kept.
trait Number {
    fn number(self) -> f64;
}

impl Number for f64 {
    fn number(self) -> f64 {
        self
    }
}

impl Number for u64 {
    fn number(self) -> f64 {
        self as f64
    }
}

fn figure(key: &str, name: &str, value: impl Number, unit: &str) -> Figure {
    optional(key, name, Some(value.number()), unit)
}

fn optional(key: &str, name: &str, value: Option<f64>, unit: &str) -> Figure {
    Figure {
        key: key.to_owned(),
        name: name.to_owned(),
        value,
        unit: unit.to_owned(),
        target: None,
        mark: Mark::None,
    }
}

impl Figure {
    fn target(self, bound: Bound, limit: f64, source: &str) -> Self {
        self.with(Target {
            bound,
            limit,
            manageable: None,
            source: source.to_owned(),
        })
    }

    fn manageable(self, most: f64) -> Self {
        match self.target.clone() {
            Some(target) => self.with(Target {
                manageable: Some(most),
                ..target
            }),
            None => self,
        }
    }

    fn with(mut self, target: Target) -> Self {
        self.mark = self.value.map_or(Mark::None, |value| target.mark(value));
        self.target = Some(target);
        self
    }
}
