//! `[[sinks]]` in the settings: which kinds there are, what is wrong with them, and how one is built.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use andon_model::{Clock, Finding};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::component::{self, Addresses, ComponentSettings};
use crate::twilio::{self, TwilioSettings};
use crate::{Sink, smpp};

/// Most sinks that settings may name.
pub const SINKS_MAX: usize = 64;

/// One `[[sinks]]` table. Settings that are equal build equal sinks, so that a reload can leave
/// such a sink alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum SinkSettings {
    /// SMS by an SMSC, over SMPP 3.4.
    Smpp(smpp::SmppSettings),
    /// SMS by a Twilio account.
    Twilio(TwilioSettings),
    /// A channel that a component of the plugins folder speaks.
    Component(ComponentSettings),
}

impl SinkSettings {
    /// Name of the sink; channels of contacts name it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Smpp(settings) => &settings.name,
            Self::Twilio(settings) => &settings.name,
            Self::Component(settings) => &settings.name,
        }
    }

    /// The word that settings write for the kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Smpp(_) => "smpp",
            Self::Twilio(_) => "twilio",
            Self::Component(_) => "component",
        }
    }

    /// Whether addresses of this sink are phone numbers; else they are whatever its component takes.
    #[must_use]
    pub const fn takes_phone_numbers(&self) -> bool {
        match self {
            Self::Smpp(_) | Self::Twilio(_) => true,
            Self::Component(settings) => matches!(settings.addresses, Addresses::Phone),
        }
    }
}

/// What is wrong with `[[sinks]]`, all at once; paths start with the number of the table.
#[must_use]
pub fn check(sinks: &[SinkSettings]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut names = BTreeSet::new();
    if sinks.len() > SINKS_MAX {
        findings.push(Finding::error(
            "",
            format!("{} sinks are more than {SINKS_MAX}", sinks.len()),
        ));
    }
    for (number, sink) in sinks.iter().enumerate() {
        let name = sink.name();
        if !is_name(name) {
            findings.push(
                Finding::error(
                    format!("/{number}/name"),
                    format!("`{name}` is not a name of a sink"),
                )
                .hint("use 1 to 64 letters, digits, `-`, `_` or `.`"),
            );
        } else if !names.insert(name) {
            findings.push(
                Finding::error(
                    format!("/{number}/name"),
                    format!("two sinks are named `{name}`"),
                )
                .hint("give every sink its own name; contacts choose by it"),
            );
        }
        let own = match sink {
            SinkSettings::Smpp(settings) => smpp::check(settings, &format!("/{number}")),
            SinkSettings::Twilio(settings) => twilio::check(settings, &format!("/{number}")),
            SinkSettings::Component(settings) => component::check(settings, &format!("/{number}")),
        };
        findings.extend(own);
    }
    findings
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// Builds a sink from settings that [`check`] found nothing wrong with. Reads certificate
/// authorities where the sink needs them; connects nowhere. A sink component is not loaded here:
/// [`crate::ComponentSink::adopt`] takes it in.
///
/// # Errors
/// [`BuildError`], if the machine lacks something that the settings need.
pub fn build(settings: &SinkSettings, clock: Arc<dyn Clock>) -> Result<Arc<dyn Sink>, BuildError> {
    match settings {
        SinkSettings::Smpp(settings) => Ok(smpp::build(settings, clock)?),
        SinkSettings::Twilio(settings) => twilio::build(settings, clock),
        SinkSettings::Component(settings) => component::build(settings, clock),
    }
}

/// A sink that could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The SMPP sink.
    #[error(transparent)]
    Smpp(#[from] smpp::SmppError),
    /// The settings were not checked, or the check missed this.
    #[error("sink {sink}: {says}")]
    Settings {
        /// Which sink.
        sink: String,
        /// What is wrong.
        says: String,
    },
    /// The file with certificate authorities is of no use.
    #[error(
        "sink {sink}: read certificate authorities from {}; ca_file must be a readable file in PEM format with at least one certificate",
        path.display()
    )]
    CaFile {
        /// Which sink.
        sink: String,
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// The machine trusts nobody.
    #[error(
        "sink {sink}: this machine has no certificate authorities to check the server by; mount them at /etc/ssl/certs/ca-certificates.crt, name the file in SSL_CERT_FILE, or set ca_file"
    )]
    NoAuthorities {
        /// Which sink.
        sink: String,
    },
    /// TLS or HTTP could not be set up.
    #[error("sink {sink}: set up {what}")]
    SetUp {
        /// Which sink.
        sink: String,
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
