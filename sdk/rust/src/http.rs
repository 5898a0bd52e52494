//! HTTP as sinks use it: a whole request out, a whole answer in.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::{LogLevel, http_date};

/// The world outside of a sink. The host gives the real one, a test its own.
pub trait Web {
    /// Sends a request and waits for the whole answer. Redirects are answers; a body has at most
    /// 1 MiB, either way.
    ///
    /// # Errors
    /// There is no answer; see [`HttpError`].
    fn send(&self, request: &Request) -> Result<Response, HttpError>;

    /// Writes a line to the sink's log.
    fn log(&self, level: LogLevel, message: &str);
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `POST`.
    pub method: &'static str,
    /// Scheme, host, path and query.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without a body.
    #[must_use]
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url, Vec::new())
    }

    /// A request with this body.
    #[must_use]
    pub fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::new("POST", url, body.into())
    }

    /// A request whose body is JSON.
    #[must_use]
    pub fn post_json(url: impl Into<String>, body: &serde_json::Value) -> Self {
        Self::post(url, body.to_string()).header("content-type", "application/json")
    }

    fn new(method: &'static str, url: impl Into<String>, body: Vec<u8>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: Vec::new(),
            body,
        }
    }

    /// Adds a header. The host puts its own in place of those that the settings name.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Its status code.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the status says that it was taken.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The wait that `Retry-After` asks for. It gives seconds or a date; a date counts from the
    /// answer's own `Date`, so that no other clock need agree with the server's. `None` for a date
    /// without that one, and for what is neither.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let wait = self.header("retry-after")?.trim();
        if let Ok(seconds) = wait.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = http_date::seconds(wait)?;
        let from = http_date::seconds(self.header("date")?)?;
        // A date that is over asks for no wait.
        let seconds = u64::try_from(until.saturating_sub(from)).unwrap_or(0);
        Some(Duration::from_secs(seconds))
    }

    /// The body as text; what is no UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body as JSON, if it is.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpError {
    /// The settings do not allow this request, or it cannot be written; nothing left.
    Denied(String),
    /// The connection failed before the request could leave.
    NotSent(String),
    /// The request left, or may have; no whole answer came.
    Lost(String),
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(says) => write!(f, "the request is not allowed: {says}"),
            Self::NotSent(says) => write!(f, "no connection: {says}"),
            Self::Lost(says) => write!(f, "no answer: {says}"),
        }
    }
}

impl std::error::Error for HttpError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&str, &str)]) -> Option<u64> {
        let headers = headers.iter();
        let answer = Response {
            status: 429,
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: Vec::new(),
        };
        answer.retry_after().map(|wait| wait.as_secs())
    }

    #[test]
    fn a_wait_is_given_in_seconds_or_until_a_date() {
        let date = ("date", "Fri, 01 Jan 2027 11:59:30 GMT");
        let until = |text| wait(&[date, ("retry-after", text)]);
        assert_eq!(until("7"), Some(7));
        assert_eq!(until(" 120 "), Some(120));
        assert_eq!(until("Fri, 01 Jan 2027 12:00:00 GMT"), Some(30));
        assert_eq!(until("Friday, 01-Jan-27 12:00:30 GMT"), Some(60));
        assert_eq!(until("Fri Jan  1 12:01:00 2027"), Some(90));
        assert_eq!(until("Fri, 01 Jan 2027 11:59:30 GMT"), Some(0));
        assert_eq!(until("Fri, 01 Jan 2021 12:00:00 GMT"), Some(0));
        assert_eq!(until("soon"), None);
        assert_eq!(until("-5"), None);
        assert_eq!(until(""), None);
    }

    #[test]
    fn a_date_without_the_date_of_the_answer_says_nothing() {
        let until = ("retry-after", "Fri, 01 Jan 2027 12:00:00 GMT");
        assert_eq!(wait(&[until]), None);
        assert_eq!(wait(&[until, ("date", "today")]), None);
        assert_eq!(wait(&[("date", "Fri, 01 Jan 2027 12:00:00 GMT")]), None);
    }
}
