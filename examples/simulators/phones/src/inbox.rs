//! What the phones received, and what they want to say. Both ways in share one inbox.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::broadcast;

/// Most messages that are kept; the oldest go first.
const KEPT_MAX: usize = 10_000;

/// One message as a person holds it in the hand.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message {
    /// Counts up from 1.
    pub(crate) number: u64,
    /// `smpp` or `twilio`.
    pub(crate) by: &'static str,
    /// The phone, E.164 with `+`.
    pub(crate) to: String,
    /// Sender as it was given.
    pub(crate) from: String,
    /// The whole text, put together.
    pub(crate) text: String,
    /// How many segments it came in.
    pub(crate) segments: usize,
}

/// A message as the Twilio endpoint lists it: one that was sent there, or what a phone said.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    /// The provider's id.
    pub(crate) sid: String,
    /// Which way it went.
    pub(crate) way: Way,
    /// Sender as it was given.
    pub(crate) from: String,
    /// Recipient, E.164 with `+`.
    pub(crate) to: String,
    /// The whole text.
    pub(crate) text: String,
    /// When it came.
    pub(crate) at: jiff::Timestamp,
}

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To a phone.
    Out,
    /// From a phone.
    In,
}

/// What a phone says.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// The phone, E.164 with `+`.
    pub(crate) from: String,
    /// Whom it answers.
    pub(crate) to: String,
    /// The text.
    pub(crate) text: String,
}

/// Shared by the SMPP server, the Twilio endpoint and the control port.
#[derive(Debug)]
pub(crate) struct Inbox {
    messages: Mutex<Vec<Message>>,
    parts: Mutex<BTreeMap<(String, u8), BTreeMap<u8, String>>>,
    next: AtomicU64,
    /// Replies to be carried to bound sessions.
    pub(crate) replies: broadcast::Sender<Reply>,
    /// While false the SMSC takes no connections and drops those it has.
    pub(crate) smsc_up: AtomicBool,
    /// What the Twilio endpoint lists, oldest first; at most [`KEPT_MAX`].
    listed: Mutex<VecDeque<Listed>>,
}

impl Inbox {
    /// An empty inbox.
    pub(crate) fn new() -> Self {
        Self {
            messages: Mutex::default(),
            parts: Mutex::default(),
            next: AtomicU64::new(1),
            replies: broadcast::channel(64).0,
            smsc_up: AtomicBool::new(true),
            listed: Mutex::default(),
        }
    }

    /// A fresh number for a message id.
    pub(crate) fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::SeqCst)
    }

    /// All messages so far.
    pub(crate) fn messages(&self) -> Vec<Message> {
        lock(&self.messages).clone()
    }

    /// Takes one whole message and shows it.
    #[expect(
        clippy::print_stdout,
        reason = "the demo shows what the phones receive"
    )]
    pub(crate) fn take(
        &self,
        by: &'static str,
        from: &str,
        to: &str,
        text: String,
        segments: usize,
    ) {
        let message = Message {
            number: self.number(),
            by,
            to: to.to_owned(),
            from: from.to_owned(),
            text,
            segments,
        };
        println!("phone {} by {}: {}", message.to, message.by, message.text);
        let mut messages = lock(&self.messages);
        if messages.len() >= KEPT_MAX {
            messages.remove(0);
        }
        messages.push(message);
    }

    /// Takes one segment; puts the message together when it was the last.
    pub(crate) fn take_segment(&self, from: &str, to: &str, segment: Segment) {
        let mut parts = lock(&self.parts);
        let key = (to.to_owned(), segment.reference);
        let held = parts.entry(key.clone()).or_default();
        held.insert(segment.number, segment.text);
        if held.len() < usize::from(segment.total) {
            return;
        }
        let text: String = held.values().map(String::as_str).collect();
        parts.remove(&key);
        drop(parts);
        self.take("smpp", from, to, text, usize::from(segment.total));
    }

    /// Lists a message at the Twilio endpoint.
    pub(crate) fn list(&self, way: Way, from: &str, to: &str, text: &str) -> Listed {
        let message = Listed {
            sid: format!("SM{:032x}", self.number()),
            way,
            from: from.to_owned(),
            to: to.to_owned(),
            text: text.to_owned(),
            at: jiff::Timestamp::now(),
        };
        let mut listed = lock(&self.listed);
        if listed.len() >= KEPT_MAX {
            listed.pop_front();
        }
        listed.push_back(message.clone());
        message
    }

    /// What the Twilio endpoint lists, newest first.
    pub(crate) fn listed(&self) -> Vec<Listed> {
        lock(&self.listed).iter().rev().cloned().collect()
    }

    /// A phone says something: to every bound session, and to whoever polls.
    pub(crate) fn say(&self, reply: Reply) {
        self.list(Way::In, &reply.from, &reply.to, &reply.text);
        // Nobody bound is no error: the poller still finds it.
        self.replies.send(reply).unwrap_or_default();
    }
}

/// One part of a long message.
pub(crate) struct Segment {
    /// Reference number of the message.
    pub(crate) reference: u8,
    /// How many parts there are.
    pub(crate) total: u8,
    /// Which part, from 1.
    pub(crate) number: u8,
    /// Its text.
    pub(crate) text: String,
}

/// A lock that a panic elsewhere does not spoil.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
