//! From counts to a report: averages, shares, lists and notes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{Priority, Timestamp};

use crate::condition::Condition;
use crate::counting::Group;
use crate::figures::figures;
use crate::period::Period;
use crate::report::{
    Acknowledgements, ChatteringAlarm, DayFigures, FleetingAlarm, FloodReport, FrequentAlarm,
    GroupKind, GroupReport, LeftOut, PeriodFigures, PriorityShare, Report,
};
use crate::tally::GroupTally;

/// Most alarms that each list of a report names.
const LISTED_MAX: usize = 10;

/// Makes the report of what was counted.
pub(crate) fn report(
    period: &Period,
    groups: Vec<(Group, GroupTally)>,
    refused_changes: u64,
    left_out: LeftOut,
    now: Timestamp,
    journal_begins: Option<Timestamp>,
) -> Report {
    let (from, to) = (period.from(), period.to());
    let counted_from = journal_begins
        .map_or(from, |begins| begins.max(from))
        .min(to);
    let counted = to.since(counted_from);
    let wanted = Duration::from_secs(Period::DAYS_WANTED * 86_400);
    let figures_of_period = PeriodFigures {
        from,
        to,
        from_text: period.show(from),
        to_text: period.show(to),
        time_zone: period.zone_name(),
        counted_from,
        days: counted.as_secs_f64() / 86_400.0,
        long_enough: counted >= wanted,
    };
    let frame = Frame { period, counted };
    let all = all_conditions(&groups);
    let mut reports: Vec<GroupReport> = groups
        .into_iter()
        .map(|(group, tally)| {
            let plant = group.kind == GroupKind::Plant;
            let conditions = if plant { &all } else { &tally.conditions };
            let mut made = frame.group(group, &tally, conditions);
            made.figures = figures(&made, plant.then_some(refused_changes));
            made
        })
        .collect();
    reports.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    Report {
        made_at: now,
        notes: notes(&figures_of_period, period, &left_out),
        period: figures_of_period,
        groups: reports,
        left_out,
    }
}

fn notes(about: &PeriodFigures, period: &Period, left_out: &LeftOut) -> Vec<String> {
    let mut notes = Vec::new();
    if about.counted_from > about.from {
        let begins = period.show(about.counted_from);
        notes.push(format!(
            "The journal begins at {begins}; averages count from then on."
        ));
    }
    if !about.long_enough {
        notes.push(format!(
            "{:.1} days are counted; the standards want at least {} before figures are judged.",
            about.days,
            Period::DAYS_WANTED
        ));
    }
    let count = |count: u64, says: &str| (count > 0).then(|| format!("{count} {says}"));
    notes.extend(count(left_out.tests, "alarms of tests are left out."));
    notes.extend(count(
        left_out.unreadable,
        "lines of the journal cannot be understood and are left out.",
    ));
    notes.extend(count(
        left_out.out_of_order,
        "lines are earlier than those before them: the clock was set back, so floods and chatter around then may be cut short.",
    ));
    notes.extend(count(
        left_out.conditions,
        "steps are of conditions beyond the first 100,000: counted, but in none of the lists.",
    ));
    notes.extend(count(
        left_out.groups,
        "steps are of groups beyond the first 200: counted as \"all others\".",
    ));
    notes
}

/// The conditions of all groups of the plant together.
fn all_conditions(groups: &[(Group, GroupTally)]) -> BTreeMap<Arc<str>, Condition> {
    let mut all: BTreeMap<Arc<str>, Condition> = BTreeMap::new();
    let plant = groups
        .iter()
        .filter(|(group, _)| group.kind != GroupKind::Host);
    for (alarm, condition) in plant.flat_map(|(_, tally)| &tally.conditions) {
        all.entry(Arc::clone(alarm)).or_default().add(condition);
    }
    all
}

/// What the figures of all groups are divided by.
struct Frame<'a> {
    period: &'a Period,
    counted: Duration,
}

