//! Latching: an alarm that stays after its return to normal until a person resets it (OPC UA
//! `LatchedState`), because somebody has to look at the machine first.

use andon_model::{AlarmEvent, AlarmState, Reason, Transition, Why};

use crate::acknowledge::Target;
use crate::book::AlarmBook;
use crate::operator::{Operator, OrderError};

impl AlarmBook {
    /// Resets a latched alarm, which ends it.
    ///
    /// # Errors
    /// Its condition still holds, it is not acknowledged, it does not latch, or nothing of that
    /// name stands. Nothing changed.
    pub fn reset(&mut self, target: &Target, by: &Operator) -> Result<AlarmEvent, OrderError> {
        let Some(record) = self.find(target) else {
            return Err(match self.find_ended(target) {
                Some(record) => OrderError::Over {
                    id: record.id.clone(),
                    code: record.code.clone(),
                },
                None => OrderError::Unknown {
                    name: target.to_string(),
                },
            });
        };
        let (id, code, occurrence) = (record.id.clone(), record.code.clone(), record.occurrence);
        match (record.state, record.flags.latching) {
            (AlarmState::Latched, _) => {}
            (AlarmState::Unacknowledged | AlarmState::Acknowledged, _) => {
                return Err(OrderError::StillHolds { id, code });
            }
            (AlarmState::ReturnedUnacknowledged, true) => {
                return Err(OrderError::NotAcknowledged { id, code });
            }
            (AlarmState::ReturnedUnacknowledged, false) => {
                return Err(OrderError::NotLatching { id, code });
            }
            (AlarmState::Normal, _) => return Err(OrderError::Over { id, code }),
        }
        let unknown = || OrderError::Unknown {
            name: target.to_string(),
        };
        let record = self.standing.get_mut(occurrence).ok_or_else(unknown)?;
        record.state = AlarmState::Normal;
        record.changed_at = by.at;
        Ok(AlarmEvent {
            transition: Transition::Reset,
            record: self.end_if_normal(occurrence).ok_or_else(unknown)?,
            at: by.at,
            why: Why::new(Reason::Reset, format!("reset by {by}")),
        })
    }
}
