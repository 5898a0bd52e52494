//! Suppression by design (ISA-18.2, state F): what the settings silence while something else holds.
//!
//! Three things silence an alarm, in this order: its device does not answer ([`CommLoss`]), a rule
//! of the settings holds, or it follows the first alarm of its group ([`Groups`]).
//! What silences is whether conditions hold, never whether they were told; so nothing swings. Circles
//! in which two alarms could hide each other are refused by the check of the settings.
//!
//! Never silenced are the host's own alarms, but for those about devices, and an alarm that is
//! itself what its rule looks at.
//! What holds, since when, and until when after its end, is kept as rows: a restart neither lets
//! silenced alarms out nor keeps them in for longer.

mod check;
mod comm_loss;
mod groups;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use andon_model::{
    AlarmEvent, AlarmId, AlarmRecord, OccurrenceId, Stage, StageRow, Suppression, TagId, TagTable,
    Timestamp,
};
use serde::{Deserialize, Serialize};

pub(crate) use check::check_suppression;
use comm_loss::CommLoss;
pub use comm_loss::comm_key;
use groups::Groups;
pub use settings::{AlarmGroupSettings, SuppressionSettings, WhenSettings};

use crate::book::AlarmBook;
use crate::reach::{LinkChange, Reach};
use crate::selector::{AlarmSelector, Subject, any_matches};

/// The checked settings of suppression.
#[derive(Debug, Clone, Default)]
pub(crate) struct SuppressionPlan {
    pub(crate) comm_loss: bool,
    pub(crate) rules: Vec<Rule>,
    pub(crate) groups: Vec<Group>,
    /// What rules look at that may silence alarms about devices: such alarms are never silenced by
    /// the loss of a device, or the two could hide each other.
    pub(crate) spared: Vec<AlarmSelector>,
}

#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) when: When,
    pub(crate) suppresses: Vec<AlarmSelector>,
    pub(crate) reason: String,
    pub(crate) delay_off: Duration,
    /// Path of its `when` below `[alarms]`.
    pub(crate) path: String,
}

#[derive(Debug, Clone)]
pub(crate) enum When {
    Alarm(Box<AlarmSelector>),
    Tag(String, Test),
}

/// What the value of a tag must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Test {
    Equals(f64),
    Above(f64),
    Below(f64),
}

impl Test {
    #[expect(
        clippy::float_cmp,
        reason = "a state is compared as it was written, and so it arrives"
    )]
    fn holds(self, value: f64) -> bool {
        match self {
            Self::Equals(wanted) => value == wanted,
            Self::Above(limit) => value > limit,
            Self::Below(limit) => value < limit,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) members: Vec<AlarmSelector>,
    pub(crate) suppress_followers: bool,
}

impl SuppressionPlan {
    /// Names of the tags that rules look at, each with its key as people write it.
    pub(crate) fn tags(&self) -> impl Iterator<Item = (&str, String)> {
        let numbered = self.rules.iter().enumerate();
        numbered.filter_map(|(index, rule)| match &rule.when {
            When::Tag(name, _) => {
                let key = format!("alarms.suppressions[{index}].when.tag");
                Some((name.as_str(), key))
            }
            When::Alarm(_) => None,
        })
    }
}

/// What is silenced by what, at this moment.
#[derive(Debug, Default)]
pub(crate) struct Suppressions {
    rules: BTreeMap<String, RuleState>,
    comm: CommLoss,
    groups: Groups,
    /// Rules by the tag that they look at: index of the rule.
    by_tag: BTreeMap<TagId, Vec<usize>>,
    /// Something holds or is over, so that standing alarms must be looked at.
    flipped: bool,
    rows: Vec<StageRow>,
}

/// Of one rule.
#[derive(Debug, Clone, Default, PartialEq)]
struct RuleState {
    /// Active alarms that it looks at.
    triggers: BTreeSet<AlarmId>,
    /// It looks at a tag whose last good value fits.
    tag_fits: bool,
    phase: Phase,
}

/// Whether a rule silences: the row, once it is not `Off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "phase")]
enum Phase {
    #[default]
    Off,
    /// What it looks at holds.
    On { since: Timestamp },
    /// What it looked at is over; it silences until then.
    Ending { since: Timestamp, until: Timestamp },
}

/// What silences an alarm, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    by: String,
    reason: String,
}

impl Suppressions {
    /// What was kept over a restart. [`Suppressions::replace`] must follow.
    pub(crate) fn restore(rows: &[StageRow]) -> Self {
        let mut all = Self::default();
        for row in rows.iter().filter(|row| row.stage == Stage::Suppression) {
            let Some(record) = &row.record else { continue };
            if let Some(name) = row.key.strip_prefix("rule/") {
                if let Ok(phase) = serde_json::from_value::<Phase>(record.clone()) {
                    // A tag that fitted fits until its next good sample.
                    let tag_fits = matches!(phase, Phase::On { .. });
                    let state = RuleState {
                        triggers: BTreeSet::new(),
                        tag_fits,
                        phase,
                    };
                    all.rules.insert(name.to_owned(), state);
                }
            } else {
                all.comm.restore(&row.key, record);
            }
        }
        all
    }

