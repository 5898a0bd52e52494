//! Out of service: a person takes an alarm away, for maintenance, until a person brings it back.
//!
//! No time ends it; an expected return that is past is told once, and the list shows it.

use andon_model::{AlarmId, OutOfService, Reason, Timestamp, Transition, Why};

use crate::acknowledge::Target;
use crate::book::AlarmBook;
use crate::operator::{Operator, OrderError};
use crate::silence::Changed;

/// What a person wants to be out of service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOrder {
    /// Which alarm; by its condition also while it is normal.
    pub target: Target,
    /// Why; mandatory.
    pub reason: String,
    /// When it is expected back.
    pub back_by: Option<Timestamp>,
    /// Who.
    pub by: Operator,
}

impl AlarmBook {
    /// Takes a condition out of service.
    ///
    /// # Errors
    /// It is out of service already, it should have come back by now, or the reason is missing.
    pub fn take_out_of_service(&mut self, order: OutOrder) -> Result<Changed, OrderError> {
        let (id, occurrence) = self.condition(&order.target)?;
        let reason = crate::operator::reason(&order.reason)?;
        let now = order.by.at;
        if let Some(out) = self.flags_of(&id).out_of_service {
            let out = Box::new(out);
            return Err(OrderError::AlreadyOut { id, out });
        }
        if order.back_by.is_some_and(|back_by| back_by <= now) {
            return Err(OrderError::NoTime);
        }
        self.room_for(&id)?;
        let expected = order.back_by.map_or_else(String::new, |back_by| {
            format!(", expected back by {back_by}")
        });
        let why = Why::new(
            Reason::OutOfService,
            format!("taken out of service by {}{expected}: {reason}", order.by),
        );
        let out = OutOfService {
            by: order.by.name,
            since: now,
            how: order.by.how,
            reason: reason.to_owned(),
            back_by: order.back_by,
        };
        let priority = self.known_priority(&id, occurrence);
        let message = self.known_message(&id, occurrence);
        self.change_silence(&id, |entry| {
            entry.out_of_service = Some(out);
            entry.overdue_told = false;
            entry.priority = priority.or(entry.priority);
            entry.message = message.or_else(|| entry.message.take());
        });
        let event = self.refresh(now, &id, Transition::OutOfService, why);
        Ok(self.changed(id, event))
    }

    /// Brings a condition back into service.
    ///
    /// # Errors
    /// It is not out of service.
    pub fn return_to_service(
        &mut self,
        target: &Target,
        by: &Operator,
    ) -> Result<Changed, OrderError> {
        let (id, _) = self.condition(target)?;
        if self.flags_of(&id).out_of_service.is_none() {
            return Err(OrderError::NotOut { id });
        }
        self.change_silence(&id, |entry| {
            entry.out_of_service = None;
            entry.overdue_told = false;
        });
        let why = Why::new(
            Reason::BackInService,
            format!("brought back into service by {by}"),
        );
        let event = self.refresh(by.at, &id, Transition::ReturnedToService, why);
        Ok(self.changed(id, event))
    }

    /// The expected return of a condition is past.
    pub(crate) fn overdue(&mut self, now: Timestamp, id: &AlarmId) {
        let Some(out) = self
            .silences
            .get(id)
            .and_then(|entry| entry.out_of_service.clone())
        else {
            return;
        };
        self.change_silence(id, |entry| entry.overdue_told = true);
        let message = format!(
            "{id}, which you took out of service ({}), was expected back by now and is still out",
            out.reason
        );
        self.remind(now, id, out.by, message, Reason::OutOfService);
    }
}
