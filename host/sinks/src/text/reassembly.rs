//! Puts the parts of concatenated incoming messages together.
//!
//! Parts come in any order, twice, or never. A message that stays incomplete is given up after
//! [`Reassembly::AGE_MAX`], or when more than [`Reassembly::MESSAGES_MAX`] are open: then what came
//! is handed on with `[...]` for each gap, because a reply must not vanish.
//! A finished message is remembered until it is as old, so that a part which the provider repeats
//! does not open it anew.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use andon_model::Timestamp;

use super::{Alphabet, Concatenation, decode};

/// One part of an incoming message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Who sent it.
    pub from: String,
    /// To whom.
    pub to: String,
    /// Which part of which message.
    pub place: Concatenation,
    /// How it is spelled.
    pub alphabet: Alphabet,
    /// User data without header.
    pub octets: Vec<u8>,
}

/// A message that was in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembled {
    /// Who sent it.
    pub from: String,
    /// To whom.
    pub to: String,
    /// The text; `[...]` stands for each part that never came.
    pub text: String,
}

/// Sender, recipient and reference: what the parts of one message share.
type Key = (String, String, u16);

/// Stands for a part that never came.
const GAP: &str = "[...]";

/// The messages whose parts are still coming.
#[derive(Debug, Default)]
pub struct Reassembly {
    open: BTreeMap<Key, Open>,
    /// Keys in the order in which they were opened, oldest first; as long as `open`.
    order: VecDeque<Key>,
}

#[derive(Debug)]
struct Open {
    since: Timestamp,
    total: u8,
    /// By index; `place.index` is at most 255.
    parts: BTreeMap<u8, (Alphabet, Vec<u8>)>,
    complete: bool,
}

impl Reassembly {
    /// At most so many messages are remembered; the oldest makes room.
    pub const MESSAGES_MAX: usize = 64;
    /// A message older than this is given up.
    pub const AGE_MAX: Duration = Duration::from_secs(600);

    /// Takes one part. Gives the whole message with its last part; before it, messages that were
    /// given up to make room or for their age.
    pub fn add(&mut self, part: Part, now: Timestamp) -> Vec<Assembled> {
        let mut done = self.expire(now);
        let key = (part.from, part.to, part.place.reference);
        let fits = self.open.get(&key).is_none_or(|open| {
            open.total == part.place.total
                && open
                    .parts
                    .get(&part.place.index)
                    .is_none_or(|(_, octets)| *octets == part.octets)
        });
        if !fits {
            // The reference was used again for another message.
            done.extend(self.close(&key));
        }
        if !self.open.contains_key(&key) {
            while self.open.len() >= Self::MESSAGES_MAX {
                let Some(oldest) = self.order.front().cloned() else {
                    break;
                };
                done.extend(self.close(&oldest));
            }
            self.order.push_back(key.clone());
        }
        let open = self.open.entry(key.clone()).or_insert_with(|| Open {
            since: now,
            total: part.place.total,
            parts: BTreeMap::new(),
            complete: false,
        });
        open.parts
            .insert(part.place.index, (part.alphabet, part.octets));
        if !open.complete && open.parts.len() == usize::from(open.total) {
            open.complete = true;
            done.push(assemble(&key, open));
        }
        done
    }

    /// Gives up what is too old and hands on what came of it.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Assembled> {
        let mut given_up = Vec::new();
        while let Some(oldest) = self.order.front().cloned() {
            let young = self
                .open
                .get(&oldest)
                .is_some_and(|open| now.since(open.since) < Self::AGE_MAX);
            if young {
                break;
            }
            given_up.extend(self.close(&oldest));
        }
        given_up
    }

    /// How many messages are remembered, complete or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Forgets one; its text if it was never handed on.
    fn close(&mut self, key: &Key) -> Option<Assembled> {
        self.order.retain(|known| known != key);
        let open = self.open.remove(key)?;
        (!open.complete).then(|| assemble(key, &open))
    }
}

/// Joins neighbours of one alphabet before decoding, since some senders cut inside a pair.
fn assemble(key: &Key, open: &Open) -> Assembled {
    let mut text = String::new();
    let mut run: Option<(Alphabet, Vec<u8>)> = None;
    for index in 1..=open.total {
        let part = open.parts.get(&index);
        match (part, &mut run) {
            (Some((alphabet, octets)), Some((same, joined))) if alphabet == same => {
                joined.extend(octets);
            }
            _ => {
                flush(&mut text, run.take());
                run = part.cloned();
            }
        }
        if part.is_none() {
            text.push_str(GAP);
        }
    }
    flush(&mut text, run);
    Assembled {
        from: key.0.clone(),
        to: key.1.clone(),
        text,
    }
}

fn flush(text: &mut String, run: Option<(Alphabet, Vec<u8>)>) {
    if let Some((alphabet, octets)) = run {
        text.push_str(&decode(alphabet, &octets));
    }
}