    /// Works by other settings from now on; what holds is found anew from the alarms that stand.
    pub(crate) fn replace(
        &mut self,
        plan: &SuppressionPlan,
        reach: &Reach,
        lost: impl Iterator<Item = TagId>,
        tags: &TagTable,
        book: &AlarmBook,
        now: Timestamp,
    ) {
        let gone: Vec<String> = self
            .rules
            .keys()
            .filter(|name| !plan.rules.iter().any(|rule| rule.name == **name))
            .cloned()
            .collect();
        for name in gone {
            self.rules.remove(&name);
            self.rows.push(row(&format!("rule/{name}"), None));
        }
        self.by_tag.clear();
        for (index, rule) in plan.rules.iter().enumerate() {
            let state = self.rules.entry(rule.name.clone()).or_default();
            state.triggers.clear();
            match &rule.when {
                When::Tag(name, _) => {
                    match tags.find(name) {
                        Some(tag) => self.by_tag.entry(tag).or_default().push(index),
                        // A tag that is gone must not silence anything for ever.
                        None => state.tag_fits = false,
                    }
                }
                When::Alarm(selector) => {
                    state.tag_fits = false;
                    let active = book.standing().filter(|record| record.state.is_active());
                    let fitting = active.filter(|record| selector.matches(Subject::from(*record)));
                    state.triggers = fitting.map(|record| record.id.clone()).collect();
                }
            }
            self.settle_rule(rule, now);
        }
        self.comm.replace(reach, lost, book, now);
        self.groups.replace(&plan.groups, book);
        self.flipped = true;
    }

    /// A step in an alarm's life: what is looked at may hold now, or no longer.
    pub(crate) fn note(&mut self, plan: &SuppressionPlan, record: &AlarmRecord, now: Timestamp) {
        for rule in &plan.rules {
            let When::Alarm(selector) = &rule.when else {
                continue;
            };
            let state = self.rules.entry(rule.name.clone()).or_default();
            let holds = record.state.is_active() && selector.matches(Subject::from(record));
            let changed = if holds {
                state.triggers.insert(record.id.clone())
            } else {
                state.triggers.remove(&record.id)
            };
            if changed {
                self.settle_rule(rule, now);
            }
        }
        self.flipped |= self.comm.note(record, now, &mut self.rows);
    }

    /// New samples: `link` tells of devices that fell silent or answer again.
    pub(crate) fn see_links(&mut self, reach: &Reach, changes: &[LinkChange], now: Timestamp) {
        for change in changes {
            self.flipped |= self.comm.see(reach, *change, now, &mut self.rows);
        }
    }

    /// Tags that rules look at.
    pub(crate) fn watched(&self) -> Vec<TagId> {
        self.by_tag.keys().copied().collect()
    }

    /// Whether any rule looks at tags.
    pub(crate) fn looks_at_tags(&self) -> bool {
        !self.by_tag.is_empty()
    }

    /// A sample of a quality that is not bad.
    pub(crate) fn see_value(
        &mut self,
        plan: &SuppressionPlan,
        tag: TagId,
        value: f64,
        now: Timestamp,
    ) {
        for index in self.by_tag.get(&tag).cloned().unwrap_or_default() {
            let Some(rule) = plan.rules.get(index) else {
                continue;
            };
            let When::Tag(_, test) = &rule.when else {
                continue;
            };
            let state = self.rules.entry(rule.name.clone()).or_default();
            let fits = test.holds(value);
            if state.tag_fits != fits {
                state.tag_fits = fits;
                self.settle_rule(rule, now);
            }
        }
    }

    /// Brings the phase of a rule in line with what it looks at.
    fn settle_rule(&mut self, rule: &Rule, now: Timestamp) {
        let Some(state) = self.rules.get_mut(&rule.name) else {
            return;
        };
        let holds = state.tag_fits || !state.triggers.is_empty();
        let next = match (state.phase, holds) {
            (Phase::Off, true) => Phase::On { since: now },
            (Phase::Ending { since, .. }, true) => Phase::On { since },
            (Phase::On { since }, false) if !rule.delay_off.is_zero() => Phase::Ending {
                since,
                until: now.plus(rule.delay_off),
            },
            (Phase::On { .. }, false) => Phase::Off,
            (Phase::Ending { until, .. }, false) if until <= now => Phase::Off,
            (same, _) => same,
        };
        if next == state.phase {
            return;
        }
        self.flipped |= (next == Phase::Off) != (state.phase == Phase::Off);
        state.phase = next;
        let record = match next {
            Phase::Off => None,
            Phase::On { .. } | Phase::Ending { .. } => serde_json::to_value(next).ok(),
        };
        self.rows.push(row(&format!("rule/{}", rule.name), record));
    }

