//! Marks: what is noticed about alarms that nobody can act on.
//!
//! * *Chattering*: it comes and goes too often. The mark stands on the occurrence of the moment, and on
//!   each new one until the alarm is quiet. A row `chatter/INSTANCE/KEY` holds the last activation.
//! * *Fleeting*: it was gone before anybody could act, and did not come again. That is known only
//!   some time after its end: a row `fleeting/INSTANCE/KEY`.
//! * *Stale*: it has been active for longer than an alarm should be. Its time follows from the record.
//!   People hear of all stale alarms together, once a day: a row `stale-report`.
//!
//! Activations before the last start are known only of alarms that chatter already. The host's own
//! alarms are only ever stale.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use andon_model::{
    Action, AlarmEvent, AlarmId, AlarmRecord, AlarmRequest, DurationText, JournalEntry,
    JournalKind, Mark, OccurrenceId, Priority, Reason, Stage, StageRow, Timestamp, Transition, Why,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::plan::ConditioningPlan;
use crate::book::AlarmBook;

/// Alarms whose activations are remembered; beyond it new ones are not watched for chatter.
const WATCHED_MAX: usize = 20_000;
/// Alarms that a report about stale ones names.
const NAMED_MAX: usize = 5;
/// Key of the host's report about stale alarms.
const STALE_KEY: &str = "alarms-stale";

/// What is noticed.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    activations: BTreeMap<AlarmId, VecDeque<Timestamp>>,
    chattering: BTreeMap<AlarmId, Chatter>,
    fleeting: BTreeMap<AlarmId, Fleeting>,
    /// When an occurrence gets stale.
    stale_at: BTreeSet<(Timestamp, OccurrenceId)>,
    reported_at: Option<Timestamp>,
    rows: Vec<StageRow>,
}

/// The row of an alarm that chatters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Chatter {
    since: Timestamp,
    last: Timestamp,
}

/// The row of an alarm that may have been fleeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Fleeting {
    occurrence: OccurrenceId,
    lasted_ms: u64,
    known_at: Timestamp,
}

/// What was noticed at a time.
#[derive(Debug, Default)]
pub(crate) struct Noticed {
    pub(crate) events: Vec<AlarmEvent>,
    pub(crate) journal: Vec<JournalEntry>,
    pub(crate) host: Vec<Action>,
}

impl Marks {
    /// What was kept over a restart.
    pub(crate) fn restore(rows: &[StageRow]) -> Self {
        let mut all = Self::default();
        for row in rows.iter().filter(|row| row.stage == Stage::Flood) {
            let Some(record) = &row.record else { continue };
            if let Some(id) = row.key.strip_prefix("chatter/").and_then(id_of) {
                if let Ok(chatter) = serde_json::from_value(record.clone()) {
                    all.chattering.insert(id, chatter);
                }
            } else if let Some(id) = row.key.strip_prefix("fleeting/").and_then(id_of) {
                if let Ok(fleeting) = serde_json::from_value(record.clone()) {
                    all.fleeting.insert(id, fleeting);
                }
            } else if row.key == "stale-report" {
                all.reported_at = serde_json::from_value(record.clone()).ok();
            }
        }
        all
    }

    /// Finds anew when each alarm that stands gets stale.
    pub(crate) fn replace(&mut self, plan: &ConditioningPlan, book: &AlarmBook) {
        let active = book
            .standing()
            .filter(|record| record.state.is_active() && !is_marked(record, Mark::Stale));
        self.stale_at = active
            .map(|record| (record.raised_at.plus(plan.stale.after.0), record.occurrence))
            .collect();
    }

    /// Whether an alarm chatters.
    pub(crate) fn chatters(&self, id: &AlarmId) -> bool {
        self.chattering.contains_key(id)
    }

    /// An alarm became active, or would have but for a hold. Whether it begins to chatter by that.
    pub(crate) fn activated(
        &mut self,
        plan: &ConditioningPlan,
        id: &AlarmId,
        now: Timestamp,
    ) -> bool {
        if id.instance == AlarmId::HOST {
            return false;
        }
        if self.fleeting.remove(id).is_some() {
            self.put("fleeting", id, None);
        }
        if let Some(chatter) = self.chattering.get_mut(id) {
            chatter.last = now;
            let record = serde_json::to_value(*chatter).ok();
            self.put("chatter", id, record);
            return false;
        }
        if !self.activations.contains_key(id) && self.activations.len() >= WATCHED_MAX {
            self.forget_old(plan, now);
            if self.activations.len() >= WATCHED_MAX {
                return false;
            }
        }
        let count = usize::try_from(plan.chattering.count).unwrap_or(usize::MAX);
        let times = self.activations.entry(id.clone()).or_default();
        times.push_back(now);
        while times.len() > count {
            times.pop_front();
        }
        let first = times.front().copied().unwrap_or(now);
        if times.len() < count || now.since(first) > plan.chattering.window.0 {
            return false;
        }
        self.activations.remove(id);
        let chatter = Chatter {
            since: now,
            last: now,
        };
        self.chattering.insert(id.clone(), chatter);
        self.put("chatter", id, serde_json::to_value(chatter).ok());
        true
    }

