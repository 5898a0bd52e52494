//! The section `[api]` of the settings: who may use the API, where it is served, and how much of
//! it one caller gets.

use std::net::SocketAddr;

use andon_model::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;

/// Who may use the API and where it is served. The same doors serve the status page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApiSettings {
    /// A second address for the API and the page; with it `tls` counts there, and `[host] listen`
    /// goes on without TLS. A change needs a restart.
    #[serde(deserialize_with = "listen_address")]
    #[schemars(with = "Option<String>")]
    pub listen: Option<SocketAddr>,
    /// Whether an address that other machines reach may be served without TLS: only behind a
    /// proxy that speaks TLS, or where the network itself is protected.
    pub plain_http: PlainHttp,
    /// Who reads `/metrics` from another machine.
    pub metrics: MetricsAccess,
    /// Requests a minute that one address may make; ten seconds' worth may come at once.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub requests_per_minute_address: u32,
    /// Requests a minute that one user or token may make; ten seconds' worth may come at once.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub requests_per_minute_caller: u32,
    /// Certificate and key; without them the API is served without TLS.
    pub tls: Option<TlsSettings>,
    /// People with passwords. Programs use tokens: `andon token new`.
    pub users: Vec<UserSettings>,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            listen: None,
            plain_http: PlainHttp::default(),
            metrics: MetricsAccess::default(),
            requests_per_minute_address: 1_200,
            requests_per_minute_caller: 600,
            tls: None,
            users: Vec::new(),
        }
    }
}

/// Certificate and key of the API. Both are read again when they change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// PEM file of the certificate, then of those that vouch for it.
    pub cert: String,
    /// PEM file of its private key (PKCS#8, PKCS#1 or SEC1), not encrypted.
    pub key: String,
}

/// A person with a password.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserSettings {
    /// Name to log in with; it stands in the journal beside all that this person does.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// What this person may do.
    pub role: Role,
    /// What `andon user hash` prints for the password: argon2id as a PHC string.
    pub password_hash: Secret,
}

/// What somebody may do; each role may also do what those before it may.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Acknowledges, shelves and takes alarms.
    Operator,
    /// Looks after plugins, injects values, sends tests, takes alarms out of service, reloads.
    Engineer,
    /// Looks after tokens.
    Admin,
}

impl Role {
    /// All roles, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Operator, Self::Engineer, Self::Admin];

    /// The word as settings write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Engineer => "engineer",
            Self::Admin => "admin",
        }
    }
}

/// Whether the API is served without TLS to other machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlainHttp {
    /// On this machine alone.
    #[default]
    Loopback,
    /// To everybody who reaches the address.
    Allowed,
}

/// Who reads `/metrics` from another machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MetricsAccess {
    /// Who may read the rest.
    #[default]
    Viewer,
    /// Everybody.
    Open,
}

/// With words of its own: the standard library's do not say what is wanted.
fn listen_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        de::Error::custom(format!(
            "`{text}` is not an IP address with a port: write it like 0.0.0.0:8443"
        ))
    })
}
