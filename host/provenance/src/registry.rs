//! One registry over HTTP: the few requests that a pull needs (OCI Distribution 1.1, "Pull").
//!
//! The types of references and manifests are those of `oci-client`; its client is not used, since
//! it reads answers without a bound, follows addresses that a manifest names, and needs a TLS
//! provider for the whole process. Here every answer has a bound in bytes, every wait has one in
//! [`PullTimes`], redirects never lead from TLS to none, and the password goes to the registry
//! and to the token server that it names, over TLS, and nowhere else. No text of the registry is
//! put into an error, so that it cannot say the password back into a log.

use std::path::Path;
use std::time::Duration;

use andon_model::Secret;
use reqwest::header::{ACCEPT, HeaderValue, WWW_AUTHENTICATE};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use rustls::CertificateError;
use serde::Deserialize;

use crate::challenge::Challenge;
use crate::manifest::{ACCEPTED, Layer, ManifestError};
use crate::tls::{self, Authorities};
use crate::{Reference, RegistrySettings, Sha256};

/// Longest manifest, bytes; the specification asks registries to take no more than 4 MiB.
pub(crate) const MANIFEST_BYTES_MAX: u64 = 4 << 20;
/// Largest component, bytes; the same as from the plugins folder.
pub(crate) const COMPONENT_BYTES_MAX: u64 = 64 << 20;
/// Longest answer of a token server, bytes.
const TOKEN_BYTES_MAX: u64 = 256 << 10;
/// Most redirects of one request: blobs often lie on another server.
const REDIRECTS_MAX: usize = 5;

/// How long a registry may take. The defaults are right but for tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PullTimes {
    /// Until a connection stands.
    pub connect: Duration,
    /// Without a byte.
    pub silence: Duration,
    /// One whole pull, however many bytes come in it.
    pub whole: Duration,
}

impl Default for PullTimes {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            whole: Duration::from_secs(300),
        }
    }
}

/// Why a component could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PullError {
    /// A tag without a digest.
    #[error(
        "{reference} names no digest, and the settings do not take tags of {registry}; add `@sha256:…` (`andon plugin pull` prints it), or set `allow_tags` under [plugins.registries.\"{registry}\"]"
    )]
    TagNotAllowed {
        /// What was asked for.
        reference: String,
        /// Of whom.
        registry: String,
    },
    /// What the settings say of the registry cannot be used.
    #[error("the settings of the registry {registry} cannot be used: {says}")]
    SetUp {
        /// Of whom.
        registry: String,
        /// What is wrong.
        says: String,
    },
    /// No connection, or it broke off.
    #[error("the registry {registry} cannot be reached, or broke off: {says}")]
    Unreachable {
        /// Of whom.
        registry: String,
        /// What the network says.
        says: String,
    },
    /// It cannot show who it is.
    #[error("the registry {registry} shows a certificate that is not trusted ({says}); {remedy}")]
    NotTrusted {
        /// Of whom.
        registry: String,
        /// What TLS says.
        says: String,
        /// What to do.
        remedy: String,
    },
    /// It took too long.
    #[error("the registry {registry} did not answer within {seconds} s")]
    TooSlow {
        /// Of whom.
        registry: String,
        /// The bound.
        seconds: u64,
    },
    /// The account is not let in.
    #[error(
        "the registry {registry} lets {who} not read {repository} (status {status}); set `username` and `password` under [plugins.registries.\"{registry}\"]"
    )]
    NotLetIn {
        /// Of whom.
        registry: String,
        /// What was asked for.
        repository: String,
        /// Who asked, in words.
        who: String,
        /// 401 or 403.
        status: u16,
    },
    /// Not there.
    #[error("the registry {registry} does not have {what}; check the name, the tag and the digest")]
    NotFound {
        /// Of whom.
        registry: String,
        /// What was asked for.
        what: String,
    },
    /// Another status.
    #[error("the registry {registry} answered with status {status}")]
    Status {
        /// Of whom.
        registry: String,
        /// The status.
        status: u16,
    },
    /// It asks for a way to log in that is not known, or its token server does not do its part.
    #[error("the registry {registry} asks to log in, and that fails: {says}")]
    LogIn {
        /// Of whom.
        registry: String,
        /// What fails.
        says: String,
    },
    /// An answer is larger than its bound.
    #[error("{what} has more than {max} bytes, which is the most that is taken")]
    TooLarge {
        /// What.
        what: String,
        /// The bound.
        max: u64,
    },
    /// The bytes are not those that were asked for.
    #[error(
        "{what} is not what its digest says: {expected} was asked for and {got} came; the registry or somebody between changed it, or it came by half"
    )]
    WrongDigest {
        /// What.
        what: String,
        /// Asked for.
        expected: Sha256,
        /// Came.
        got: Sha256,
    },
    /// The manifest names no component.
    #[error("{reference}: {error}")]
    Manifest {
        /// What was asked for.
        reference: String,
        /// What is wrong with it.
        error: ManifestError,
    },
}

