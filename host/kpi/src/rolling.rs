//! The figures of the last minutes, beside a running host, for metrics.
//!
//! It takes every line of the journal as it is written. After a restart it is given what stands and the lines
//! of the last hours, so that rates and floods go on; nothing of that is counted as new.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use andon_model::{AlarmRecord, JournalEntry, JournalKind, OccurrenceId, Priority, Timestamp};

use crate::flood::FloodWatch;
use crate::groups::{GroupOf, KpiPlan};
use crate::period::Period;
use crate::step::{Facts, Line, Step, What};

/// Most groups; alarms of more are "all others".
const GROUPS_MAX: usize = 200;
/// Most annunciations of ten minutes that one group remembers; a higher rate shows as this.
const RECENT_MAX: usize = 10_000;

/// Figures of now, by operator group.
#[derive(Debug, Clone, Default)]
pub struct Rolling {
    plan: Arc<KpiPlan>,
    groups: BTreeMap<String, RollingGroup>,
    /// Alarms that stand before people: their group, and since when the process is abnormal.
    standing: BTreeMap<OccurrenceId, (String, Timestamp)>,
}

#[derive(Debug, Clone, Default)]
struct RollingGroup {
    recent: VecDeque<Timestamp>,
    flood: FloodWatch,
}

/// What an event was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Took {
    /// Its group.
    pub group: String,
    /// Its priority.
    pub priority: Priority,
    /// Whether a condition began to hold.
    pub activated: bool,
    /// Whether it began to call for a person.
    pub annunciated: bool,
}

/// Figures of one group now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveFigures {
    /// Its name.
    pub group: String,
    /// Annunciations in the last ten minutes.
    pub last_10_minutes: usize,
    /// Since when there is a flood.
    pub flood_since: Option<Timestamp>,
    /// Alarms that stand and that nothing silences.
    pub standing: usize,
    /// Those of them that are stale.
    pub stale: usize,
}

impl Rolling {
    /// How long before now lines are wanted by [`Rolling::restore`].
    pub const LOOKS_BACK: Duration = Duration::from_secs(6 * 3_600);

    /// Begins with what stands; [`Rolling::line`] adds what happened lately.
    #[must_use]
    pub fn restore<'a>(
        plan: Arc<KpiPlan>,
        standing: impl IntoIterator<Item = &'a AlarmRecord>,
    ) -> Self {
        let mut rolling = Self {
            plan,
            ..Self::default()
        };
        for record in standing.into_iter().filter(|record| !record.test) {
            let facts = Facts::of(record);
            let group = rolling.group_of(&record.id.to_string(), &facts);
            rolling.stands(record.occurrence, group, &facts, record.raised_at);
        }
        rolling
    }

    /// Takes a line of the journal that was written before the restart, oldest first. What it says
    /// of standing alarms is known already.
    pub fn line(&mut self, line: &Line<'_>) {
        if line.kind != JournalKind::Alarm {
            return;
        }
        if let Some(step) = Step::read(line).filter(|step| !step.facts.test && step.annunciates()) {
            let group = self.group_of(step.alarm, &step.facts);
            self.annunciated(&group, step.at);
        }
    }

    /// Takes a line that was just written. `None` for all but alarms, and for tests, which count
    /// nowhere.
    pub fn take(&mut self, entry: &JournalEntry) -> Option<Took> {
        let step = Step::of(entry).filter(|step| !step.facts.test)?;
        let group = self.group_of(step.alarm, &step.facts);
        let took = Took {
            group: group.clone(),
            priority: step.facts.priority,
            activated: step.what == What::Raised,
            annunciated: step.annunciates(),
        };
        if took.annunciated {
            self.annunciated(&group, step.at);
        }
        if let (Some(occurrence), true) = (step.occurrence, step.what != What::Notified) {
            self.stands(occurrence, group, &step.facts, step.at);
        }
        Some(took)
    }

    /// How it counts.
    #[must_use]
    pub fn plan(&self) -> &KpiPlan {
        &self.plan
    }

    /// The figures of all groups that had any alarm since the start, by name.
    pub fn figures(&mut self, now: Timestamp) -> Vec<LiveFigures> {
        let stale_after = self.plan.stale_after;
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (group, since) in self.standing.values() {
            let count = counts.entry(group).or_default();
            count.0 += 1;
            count.1 += usize::from(since.plus(stale_after) < now);
        }
        let groups = self.groups.iter_mut();
        groups
            .map(|(name, group)| {
                group.forget(now);
                let (standing, stale) = counts.get(name.as_str()).copied().unwrap_or_default();
                LiveFigures {
                    group: name.clone(),
                    last_10_minutes: group.recent.len(),
                    flood_since: group.flood.since(),
                    standing,
                    stale,
                }
            })
            .collect()
    }

    fn annunciated(&mut self, group: &str, at: Timestamp) {
        if let Some(group) = self.groups.get_mut(group) {
            group.flood.annunciated(at);
            group.recent.push_back(at);
            if group.recent.len() > RECENT_MAX {
                group.recent.pop_front();
            }
        }
    }

    fn stands(&mut self, occurrence: OccurrenceId, group: String, facts: &Facts, at: Timestamp) {
        if !facts.phase.is_active() || facts.silence.is_any() {
            self.standing.remove(&occurrence);
            return;
        }
        let since = facts.raised_at.unwrap_or(at);
        self.standing.insert(occurrence, (group, since));
    }

    /// The name of the group, which has an entry from now on.
    fn group_of(&mut self, alarm: &str, facts: &Facts) -> String {
        let mut name = match self.plan.group_of(alarm, &facts.labels) {
            GroupOf::Plant => KpiPlan::PLANT,
            GroupOf::Host => KpiPlan::HOST,
            GroupOf::Others => KpiPlan::OTHERS,
            GroupOf::Group(name) => name,
        };
        if !self.groups.contains_key(name) {
            if self.groups.len() >= GROUPS_MAX {
                name = KpiPlan::OTHERS;
            }
            self.groups.entry(name.to_owned()).or_default();
        }
        name.to_owned()
    }
}

impl RollingGroup {
    /// Forgets annunciations that are older than ten minutes, or from a time that is not yet.
    fn forget(&mut self, now: Timestamp) {
        let counts = |at: &Timestamp| at.plus(Period::INTERVAL) > now;
        while self.recent.front().is_some_and(|at| !counts(at)) {
            self.recent.pop_front();
        }
        self.flood.ended_by(now);
    }
}
