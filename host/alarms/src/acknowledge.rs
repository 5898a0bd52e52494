//! A person acknowledges: confirms that the alarm is known (OPC UA Part 9, 3.1).

use std::fmt;

use andon_model::{
    Acknowledgement, AlarmEvent, AlarmId, AlarmRecord, AlarmState, OccurrenceId, Reason, ShortCode,
    Transition, Why,
};

use crate::answered::Answered;
use crate::book::AlarmBook;

/// How a person names an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// By what stands in the message: `K7`.
    Code(ShortCode),
    /// By number.
    Occurrence(OccurrenceId),
    /// By condition.
    Alarm(AlarmId),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "{code}"),
            Self::Occurrence(occurrence) => write!(f, "{occurrence}"),
            Self::Alarm(id) => write!(f, "{id}"),
        }
    }
}

impl AlarmBook {
    /// Acknowledges one alarm.
    pub fn acknowledge(&mut self, target: &Target, by: Acknowledgement) -> Answered {
        let Some(record) = self.find(target) else {
            return self.over_or_unknown(target);
        };
        if !record.state.is_unacknowledged() {
            return Answered::Already(Box::new(record.clone()));
        }
        let occurrence = record.occurrence;
        match self.acknowledge_standing(occurrence, by) {
            Some(event) => Answered::Done(Box::new(event)),
            None => Answered::Unknown,
        }
    }

    /// Acknowledges all alarms that await it, of one instance or of all, in the order in which
    /// they began.
    pub fn acknowledge_all(
        &mut self,
        instance: Option<&str>,
        by: &Acknowledgement,
    ) -> Vec<AlarmEvent> {
        let waiting: Vec<OccurrenceId> = self
            .standing()
            .filter(|record| record.state.is_unacknowledged())
            .filter(|record| instance.is_none_or(|name| record.id.instance == name))
            .map(|record| record.occurrence)
            .collect();
        waiting
            .into_iter()
            .filter_map(|occurrence| self.acknowledge_standing(occurrence, by.clone()))
            .collect()
    }

    fn acknowledge_standing(
        &mut self,
        occurrence: OccurrenceId,
        by: Acknowledgement,
    ) -> Option<AlarmEvent> {
        let record = self.standing.get_mut(occurrence)?;
        record.state = match record.state {
            AlarmState::Unacknowledged => AlarmState::Acknowledged,
            AlarmState::ReturnedUnacknowledged if record.flags.latching => AlarmState::Latched,
            AlarmState::ReturnedUnacknowledged => AlarmState::Normal,
            AlarmState::Acknowledged | AlarmState::Latched | AlarmState::Normal => return None,
        };
        let at = by.at;
        let why = Why::new(
            Reason::OperatorAcknowledged,
            format!("acknowledged by {} ({})", by.by, by.how),
        );
        record.changed_at = at;
        record.acknowledged = Some(by);
        self.time_re_alarm(occurrence);
        Some(AlarmEvent {
            transition: Transition::Acknowledged,
            record: self.end_if_normal(occurrence)?,
            at,
            why,
        })
    }

    /// The alarm that a person means, if it stands.
    pub(crate) fn find(&self, target: &Target) -> Option<&AlarmRecord> {
        let occurrence = match target {
            Target::Code(code) => self.standing.find_code(code),
            Target::Occurrence(occurrence) => Some(*occurrence),
            Target::Alarm(id) => self.standing.find(id),
        };
        occurrence.and_then(|number| self.standing.get(number))
    }

    /// The alarm that a person means, if it ended lately.
    pub(crate) fn find_ended(&self, target: &Target) -> Option<&AlarmRecord> {
        self.ended(|record| match target {
            Target::Code(code) => record.code == *code,
            Target::Occurrence(occurrence) => record.occurrence == *occurrence,
            Target::Alarm(id) => record.id == *id,
        })
    }

    pub(crate) fn over_or_unknown(&self, target: &Target) -> Answered {
        let ended = self.find_ended(target);
        ended.map_or(Answered::Unknown, |record| Answered::Over {
            again: self.get(&record.id).cloned().map(Box::new),
            record: Box::new(record.clone()),
        })
    }
}
