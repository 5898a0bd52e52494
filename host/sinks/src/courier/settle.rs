//! What an outcome makes of a delivery: pure, so that every case can be tried in a test.
//!
//! | outcome | row | channel |
//! |---|---|---|
//! | sent | sent, with the provider's ids | kept |
//! | retry | queued, later; failed once the contact has waited too long and has another channel | then given up |
//! | dead | failed, with the reason | given up |
//! | sink failed | failed if the contact has another channel, else queued, much later | then given up |
//! | sink failed because it left the settings | failed | given up |
//! | unknown | as retry, but what goes out next is marked "(repeat)" | as retry |
//! | expired | expired | kept: the message is too old for any channel |
//!
//! A channel that is given up for the time being is not lost: whoever decides about the next one
//! comes back to it in a later round. That holds for the last channel as for the first, so that a
//! message is never left with one that does not work while another could.

use std::time::Duration;

use andon_model::{Delivery, DeliveryState, Outcome, Reason, Timestamp, Why};

use super::CourierPolicy;

/// Jitter moves a wait by at most this share, up or down.
const JITTER_SHARE: f64 = 0.1;

/// A provider that asks for a shorter wait does not get the next try at once.
const ASKED_WAIT_MIN: Duration = Duration::from_secs(1);

/// Longest wait that a provider may ask for; a longer one is cut to this.
const ASKED_WAIT_MAX: Duration = Duration::from_secs(3600);

/// A delivery after an outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The row as it is to be committed. If it failed with [`Delivery::repeat`] set, an earlier
    /// send may have arrived: what goes by the next channel must be marked as a repeat too.
    pub delivery: Delivery,
    /// This channel is done with: the contact's next one is to be tried, if there is one.
    pub give_up_channel: bool,
}

/// Decides what an outcome makes of a delivery.
///
/// `jitter` is a random number from -1 to 1; it keeps many deliveries that failed at once from
/// coming back at once. The outcome of a row that is no longer owed changes nothing, except that a
/// message which was taken after all is never recorded as failed or expired.
#[must_use]
pub fn settle(
    policy: &CourierPolicy,
    delivery: &Delivery,
    outcome: Outcome,
    now: Timestamp,
    jitter: f64,
) -> Settled {
    let settling = Settling {
        policy,
        delivery,
        now,
        jitter,
    };
    if !delivery.state.is_owed() && !taken_after_all(&delivery.state, &outcome) {
        return Settled {
            delivery: delivery.clone(),
            give_up_channel: false,
        };
    }
    match outcome {
        Outcome::Sent { provider_ids } => settling.end(
            DeliveryState::Sent { provider_ids },
            Why::new(Reason::ProviderAccepted, "the provider took it"),
            false,
        ),
        Outcome::Retry { after, why } => {
            let wait = if why.reason == Reason::Throttled {
                policy.throttled
            } else {
                policy.retry
            };
            settling.again(wait.after(delivery.attempts), after, why)
        }
        Outcome::Unknown { why } => {
            let wait = policy.retry.after(delivery.attempts);
            let mut settled = settling.again(wait, None, why);
            settled.delivery.repeat = true;
            settled
        }
        // A sink that is gone does not come back: whoever decides about the next channel knows
        // whether the contact has got another one.
        Outcome::SinkFailed { why }
            if settling.has_another_channel() || why.reason == Reason::SinkRemoved =>
        {
            settling.end(DeliveryState::Failed, why, true)
        }
        Outcome::SinkFailed { why } => {
            settling.queue(policy.sink_failed.after(delivery.attempts), None, why)
        }
        Outcome::Dead { why } => settling.end(DeliveryState::Failed, why, true),
        Outcome::Expired { why } => settling.end(DeliveryState::Expired, why, false),
    }
}

fn taken_after_all(state: &DeliveryState, outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Sent { .. })
        && matches!(state, DeliveryState::Failed | DeliveryState::Expired)
}

/// What all cases look at.
struct Settling<'a> {
    policy: &'a CourierPolicy,
    delivery: &'a Delivery,
    now: Timestamp,
    jitter: f64,
}

impl Settling<'_> {
    /// Wherever this channel stands in the list: after the last one comes the first again.
    fn has_another_channel(&self) -> bool {
        self.delivery.channels.len() > 1
    }

    fn end(&self, state: DeliveryState, why: Why, give_up_channel: bool) -> Settled {
        Settled {
            delivery: Delivery {
                state,
                why,
                ..self.delivery.clone()
            },
            give_up_channel,
        }
    }

    fn queue(&self, wait: Duration, asked: Option<Duration>, why: Why) -> Settled {
        Settled {
            delivery: Delivery {
                state: DeliveryState::Queued,
                next_at: self.now.plus(self.spread(wait, asked)),
                why,
                ..self.delivery.clone()
            },
            give_up_channel: false,
        }
    }

    /// Queues for another try, or gives the channel up when the next try would come too late and
    /// the contact has another one. A first try that failed is never the last unless the provider
    /// itself asked for a wait that is too long: after a restart every delivery is already old.
    /// A row that gives its channel up keeps the moment before which that one is of no use, so that
    /// a later round does not come too early for a provider that asked for a pause.
    fn again(&self, wait: Duration, asked: Option<Duration>, why: Why) -> Settled {
        let queued = self.queue(wait, asked, why.clone());
        let waited = queued.delivery.next_at.since(self.delivery.created_at);
        let late =
            waited > self.policy.failover_after && (self.delivery.attempts >= 2 || asked.is_some());
        let tired = self.delivery.attempts >= self.policy.tries_before_failover;
        if !(self.has_another_channel() && (late || tired)) {
            return queued;
        }
        let gave_up = format!(
            "gave up {} after {} and {}: {why}",
            self.delivery.channel.sink,
            tries(self.delivery.attempts),
            seconds(self.now.since(self.delivery.created_at)),
        );
        let mut settled = self.end(
            DeliveryState::Failed,
            Why::new(Reason::Failover, gave_up),
            true,
        );
        settled.delivery.next_at = queued.delivery.next_at;
        settled
    }

    /// A wait with jitter. What a provider asked for is only ever made longer.
    fn spread(&self, wait: Duration, asked: Option<Duration>) -> Duration {
        let jitter = if self.jitter.is_finite() {
            self.jitter.clamp(-1.0, 1.0)
        } else {
            0.0
        };
        match asked {
            Some(asked) => {
                let asked = asked.clamp(ASKED_WAIT_MIN, ASKED_WAIT_MAX);
                asked.mul_f64(1.0 + JITTER_SHARE * jitter.abs())
            }
            None => wait.mul_f64(1.0 + JITTER_SHARE * jitter),
        }
    }
}

fn tries(count: u32) -> String {
    if count == 1 {
        "1 try".to_owned()
    } else {
        format!("{count} tries")
    }
}

fn seconds(waited: Duration) -> String {
    format!("{} s", waited.as_secs())
}
