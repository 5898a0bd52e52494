//! How many alarms may stand, and the host's own alarm that says when they are too many.
//!
//! A raise beyond a bound is refused, counted and answered, and the host alarm `alarms-full` (or
//! `alarms-full/INSTANCE`) is raised in the same call, so that nobody takes silence for normal.
//! It clears once the count is back under nine tenths of the bound.

use andon_model::{Action, AlarmEvent, AlarmId, AlarmRequest, Priority, Timestamp};

use crate::book::AlarmBook;
use crate::source::Source;

/// Bounds on alarms that are not over. The host's own alarms do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlarmLimits {
    /// Of all instances together.
    pub standing_max: usize,
    /// Of one instance, so that one rule cannot fill the book.
    pub per_instance_max: usize,
}

impl Default for AlarmLimits {
    fn default() -> Self {
        Self {
            standing_max: 100_000,
            per_instance_max: 10_000,
        }
    }
}

/// Key of the host's alarm about its own bounds.
const FULL: &str = "alarms-full";

/// Which bound is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    Book,
    Instance,
}

impl AlarmBook {
    /// The bound that keeps this instance from one more alarm.
    pub(crate) fn full_for(&self, instance: &str) -> Option<Full> {
        if instance == AlarmId::HOST {
            None
        } else if self.standing.held_by(instance) >= self.limits.per_instance_max {
            Some(Full::Instance)
        } else if self.counted() >= self.limits.standing_max {
            Some(Full::Book)
        } else {
            None
        }
    }

    /// Raises the host's alarm about a bound; raising it again changes nothing.
    pub(crate) fn raise_full(
        &mut self,
        now: Timestamp,
        full: Full,
        instance: &str,
    ) -> Option<AlarmEvent> {
        let (key, message) = match full {
            Full::Book => (
                FULL.to_owned(),
                format!(
                    "Andon holds {} alarms, the most that it may: further ones are refused until some are over. Acknowledge what has returned to normal, and look for the rule that raises so many.",
                    self.limits.standing_max
                ),
            ),
            Full::Instance => (
                format!("{FULL}/{instance}"),
                format!(
                    "Rule {instance} holds {} alarms, the most that one rule may: further ones of it are refused until some are over. Look at its settings and inputs.",
                    self.limits.per_instance_max
                ),
            ),
        };
        let request = AlarmRequest {
            key,
            priority: Priority::High,
            message,
            attributes: Vec::new(),
        };
        let applied = self.apply(now, &Source::host(), vec![Action::Raise(request)]);
        applied.events.into_iter().next()
    }

    /// Clears the host's alarms about bounds that are left again.
    pub(crate) fn clear_full(&mut self, now: Timestamp) -> Vec<AlarmEvent> {
        let over: Vec<String> = self
            .standing
            .of_instance_from(AlarmId::HOST, FULL)
            .filter(|record| record.state.is_active())
            .map(|record| record.id.key.clone())
            .take_while(|key| key.starts_with(FULL))
            .filter(|key| {
                let (count, max) = match key.strip_prefix("alarms-full/") {
                    Some(instance) => (
                        self.standing.held_by(instance),
                        self.limits.per_instance_max,
                    ),
                    None => (self.counted(), self.limits.standing_max),
                };
                count < max.saturating_mul(9) / 10
            })
            .collect();
        over.into_iter()
            .flat_map(|key| self.clear(now, &Source::host(), key))
            .collect()
    }

    fn counted(&self) -> usize {
        self.standing
            .len()
            .saturating_sub(self.standing.held_by(AlarmId::HOST))
    }
}
