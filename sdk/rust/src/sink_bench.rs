//! A test bench for sinks: hands over messages natively, against a web that a test plays.
//! Native targets only.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test kit: a test that is written wrong must fail loudly"
)]

use std::cell::RefCell;
use std::collections::VecDeque;

use serde_json::{Value, json};

use crate::guest::SinkInstance;
use crate::{
    Failure, HttpError, LogLevel, Notification, Occasion, Priority, Receipt, Request, Response,
    Sink, Timestamp, Undelivered, Web,
};

/// Moment of all messages.
const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

/// A sink that is tested.
pub struct SinkBench<S> {
    instance: SinkInstance<S>,
    web: PlayedWeb,
}

impl<S: Sink> SinkBench<S> {
    /// Starts the sink with these parameters, as the host would.
    ///
    /// # Errors
    /// The sink declines.
    pub fn start(parameters: Value) -> Result<Self, Failure> {
        let json = json!({ "instance": "bench", "parameters": parameters, "inputs": [] });
        Ok(Self {
            instance: SinkInstance::start(&json.to_string())?,
            web: PlayedWeb::default(),
        })
    }

    /// The next request is answered so.
    pub fn answer(&mut self, status: u16, headers: &[(&str, &str)], body: &str) {
        let headers = headers.iter();
        let answer = Response {
            status,
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned()))
                .collect(),
            body: body.as_bytes().to_vec(),
        };
        self.web.answers.borrow_mut().push_back(Ok(answer));
    }

    /// The next request gets no answer.
    pub fn fail(&mut self, error: HttpError) {
        self.web.answers.borrow_mut().push_back(Err(error));
    }

    /// Hands a message over. Panics if the sink sends more requests than there are answers.
    ///
    /// # Errors
    /// What the sink says of a message that was not delivered.
    pub fn deliver(&mut self, notification: &Notification) -> Result<Receipt, Undelivered> {
        self.instance.deliver(notification, &self.web)
    }

    /// The requests since this was asked last.
    pub fn requests(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.web.requests.borrow_mut())
    }

    /// What `describe` answers.
    ///
    /// # Panics
    /// Never, for a sink whose parameters have a schema.
    #[must_use]
    pub fn describe() -> Value {
        serde_json::from_str(&crate::guest::describe_sink::<S>()).expect("JSON")
    }
}

impl Notification {
    /// A message for tests: an alert of high priority, first try.
    #[must_use]
    pub fn for_test(address: &str, text: &str) -> Self {
        Self {
            id: "0123456789abcdef01234567".to_owned(),
            address: address.to_owned(),
            text: text.to_owned(),
            occasion: Occasion::Alert,
            priority: Priority::High,
            attempt: 1,
            now: NOW,
            created_at: NOW,
            expires_at: NOW.plus(std::time::Duration::from_secs(3_600)),
        }
    }
}

#[derive(Default)]
struct PlayedWeb {
    answers: RefCell<VecDeque<Result<Response, HttpError>>>,
    requests: RefCell<Vec<Request>>,
}

impl Web for PlayedWeb {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        self.requests.borrow_mut().push(request.clone());
        let answer = self.answers.borrow_mut().pop_front();
        answer.expect("the sink sent a request that the test has no answer for")
    }

    fn log(&self, _level: LogLevel, _message: &str) {}
}
