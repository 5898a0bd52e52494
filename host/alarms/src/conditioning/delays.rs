//! On-delay and off-delay at the host.
//!
//! A raise of an alarm that does not stand waits until its condition held for the on-delay; a clear
//! of one that does waits for the off-delay. The opposite takes the wait back. What is said again
//! meanwhile starts nothing anew.
//!
//! A wait is a row with the moment when it ends (`INSTANCE/KEY`), so after a restart it ends when it
//! would have ended. Under [`OnBadQuality::Hold`] a wait whose alarm has bad tags has no such moment
//! until they are good, and one that comes to its end waits on until they are. After a start nothing
//! is known of tags until they are read; that is waited for, [`UNREAD_MAX`] at most.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use andon_model::{
    Action, AlarmId, AlarmRequest, DurationText, JournalEntry, JournalKind, Labels, Origin,
    Priority, Reason, Stage, StageRow, Timestamp, Why,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::plan::{ConditioningPlan, Delay};
use super::settings::OnBadQuality;
use crate::book::AlarmBook;
use crate::reach::Trust;
use crate::selector::Subject;
use crate::source::{AcknowledgementNeed, ResetNeed, Source};

/// Most waits at once; beyond it what is asked for is done at once.
const WAITS_MAX: usize = 100_000;
/// How soon a wait that is held is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long after a start tags that were not read yet hold a wait.
const UNREAD_MAX: Duration = Duration::from_secs(30);
/// Raises that came to nothing are journalled once in this time for each alarm, with their number.
const WITHHELD_EVERY: Duration = Duration::from_secs(600);
/// Alarms of which such raises are counted; beyond it each is journalled.
const WITHHELD_MAX: usize = 10_000;

/// All waits.
#[derive(Debug, Default)]
pub(crate) struct Delays {
    waits: BTreeMap<AlarmId, Wait>,
    /// When each wait is looked at next.
    looks: BTreeSet<(Timestamp, AlarmId)>,
    withheld: BTreeMap<AlarmId, Withheld>,
    started: Timestamp,
    rows: Vec<StageRow>,
}

/// A raise or a clear that waits: the row, beside its key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Wait {
    instance: String,
    key: String,
    what: What,
    /// When it was asked for.
    asked_at: Timestamp,
    /// When it is done; nothing while the tags must be good first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends_at: Option<Timestamp>,
    delay_ms: u64,
    on_bad_quality: OnBadQuality,
    /// Labels of the instance.
    labels: Labels,
    needs_acknowledgement: bool,
    #[serde(default)]
    latching: bool,
    test: bool,
    #[serde(skip)]
    look_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
enum What {
    Raise {
        priority: Priority,
        message: String,
        attributes: Vec<(String, String)>,
    },
    Clear,
}

/// Raises that were taken back before their end.
#[derive(Debug, Clone, Copy, Default)]
struct Withheld {
    told_at: Timestamp,
    since: u64,
}

/// What came of an action.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    /// It is done now.
    pub(crate) action: Option<Action>,
    /// An alarm that was about to be over is active again.
    pub(crate) active_again: Option<AlarmId>,
    pub(crate) journal: Option<JournalEntry>,
}

/// A wait that came to its end.
#[derive(Debug)]
pub(crate) struct Ripe {
    pub(crate) id: AlarmId,
    pub(crate) labels: Labels,
    pub(crate) acknowledgement: AcknowledgementNeed,
    pub(crate) reset: ResetNeed,
    pub(crate) origin: Origin,
    pub(crate) action: Action,
    pub(crate) why: Why,
}

/// What an admission is decided by.
pub(crate) struct Gate<'a> {
    pub(crate) now: Timestamp,
    pub(crate) plan: &'a ConditioningPlan,
    pub(crate) book: &'a AlarmBook,
    pub(crate) source: &'a Source<'a>,
    /// Whether the tags of the alarm of this key can be relied on.
    pub(crate) trust: &'a dyn Fn(&str) -> Trust,
    /// The off-delay of an alarm that chatters.
    pub(crate) hold: &'a dyn Fn(&AlarmId) -> Option<Duration>,
}

