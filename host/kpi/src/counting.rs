//! One pass through the lines of a period, in the order of time.
//!
//! Bounds: 200 groups and 100,000 conditions have counts of their own; what comes beyond goes to
//! "all others", or is counted without being listed, and the report says how much that is.
//! Beside these only alarms that stand are held, which the alarm book bounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use andon_model::{AlarmRecord, JournalKind, OccurrenceId, Timestamp};

use crate::condition::Condition;
use crate::groups::{GroupOf, KpiPlan};
use crate::life::{Life, Stretch, stretches_before};
use crate::period::Period;
use crate::report::{GroupKind, LeftOut, Report, StaleAlarm};
use crate::step::{Facts, Line, Phase, Step, What};
use crate::tally::{Answer, GroupTally, is_standing};

/// Most operator groups of a label.
const GROUPS_MAX: usize = 200;
/// Most conditions that have counts of their own.
const CONDITIONS_MAX: usize = 100_000;

/// Counts a period.
///
/// Give it every line of kind alarm and operator from [`Period::read_from`] on, oldest first, to
/// the end of the journal: what comes after the period tells what stood at its end. Then give it
/// what stands now, and take the report.
#[derive(Debug)]
pub struct Counting {
    plan: Arc<KpiPlan>,
    period: Period,
    groups: Vec<(Group, GroupTally)>,
    /// Indices of the tallies; a group of the settings may have the name of another kind.
    by_name: BTreeMap<GroupKind, BTreeMap<String, usize>>,
    /// What is not over, by alarm.
    lives: BTreeMap<String, Life>,
    conditions: usize,
    refused_changes: u64,
    left_out: LeftOut,
    /// The latest time of a line, to notice a clock that was set back.
    latest: Timestamp,
    /// The earliest time of a line within the period.
    earliest: Option<Timestamp>,
}

/// What a tally is of.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) kind: GroupKind,
}

/// Index of the tally of the whole plant.
const PLANT: usize = 0;

impl Counting {
    /// Begins to count.
    #[must_use]
    pub fn new(plan: Arc<KpiPlan>, period: Period) -> Self {
        let mut counting = Self {
            plan,
            groups: Vec::new(),
            by_name: BTreeMap::new(),
            lives: BTreeMap::new(),
            conditions: 0,
            refused_changes: 0,
            left_out: LeftOut::default(),
            latest: period.read_from(),
            earliest: None,
            period,
        };
        counting.add_group(KpiPlan::PLANT, GroupKind::Plant);
        counting
    }

    /// Takes a line.
    pub fn line(&mut self, line: &Line<'_>) {
        if self.period.contains(line.at) {
            let earlier = self.earliest.map_or(line.at, |at| at.min(line.at));
            self.earliest = Some(earlier);
        }
        match line.kind {
            JournalKind::Alarm => match Step::read(line) {
                Some(step) => self.step(&step),
                None => self.left_out.unreadable += 1,
            },
            JournalKind::Operator => {
                if line.event == "refused" && self.period.contains(line.at) {
                    self.refused_changes += 1;
                }
            }
            JournalKind::Delivery
            | JournalKind::Plugin
            | JournalKind::Device
            | JournalKind::System => {}
        }
    }

    /// Takes an alarm that stands after the last line; those whose lines were read change nothing.
    pub fn standing(&mut self, record: &AlarmRecord) {
        let alarm = record.id.to_string();
        self.known_later(&alarm, record.occurrence, &Facts::of(record));
    }

    /// What it all comes to. `journal_begins` is the time of the first line that the journal
    /// holds; if the clock was ahead then, the earliest line that was counted tells better.
    #[must_use]
    pub fn report(mut self, now: Timestamp, journal_begins: Option<Timestamp>) -> Report {
        self.finish();
        let journal_begins = journal_begins.map(|begins| {
            self.earliest
                .map_or(begins, |earliest| begins.min(earliest))
        });
        crate::account::report(
            &self.period,
            self.groups,
            self.refused_changes,
            self.left_out,
            now,
            journal_begins,
        )
    }

    fn step(&mut self, step: &Step<'_>) {
        if step.facts.test {
            let counts = step.what == What::Raised && self.period.contains(step.at);
            self.left_out.tests += u64::from(counts);
            return;
        }
        if step.at < self.latest {
            self.left_out.out_of_order += u64::from(self.period.contains(step.at));
        }
        self.latest = self.latest.max(step.at);
        if step.at >= self.period.to() {
            let raised_later = matches!(step.what, What::Raised | What::Notified);
            if let (Some(occurrence), false) = (step.occurrence, raised_later) {
                self.known_later(step.alarm, occurrence, &step.facts);
            }
            return;
        }
        let group = self.group_of(step.alarm, &step.facts);
        if self.period.contains(step.at) {
            let (what, at) = (step.what, step.at);
            self.each(group, |tally, period| tally.step(what, at, period));
        }
        match (step.what, step.occurrence) {
            (What::Notified, _) | (_, None) => {}
            (What::Raised, Some(occurrence)) => self.raised(step, occurrence, group),
            (_, Some(occurrence)) => self.went_on(step, occurrence, group),
        }
    }