    /// An alarm was raised.
    pub(crate) fn raised(&mut self, plan: &ConditioningPlan, record: &AlarmRecord) {
        let stale_at = record.raised_at.plus(plan.stale.after.0);
        self.stale_at.insert((stale_at, record.occurrence));
    }

    /// An alarm returned to normal.
    pub(crate) fn cleared(
        &mut self,
        plan: &ConditioningPlan,
        record: &AlarmRecord,
        now: Timestamp,
    ) {
        let stale_at = record.raised_at.plus(plan.stale.after.0);
        self.stale_at.remove(&(stale_at, record.occurrence));
        let lasted = now.since(record.raised_at);
        let watched = record.id.instance != AlarmId::HOST && !self.chatters(&record.id);
        if watched && lasted < plan.fleeting.shorter_than.0 && self.fleeting.len() < WATCHED_MAX {
            let fleeting = Fleeting {
                occurrence: record.occurrence,
                lasted_ms: u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX),
                known_at: now.plus(plan.fleeting.no_repeat_for.0),
            };
            self.fleeting.insert(record.id.clone(), fleeting);
            let row = serde_json::to_value(fleeting).ok();
            self.put("fleeting", &record.id, row);
        }
    }

    /// When [`Marks::on_time`] has something to do next.
    pub(crate) fn next_wake(&self, plan: &ConditioningPlan) -> Option<Timestamp> {
        let quiet = self
            .chattering
            .values()
            .map(|chatter| chatter.last.plus(plan.chattering.quiet.0));
        let known = self.fleeting.values().map(|fleeting| fleeting.known_at);
        let stale = self.stale_at.first().map(|(at, _)| *at);
        let report = self
            .reported_at
            .map(|at| at.plus(plan.stale.report_every.0));
        quiet.chain(known).chain(stale).chain(report).min()
    }

    /// Marks what is due.
    pub(crate) fn on_time(
        &mut self,
        plan: &ConditioningPlan,
        book: &mut AlarmBook,
        now: Timestamp,
    ) -> Noticed {
        let mut noticed = Noticed::default();
        self.end_chatter(plan, book, now, &mut noticed);
        self.find_fleeting(plan, book, now, &mut noticed);
        self.find_stale(plan, book, now, &mut noticed);
        self.forget_old(plan, now);
        noticed
    }

    fn forget_old(&mut self, plan: &ConditioningPlan, now: Timestamp) {
        let window = plan.chattering.window.0;
        self.activations
            .retain(|_, times| times.back().is_some_and(|last| now.since(*last) <= window));
    }

    fn end_chatter(
        &mut self,
        plan: &ConditioningPlan,
        book: &mut AlarmBook,
        now: Timestamp,
        noticed: &mut Noticed,
    ) {
        let quiet = plan.chattering.quiet;
        let over: Vec<AlarmId> = self
            .chattering
            .iter()
            .filter(|(_, chatter)| chatter.last.plus(quiet.0) <= now)
            .map(|(id, _)| id.clone())
            .collect();
        for id in over {
            self.chattering.remove(&id);
            self.put("chatter", &id, None);
            let why = Why::new(
                Reason::Chattering,
                format!("no longer chattering: quiet for {quiet}"),
            );
            let occurrence = book.get(&id).map(|record| record.occurrence);
            let event = occurrence
                .and_then(|number| book.mark(now, number, Mark::Chattering, Marking::Off, why));
            noticed.events.extend(event);
        }
    }

    fn find_fleeting(
        &mut self,
        plan: &ConditioningPlan,
        book: &mut AlarmBook,
        now: Timestamp,
        noticed: &mut Noticed,
    ) {
        let known: Vec<(AlarmId, Fleeting)> = self
            .fleeting
            .iter()
            .filter(|(_, fleeting)| fleeting.known_at <= now)
            .map(|(id, fleeting)| (id.clone(), *fleeting))
            .collect();
        for (id, fleeting) in known {
            self.fleeting.remove(&id);
            self.put("fleeting", &id, None);
            let why = Why::new(
                Reason::Fleeting,
                format!(
                    "fleeting: gone after {}, and not again within {}",
                    DurationText::from_millis(fleeting.lasted_ms),
                    plan.fleeting.no_repeat_for
                ),
            );
            let number = fleeting.occurrence;
            match book.mark(now, number, Mark::Fleeting, Marking::On, why.clone()) {
                Some(event) => noticed.events.push(event),
                // It is over, so only the journal can say so.
                None => noticed.journal.push(JournalEntry {
                    at: now,
                    kind: JournalKind::Alarm,
                    occurrence: Some(number),
                    subject: id.to_string(),
                    event: Transition::Marked.word().to_owned(),
                    why,
                    data: json!({ "mark": Mark::Fleeting }),
                }),
            }
        }
    }

    fn find_stale(
        &mut self,
        plan: &ConditioningPlan,
        book: &mut AlarmBook,
        now: Timestamp,
        noticed: &mut Noticed,
    ) {
        let after = plan.stale.after;
        let mut new = false;
        while let Some((at, occurrence)) = self.stale_at.first().copied() {
            if at > now {
                break;
            }
            self.stale_at.pop_first();
            let active = book.by_occurrence(occurrence);
            if !active.is_some_and(|record| record.state.is_active()) {
                continue;
            }
            let why = Why::new(Reason::Stale, format!("active for more than {after}"));
            let event = book.mark(now, occurrence, Mark::Stale, Marking::On, why);
            new |= event.is_some();
            noticed.events.extend(event);
        }
        let due = match self.reported_at {
            None => new,
            Some(at) => at.plus(plan.stale.report_every.0) <= now,
        };
        if !due {
            return;
        }
        let stale: Vec<&AlarmRecord> = book
            .by_urgency()
            .into_iter()
            .filter(|record| record.state.is_active() && is_marked(record, Mark::Stale))
            .filter(|record| !record.is_silenced())
            .collect();
        self.reported_at = (!stale.is_empty()).then_some(now);
        self.rows.push(StageRow {
            stage: Stage::Flood,
            key: "stale-report".to_owned(),
            record: self
                .reported_at
                .and_then(|at| serde_json::to_value(at).ok()),
        });
        if !stale.is_empty() {
            let request = stale_report(&stale, after.0);
            noticed.host.push(Action::Notify(request));
        }
    }

    fn put(&mut self, kind: &str, id: &AlarmId, record: Option<Value>) {
        self.rows.push(StageRow {
            stage: Stage::Flood,
            key: format!("{kind}/{id}"),
            record,
        });
    }

    /// Rows that changed and are not in a commit yet.
    pub(crate) fn take_rows(&mut self) -> Vec<StageRow> {
        std::mem::take(&mut self.rows)
    }
}

