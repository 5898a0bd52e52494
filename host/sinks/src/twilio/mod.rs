//! SMS by a Twilio account: the Messages resource of its REST API, version 2010-04-01.
//!
//! Sending is one request; its status and replies are fetched, because a plant is seldom reachable
//! from outside ([`callback`] reads what Twilio posts where it is). Only this folder knows Twilio.
//!
//! ```text
//! classify  what an answer means (pure)       receipts  whose status to ask for (pure)
//! client    HTTP, TLS, credentials            incoming  which replies are new (pure)
//! look_up   what became of a lost answer      callback  what Twilio posts (pure)
//! poll      what is asked for regularly
//! ```
//!
//! Limits: a text of at most [`BODY_UNITS_MAX`] UTF-16 units, a longer one is cut and ends in `…`;
//! [`TwilioSettings::window`] requests at once; every request ends within
//! [`TwilioSettings::answer_time_max`].

pub mod callback;
mod classify;
mod client;
mod incoming;
mod look_up;
mod message;
mod poll;
mod receipts;
mod recent;
mod settings;
#[cfg(test)]
mod settings_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use andon_model::{Clock, Delivery, Outcome, PhoneNumber, Reason, Why};
use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use self::client::Client;
use self::message::Message;
use self::receipts::Watched;
use self::recent::Recent;
pub use self::settings::{Fetching, TwilioSettings, check};
use crate::health::Health;
use crate::label::labelled_outcome;
use crate::request::CallError;
use crate::{BuildError, EventSender, LookUp, Sink};

/// Longest text that Twilio takes.
const BODY_UNITS_MAX: usize = 1600;

/// Longest validity that every version of the API takes, seconds. A longer one is left out, and
/// Twilio's own holds.
const VALIDITY_SECS_MAX: u64 = 14_400;

/// Most ids of messages that are known to be of other deliveries.
const KNOWN_MAX: usize = 10_000;

/// Builds the sink; it asks for nothing before [`Sink::run`] or [`Sink::send`].
///
/// # Errors
/// [`BuildError`], if certificate authorities cannot be read or the settings were not checked.
pub fn build(
    settings: &TwilioSettings,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Sink>, BuildError> {
    Ok(Arc::new(Twilio {
        name: settings.name.clone(),
        label: settings.label().to_owned(),
        client: Client::new(settings, Arc::clone(&clock))?,
        settings: settings.clone(),
        health: Health::new("Twilio answers and takes the credentials"),
        memory: Mutex::new(Memory {
            watched: Watched::default(),
            known: Recent::new(KNOWN_MAX),
        }),
        clock,
    }))
}

/// One Twilio account as a way out.
struct Twilio {
    name: String,
    /// Name of the account for people.
    label: String,
    settings: TwilioSettings,
    client: Client,
    health: Health,
    memory: Mutex<Memory>,
    clock: Arc<dyn Clock>,
}

struct Memory {
    /// Messages on their way.
    watched: Watched,
    /// Messages that belong to a delivery.
    known: Recent,
}

#[async_trait]
impl Sink for Twilio {
    fn name(&self) -> &str {
        &self.name
    }

    async fn run(self: Arc<Self>, events: EventSender, stop: CancellationToken) {
        let _closed: poll::Closed = tokio::select! {
            () = stop.cancelled() => return,
            closed = poll::tell_health(&self, &events) => closed,
            closed = poll::check_account(&self) => closed,
            closed = poll::fetch(&self, &events) => closed,
        };
        tracing::warn!(sink = self.name, "nobody takes events any more");
    }

    fn resume(&self, provider_ids: Vec<String>) {
        for sid in provider_ids.iter().filter(|sid| classify::is_sid(sid)) {
            self.remember(sid);
        }
    }

    fn awaited(&self) -> Vec<String> {
        self.lock().watched.sids()
    }

    async fn send(&self, delivery: &Delivery) -> Outcome {
        let outcome = match delivery.channel.address.parse::<PhoneNumber>() {
            Ok(to) => self.create(delivery, &to).await,
            Err(error) => Outcome::Dead {
                why: Why::new(Reason::RecipientRefused, error.to_string()),
            },
        };
        if let Outcome::Sent { provider_ids } = &outcome {
            for sid in provider_ids {
                self.remember(sid);
            }
        }
        labelled_outcome(&self.label, outcome)
    }

    async fn look_up(&self, delivery: &Delivery) -> LookUp {
        look_up::look_up(self, delivery).await
    }

    fn window(&self) -> usize {
        self.settings.window
    }
}

impl Twilio {
    async fn create(&self, delivery: &Delivery, to: &PhoneNumber) -> Outcome {
        match self.client.create_message(&self.fields(delivery, to)).await {
            Ok(answer) => {
                let outcome = classify::of_send(&answer);
                self.health.note(&outcome);
                outcome
            }
            Err(error) => {
                self.health.unreachable(&error.to_string());
                let says = error.to_string();
                match error {
                    CallError::NotSent(_) => Outcome::Retry {
                        after: None,
                        why: Why::new(Reason::RetryLater, says),
                    },
                    CallError::Lost(_) => Outcome::Unknown {
                        why: Why::new(Reason::ResultUnknown, says),
                    },
                }
            }
        }
    }

    fn fields(&self, delivery: &Delivery, to: &PhoneNumber) -> Vec<(&'static str, String)> {
        let mut fields = vec![("To", to.to_string()), ("Body", self.text_of(delivery))];
        let optional = [
            (
                "MessagingServiceSid",
                self.settings.messaging_service_sid.as_ref(),
            ),
            ("From", self.settings.from.as_ref()),
            ("StatusCallback", self.settings.status_callback.as_ref()),
        ];
        for (name, value) in optional {
            fields.extend(value.map(|value| (name, value.clone())));
        }
        let valid = delivery.expires_at.since(self.clock.now()).as_secs().max(1);
        if valid <= VALIDITY_SECS_MAX {
            fields.push(("ValidityPeriod", valid.to_string()));
        }
        fields
    }

    /// The text as Twilio gets it.
    fn text_of(&self, delivery: &Delivery) -> String {
        let text = delivery.wire_text();
        let Some(cut) = cut(&text) else {
            return text;
        };
        tracing::warn!(
            sink = self.name,
            delivery = %delivery.id,
            units_max = BODY_UNITS_MAX,
            "a text is too long for Twilio and was cut"
        );
        cut
    }

    /// Remembers a message as one that belongs to a delivery, and asks for its status.
    fn remember(&self, sid: &str) {
        let now = self.clock.now();
        let mut memory = self.lock();
        memory.known.insert(sid);
        if self.settings.receipts == Fetching::Poll {
            memory.watched.add(sid, now);
        }
    }

    /// Whether a message belongs to another delivery.
    fn knows(&self, message: &Message) -> bool {
        message
            .sid()
            .is_some_and(|sid| self.lock().known.contains(sid))
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        // No code that holds the lock can panic half-way through a change.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The text cut to what Twilio takes, with `…` at its end; `None` if it fits.
fn cut(text: &str) -> Option<String> {
    if text.encode_utf16().count() <= BODY_UNITS_MAX {
        return None;
    }
    let mut units = 1;
    let mut cut: String = text
        .chars()
        .take_while(|sign| {
            units += sign.len_utf16();
            units <= BODY_UNITS_MAX
        })
        .collect();
    cut.push('…');
    Some(cut)
}
