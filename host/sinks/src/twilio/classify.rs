//! What Twilio's answers mean: pure tables from HTTP status and error code to an outcome.
//!
//! | answer | outcome |
//! |---|---|
//! | 200, 201 with a `sid` | sent |
//! | 200, 201 without one, or broken JSON | unknown: it may have been taken |
//! | 429, code 20429 | retry: such a request is never processed |
//! | 5xx, 408 | unknown |
//! | 401, 403, 404, 405, 407, 3xx | sink failed: credentials, account or address are wrong |
//! | 400 with a code | by the table below |
//! | other 4xx | dead: the same message would be refused again |
//!
//! Codes are from Twilio's dictionary of errors and warnings. A code that is not in the table counts
//! by its status, so that a new one costs a channel and never an alert.

use std::time::Duration;

use andon_model::{Outcome, Reason, Why};
use serde::Deserialize;

/// A provider that asks for a longer wait is asked again after this anyway.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);

/// Longest piece of an answer that goes into a reason.
const DETAIL_CHARS_MAX: usize = 200;

/// An HTTP answer of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// Status code.
    pub(super) status: u16,
    /// Header `Retry-After` in seconds, where it was given so.
    pub(super) retry_after: Option<Duration>,
    /// Body, cut at [`super::client::BODY_BYTES_MAX`].
    pub(super) body: Vec<u8>,
}

/// The parts of a message resource, or of an error, that matter.
#[derive(Debug, Deserialize)]
struct Created {
    sid: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: Option<u32>,
    message: Option<String>,
}

/// What an error code says of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// This person cannot be reached so.
    Recipient,
    /// This text cannot be sent.
    Message,
    /// Credentials, sender or account are wrong: no message would go.
    Settings,
    /// Too much at once.
    Throttled,
}

/// What the answer to a created message means.
pub(super) fn of_send(answer: &Answer) -> Outcome {
    match answer.status {
        200..=299 => of_created(&answer.body),
        408 | 500..=599 => Outcome::Unknown {
            why: Why::new(
                Reason::ResultUnknown,
                format!("Twilio answered {}", said(answer)),
            ),
        },
        _ => of_refusal(answer),
    }
}

/// Why the API refuses to answer a question (a list, an account); `None` for a success.
pub(super) fn of_question(answer: &Answer) -> Option<Outcome> {
    match answer.status {
        200..=299 => None,
        408 | 500..=599 => Some(Outcome::Retry {
            after: None,
            why: Why::new(
                Reason::ProviderFailed,
                format!("Twilio answered {}", said(answer)),
            ),
        }),
        _ => Some(of_refusal(answer)),
    }
}

fn of_created(body: &[u8]) -> Outcome {
    match serde_json::from_slice::<Created>(body) {
        Ok(Created { sid }) if is_sid(&sid) => Outcome::Sent {
            provider_ids: vec![sid],
        },
        Ok(_) | Err(_) => Outcome::Unknown {
            why: Why::new(
                Reason::ResultUnknown,
                "Twilio answered that it took the message, but the answer names no message",
            ),
        },
    }
}

/// Whether a text can be the id of a message.
pub(super) fn is_sid(sid: &str) -> bool {
    (2..=64).contains(&sid.len()) && sid.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn of_refusal(answer: &Answer) -> Outcome {
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
    let known = problem.code.and_then(class_of_code);
    let class = match (answer.status, known) {
        (429, _) => Class::Throttled,
        (_, Some((class, _))) => class,
        (100..=399 | 401 | 403..=405 | 407 | 410, None) => Class::Settings,
        (_, None) => Class::Message,
    };
    let meaning = known.map_or_else(String::new, |(_, meaning)| format!("{meaning}; "));
    let detail = format!("{meaning}Twilio answered {}", said(answer));
    match class {
        Class::Recipient => Outcome::Dead {
            why: Why::new(Reason::RecipientRefused, detail),
        },
        Class::Message => Outcome::Dead {
            why: Why::new(Reason::MessageRefused, detail),
        },
        Class::Settings => Outcome::SinkFailed {
            why: Why::new(Reason::SinkMisconfigured, detail),
        },
        Class::Throttled => Outcome::Retry {
            after: answer.retry_after.map(|after| after.min(RETRY_AFTER_MAX)),
            why: Why::new(Reason::Throttled, detail),
        },
    }
}

/// Status, code and message of an answer for a reason: one line, bounded.
pub(super) fn said(answer: &Answer) -> String {
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = problem
        .code
        .map_or_else(String::new, |code| format!(", code {code}"));
    let message = problem
        .message
        .map_or_else(String::new, |message| format!(": {}", one_line(&message)));
    format!("{}{code}{message}", answer.status)
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(DETAIL_CHARS_MAX)
        .collect()
}

/// Codes that the API gives when a message is created, and what to do about them.
fn class_of_code(code: u32) -> Option<(Class, &'static str)> {
    use Class::{Message, Recipient, Settings, Throttled};
    Some(match code {
        20429 => (Throttled, "too many requests at once"),
        21611 => (Throttled, "the queue of the sender is full"),
        20003 => (Settings, "check account_sid and auth_token or the API key"),
        20005 | 20006 | 20008 => (Settings, "the account may not send"),
        20404 => (
            Settings,
            "the account is unknown; check account_sid and api_url",
        ),
        21212 | 21603 | 21606 | 21659 | 21660 => (
            Settings,
            "the sender does not belong to the account; check from",
        ),
        21701 | 21703 | 21704 | 21705 => (
            Settings,
            "check messaging_service_sid and the senders of that service",
        ),
        21608 => (
            Settings,
            "a trial account sends to verified numbers only; upgrade it or verify the number",
        ),
        21408 => (
            Settings,
            "messages to that country are not enabled; allow it in the geo permissions",
        ),
        21609 => (Settings, "Twilio cannot use status_callback"),
        30002 => (Settings, "the account is suspended"),
        30034 => (Settings, "the sender is not registered for that country"),
        21610 => (
            Recipient,
            "the person replied STOP, so Twilio sends them nothing until they reply START",
        ),
        21211 | 21214 | 21217 | 21265 | 21266 => {
            (Recipient, "the number is not one that can be reached")
        }
        21612 | 21614 | 21635 | 30004 | 30006 => (Recipient, "the number cannot take SMS"),
        30003 | 30005 => (Recipient, "the phone is unknown, off or out of reach"),
        21602 | 21617 | 14103 => (Message, "the text is empty or too long"),
        30007 => (Message, "the text was filtered"),
        _ => return None,
    })
}

/// What an error code of a message that was taken and then failed means, for people.
pub(super) fn meaning(code: u32) -> Option<&'static str> {
    match code {
        30001 => Some("it waited too long in Twilio's queue"),
        30008 => Some("the network gave no reason"),
        _ => class_of_code(code).map(|(_, meaning)| meaning),
    }
}