impl Delays {
    /// The waits that were kept over a restart.
    pub(crate) fn restore(rows: &[StageRow], now: Timestamp) -> Self {
        let mut all = Self {
            started: now,
            ..Self::default()
        };
        for row in rows.iter().filter(|row| row.stage == Stage::Conditioning) {
            let record = row.record.clone().unwrap_or_default();
            if let Ok(wait) = serde_json::from_value::<Wait>(record) {
                let look_at = wait.ends_at.unwrap_or(now);
                all.insert(Wait { look_at, ..wait });
            }
        }
        all
    }

    /// An action of a rule: it is done now, or waits, or takes back what waited.
    pub(crate) fn admit(&mut self, gate: &Gate<'_>, action: Action) -> Passed {
        match action {
            Action::Raise(request) => self.raise(gate, request),
            Action::Clear(key) => self.clear(gate, key),
            Action::Notify(request) => Passed {
                action: Some(Action::Notify(request)),
                ..Passed::default()
            },
        }
    }

    fn raise(&mut self, gate: &Gate<'_>, request: AlarmRequest) -> Passed {
        let id = AlarmId::new(gate.source.instance, request.key.as_str());
        let at_once = |request| Passed {
            action: Some(Action::Raise(request)),
            ..Passed::default()
        };
        let stands = gate.book.get(&id);
        let is_active = stands.is_some_and(|record| record.state.is_active());
        match self.waits.get_mut(&id) {
            Some(wait) if matches!(wait.what, What::Raise { .. }) => {
                // Newer words replace the older; the row keeps the first, which is enough after a
                // restart and spares the disk.
                wait.test &= gate.source.origin == Origin::Test;
                wait.what = What::of(request);
                return Passed::default();
            }
            Some(_) => {
                self.remove(&id);
                if is_active {
                    return Passed {
                        active_again: Some(id),
                        ..at_once(request)
                    };
                }
            }
            None if is_active => return at_once(request),
            None => {}
        }
        if gate.plan.delays_nothing() || self.waits.len() >= WAITS_MAX {
            return at_once(request);
        }
        let labels = gate.source.labels_with(request.attributes.clone());
        let delay = gate.plan.delay_of(Subject {
            id: &id,
            labels: &labels,
            priority: request.priority,
        });
        let trusted = is_trusted(delay.on_bad_quality, (gate.trust)(&id.key));
        let forced =
            delay.on_bad_quality == OnBadQuality::Force && (gate.trust)(&id.key) == Trust::Bad;
        if delay.on.is_zero() || forced {
            return at_once(request);
        }
        let what = What::of(request);
        self.begin(gate, id, what, delay.on, delay.on_bad_quality, trusted);
        Passed::default()
    }

    fn clear(&mut self, gate: &Gate<'_>, key: String) -> Passed {
        let id = AlarmId::new(gate.source.instance, key.as_str());
        match self.waits.get(&id).map(|wait| &wait.what) {
            Some(What::Raise { .. }) => {
                let journal = self.withhold(&id, gate.now);
                self.remove(&id);
                // A return that nobody acknowledged may stand; clearing it changes nothing.
                return Passed {
                    journal,
                    ..Passed::default()
                };
            }
            Some(What::Clear) => return Passed::default(),
            None => {}
        }
        let at_once = |key| Passed {
            action: Some(Action::Clear(key)),
            ..Passed::default()
        };
        let hold = (gate.hold)(&id);
        if (gate.plan.delays_nothing() && hold.is_none()) || self.waits.len() >= WAITS_MAX {
            return at_once(key);
        }
        let active = gate.book.get(&id).filter(|record| record.state.is_active());
        let Some(record) = active else {
            return at_once(key);
        };
        let Delay {
            off,
            on_bad_quality,
            ..
        } = gate.plan.delay_of(Subject::from(record));
        let off = off.max(hold.unwrap_or_default());
        if off.is_zero() {
            return at_once(key);
        }
        let trusted = is_trusted(on_bad_quality, (gate.trust)(&id.key));
        self.begin(gate, id, What::Clear, off, on_bad_quality, trusted);
        Passed::default()
    }

