//! Which incoming messages are new: pure. Plants often cannot be called from outside, so replies
//! are fetched from Twilio's list of messages.
//!
//! Times here are Twilio's. Bound: [`SEEN_MAX`] ids are remembered; the store knows repeated ones
//! beyond a restart.

use std::time::Duration;

use andon_model::{Incoming, Timestamp};

use super::message::Message;
use super::recent::Recent;

/// Most ids that are remembered.
const SEEN_MAX: usize = 10_000;

/// Replies that came while the host was down are taken in if they are not older.
const LOOK_BACK: Duration = Duration::from_secs(3600);

/// Lists may show a message late; so much before the newest one is looked at again.
const OVERLAP: Duration = Duration::from_secs(600);

/// Incoming messages of one number that were taken in.
#[derive(Debug)]
pub(super) struct Inbox {
    since: Timestamp,
    seen: Recent,
}

impl Inbox {
    /// An inbox of a host that starts now.
    pub(super) fn starting(now: Timestamp) -> Self {
        Self {
            since: now.minus(LOOK_BACK),
            seen: Recent::new(SEEN_MAX),
        }
    }

    /// Messages before this are of no interest.
    pub(super) fn since(&self) -> Timestamp {
        self.since
    }

    /// Whether a page, newest first, reaches further back than what is of interest.
    pub(super) fn is_last_page(&self, page: &[Message]) -> bool {
        page.iter()
            .any(|message| message.date().is_some_and(|date| date < self.since))
    }

    /// The new ones of listed messages, given newest first, answered oldest first.
    pub(super) fn take(&mut self, listed: &[Message]) -> Vec<Incoming> {
        let mut fresh = Vec::new();
        let mut newest = self.since;
        for message in listed.iter().rev() {
            // A message without a date is better taken in twice than never.
            let date = message.date().unwrap_or(self.since);
            if !message.is_inbound() || date < self.since {
                continue;
            }
            newest = newest.max(date.minus(OVERLAP));
            if let Some(incoming) = read(message)
                && self.seen.insert(&incoming.provider_id)
            {
                fresh.push(incoming);
            }
        }
        self.since = newest;
        fresh
    }
}

/// An incoming message, if it has what one must have.
pub(super) fn read(message: &Message) -> Option<Incoming> {
    Some(Incoming {
        provider_id: message.sid()?.to_owned(),
        from: message.from.clone()?,
        to: message.to.clone().unwrap_or_default(),
        text: message.body.clone().unwrap_or_default(),
    })
}
