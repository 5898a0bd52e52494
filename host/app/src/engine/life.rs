//! What people order in the life of an alarm beside its acknowledgement: shelving, reset, out of
//! service; and what time alone does to it.

use std::time::Duration;

use andon_alarms::{Changed, Operator, OrderError, OutOrder, ShelveOrder, ShelveTime, Target};
use andon_model::{AlarmEvent, AlarmId, Priority};
use andon_routing::Reminding;
use andon_store::JournalFilter;
use andon_web::{LifeOrder, LifeRequest, Refusal};
use serde_json::{Value, json};

use super::draft::Draft;
use super::people::targets;
use super::{Engine, Landing};

/// Lines of the journal that are looked through for the priority of an alarm that is over.
const LINES_MAX: usize = 50;

const fn done(order: &LifeOrder) -> &'static str {
    match order {
        LifeOrder::Shelve { .. } => "shelved",
        LifeOrder::Unshelve => "unshelved",
        LifeOrder::Reset => "reset",
        LifeOrder::ServiceOut { .. } => "out of service",
        LifeOrder::ServiceBack => "back in service",
    }
}

/// What is known of a condition that a person names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Past {
    /// Whether an alarm of it ever stood.
    seen: bool,
    /// How urgent the last one was.
    priority: Option<Priority>,
}

impl Engine {
    /// Follows an order, or says why not.
    pub(super) async fn live(
        &mut self,
        request: LifeRequest,
    ) -> Result<(Result<Value, Refusal>, Landing), Refusal> {
        let past = self.past(&request.alarm)?;
        Ok(self.commit(|draft| draft.live(&request, past)).await)
    }

    /// What the journal knows of a condition that is named as such. One that never was must at
    /// least be of an instance that runs, so that a slip of the pen silences nothing unnoticed.
    fn past(&self, alarm: &str) -> Result<Past, Refusal> {
        let Some(id) = condition(alarm) else {
            return Ok(Past {
                seen: true,
                priority: None,
            });
        };
        if self.book.get(&id).is_some() || self.book.flags_of(&id).is_silenced() {
            return Ok(Past {
                seen: true,
                priority: None,
            });
        }
        let occurrence = self.reader.occurrence_of_alarm(&id);
        if let Some(occurrence) = occurrence.ok().flatten() {
            let filter = JournalFilter {
                occurrence: Some(occurrence),
                limit: LINES_MAX,
                ..JournalFilter::default()
            };
            let lines = self.reader.journal(&filter).unwrap_or_default();
            let priority = lines.iter().find_map(|line| {
                let priority = line.entry.data.get("priority")?.as_str()?;
                priority.parse().ok()
            });
            return Ok(Past {
                seen: true,
                priority,
            });
        }
        let instances = self.scheduler.status(self.clock.now());
        if id.instance == AlarmId::HOST || instances.iter().any(|one| one.name == id.instance) {
            return Ok(Past::default());
        }
        Err(Refusal::new(format!(
            "there is no instance `{}`, so nothing raises `{id}`: `andon plugin list` lists the instances",
            id.instance
        )))
    }
}

impl Draft<'_> {
    fn live(&mut self, request: &LifeRequest, past: Past) -> Result<Value, Refusal> {
        let by = Operator {
            name: request.by.clone(),
            at: self.now,
            how: request.how.clone(),
        };
        let mut targets = targets(&request.alarm);
        targets.extend(condition(&request.alarm).map(Target::Alarm));
        let mut unknown = OrderError::Unknown {
            name: request.alarm.clone(),
        };
        for target in targets {
            match self.order(&request.order, target, &by, past) {
                Ok(changed) => {
                    self.events(changed.event.as_slice(), None);
                    return Ok(json!({
                        "result": done(&request.order),
                        "id": changed.id.to_string(),
                        "flags": changed.flags,
                        "alarm": changed.event.map(|event| event.record),
                        "seen": past.seen,
                    }));
                }
                Err(OrderError::Unknown { .. }) => {}
                // A code may also be read as a number: the first that means something counts.
                Err(error) => {
                    unknown = error;
                    break;
                }
            }
        }
        let says = unknown.to_string();
        Err(if matches!(unknown, OrderError::Unknown { .. }) {
            Refusal::unknown(says)
        } else {
            Refusal::new(says)
        })
    }

    fn order(
        &mut self,
        order: &LifeOrder,
        target: Target,
        by: &Operator,
        past: Past,
    ) -> Result<Changed, OrderError> {
        match order {
            LifeOrder::Shelve { for_ms, reason } => self.book.shelve(ShelveOrder {
                target,
                time: for_ms.map_or(ShelveTime::OneShot, |millis| {
                    ShelveTime::For(Duration::from_millis(millis))
                }),
                reason: reason.clone(),
                priority: past.priority,
                by: by.clone(),
            }),
            LifeOrder::Unshelve => self.book.unshelve(&target, by),
            LifeOrder::ServiceOut { back_in_ms, reason } => {
                self.book.take_out_of_service(OutOrder {
                    target,
                    reason: reason.clone(),
                    back_by: back_in_ms.map(|millis| by.at.plus(Duration::from_millis(millis))),
                    by: by.clone(),
                })
            }
            LifeOrder::ServiceBack => self.book.return_to_service(&target, by),
            LifeOrder::Reset => self.book.reset(&target, by).map(changed_by),
        }
    }

    /// Does what is due by the time of the draft.
    pub(super) fn due(&mut self) {
        let events = self.book.on_time(self.now);
        self.events(&events, None);
        for reminder in self.book.take_reminders() {
            let subject = reminder.id.to_string();
            let reminding = Reminding {
                contact: &reminder.to,
                subject: &subject,
                text: &reminder.message,
                priority: reminder.priority.unwrap_or(Priority::Medium),
            };
            let mut given = None;
            let book = &mut *self.book;
            let fresh = || *given.insert(book.next_occurrence());
            let decision = self.desk.remind(&reminding, fresh, self.now);
            self.number(given);
            self.decision(decision);
        }
        let decision = self.desk.on_time(self.now);
        self.decision(decision);
    }
}

fn changed_by(event: AlarmEvent) -> Changed {
    Changed {
        id: event.record.id.clone(),
        flags: event.record.flags.clone(),
        event: Some(event),
    }
}

/// The condition that `INSTANCE/KEY` names.
fn condition(alarm: &str) -> Option<AlarmId> {
    let (instance, key) = alarm.split_once('/')?;
    (!instance.is_empty() && !key.is_empty()).then(|| AlarmId::new(instance, key))
}
