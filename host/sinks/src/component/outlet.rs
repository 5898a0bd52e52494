//! The way of a sink component to the network: what its settings allow, and no more.
//!
//! Each request is checked: the host is one of `hosts`, the scheme is https (plain HTTP goes to this
//! machine, or where the settings allow it), a delivery has a bound of requests. The host puts in
//! the headers of the settings, in place of what the component may have set; the component never
//! sees them, and an answer that says their values back loses them. Redirects are answers like any
//! other, so a component that follows one asks again and is checked again. Proxies of the
//! environment are not used.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use andon_model::{HttpClient, HttpError, HttpRequest, HttpResponse};
use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Response, Url};

use super::classify::Left;
use super::hosts::{HostPattern, is_loopback};
use super::settings::{ComponentSettings, PlainHttp};
use crate::BuildError;
use crate::request::{CallError, without};
use crate::tls::{self, Authorities};

/// Longest answer that is read, bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Requests in one delivery; further ones are denied.
const REQUESTS_MAX: u32 = 16;
/// Longest wait for a connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// Headers that belong to the connection and are the client's own to set.
const HOP_BY_HOP: [&str; 9] = [
    "host",
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "content-length",
    "transfer-encoding",
    "upgrade",
    "te",
];

/// What all guests of a sink share.
pub(super) struct Gate {
    http: reqwest::Client,
    hosts: Vec<HostPattern>,
    plain_http: PlainHttp,
    added: Vec<Added>,
    call_time: Duration,
}

/// A header of the settings.
struct Added {
    host: Option<HostPattern>,
    name: HeaderName,
    value: HeaderValue,
    /// The value without its prefix, which no answer may say back.
    secret: Vec<u8>,
}

impl Gate {
    /// A gate for settings that were checked.
    ///
    /// # Errors
    /// Certificate authorities cannot be read.
    pub(super) fn new(settings: &ComponentSettings) -> Result<Self, BuildError> {
        let hosts = settings.patterns();
        let local = |host: &HostPattern| {
            Url::parse(&format!("http://{host}/")).is_ok_and(|url| is_loopback(&url))
        };
        let needed = if settings.plain_http == PlainHttp::Allowed || hosts.iter().all(local) {
            Authorities::MayBeMissing
        } else {
            Authorities::Needed
        };
        let tls = tls::client(&settings.name, settings.ca_file.as_deref(), needed)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("andon/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(settings.call_time.0.min(CONNECT_TIME_MAX))
            .timeout(settings.call_time.0)
            .build()
            .map_err(|source| BuildError::SetUp {
                sink: settings.name.clone(),
                what: "the HTTP client",
                source: source.into(),
            })?;
        let added: Option<Vec<Added>> = settings.headers.iter().map(Added::of).collect();
        Ok(Self {
            http,
            hosts,
            plain_http: settings.plain_http,
            call_time: settings.call_time.0,
            added: added.ok_or_else(|| BuildError::Settings {
                sink: settings.name.clone(),
                says: "a header of its settings cannot be sent".to_owned(),
            })?,
        })
    }

    /// Whether a request may go there.
    fn check(&self, url: &Url) -> Result<(), String> {
        let shown = || url.origin().ascii_serialization();
        match url.scheme() {
            "https" => {}
            "http" if self.plain_http == PlainHttp::Allowed || is_loopback(url) => {}
            "http" => {
                return Err(format!(
                    "{} is plain HTTP, which its settings do not allow: use https, or set \
                     plain_http",
                    shown()
                ));
            }
            other => return Err(format!("`{other}` is not HTTP")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("user and password do not belong into an address".to_owned());
        }
        if self.hosts.iter().any(|host| host.allows(url)) {
            return Ok(());
        }
        let allowed: Vec<String> = self.hosts.iter().map(ToString::to_string).collect();
        Err(format!(
            "{} is not in its hosts ({})",
            shown(),
            allowed.join(", ")
        ))
    }

    /// The component's headers, with those of the settings in their place.
    fn headers(&self, url: &Url, own: Vec<(String, Vec<u8>)>) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in own {
            let lower = name.to_ascii_lowercase();
            if HOP_BY_HOP.contains(&lower.as_str()) {
                continue;
            }
            let header = HeaderName::from_bytes(lower.as_bytes());
            match (header, HeaderValue::from_bytes(&value)) {
                (Ok(name), Ok(value)) => headers.append(name, value),
                _ => return Err(format!("the header `{name}` cannot be sent")),
            };
        }
        for added in &self.added {
            if added.host.as_ref().is_none_or(|host| host.allows(url)) {
                headers.insert(added.name.clone(), added.value.clone());
            }
        }
        Ok(headers)
    }

    fn redacted(&self, text: Vec<u8>) -> Vec<u8> {
        let secrets = self.added.iter().map(|added| &added.secret);
        secrets.fold(text, |text, secret| without(text, secret))
    }
}

impl Added {
    fn of(settings: &super::HeaderSettings) -> Option<Self> {
        let prefix = settings.prefix.as_deref().unwrap_or("");
        let secret = settings.value.expose();
        let mut value = HeaderValue::from_str(&format!("{prefix}{secret}")).ok()?;
        value.set_sensitive(true);
        let host = settings.host.as_deref();
        Some(Self {
            host: host.map(HostPattern::parse).transpose().ok()?,
            name: HeaderName::from_bytes(settings.name.to_ascii_lowercase().as_bytes()).ok()?,
            value,
            secret: secret.as_bytes().to_vec(),
        })
    }
}

/// The way of one guest; it also keeps book of the delivery that is under way.
pub(super) struct Outlet {
    gate: Arc<Gate>,
    book: Mutex<Book>,
}

/// What a guest asked for since the delivery began.
#[derive(Debug, Default)]
struct Book {
    requests: u32,
    /// Those of them that may have reached a provider.
    left: u32,
    denied: Option<String>,
}

impl Outlet {
    pub(super) fn new(gate: Arc<Gate>) -> Self {
        Self {
            gate,
            book: Mutex::default(),
        }
    }