    fn raised(&mut self, step: &Step<'_>, occurrence: OccurrenceId, group: usize) {
        // An older occurrence that waited in D leaves without a line of its own.
        if let Some(older) = self.lives.remove(step.alarm) {
            self.leave(older, step.at, Answer::Nobody);
        }
        let mut life = Life {
            occurrence,
            group,
            phase: step.facts.phase,
            silence: step.facts.silence,
            counted_to: step.at,
            active_since: step.facts.phase.is_active().then_some(step.at),
            waits_since: None,
            stale_day: None,
        };
        let at = step.at;
        self.condition(group, step.alarm, |condition, plan, period| {
            condition.raised(at, plan, period);
        });
        self.annunciate(step, &mut life);
        self.lives.insert(step.alarm.to_owned(), life);
    }

    fn went_on(&mut self, step: &Step<'_>, occurrence: OccurrenceId, group: usize) {
        let known = self.lives.remove(step.alarm);
        let mut life = match known {
            Some(life) if life.occurrence == occurrence => life,
            other => {
                if let Some(other) = other {
                    self.leave(other, step.at, Answer::Nobody);
                }
                self.life_before(&step.facts, occurrence, group, step.at)
            }
        };
        if let Some(stretch) = life.stretch_to(step.at) {
            self.spend(&mut life, &stretch);
        }
        let was_active = life.active_since;
        if let (What::Cleared, Some(raised)) = (step.what, was_active) {
            let at = step.at;
            self.condition(life.group, step.alarm, |condition, plan, _| {
                condition.cleared(raised, at, plan);
            });
        }
        life.become_as(&step.facts, step.at);
        if step.what == What::Acknowledged {
            self.answer(&mut life, step.at, Answer::Acknowledged);
        } else if life.silence.is_any() {
            self.answer(&mut life, step.at, Answer::Silenced);
        }
        self.annunciate(step, &mut life);
        if life.phase == Phase::Normal {
            self.leave(life, step.at, Answer::Nobody);
        } else {
            self.lives.insert(step.alarm.to_owned(), life);
        }
    }

    /// Counts the step if it called for a person.
    fn annunciate(&mut self, step: &Step<'_>, life: &mut Life) {
        if !step.annunciates() {
            return;
        }
        let (at, priority) = (step.at, step.facts.priority);
        self.answer(life, at, Answer::Nobody);
        life.waits_since = Some(at);
        self.each(life.group, |tally, period| {
            tally.annunciated(at, priority, period);
        });
        if self.period.contains(at) {
            self.condition(life.group, step.alarm, |condition, _, _| {
                condition.annunciations = condition.annunciations.saturating_add(1);
            });
        }
    }

    /// Ends the wait of an annunciation, if it is of the period.
    fn answer(&mut self, life: &mut Life, at: Timestamp, answer: Answer) {
        let waited = life.waits_since.take();
        let Some(since) = waited.filter(|since| self.period.contains(*since)) else {
            return;
        };
        let after = at.since(since);
        self.each(life.group, |tally, _| tally.answered(answer, after));
    }

    /// An occurrence is over.
    fn leave(&mut self, mut life: Life, at: Timestamp, answer: Answer) {
        if let Some(stretch) = life.stretch_to(at) {
            self.spend(&mut life, &stretch);
        }
        self.answer(&mut life, at, answer);
    }

    /// A life whose beginning was not read, as its record tells it, counted up to `until`.
    fn life_before(
        &mut self,
        facts: &Facts,
        occurrence: OccurrenceId,
        group: usize,
        until: Timestamp,
    ) -> Life {
        let (stretches, phase) = stretches_before(facts, until);
        let cleared = facts.cleared_at.filter(|at| *at < until);
        let began = facts.raised_at.filter(|at| *at < until);
        let mut life = Life {
            occurrence,
            group,
            phase,
            silence: facts.silence,
            counted_to: until,
            active_since: began.filter(|_| phase.is_active()),
            waits_since: None,
            stale_day: None,
        };
        let now_active = life.active_since;
        for stretch in &stretches {
            life.active_since = began.filter(|_| cleared.is_none_or(|at| stretch.to <= at));
            self.spend(&mut life, stretch);
        }
        life.active_since = now_active;
        life
    }

    /// What is said after the period of an occurrence that may have stood in it all the time.
    fn known_later(&mut self, alarm: &str, occurrence: OccurrenceId, facts: &Facts) {
        let to = self.period.to();
        let stood = facts.raised_at.is_some_and(|raised| raised < to);
        let over = facts.cleared_at.is_some_and(|at| at < to)
            && facts.acknowledged_at.is_some_and(|at| at < to)
            && facts.phase == Phase::Normal;
        if facts.test || !stood || over || self.lives.contains_key(alarm) {
            return;
        }
        let group = self.group_of(alarm, facts);
        let life = self.life_before(facts, occurrence, group, to);
        self.lives.insert(alarm.to_owned(), life);
    }

