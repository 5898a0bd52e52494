//! A commit in the making: what one input changed, in the order in which it happened.
//!
//! Alarm events go through the desk as they are recorded, and what the desk says about the host
//! goes back to the book, until nothing more follows. That chain is bounded: the host's own alarms
//! raise no further ones beyond [`CHAIN_MAX`] steps.

use andon_alarms::{AlarmBook, Conditioning, Source};
use andon_model::{Action, AlarmEvent, AlarmRequest, Commit, Timestamp};
use andon_routing::{Decision, Desk};
use andon_web::Metrics;
use serde_json::Value;

use super::input::Concern;

/// Longest chain of host alarms that cause one another.
const CHAIN_MAX: usize = 8;

/// The parts of the engine that a draft works on.
pub(super) struct Draft<'a> {
    pub(super) now: Timestamp,
    pub(super) book: &'a mut AlarmBook,
    pub(super) conditions: &'a mut Conditioning,
    pub(super) desk: &'a mut Desk,
    pub(super) metrics: &'a Metrics,
    pub(super) commit: Commit,
}

impl Draft<'_> {
    /// Records alarm events and what the desk decides about them. `cause` is kept with the line
    /// of the journal of each event that told people something.
    pub(super) fn events(&mut self, events: &[AlarmEvent], cause: Option<&Value>) {
        let caused = events.iter().map(|event| (event.clone(), cause.cloned()));
        self.settle(caused.collect());
    }

    /// Takes over what the desk decided, and follows up on what it found about the host.
    pub(super) fn decision(&mut self, decision: Decision) {
        let mut host = self.absorb(decision);
        for _ in 0..CHAIN_MAX {
            if host.is_empty() {
                return;
            }
            let applied = self
                .book
                .apply(self.now, &Source::host(), std::mem::take(&mut host));
            self.book.record(&applied.events, &mut self.commit);
            for event in &applied.events {
                let decision = self.desk.on_alarm(event, self.now);
                host.extend(self.absorb(decision));
            }
        }
        tracing::error!(
            left = host.len(),
            "alarms of the host cause one another without end; the rest waits for the next batch"
        );
    }

    fn absorb(&mut self, decision: Decision) -> Vec<Action> {
        for row in decision.deliveries {
            match self
                .commit
                .deliveries
                .iter_mut()
                .rev()
                .find(|earlier| earlier.id == row.id)
            {
                Some(earlier) => *earlier = row,
                None => self.commit.deliveries.push(row),
            }
        }
        self.commit.journal.extend(decision.journal);
        self.commit.rows.extend(decision.rows);
        decision.host
    }

    /// Raises or clears an alarm of the host itself.
    pub(super) fn concern(&mut self, concern: Concern) {
        let action = match concern.trouble {
            Some(trouble) => Action::Raise(AlarmRequest {
                key: concern.key,
                priority: trouble.priority,
                message: trouble.message,
                attributes: trouble.labels,
            }),
            None => Action::Clear(concern.key),
        };
        let applied = self.book.apply(self.now, &Source::host(), vec![action]);
        self.events(&applied.events, None);
    }
}