impl Frame<'_> {
    fn group(
        &self,
        group: Group,
        tally: &GroupTally,
        conditions: &BTreeMap<Arc<str>, Condition>,
    ) -> GroupReport {
        let rate = |length: Duration| {
            let lengths = self.counted.as_secs_f64() / length.as_secs_f64();
            divided(tally.annunciations as f64, lengths)
        };
        let peak = |counts: &BTreeMap<u64, u64>| counts.values().max().copied().unwrap_or(0);
        let intervals = self.counted.as_secs().div_ceil(Period::INTERVAL.as_secs());
        let above = tally
            .intervals
            .values()
            .filter(|count| **count > 10)
            .count() as u64;
        let lists = Lists::of(conditions, tally.annunciations);
        let share = |of: Duration| 100.0 * divided(of.as_secs_f64(), self.counted.as_secs_f64());
        GroupReport {
            name: group.name,
            kind: group.kind,
            figures: Vec::new(),
            activations: tally.activations,
            annunciations: tally.annunciations,
            re_alarms: tally.re_alarms,
            messages: tally.messages,
            per_10_minutes: rate(Period::INTERVAL),
            per_10_minutes_peak: peak(&tally.intervals),
            intervals,
            intervals_above_10: above,
            intervals_above_10_percent: 100.0 * divided(above as f64, intervals as f64),
            per_hour: rate(Duration::from_secs(3_600)),
            per_hour_peak: peak(&tally.hours),
            per_day: rate(Duration::from_secs(86_400)),
            per_day_peak: most(&tally.days, |day| day.annunciations),
            floods: tally.floods.count,
            flood_seconds: tally.floods.time.as_secs(),
            flood_percent: share(tally.floods.time),
            flood_longest_seconds: tally.floods.longest.as_secs(),
            largest_floods: self.floods(tally),
            top_ten: lists.top_ten,
            top_ten_percent: lists.top_ten_percent,
            chattering_count: lists.chattering_count,
            chattering: lists.chattering,
            fleeting_count: lists.fleeting_count,
            fleeting: lists.fleeting,
            stale_on_a_day_peak: most(&tally.days, |day| day.stale),
            stale_at_end: tally.stale_at_end,
            stale: tally.stale_list.clone(),
            standing: divided(
                tally.times.standing().as_secs_f64(),
                self.counted.as_secs_f64(),
            ),
            standing_at_end: tally.standing_at_end,
            priorities: priorities(tally),
            acknowledgements: acknowledgements(tally),
            time_in_state: tally.times.in_seconds(),
            silences: tally.silences,
            days: tally.days.clone(),
        }
    }

    fn floods(&self, tally: &GroupTally) -> Vec<FloodReport> {
        let floods = tally.floods.largest.iter();
        floods
            .map(|flood| FloodReport {
                from: flood.from,
                from_text: self.period.show(flood.from),
                seconds: flood.to.since(flood.from).as_secs(),
                annunciations: flood.annunciations,
            })
            .collect()
    }
}

fn priorities(tally: &GroupTally) -> Vec<PriorityShare> {
    let told = Priority::ALL
        .into_iter()
        .filter(|one| *one != Priority::Diagnostic);
    told.map(|priority| {
        let annunciations = tally.priorities.get(&priority).copied().unwrap_or(0);
        PriorityShare {
            priority,
            annunciations,
            percent: percent(annunciations, tally.annunciations),
        }
    })
    .collect()
}

fn acknowledgements(tally: &GroupTally) -> Acknowledgements {
    let times = &tally.acknowledged;
    Acknowledgements {
        acknowledged: times.total(),
        silenced: tally.silenced,
        never: tally.unanswered,
        waiting: tally.waiting,
        never_percent: percent(tally.unanswered, tally.annunciations),
        median_seconds: times.percentile(50),
        percentile_95_seconds: times.percentile(95),
        longest_seconds: times.longest(),
    }
}

/// The lists of alarms, most first, and by name where they are even.
struct Lists {
    top_ten: Vec<FrequentAlarm>,
    top_ten_percent: Option<f64>,
    chattering_count: u64,
    chattering: Vec<ChatteringAlarm>,
    fleeting_count: u64,
    fleeting: Vec<FleetingAlarm>,
}

impl Lists {
    fn of(conditions: &BTreeMap<Arc<str>, Condition>, annunciations: u64) -> Self {
        let top = most_of(conditions, |one| one.annunciations);
        let of_top: u64 = top.1.iter().map(|(_, one)| one.annunciations).sum();
        let chattering = most_of(conditions, |one| one.chattering);
        let fleeting = most_of(conditions, |one| one.fleeting);
        let name = |alarm: &Arc<str>| alarm.to_string();
        Self {
            top_ten: top
                .1
                .into_iter()
                .map(|(alarm, one)| FrequentAlarm {
                    alarm: name(alarm),
                    annunciations: one.annunciations,
                    activations: one.activations,
                    percent: percent(one.annunciations, annunciations).unwrap_or(0.0),
                })
                .collect(),
            top_ten_percent: percent(of_top, annunciations),
            chattering_count: chattering.0,
            chattering: chattering
                .1
                .into_iter()
                .map(|(alarm, one)| ChatteringAlarm {
                    alarm: name(alarm),
                    bouts: one.bouts,
                    activations: one.chattering,
                })
                .collect(),
            fleeting_count: fleeting.0,
            fleeting: fleeting
                .1
                .into_iter()
                .map(|(alarm, one)| FleetingAlarm {
                    alarm: name(alarm),
                    times: one.fleeting,
                })
                .collect(),
        }
    }
}

/// How many conditions have any of it, and those that have most.
fn most_of(
    conditions: &BTreeMap<Arc<str>, Condition>,
    count: impl Fn(&Condition) -> u64,
) -> (u64, Vec<(&Arc<str>, &Condition)>) {
    let mut some: Vec<_> = conditions
        .iter()
        .filter(|(_, one)| count(one) > 0)
        .collect();
    some.sort_by_key(|(alarm, one)| (std::cmp::Reverse(count(one)), Arc::clone(alarm)));
    let all = some.len() as u64;
    some.truncate(LISTED_MAX);
    (all, some)
}

fn most(days: &[DayFigures], count: impl Fn(&DayFigures) -> u64) -> u64 {
    days.iter().map(count).max().unwrap_or(0)
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| 100.0 * part as f64 / whole as f64)
}

/// Nothing counted is nothing a unit.
fn divided(count: f64, units: f64) -> f64 {
    if units > 0.0 { count / units } else { 0.0 }
}
