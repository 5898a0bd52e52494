//! `[[sinks]]` with `kind = "twilio"`: one Twilio account, or one sender of it.

use std::path::PathBuf;

use andon_model::{DurationText, Finding, PhoneNumber, Secret};
use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most sends under way at once that can be set.
const WINDOW_MAX: usize = 100;

/// A Twilio account that messages go out by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TwilioSettings {
    /// Name of the sink; channels of contacts name it.
    pub name: String,
    /// What people call the account, in logs and reasons: `Plant north`.
    #[serde(default)]
    pub account_name: Option<String>,
    /// The account's SID: `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// The account's token. Needed unless an API key is given; callbacks are checked with it.
    #[serde(default)]
    pub auth_token: Option<Secret>,
    /// SID of an API key, in place of the token: `SK` and 32 hexadecimal digits.
    #[serde(default)]
    pub api_key_sid: Option<String>,
    /// Secret of the API key.
    #[serde(default)]
    pub api_key_secret: Option<Secret>,
    /// Sender: a number of the account in E.164, a short code, or a name of up to 11 letters and
    /// digits. Either this or `messaging_service_sid`.
    #[serde(default)]
    pub from: Option<String>,
    /// The messaging service that chooses the sender: `MG` and 32 hexadecimal digits.
    #[serde(default)]
    pub messaging_service_sid: Option<String>,
    /// Numbers of the account that replies are fetched from; `from` if none is given.
    #[serde(default)]
    pub reply_numbers: Vec<PhoneNumber>,
    /// Where the API is: another one for a region or a simulator.
    #[serde(default = "default_api_url")]
    pub api_url: String,
    /// Public address that Twilio tells changes of a message's status to. Polling goes on beside it.
    #[serde(default)]
    pub status_callback: Option<String>,
    /// File with certificate authorities (PEM) to trust in place of the machine's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Whether replies are fetched.
    #[serde(default)]
    pub replies: Fetching,
    /// Whether the status of messages is asked for until they arrived or failed.
    #[serde(default)]
    pub receipts: Fetching,
    /// How often replies and statuses are asked for.
    #[serde(default = "default_poll_interval")]
    pub poll_interval: DurationText,
    /// Longest wait for a connection.
    #[serde(default = "default_connect_time_max")]
    pub connect_time_max: DurationText,
    /// Longest wait for the answer to one request.
    #[serde(default = "default_answer_time_max")]
    pub answer_time_max: DurationText,
    /// Most sends under way at once.
    #[serde(default = "default_window")]
    pub window: usize,
}

/// Whether something is asked for regularly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fetching {
    /// Every `poll_interval`.
    #[default]
    Poll,
    /// Never.
    Off,
}

fn default_api_url() -> String {
    "https://api.twilio.com".to_owned()
}

const fn default_poll_interval() -> DurationText {
    DurationText::from_secs(5)
}

const fn default_connect_time_max() -> DurationText {
    DurationText::from_secs(5)
}

const fn default_answer_time_max() -> DurationText {
    DurationText::from_secs(15)
}

const fn default_window() -> usize {
    10
}

impl TwilioSettings {
    /// The name for people: that of the account, else that of the sink.
    #[must_use]
    pub fn label(&self) -> &str {
        self.account_name.as_deref().unwrap_or(&self.name)
    }

    /// User and password of the API: those of the key if there is one.
    pub(super) fn credentials(&self) -> Option<(&str, &Secret)> {
        match (&self.api_key_sid, &self.api_key_secret, &self.auth_token) {
            (Some(sid), Some(secret), _) => Some((sid, secret)),
            (None, None, Some(token)) => Some((&self.account_sid, token)),
            _ => None,
        }
    }

    /// Numbers whose incoming messages are fetched.
    pub(super) fn numbers(&self) -> Vec<PhoneNumber> {
        if !self.reply_numbers.is_empty() {
            return self.reply_numbers.clone();
        }
        let from = self.from.as_deref().and_then(|from| from.parse().ok());
        from.into_iter().collect()
    }
}

/// What is wrong with the settings, all at once; `path` is where they stand.
#[must_use]
pub fn check(settings: &TwilioSettings, path: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    check_sid(
        &mut findings,
        "/account_sid",
        "AC",
        Some(&settings.account_sid),
    );
    check_sid(
        &mut findings,
        "/api_key_sid",
        "SK",
        settings.api_key_sid.as_ref(),
    );
    check_sid(
        &mut findings,
        "/messaging_service_sid",
        "MG",
        settings.messaging_service_sid.as_ref(),
    );
    check_credentials(&mut findings, settings);
    check_sender(&mut findings, settings);
    check_addresses(&mut findings, settings);
    check_limits(&mut findings, settings);
    for finding in &mut findings {
        finding.path.insert_str(0, path);
    }
    findings
}

