//! What all sinks that speak HTTP share: why no answer came, and answers without secrets.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// A request without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallError {
    /// The connection failed before the request could leave.
    #[error("no connection: {0}")]
    NotSent(String),
    /// The request left, or may have; no whole answer came.
    #[error("no answer: {0}")]
    Lost(String),
}

impl CallError {
    /// A failure to connect is the only one after which the request surely did not leave. The
    /// sentence holds no address.
    pub(crate) fn of(error: reqwest::Error) -> Self {
        let not_sent = error.is_connect() || error.is_builder();
        let error = error.without_url();
        let mut says = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            says.push_str(": ");
            says.push_str(&inner.to_string());
            cause = inner.source();
        }
        if not_sent {
            Self::NotSent(says)
        } else {
            Self::Lost(says)
        }
    }
}

/// The wait that a provider asks for, in seconds; a date is not read.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// The octets with `***` in place of each occurrence of a secret: a proxy's page about a mistake
/// may hold the request.
pub(crate) fn without(body: Vec<u8>, secret: &[u8]) -> Vec<u8> {
    if secret.is_empty() || !body.windows(secret.len()).any(|part| part == secret) {
        return body;
    }
    let mut clean = Vec::with_capacity(body.len());
    let mut rest = body.as_slice();
    while let Some((first, more)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(secret) {
            clean.extend(b"***");
            rest = after;
        } else {
            clean.push(*first);
            rest = more;
        }
    }
    clean
}