    fn begin(
        &mut self,
        gate: &Gate<'_>,
        id: AlarmId,
        what: What,
        delay: Duration,
        on_bad_quality: OnBadQuality,
        trusted: bool,
    ) {
        let ends_at = trusted.then(|| gate.now.plus(delay));
        let wait = Wait {
            instance: id.instance,
            key: id.key,
            what,
            asked_at: gate.now,
            ends_at,
            delay_ms: u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
            on_bad_quality,
            labels: gate.source.labels.clone(),
            needs_acknowledgement: gate.source.acknowledgement == AcknowledgementNeed::Needed,
            latching: gate.source.reset == ResetNeed::Needed,
            test: gate.source.origin == Origin::Test,
            look_at: ends_at.unwrap_or(gate.now.plus(LOOK_AGAIN)),
        };
        self.rows.push(row(&wait));
        self.insert(wait);
    }

    /// Waits that came to their end, in the order of their ends.
    pub(crate) fn on_time(
        &mut self,
        now: Timestamp,
        trust: impl Fn(&AlarmId) -> Trust,
    ) -> Vec<Ripe> {
        let mut ripe = Vec::new();
        while let Some((at, id)) = self.looks.first().cloned() {
            if at > now {
                break;
            }
            self.looks.pop_first();
            let Some(wait) = self.waits.get_mut(&id) else {
                continue;
            };
            let mut trust = trust(&id);
            if trust == Trust::Unknown && now.since(self.started) >= UNREAD_MAX {
                trust = Trust::Good;
            }
            let trusted = is_trusted(wait.on_bad_quality, trust);
            if trusted && wait.ends_at.is_none() {
                wait.ends_at = Some(now.plus(Duration::from_millis(wait.delay_ms)));
                self.rows.push(row(wait));
            }
            match wait.ends_at.filter(|_| trusted) {
                Some(ends_at) if ends_at <= now => {
                    if let Some(wait) = self.remove(&id) {
                        ripe.push(wait.ripe(id, now));
                    }
                }
                ends_at => {
                    let later = ends_at.filter(|ends_at| *ends_at > now);
                    wait.look_at = later.unwrap_or(now.plus(LOOK_AGAIN));
                    self.looks.insert((wait.look_at, id));
                }
            }
        }
        self.withheld
            .retain(|_, withheld| now.since(withheld.told_at) < WITHHELD_EVERY);
        ripe
    }

    /// When [`Delays::on_time`] has something to do next.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        self.looks.first().map(|(at, _)| *at)
    }

    /// Forgets the raises of a rule that is gone: nobody would take them back.
    pub(crate) fn forget_raises(&mut self, instance: &str, now: Timestamp) -> Vec<JournalEntry> {
        let ids: Vec<AlarmId> = self
            .waits
            .range(AlarmId::new(instance, "")..)
            .take_while(|(id, _)| id.instance == instance)
            .filter(|(_, wait)| matches!(wait.what, What::Raise { .. }))
            .map(|(id, _)| id.clone())
            .collect();
        ids.into_iter()
            .filter_map(|id| {
                let wait = self.remove(&id)?;
                let detail = "its rule is gone before its on-delay was over";
                Some(journal(&wait, Why::new(Reason::RuleGone, detail), now))
            })
            .collect()
    }

    /// Rows that changed and are not in a commit yet.
    pub(crate) fn take_rows(&mut self) -> Vec<StageRow> {
        std::mem::take(&mut self.rows)
    }

    fn insert(&mut self, wait: Wait) {
        let id = AlarmId::new(wait.instance.as_str(), wait.key.as_str());
        self.looks.insert((wait.look_at, id.clone()));
        self.waits.insert(id, wait);
    }

    fn remove(&mut self, id: &AlarmId) -> Option<Wait> {
        let wait = self.waits.remove(id)?;
        self.looks.remove(&(wait.look_at, id.clone()));
        self.rows.push(StageRow {
            stage: Stage::Conditioning,
            key: id.to_string(),
            record: None,
        });
        Some(wait)
    }

    /// The line of the journal for a raise that is taken back, if one is due.
    fn withhold(&mut self, id: &AlarmId, now: Timestamp) -> Option<JournalEntry> {
        let wait = self.waits.get(id)?;
        if let Some(withheld) = self.withheld.get_mut(id)
            && now.since(withheld.told_at) < WITHHELD_EVERY
        {
            withheld.since = withheld.since.saturating_add(1);
            return None;
        }
        let before = self
            .withheld
            .remove(id)
            .map_or(0, |withheld| withheld.since);
        let mut detail = format!(
            "the condition held for {} of its on-delay of {}",
            whole(now.since(wait.asked_at)),
            whole(Duration::from_millis(wait.delay_ms)),
        );
        if before > 0 {
            detail.push_str(&format!(
                "; {before} more times since this was written last"
            ));
        }
        let entry = journal(wait, Why::new(Reason::OnDelay, detail), now);
        if self.withheld.len() < WITHHELD_MAX {
            let told = Withheld {
                told_at: now,
                since: 0,
            };
            self.withheld.insert(id.clone(), told);
        }
        Some(entry)
    }
}