fn check_sid(findings: &mut Vec<Finding>, path: &str, prefix: &str, sid: Option<&String>) {
    let Some(sid) = sid else { return };
    let digits = sid.strip_prefix(prefix);
    let valid = digits
        .is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    if !valid {
        // What was written may be a token in the wrong place, so it is not repeated.
        findings.push(Finding::error(path, "this is not such a SID").hint(format!(
            "it is {prefix} and 32 hexadecimal digits, as the Twilio console shows it"
        )));
    }
}

fn check_credentials(findings: &mut Vec<Finding>, settings: &TwilioSettings) {
    match (&settings.api_key_sid, &settings.api_key_secret) {
        (Some(_), None) => findings.push(
            Finding::error("/api_key_sid", "the API key has no secret")
                .hint("give api_key_secret or api_key_secret_file"),
        ),
        (None, Some(_)) => findings.push(
            Finding::error("/api_key_secret", "the secret belongs to no API key")
                .hint("give api_key_sid"),
        ),
        (None, None) if settings.auth_token.is_none() => findings.push(
            Finding::error("", "the account has neither a token nor an API key")
                .hint("give auth_token_file, or api_key_sid with api_key_secret_file"),
        ),
        (None, None) | (Some(_), Some(_)) => {}
    }
    for (path, secret) in [
        ("/auth_token", &settings.auth_token),
        ("/api_key_secret", &settings.api_key_secret),
    ] {
        let bad = |secret: &Secret| {
            let text = secret.expose();
            text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control())
        };
        if secret.as_ref().is_some_and(bad) {
            findings.push(
                Finding::error(path, "the secret is empty or has a blank in it")
                    .hint("copy it again from the Twilio console, without a blank or line end"),
            );
        }
    }
}

fn check_sender(findings: &mut Vec<Finding>, settings: &TwilioSettings) {
    match (&settings.from, &settings.messaging_service_sid) {
        (Some(_), Some(_)) => findings.push(
            Finding::error("/from", "both from and messaging_service_sid are given")
                .hint("keep one: a messaging service chooses the sender itself"),
        ),
        (None, None) => findings.push(
            Finding::error("", "the sink has no sender")
                .hint("give from (a number like +4790000001) or messaging_service_sid"),
        ),
        (Some(from), None) if !is_sender(from) => findings.push(
            Finding::error("/from", format!("`{from}` cannot be a sender")).hint(
                "write a number like +4790000001, a short code, or up to 11 letters, digits and \
                 blanks with at least one letter",
            ),
        ),
        (Some(_), None) | (None, Some(_)) => {}
    }
    if settings.replies == Fetching::Poll && settings.numbers().is_empty() {
        findings.push(
            Finding::warning(
                "/reply_numbers",
                "replies are not fetched, because the sink names no number of its own",
            )
            .hint("list the account's numbers in reply_numbers, or set replies = \"off\""),
        );
    }
}

fn is_sender(from: &str) -> bool {
    let short_code = (3..=8).contains(&from.len()) && from.bytes().all(|b| b.is_ascii_digit());
    let name = (1..=11).contains(&from.len())
        && from.bytes().any(|b| b.is_ascii_alphabetic())
        && from.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ');
    from.parse::<PhoneNumber>().is_ok() || short_code || name
}

fn check_addresses(findings: &mut Vec<Finding>, settings: &TwilioSettings) {
    match api_base(&settings.api_url) {
        Err(says) => findings.push(
            Finding::error("/api_url", says)
                .hint("write a scheme and a host, like https://api.twilio.com"),
        ),
        Ok(base) if base.scheme() == "http" && !is_local(&base) => findings.push(
            Finding::warning("/api_url", "the token crosses the network unencrypted")
                .hint("use https for anything but a simulator"),
        ),
        Ok(_) => {}
    }
    if let Some(callback) = &settings.status_callback {
        // Twilio refuses a host name with an underscore.
        let usable = Url::parse(callback).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.host_str().is_some_and(|host| !host.contains('_'))
        });
        if !usable {
            findings.push(
                Finding::error(
                    "/status_callback",
                    format!("`{callback}` is not an address that Twilio can call"),
                )
                .hint("write http or https and a public host name without underscores"),
            );
        }
    }
}

fn check_limits(findings: &mut Vec<Finding>, settings: &TwilioSettings) {
    for (path, value) in [
        ("/poll_interval", settings.poll_interval),
        ("/connect_time_max", settings.connect_time_max),
        ("/answer_time_max", settings.answer_time_max),
    ] {
        if value.0 < DurationText::from_millis(100).0 {
            findings.push(
                Finding::error(path, format!("`{value}` is too short")).hint("write 100ms or more"),
            );
        }
    }
    if settings.answer_time_max > DurationText::from_secs(60) {
        findings.push(
            Finding::error(
                "/answer_time_max",
                format!("`{}` is too long", settings.answer_time_max),
            )
            .hint("write 60s or less: a contact's next channel waits for it"),
        );
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

/// Reads the address of the API: http or https, a host, and nothing that would get lost.
pub(super) fn api_base(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("this is not an address: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("this is not an address of http or https".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("user and password do not belong into the address".to_owned());
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err("the address has more than a scheme, a host and a port".to_owned());
    }
    Ok(url)
}

fn is_local(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}
