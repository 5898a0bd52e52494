//! SMS over SMPP 3.4: one bind as transceiver, for messages, receipts and replies.
//!
//! ```text
//! send() ── segments ──▶ window ──▶ channel ──▶ session ──▶ SMSC
//!    ▲                                            │ ▲
//!    └────────────── answer by sequence ◀─────────┘ └─ receipts, replies ──▶ events
//! ```
//!
//! [`SmppSettings`] are checked by [`check`] and made a sink by [`build`]. Inside, `submit`,
//! `incoming`, `receipt`, `classify`, `pace`, `outbox`, `pdu` and `framing` are pure; `session` owns one
//! connection and `sink` keeps one alive.
//!
//! **Why the PDUs are written and read here.** The crates `rusmpp` and `rusmppc` 0.4 were weighed.
//! Their types follow the standard faithfully, and the tests use `rusmpp` as the other side. But:
//! - `rusmpp` reads strictly: a time string that is not 0 or 16 octets long, an octet above 127 in
//!   an address, or a TLV whose length is not its type's fails the whole PDU. A receipt or a reply
//!   is then lost, where one odd field in it would do no harm. Its codec drops the header with the
//!   error, so that not even an answer can be given, and leaves the rest of the broken PDU in the
//!   stream, so that the next one is read from the wrong place.
//! - Its `bind_transceiver` holds a password of 8 characters; many SMSCs hand out longer ones.
//! - `rusmppc` queues without bound in both directions, ends the connection at every unreadable
//!   PDU, has neither window nor rate, leaves Nagle's algorithm on, and does not tell whether a
//!   request had left when the connection broke, which decides between "retry" and "unknown" here.
//!
//! What an ESME needs are two PDUs written, four read and a header: `pdu` is shorter than the
//! wrapping would be. TLS is not built in; the session takes any stream.

mod classify;
mod framing;
mod incoming;
mod outbox;
mod pace;
mod pdu;
mod receipt;
mod session;
mod settings;
mod sink;
mod submit;

use std::sync::Arc;

use andon_model::{Clock, Finding, Severity};

pub use receipt::MessageIdBase;
pub use settings::{DefaultAlphabet, LongMessages, Receipts, SmppSettings, Validity, check};
pub use sink::SmppSink;

use crate::Sink;

/// Settings from which no sink can be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SMPP sink `{name}`: {finding}")]
pub struct SmppError {
    /// Name of the sink.
    pub name: String,
    /// The first thing that is wrong.
    pub finding: Finding,
}

/// Makes a sink of checked settings. Connects only when it is run.
///
/// # Errors
/// If [`check`] finds an error.
pub fn build(settings: &SmppSettings, clock: Arc<dyn Clock>) -> Result<Arc<dyn Sink>, SmppError> {
    let wrong = check(settings, "")
        .into_iter()
        .find(|finding| finding.severity == Severity::Error);
    match wrong {
        Some(finding) => Err(SmppError {
            name: settings.name.clone(),
            finding,
        }),
        None => Ok(Arc::new(SmppSink::new(settings.clone(), clock))),
    }
}

#[cfg(test)]
mod tests;