    /// Counts a stretch of a life.
    fn spend(&mut self, life: &mut Life, stretch: &Stretch) {
        let Some((from, to)) = self.period.clip(stretch.from, stretch.to) else {
            return;
        };
        let stretch = Stretch {
            from,
            to,
            ..*stretch
        };
        self.each(life.group, |tally, period| tally.spent(&stretch, period));
        let Some(stale) = life
            .active_since
            .filter(|_| is_standing(&stretch))
            .map(|since| since.plus(self.plan.stale_after).max(from))
            .filter(|stale| *stale < to)
        else {
            return;
        };
        let days = self.period.days_of(stale, to);
        let first = life
            .stale_day
            .map_or(days.start, |day| day.saturating_add(1));
        let days = days.start.max(first)..days.end;
        life.stale_day = days.end.checked_sub(1).or(life.stale_day);
        self.each(life.group, |tally, _| tally.stale_on(days.clone()));
    }

    fn finish(&mut self) {
        let to = self.period.to();
        for (alarm, mut life) in std::mem::take(&mut self.lives) {
            if let Some(stretch) = life.stretch_to(to) {
                self.spend(&mut life, &stretch);
            }
            self.answer(&mut life, to, Answer::NotYet);
            let Some(since) = life.active_since.filter(|_| !life.silence.is_any()) else {
                continue;
            };
            let stale = since.plus(self.plan.stale_after) < to;
            let stands = StaleAlarm {
                alarm,
                since,
                since_text: self.period.show(since),
            };
            self.each(life.group, |tally, _| {
                tally.standing_at_end += 1;
                if stale {
                    tally.stale(stands.clone());
                }
            });
        }
        for (_, tally) in &mut self.groups {
            tally.finish(&self.period);
        }
    }

    /// Does something to the tally of a group, and to that of the plant if it is another one and
    /// the group is of the plant.
    fn each(&mut self, group: usize, mut change: impl FnMut(&mut GroupTally, &Period)) {
        let of_host = self
            .groups
            .get(group)
            .is_some_and(|(group, _)| group.kind == GroupKind::Host);
        if group != PLANT
            && !of_host
            && let Some((_, tally)) = self.groups.get_mut(PLANT)
        {
            change(tally, &self.period);
        }
        if let Some((_, tally)) = self.groups.get_mut(group) {
            change(tally, &self.period);
        }
    }

    /// Does something to the counts of a condition, where there is room for them.
    fn condition(
        &mut self,
        group: usize,
        alarm: &str,
        change: impl FnOnce(&mut Condition, &KpiPlan, &Period),
    ) {
        let Some((_, tally)) = self.groups.get_mut(group) else {
            return;
        };
        if !tally.conditions.contains_key(alarm) {
            if self.conditions >= CONDITIONS_MAX {
                self.left_out.conditions += 1;
                return;
            }
            self.conditions += 1;
            tally.conditions.insert(alarm.into(), Condition::default());
        }
        if let Some(condition) = tally.conditions.get_mut(alarm) {
            change(condition, &self.plan, &self.period);
        }
    }

    /// Index of the tally of an alarm's group.
    fn group_of(&mut self, alarm: &str, facts: &Facts) -> usize {
        let plan = Arc::clone(&self.plan);
        let (name, kind) = match plan.group_of(alarm, &facts.labels) {
            GroupOf::Plant => return PLANT,
            GroupOf::Host => (KpiPlan::HOST, GroupKind::Host),
            GroupOf::Others => (KpiPlan::OTHERS, GroupKind::Others),
            GroupOf::Group(name) => (name, GroupKind::Group),
        };
        if let Some(index) = self.index_of(kind, name) {
            return index;
        }
        if kind == GroupKind::Group && self.groups.len() >= GROUPS_MAX {
            self.left_out.groups += 1;
            let others = self.index_of(GroupKind::Others, KpiPlan::OTHERS);
            return others.unwrap_or_else(|| self.add_group(KpiPlan::OTHERS, GroupKind::Others));
        }
        self.add_group(name, kind)
    }

    fn index_of(&self, kind: GroupKind, name: &str) -> Option<usize> {
        self.by_name.get(&kind)?.get(name).copied()
    }

    fn add_group(&mut self, name: &str, kind: GroupKind) -> usize {
        let index = self.groups.len();
        let names = self.by_name.entry(kind).or_default();
        names.insert(name.to_owned(), index);
        let group = Group {
            name: name.to_owned(),
            kind,
        };
        self.groups.push((group, GroupTally::new(&self.period)));
        index
    }
}
