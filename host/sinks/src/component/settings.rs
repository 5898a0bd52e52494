//! `[[sinks]]` with `kind = "component"`: a channel that a component of the plugins folder speaks.

use std::path::PathBuf;

use andon_model::{DurationText, Finding, Secret};
use reqwest::header::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::hosts::HostPattern;

/// Most deliveries at once that can be set; each has an instance with memory of its own.
const WINDOW_MAX: usize = 64;
/// Most hosts that a sink may name.
const HOSTS_MAX: usize = 64;
/// Most headers that the host adds.
const HEADERS_MAX: usize = 64;

/// Headers that belong to the connection: a settings file cannot set them.
const RESERVED: [&str; 6] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "upgrade",
    "te",
];

/// A sink component and what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComponentSettings {
    /// Name of the sink; channels of contacts name it.
    pub name: String,
    /// File of the component in the plugins folder: `ntfy.wasm`.
    pub component: String,
    /// What its addresses are.
    #[serde(default)]
    pub addresses: Addresses,
    /// Hosts that it may send requests to, and no others: `ntfy.sh`, `*.example.org` for all names
    /// below, `10.0.0.5:8443` with a port that is not the usual one.
    pub hosts: Vec<String>,
    /// Where requests may go without TLS.
    #[serde(default)]
    pub plain_http: PlainHttp,
    /// Headers that the host adds to requests, with secrets that the component never sees.
    #[serde(default)]
    pub headers: Vec<HeaderSettings>,
    /// Parameters of the component, as `andon plugin inspect` lists them. It sees them, so they are
    /// no place for a secret.
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// File with certificate authorities (PEM) to trust in place of the machine's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Longest time for one delivery, waiting for the provider included.
    #[serde(default = "default_call_time")]
    pub call_time: DurationText,
    /// Longest time that the component may compute within it.
    #[serde(default = "default_compute_time")]
    pub compute_time: DurationText,
    /// Memory of one instance, MiB.
    #[serde(default = "default_memory_mib")]
    #[schemars(range(min = 1, max = 4096))]
    pub memory_mib: u32,
    /// Most sends under way at once, each by an instance of its own.
    #[serde(default = "default_window")]
    pub window: usize,
}

/// A header that the host adds, in place of one that the component may have set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderSettings {
    /// For requests to this host, as `hosts` names it. Needed if `hosts` names more than one.
    #[serde(default)]
    pub host: Option<String>,
    /// Name of the header: `Authorization`.
    pub name: String,
    /// What stands before the value: `Bearer `.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Its value.
    pub value: Secret,
}

/// What the addresses of a sink are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Addresses {
    /// Something of its own, which each channel of a contact names: a topic, a user.
    #[default]
    Own,
    /// Phone numbers; that of the contact where its channel names none.
    Phone,
}

/// Where requests may go without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PlainHttp {
    /// To this machine alone.
    #[default]
    Loopback,
    /// To every host of `hosts`.
    Allowed,
}

const fn default_call_time() -> DurationText {
    DurationText::from_secs(10)
}

const fn default_compute_time() -> DurationText {
    DurationText::from_secs(1)
}

const fn default_memory_mib() -> u32 {
    64
}

const fn default_window() -> usize {
    4
}

impl ComponentSettings {
    /// The JSON for `configure`: the parameters and the sink's name, nothing else.
    pub(super) fn configuration(&self) -> String {
        serde_json::json!({
            "instance": self.name,
            "parameters": self.parameters,
            "inputs": [],
        })
        .to_string()
    }

    /// The allowed hosts; those that cannot be read are left out, and [`check`] tells of them.
    pub(super) fn patterns(&self) -> Vec<HostPattern> {
        let hosts = self.hosts.iter();
        hosts
            .filter_map(|host| HostPattern::parse(host).ok())
            .collect()
    }
}

/// What is wrong with the settings, all at once; `path` is where they stand.
#[must_use]
pub fn check(settings: &ComponentSettings, path: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    check_component(&mut findings, &settings.component);
    check_hosts(&mut findings, settings);
    check_headers(&mut findings, settings);
    check_limits(&mut findings, settings);
    for finding in &mut findings {
        finding.path.insert_str(0, path);
    }
    findings
}

