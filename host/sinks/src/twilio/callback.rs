//! What Twilio posts to a public address: a status of a message, or a message from a phone.
//!
//! Pure: the web side hands over what it received. Nothing of a callback is believed before its
//! signature is checked: `X-Twilio-Signature` is the HMAC-SHA1, keyed with the account's token, of
//! the exact public URL followed by every field's name and value, sorted by name, in base64
//! (Twilio, "Webhooks security"). Behind a proxy the URL is the one that Twilio was given, not the
//! one that arrived.

use andon_model::{Incoming, Receipt, Secret};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::incoming;
use super::message::Message;

/// Longest body of a callback that is looked at.
pub const CALLBACK_BYTES_MAX: usize = 64 * 1024;

/// What a callback says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callback {
    /// A status of a message that left. Statuses can come out of order.
    Receipt(Receipt),
    /// A message from a phone.
    Incoming(Incoming),
}

/// A callback that is not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// Twilio sends no such long ones.
    #[error("the callback is longer than {CALLBACK_BYTES_MAX} bytes")]
    TooLong,
    /// Not from Twilio, or the public URL in the settings is not the one that Twilio calls.
    #[error(
        "the signature of the callback is wrong: check auth_token, and that the public address is exactly the one that Twilio calls"
    )]
    Unsigned,
    /// Signed, but neither a status nor a message.
    #[error("the callback is neither a status nor a message")]
    NotUnderstood,
}

/// Checks and reads a callback.
///
/// `url` is the public address as Twilio was given it, with its query; `body` the form that came,
/// empty for a GET; `signature` the header `X-Twilio-Signature`.
///
/// # Errors
/// [`CallbackError`]; nothing of the callback may be used then.
pub fn accept(
    auth_token: &Secret,
    url: &str,
    body: &[u8],
    signature: &str,
) -> Result<Callback, CallbackError> {
    if body.len() > CALLBACK_BYTES_MAX {
        return Err(CallbackError::TooLong);
    }
    let fields: Vec<(String, String)> = form_urlencoded::parse(body)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    if !is_signed(auth_token, url, &fields, signature) {
        return Err(CallbackError::Unsigned);
    }
    read(&fields).ok_or(CallbackError::NotUnderstood)
}

fn is_signed(auth_token: &Secret, url: &str, fields: &[(String, String)], signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature.trim()) else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(auth_token.expose().as_bytes()) else {
        return false;
    };
    mac.update(url.as_bytes());
    let mut sorted: Vec<&(String, String)> = fields.iter().collect();
    sorted.sort();
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    // Compares in constant time.
    mac.verify_slice(&signature).is_ok()
}

fn read(fields: &[(String, String)]) -> Option<Callback> {
    let field = |name: &str| {
        fields
            .iter()
            .find(|(of, _)| of == name)
            .map(|(_, value)| value.clone())
    };
    let message = Message {
        sid: field("MessageSid").or_else(|| field("SmsSid")),
        status: field("MessageStatus").or_else(|| field("SmsStatus")),
        error_code: field("ErrorCode").and_then(|code| code.parse().ok()),
        from: field("From"),
        to: field("To"),
        body: field("Body"),
        ..Message::default()
    };
    if message.status.as_deref() == Some("received") || message.status.is_none() {
        message.body.as_ref()?;
        return incoming::read(&message).map(Callback::Incoming);
    }
    message
        .progress()
        .map(|(_, receipt)| Callback::Receipt(receipt))
}
