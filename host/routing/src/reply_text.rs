//! What a person means by a message to the host, and the words of the answers.
//!
//! ```text
//! reply = [ "ack" | "acknowledge" | "ok" ] code      one alarm
//!       | "ack" | "acknowledge" | "ok"               the newest alert that went to this phone
//! ```
//! Case, spaces and punctuation around the words do not matter. A code of the letters of a word
//! (`ACK`) is not reachable by itself; the word wins.

use andon_model::{AlarmRecord, ShortCode, Timestamp};

use crate::replies::AckResult;
use crate::text::{framed, rough, word};

/// Longer messages are not replies; nothing in them is looked at.
const REPLY_CHARS_MAX: usize = 200;
const WORDS: [&str; 3] = ["ACK", "ACKNOWLEDGE", "OK"];

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Acknowledge the alarm of this code.
    Code(ShortCode),
    /// Acknowledge the newest alert.
    Newest,
    /// Nothing that the host understands.
    Unclear,
}

/// Reads a message.
pub(crate) fn meaning(text: &str) -> Meaning {
    if text.chars().take(REPLY_CHARS_MAX + 1).count() > REPLY_CHARS_MAX {
        return Meaning::Unclear;
    }
    let upper = text.to_uppercase();
    let words: Vec<&str> = upper
        .split(|sign: char| !sign.is_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect();
    let code = |text: &str| text.parse().map_or(Meaning::Unclear, Meaning::Code);
    match words.as_slice() {
        [only] if WORDS.contains(only) => Meaning::Newest,
        [only] => code(only),
        [verb, name] if WORDS.contains(verb) => code(name),
        _ => Meaning::Unclear,
    }
}

/// The answer to a request that the alarm book decided.
pub(crate) fn answer(
    code: &ShortCode,
    result: &AckResult,
    display_name: impl Fn(&str) -> String,
    now: Timestamp,
    chars_max: usize,
) -> String {
    match result {
        AckResult::Acknowledged(record) => {
            let head = format!("{code} acknowledged: {} ", word(record.priority));
            framed(&head, &record.message, "", chars_max)
        }
        AckResult::AlreadyBy(record) => {
            let head = match &record.acknowledged {
                Some(by) => format!(
                    "{code} was already acknowledged by {} {} ago: ",
                    display_name(&by.by),
                    rough(now.since(by.at))
                ),
                None => format!("{code} needs no acknowledgement: "),
            };
            framed(&head, &record.message, "", chars_max)
        }
        AckResult::AlreadyOver { record, again } => {
            let head = format!("{code} is already over{}: ", ended(record, now));
            let tail = again.as_ref().map_or_else(String::new, |again| {
                format!(". It stands again as {}", again.code)
            });
            framed(&head, &record.message, &tail, chars_max)
        }
        AckResult::Unknown => format!("No alarm has the code {code}. Nothing was changed"),
    }
}

fn ended(record: &AlarmRecord, now: Timestamp) -> String {
    record.cleared_at.map_or_else(String::new, |at| {
        format!(", ended {} ago", rough(now.since(at)))
    })
}

/// The answer to what was not understood.
pub(crate) const UNCLEAR: &str =
    "Not understood. To acknowledge, reply with the code of the alarm alone";

/// The answer to `ack` from a phone that got no alert lately.
pub(crate) const NOTHING_SENT: &str =
    "No alarm was sent to this phone lately. Reply with the code of the alarm to acknowledge it";