    /// When [`Suppressions::on_time`] has something to do next.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        let rules = self.rules.values().filter_map(|state| match state.phase {
            Phase::Ending { until, .. } => Some(until),
            Phase::Off | Phase::On { .. } => None,
        });
        rules.chain(self.comm.next_wake()).min()
    }

    /// Ends what is due.
    pub(crate) fn on_time(&mut self, plan: &SuppressionPlan, now: Timestamp) {
        for rule in &plan.rules {
            self.settle_rule(rule, now);
        }
        self.flipped |= self.comm.on_time(now, &mut self.rows);
    }

    /// Takes an alarm into its groups; whether it is the first of one.
    pub(crate) fn enter_groups(
        &mut self,
        plan: &SuppressionPlan,
        record: &AlarmRecord,
    ) -> Option<String> {
        let first = self.groups.enter(&plan.groups, record);
        self.flipped |= first.is_some() && plan.groups.iter().any(|one| one.suppress_followers);
        first
    }

    /// An alarm changed: it may be over, and its group with it.
    pub(crate) fn note_groups(&mut self, plan: &SuppressionPlan, record: &AlarmRecord) {
        self.flipped |= self.groups.note(&plan.groups, record);
    }

    /// What silences this alarm now.
    pub(crate) fn verdict(
        &self,
        plan: &SuppressionPlan,
        reach: &Reach,
        book: &AlarmBook,
        record: &AlarmRecord,
    ) -> Option<Verdict> {
        if !may_be_suppressed(record) {
            return None;
        }
        let subject = Subject::from(record);
        let spared = any_matches(&plan.spared, subject);
        // A value that a person put there does not come from the device.
        if plan.comm_loss
            && !record.test
            && !spared
            && let Some((name, unit)) = self.comm.lost_under(reach, record)
        {
            return Some(Verdict {
                by: comm_key(&name, unit),
                reason: format!("device {name} unit {unit} does not answer"),
            });
        }
        let rule = plan.rules.iter().find(|rule| {
            let state = self.rules.get(&rule.name);
            let silences = state.is_some_and(|state| state.phase != Phase::Off);
            let is_cause = matches!(&rule.when, When::Alarm(selector) if selector.matches(subject));
            silences && !is_cause && any_matches(&rule.suppresses, subject)
        });
        if let Some(rule) = rule {
            return Some(Verdict {
                by: rule.name.clone(),
                reason: rule.reason.clone(),
            });
        }
        self.groups
            .leader(&plan.groups, book, record)
            .map(|(group, leader)| Verdict {
                by: group.to_owned(),
                reason: format!("{} came first in this group", leader.id),
            })
    }

    /// Looks at all alarms that stand, if anything that silences began or ended since the last
    /// time.
    pub(crate) fn review(
        &mut self,
        plan: &SuppressionPlan,
        reach: &Reach,
        book: &mut AlarmBook,
        now: Timestamp,
    ) -> Vec<AlarmEvent> {
        if !std::mem::take(&mut self.flipped) {
            return Vec::new();
        }
        // What a first alarm silences depends on whether it is silenced itself, so those that
        // nothing of the group silences are looked at first; two rounds settle it.
        let mut events = Vec::new();
        for _ in 0..2 {
            let changes: Vec<(OccurrenceId, Option<Verdict>)> = book
                .standing()
                .filter_map(|record| {
                    let verdict = self.verdict(plan, reach, book, record);
                    let by = record.flags.suppressed.as_ref().map(|one| one.by.as_str());
                    (by != verdict.as_ref().map(|one| one.by.as_str()))
                        .then_some((record.occurrence, verdict))
                })
                .collect();
            if changes.is_empty() {
                break;
            }
            for (occurrence, verdict) in changes {
                events.extend(set(book, occurrence, verdict, now));
            }
        }
        events
    }

    /// Rows that changed and are not in a commit yet.
    pub(crate) fn take_rows(&mut self) -> Vec<StageRow> {
        std::mem::take(&mut self.rows)
    }
}

/// Silences an alarm that stands, or lets it out.
pub(crate) fn set(
    book: &mut AlarmBook,
    occurrence: OccurrenceId,
    verdict: Option<Verdict>,
    now: Timestamp,
) -> Option<AlarmEvent> {
    let id = book.by_occurrence(occurrence)?.id.clone();
    let suppression = verdict.map(|verdict| Suppression {
        by: verdict.by,
        since: now,
        reason: verdict.reason,
    });
    book.set_suppressed(now, &id, suppression)
}

/// Of the host's own alarms only those about devices may be silenced: all others say that people
/// may not be told of something else.
pub(crate) fn may_be_suppressed(record: &AlarmRecord) -> bool {
    record.id.instance != AlarmId::HOST || record.id.key.starts_with("device.")
}

fn row(key: &str, record: Option<serde_json::Value>) -> StageRow {
    StageRow {
        stage: Stage::Suppression,
        key: key.to_owned(),
        record,
    }
}