impl What {
    fn of(request: AlarmRequest) -> Self {
        Self::Raise {
            priority: request.priority,
            message: request.message,
            attributes: request.attributes,
        }
    }
}

impl Wait {
    fn ripe(self, id: AlarmId, now: Timestamp) -> Ripe {
        let lasted = whole(now.since(self.asked_at));
        let delay = whole(Duration::from_millis(self.delay_ms));
        let (action, why) = match self.what {
            What::Raise {
                priority,
                message,
                attributes,
            } => {
                let request = AlarmRequest {
                    key: self.key,
                    priority,
                    message,
                    attributes,
                };
                let detail = format!("the condition held for {lasted}, its on-delay is {delay}");
                (Action::Raise(request), Why::new(Reason::OnDelay, detail))
            }
            What::Clear => {
                let detail =
                    format!("the condition was gone for {lasted}, its off-delay is {delay}");
                (Action::Clear(self.key), Why::new(Reason::OffDelay, detail))
            }
        };
        Ripe {
            id,
            labels: self.labels,
            acknowledgement: if self.needs_acknowledgement {
                AcknowledgementNeed::Needed
            } else {
                AcknowledgementNeed::NotNeeded
            },
            reset: if self.latching {
                ResetNeed::Needed
            } else {
                ResetNeed::NotNeeded
            },
            origin: if self.test {
                Origin::Test
            } else {
                Origin::Device
            },
            action,
            why,
        }
    }
}

/// Whether a wait may start and end.
fn is_trusted(on_bad_quality: OnBadQuality, trust: Trust) -> bool {
    match on_bad_quality {
        OnBadQuality::Ignore => true,
        OnBadQuality::Hold | OnBadQuality::Force => trust == Trust::Good,
    }
}

fn row(wait: &Wait) -> StageRow {
    let id = AlarmId::new(wait.instance.as_str(), wait.key.as_str());
    StageRow {
        stage: Stage::Conditioning,
        key: id.to_string(),
        record: serde_json::to_value(wait).ok(),
    }
}

fn journal(wait: &Wait, why: Why, at: Timestamp) -> JournalEntry {
    let message = match &wait.what {
        What::Raise { message, .. } => Some(message),
        What::Clear => None,
    };
    JournalEntry {
        at,
        kind: JournalKind::Alarm,
        occurrence: None,
        subject: format!("{}/{}", wait.instance, wait.key),
        event: "not raised".to_owned(),
        why,
        data: json!({ "message": message }),
    }
}

/// A duration in whole seconds where it has any.
fn whole(duration: Duration) -> DurationText {
    if duration.as_secs() == 0 {
        DurationText::from_millis(u64::try_from(duration.as_millis()).unwrap_or(0))
    } else {
        DurationText::from_secs(duration.as_secs())
    }
}
