//! Twilio's API over HTTP: one request at a time in, one answer or one kind of failure out.
//!
//! Only here are the credentials used. Errors carry no address and no header, and an answer that
//! says the credentials back loses them here, so that nothing secret can reach a log. Redirects
//! are not followed and proxies of the environment not used: credentials go to `api_url` and
//! nowhere else. TLS uses ring, named explicitly, so that no process-wide provider has to be
//! installed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use andon_model::{Clock, Secret, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{DATE, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Url};

use super::classify::Answer;
use super::settings::{TwilioSettings, api_base};
use crate::BuildError;
use crate::request::{CallError, retry_after, without};
use crate::tls::{self, Authorities};

/// Longest answer that is read; the rest is not looked at, which makes its JSON broken.
pub(super) const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A way to one account.
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    account_sid: String,
    user: String,
    password: Secret,
    clock: Arc<dyn Clock>,
    /// How far Twilio's clock is ahead of ours, nanoseconds.
    ahead_nanos: AtomicI64,
}

impl Client {
    pub(super) fn new(
        settings: &TwilioSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BuildError> {
        let wrong = |says: &str| BuildError::Settings {
            sink: settings.name.clone(),
            says: says.to_owned(),
        };
        let (user, password) = settings
            .credentials()
            .ok_or_else(|| wrong("neither a token nor a whole API key is given"))?;
        let base = api_base(&settings.api_url).map_err(|says| wrong(&says))?;
        // A simulator without TLS must also run where there are no authorities.
        let needed = match base.scheme() {
            "http" => Authorities::MayBeMissing,
            _ => Authorities::Needed,
        };
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client(
                &settings.name,
                settings.ca_file.as_deref(),
                needed,
            )?)
            .user_agent(concat!("andon/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(settings.connect_time_max.0)
            .timeout(settings.answer_time_max.0)
            .build()
            .map_err(|source| BuildError::SetUp {
                sink: settings.name.clone(),
                what: "the HTTP client",
                source: source.into(),
            })?;
        Ok(Self {
            http,
            base,
            account_sid: settings.account_sid.clone(),
            user: user.to_owned(),
            password: password.clone(),
            clock,
            ahead_nanos: AtomicI64::new(0),
        })
    }

    /// Creates a message from its fields.
    pub(super) async fn create_message(
        &self,
        fields: &[(&str, String)],
    ) -> Result<Answer, CallError> {
        let request = self.http.post(self.account_url("/Messages.json"));
        self.call(request.form(fields)).await
    }

    /// Asks for one message.
    pub(super) async fn message(&self, sid: &str) -> Result<Answer, CallError> {
        let url = self.account_url(&format!("/Messages/{sid}.json"));
        self.call(self.http.get(url)).await
    }

    /// Asks for the first page of a list of messages.
    pub(super) async fn messages(&self, filter: &[(&str, String)]) -> Result<Answer, CallError> {
        let url = self.account_url("/Messages.json");
        self.call(self.http.get(url).query(filter)).await
    }

    /// Asks for the page that an answer named as the next one; `None` if the name leads elsewhere.
    pub(super) async fn page(&self, uri: &str) -> Option<Result<Answer, CallError>> {
        let inside = format!("/2010-04-01/Accounts/{}/Messages", self.account_sid);
        let url = self.base.join(uri).ok()?;
        let same = url.origin() == self.base.origin() && url.path().starts_with(&inside);
        if !same {
            return None;
        }
        Some(self.call(self.http.get(url)).await)
    }

    /// Asks for the account itself.
    pub(super) async fn account(&self) -> Result<Answer, CallError> {
        let url = self.account_url(".json");
        self.call(self.http.get(url)).await
    }

    /// A moment of ours in Twilio's time, as its last answer showed it.
    pub(super) fn their_time(&self, ours: Timestamp) -> Timestamp {
        let ahead = self.ahead_nanos.load(Ordering::Relaxed);
        Timestamp::from_nanos(ours.nanos().saturating_add(ahead))
    }

    fn account_url(&self, rest: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("/2010-04-01/Accounts/{}{rest}", self.account_sid));
        url
    }

    async fn call(&self, request: RequestBuilder) -> Result<Answer, CallError> {
        let mut response = request
            .basic_auth(&self.user, Some(self.password.expose()))
            .send()
            .await
            .map_err(CallError::of)?;
        self.note_time(response.headers());
        let mut answer = Answer {
            status: response.status().as_u16(),
            retry_after: retry_after(response.headers()),
            body: Vec::new(),
        };
        while let Some(chunk) = response.chunk().await.map_err(CallError::of)? {
            answer.body.extend_from_slice(&chunk);
            if answer.body.len() > BODY_BYTES_MAX {
                answer.body.truncate(BODY_BYTES_MAX);
                break;
            }
        }
        let pair = STANDARD.encode(format!("{}:{}", self.user, self.password.expose()));
        for secret in [self.password.expose(), &pair] {
            answer.body = without(answer.body, secret.as_bytes());
        }
        Ok(answer)
    }

    /// A plant's clock may be hours off; what we compare with Twilio's dates must not be.
    fn note_time(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        if let Some(theirs) = date.and_then(read_date) {
            let ahead = theirs.nanos().saturating_sub(self.clock.now().nanos());
            self.ahead_nanos.store(ahead, Ordering::Relaxed);
        }
    }
}

/// Reads a date as Twilio writes it: RFC 2822, like `Thu, 24 Aug 2023 05:01:45 +0000`.
pub(super) fn read_date(text: &str) -> Option<Timestamp> {
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    let moment = parser.parse_timestamp(text).ok()?;
    i64::try_from(moment.as_nanosecond())
        .ok()
        .map(Timestamp::from_nanos)
}
