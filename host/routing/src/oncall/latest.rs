//! The latest answer of a schedule and how long it holds.
//!
//! A question is put to a schedule for every alarm and every person, nearly always about the same
//! time. The answer does not depend on whether it was remembered, so that a schedule is a value as
//! before: a copy begins with an empty memory, and comparing leaves it out.

use std::sync::{Mutex, PoisonError};

use andon_model::Timestamp;

use super::schedule::OnDuty;

/// What was answered last.
#[derive(Debug, Default)]
pub(crate) struct Latest(Mutex<Option<Answer>>);

#[derive(Debug)]
struct Answer {
    from: Timestamp,
    /// The first moment at which it may be another.
    until: Timestamp,
    on_duty: Vec<OnDuty>,
}

impl Latest {
    /// The answer, if it holds at this moment.
    pub(crate) fn at(&self, at: Timestamp) -> Option<Vec<OnDuty>> {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = latest.as_ref()?;
        (answer.from <= at && at < answer.until).then(|| answer.on_duty.clone())
    }

    /// Remembers an answer instead of the one before.
    pub(crate) fn keep(&self, from: Timestamp, until: Timestamp, on_duty: &[OnDuty]) {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = Some(Answer {
            from,
            until,
            on_duty: on_duty.to_vec(),
        });
    }
}

impl Clone for Latest {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PartialEq for Latest {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Latest {}