    /// A delivery begins.
    pub(super) fn begin(&self) {
        *self.lock() = Book::default();
    }

    /// Whether anything may have reached a provider since.
    pub(super) fn left(&self) -> Left {
        if self.lock().left > 0 {
            Left::Something
        } else {
            Left::Nothing
        }
    }

    /// What was denied since, for people.
    pub(super) fn denied(&self) -> Option<String> {
        self.lock().denied.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        // No code that holds the lock can panic half-way through a change.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deny(&self, why: String) -> HttpError {
        self.lock().denied = Some(why.clone());
        HttpError::Denied(why)
    }

    /// The request as it may be sent.
    fn admit(&self, request: HttpRequest) -> Result<reqwest::Request, HttpError> {
        let number = {
            let mut book = self.lock();
            book.requests = book.requests.saturating_add(1);
            book.requests
        };
        if number > REQUESTS_MAX {
            return Err(self.deny(format!("one delivery has at most {REQUESTS_MAX} requests")));
        }
        let url = Url::parse(&request.url)
            .map_err(|error| self.deny(format!("the address cannot be read: {error}")))?;
        self.gate.check(&url).map_err(|why| self.deny(why))?;
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| self.deny(format!("`{}` is no method", request.method)))?;
        let headers = self
            .gate
            .headers(&url, request.headers)
            .map_err(|why| self.deny(why))?;
        let mut admitted = self.gate.http.request(method, url).headers(headers);
        if !request.body.is_empty() {
            admitted = admitted.body(request.body);
        }
        if let Some(time) = request.time_max {
            admitted = admitted.timeout(time.min(self.gate.call_time));
        }
        admitted
            .build()
            .map_err(|error| self.deny(error.without_url().to_string()))
    }

    async fn read(&self, mut response: Response) -> Result<HttpResponse, HttpError> {
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                let value = self.gate.redacted(value.as_bytes().to_vec());
                (name.as_str().to_owned(), value)
            })
            .collect();
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(told)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(HttpError::TooLarge(ANSWER_BYTES_MAX as u64));
            }
        }
        Ok(HttpResponse {
            status,
            headers,
            body: self.gate.redacted(body),
        })
    }
}

#[async_trait]
impl HttpClient for Outlet {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let request = self.admit(request)?;
        // Before it is known better: the guest may be ended while it waits.
        self.lock().left += 1;
        match self.gate.http.execute(request).await.map_err(told) {
            Ok(response) => self.read(response).await,
            Err(error) => {
                if matches!(error, HttpError::NotSent(_)) {
                    let mut book = self.lock();
                    book.left = book.left.saturating_sub(1);
                }
                Err(error)
            }
        }
    }
}

fn told(error: reqwest::Error) -> HttpError {
    match CallError::of(error) {
        CallError::NotSent(says) => HttpError::NotSent(says),
        CallError::Lost(says) => HttpError::Lost(says),
    }
}