fn check_component(findings: &mut Vec<Finding>, file: &str) {
    let plain = !file.contains(['/', '\\']) && file.len() > ".wasm".len();
    if !(plain && file.ends_with(".wasm")) {
        findings.push(
            Finding::error(
                "/component",
                format!("`{file}` is not a component of the plugins folder"),
            )
            .hint("write the name of its file, without a folder, like ntfy.wasm"),
        );
    }
}

fn check_hosts(findings: &mut Vec<Finding>, settings: &ComponentSettings) {
    if settings.hosts.is_empty() {
        findings.push(
            Finding::error("/hosts", "no host is allowed, so it can reach nobody")
                .hint("name the provider's host, like hosts = [\"ntfy.sh\"]"),
        );
    }
    if settings.hosts.len() > HOSTS_MAX {
        findings.push(Finding::error(
            "/hosts",
            format!("{} hosts are more than {HOSTS_MAX}", settings.hosts.len()),
        ));
    }
    for (index, host) in settings.hosts.iter().enumerate() {
        if let Err(why) = HostPattern::parse(host) {
            findings.push(
                Finding::error(format!("/hosts/{index}"), format!("`{host}`: {why}"))
                    .hint("write a host alone, like ntfy.sh, *.example.org or 10.0.0.5:8443"),
            );
        }
    }
    if settings.plain_http == PlainHttp::Allowed {
        findings.push(
            Finding::warning(
                "/plain_http",
                "messages and secrets may cross the network unencrypted",
            )
            .hint("leave it out for anything but a server in a network of your own"),
        );
    }
}

fn check_headers(findings: &mut Vec<Finding>, settings: &ComponentSettings) {
    if settings.headers.len() > HEADERS_MAX {
        findings.push(Finding::error(
            "/headers",
            format!(
                "{} headers are more than {HEADERS_MAX}",
                settings.headers.len()
            ),
        ));
    }
    for (index, header) in settings.headers.iter().enumerate() {
        let at = |key: &str| format!("/headers/{index}{key}");
        match &header.host {
            Some(host) if !settings.hosts.contains(host) => findings.push(
                Finding::error(at("/host"), format!("`{host}` is not in hosts"))
                    .hint("write it exactly as hosts has it"),
            ),
            None if settings.hosts.len() > 1 => findings.push(
                Finding::error(at(""), "it is not said for which host the header is")
                    .hint("add host = \"…\", as hosts has it"),
            ),
            Some(_) | None => {}
        }
        let name = header.name.to_ascii_lowercase();
        if RESERVED.contains(&name.as_str()) || HeaderName::from_bytes(name.as_bytes()).is_err() {
            findings.push(
                Finding::error(
                    at("/name"),
                    format!("`{}` cannot be such a header", header.name),
                )
                .hint("write a name like Authorization or X-Api-Key"),
            );
        }
        let whole = format!(
            "{}{}",
            header.prefix.as_deref().unwrap_or(""),
            header.value.expose()
        );
        if header.value.expose().is_empty() || HeaderValue::from_str(&whole).is_err() {
            findings.push(
                Finding::error(
                    at("/value"),
                    "the value is empty or has signs that no header may have",
                )
                .hint("use letters, digits and signs of ASCII, without a line end"),
            );
        }
    }
}

fn check_limits(findings: &mut Vec<Finding>, settings: &ComponentSettings) {
    for (path, value, most) in [
        ("/call_time", settings.call_time, 60),
        ("/compute_time", settings.compute_time, 10),
    ] {
        if value < DurationText::from_millis(10) || value > DurationText::from_secs(most) {
            findings.push(
                Finding::error(path, format!("`{value}` cannot be"))
                    .hint(format!("write 10ms to {most}s")),
            );
        }
    }
    if !(1..=WINDOW_MAX).contains(&settings.window) {
        findings.push(
            Finding::error(
                "/window",
                format!("`{}` sends at once cannot be", settings.window),
            )
            .hint(format!("write 1 to {WINDOW_MAX}")),
        );
    }
}