/// A conversation with one registry about one component.
pub(crate) struct Session<'a> {
    http: reqwest::Client,
    reference: &'a Reference,
    settings: &'a RegistrySettings,
    times: PullTimes,
    scheme: &'static str,
    log_in: Option<LogIn>,
}

/// What goes with each request after the registry asked for it.
enum LogIn {
    Basic,
    Token(Secret),
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<Secret>,
    access_token: Option<Secret>,
}

impl<'a> Session<'a> {
    /// Prepares it; nothing is sent yet. `folder` is where relative paths of settings start.
    pub(crate) fn new(
        reference: &'a Reference,
        settings: &'a RegistrySettings,
        folder: &Path,
        times: PullTimes,
    ) -> Result<Self, PullError> {
        let set_up = |says: String| PullError::SetUp {
            registry: reference.registry().to_owned(),
            says,
        };
        let plain = settings.plain_http;
        let builder = reqwest::Client::builder()
            .user_agent(concat!("andon/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(times.connect)
            .read_timeout(times.silence)
            .redirect(Policy::custom(move |attempt| {
                let safe = plain || attempt.url().scheme() == "https";
                if !safe || attempt.previous().len() > REDIRECTS_MAX {
                    attempt.stop()
                } else {
                    attempt.follow()
                }
            }));
        let authorities = match &settings.ca_file {
            // Even a client that never speaks TLS wants to know how it would.
            _ if plain => Authorities::Nobody,
            Some(file) => Authorities::File(folder.join(file)),
            None => Authorities::Machine,
        };
        let builder =
            builder.tls_backend_preconfigured(tls::configuration(&authorities).map_err(set_up)?);
        // A proxy of the environment is for what is far away.
        let builder = if plain { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(|error| set_up(chain(error)))?;
        Ok(Self {
            http,
            reference,
            settings,
            times,
            scheme: if plain { "http" } else { "https" },
            log_in: None,
        })
    }

    /// The bytes of the manifest and their hash, compared with the digest if the reference has one.
    pub(crate) async fn manifest(&mut self) -> Result<(Vec<u8>, Sha256), PullError> {
        let named = match (self.reference.digest(), self.reference.tag()) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.unwrap_or_default().to_owned(),
        };
        let response = self.get(&format!("manifests/{named}"), ACCEPTED).await?;
        let what = format!("the manifest of {}", self.reference);
        let bytes = self.body(response, &what, MANIFEST_BYTES_MAX).await?;
        let got = Sha256::of(&bytes);
        match self.reference.digest() {
            Some(expected) if *expected != got => Err(wrong_digest(what, expected, got)),
            Some(_) | None => Ok((bytes, got)),
        }
    }

    /// The bytes of a layer, as long as the manifest says and with its digest.
    pub(crate) async fn component(&mut self, layer: &Layer) -> Result<Vec<u8>, PullError> {
        let what = format!("the component of {}", self.reference);
        if layer.bytes > COMPONENT_BYTES_MAX {
            let max = COMPONENT_BYTES_MAX;
            return Err(PullError::TooLarge { what, max });
        }
        let path = format!("blobs/{}", layer.digest);
        let response = self.get(&path, "*/*").await?;
        let bytes = self.body(response, &what, layer.bytes).await?;
        let got = Sha256::of(&bytes);
        if got == layer.digest {
            Ok(bytes)
        } else {
            Err(wrong_digest(what, &layer.digest, got))
        }
    }

    async fn get(&mut self, path: &str, accept: &'static str) -> Result<Response, PullError> {
        // Docker's registry has another name than its references.
        let host = match self.reference.registry() {
            "docker.io" => "registry-1.docker.io",
            named => named,
        };
        let (scheme, repository) = (self.scheme, self.reference.repository());
        let url = format!("{scheme}://{host}/v2/{repository}/{path}");
        let mut response = self.send(&url, accept).await?;
        if response.status() == StatusCode::UNAUTHORIZED && self.log_in.is_none() {
            self.log_in = Some(self.answer(&response).await?);
            response = self.send(&url, accept).await?;
        }
        let registry = self.registry();
        let status = response.status();
        match status {
            StatusCode::OK => Ok(response),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(self.not_let_in(status)),
            StatusCode::NOT_FOUND => Err(PullError::NotFound {
                registry,
                what: format!("{repository}/{path}"),
            }),
            other => Err(PullError::Status {
                registry,
                status: other.as_u16(),
            }),
        }
    }

    async fn send(&self, url: &str, accept: &'static str) -> Result<Response, PullError> {
        let request = self
            .http
            .get(url)
            .header(ACCEPT, HeaderValue::from_static(accept));
        let request = match &self.log_in {
            None => request,
            Some(LogIn::Basic) => self.with_password(request),
            Some(LogIn::Token(token)) => request.bearer_auth(token.expose()),
        };
        request.send().await.map_err(|error| self.broke(error))
    }

    fn with_password(&self, request: RequestBuilder) -> RequestBuilder {
        match (&self.settings.username, &self.settings.password) {
            (Some(name), Some(password)) => request.basic_auth(name, Some(password.expose())),
            _ => request,
        }
    }

    /// Does what a 401 asks for.
    async fn answer(&self, response: &Response) -> Result<LogIn, PullError> {
        let header = response.headers().get(WWW_AUTHENTICATE);
        let challenge = header
            .and_then(|header| header.to_str().ok())
            .and_then(Challenge::parse);
        match challenge {
            Some(Challenge::Basic) if self.settings.username.is_some() => Ok(LogIn::Basic),
            Some(Challenge::Bearer { realm, service }) => {
                self.token(&realm, service).await.map(LogIn::Token)
            }
            Some(Challenge::Basic) | None => Err(self.not_let_in(response.status())),
        }
    }

    async fn token(&self, realm: &str, service: Option<String>) -> Result<Secret, PullError> {
        let fails = |says: &str| PullError::LogIn {
            registry: self.registry(),
            says: says.to_owned(),
        };
        let url = Url::parse(realm).map_err(|_| fails("it names no address for a token"))?;
        let safe = url.scheme() == "https" || (self.settings.plain_http && url.scheme() == "http");
        if !safe {
            return Err(fails("its token server is not reached over TLS"));
        }
        let scope = format!("repository:{}:pull", self.reference.repository());
        let mut query = vec![("scope", scope)];
        query.extend(service.map(|service| ("service", service)));
        let request = self.with_password(self.http.get(url).query(&query));
        let response = request.send().await.map_err(|error| self.broke(error))?;
        match response.status() {
            StatusCode::OK => {}
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                return Err(self.not_let_in(status));
            }
            status => return Err(fails(&format!("its token server answered {status}"))),
        }
        let what = "the answer of the token server";
        let body = self.body(response, what, TOKEN_BYTES_MAX).await?;
        let answer: TokenAnswer = serde_json::from_slice(&body)
            .map_err(|_| fails("its token server answered something that is no token"))?;
        let token = answer.token.or(answer.access_token);
        token.ok_or_else(|| fails("its token server gave no token"))
    }

    /// Reads an answer, never more than the bound and one piece of the network.
    async fn body(
        &self,
        mut response: Response,
        what: &str,
        max: u64,
    ) -> Result<Vec<u8>, PullError> {
        let too_large = || PullError::TooLarge {
            what: what.to_owned(),
            max,
        };
        if response.content_length().is_some_and(|bytes| bytes > max) {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.broke(error))? {
            bytes.extend_from_slice(&piece);
            if bytes.len() as u64 > max {
                return Err(too_large());
            }
        }
        Ok(bytes)
    }

    fn registry(&self) -> String {
        self.reference.registry().to_owned()
    }

    fn broke(&self, error: reqwest::Error) -> PullError {
        let registry = self.registry();
        if let Some(why) = tls::distrust(&error) {
            let (says, remedy) = (why.to_string(), self.remedy(why));
            return PullError::NotTrusted {
                registry,
                says,
                remedy,
            };
        }
        if error.is_timeout() {
            let seconds = self.times.silence.as_secs();
            return PullError::TooSlow { registry, seconds };
        }
        let says = chain(error);
        PullError::Unreachable { registry, says }
    }

    /// What to do about a certificate.
    fn remedy(&self, why: &CertificateError) -> String {
        let registry = self.reference.registry();
        match (why, &self.settings.ca_file) {
            (CertificateError::UnknownIssuer, None) => format!(
                "if its authority is one of your own, name that with `ca_file` under [plugins.registries.\"{registry}\"]"
            ),
            (CertificateError::UnknownIssuer, Some(file)) => {
                format!("its authority must be among the certificates in `ca_file` {file}")
            }
            _ => format!("the certificate must be in date, and for the name in `{registry}`"),
        }
    }

    fn not_let_in(&self, status: StatusCode) -> PullError {
        let who = match &self.settings.username {
            Some(name) => format!("the account `{name}`"),
            None => "somebody without an account".to_owned(),
        };
        PullError::NotLetIn {
            registry: self.registry(),
            repository: self.reference.repository().to_owned(),
            who,
            status: status.as_u16(),
        }
    }
}

fn wrong_digest(what: String, expected: &Sha256, got: Sha256) -> PullError {
    PullError::WrongDigest {
        what,
        expected: expected.clone(),
        got,
    }
}

/// The error with its causes; without the address, which may hold a token.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut says = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        says.push_str(": ");
        says.push_str(&inner.to_string());
        cause = inner.source();
    }
    says
}