fn stale_report(stale: &[&AlarmRecord], after: Duration) -> AlarmRequest {
    let named: Vec<String> = stale
        .iter()
        .take(NAMED_MAX)
        .map(|record| format!("{} ({})", record.message, record.code))
        .collect();
    let rest = stale.len().saturating_sub(named.len());
    let more = if rest > 0 {
        format!(" and {rest} more")
    } else {
        String::new()
    };
    AlarmRequest {
        key: STALE_KEY.to_owned(),
        priority: Priority::Low,
        message: format!(
            "{} alarms have been active for more than {}: {}{more}",
            stale.len(),
            DurationText(after),
            named.join("; ")
        ),
        attributes: Vec::new(),
    }
}

/// The condition of a key of a row. Names of instances hold no `/`.
fn id_of(text: &str) -> Option<AlarmId> {
    let (instance, key) = text.split_once('/')?;
    Some(AlarmId::new(instance, key))
}

fn is_marked(record: &AlarmRecord, mark: Mark) -> bool {
    record.flags.marks.contains(&mark)
}

/// Whether a mark is put on or taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marking {
    On,
    Off,
}

impl AlarmBook {
    /// Marks an occurrence that is not over, or takes the mark off; nothing if it was so already.
    pub(crate) fn mark(
        &mut self,
        now: Timestamp,
        occurrence: OccurrenceId,
        mark: Mark,
        marking: Marking,
        why: Why,
    ) -> Option<AlarmEvent> {
        let record = self.standing.get_mut(occurrence)?;
        let changed = match marking {
            Marking::On => record.flags.marks.insert(mark),
            Marking::Off => record.flags.marks.remove(&mark),
        };
        if !changed {
            return None;
        }
        record.changed_at = now;
        Some(AlarmEvent {
            transition: Transition::Marked,
            record: record.clone(),
            at: now,
            why,
        })
    }
}
