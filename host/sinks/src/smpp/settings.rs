//! Settings of one SMPP connection, and their check.

use andon_model::{DurationText, Finding, PhoneNumber, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::receipt::MessageIdBase;

/// One bind as transceiver to one SMSC (short message service centre).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmppSettings {
    /// Name by which channels of contacts name this sink.
    pub name: String,
    /// Host and port of the SMSC; the usual port is 2775.
    #[schemars(example = "smsc.example.net:2775")]
    pub address: String,
    /// Account at the SMSC; at most 15 characters.
    pub system_id: String,
    /// Password of the account. The standard allows 8 characters; longer ones are sent as they are.
    pub password: Secret,
    /// Kind of system, where the SMSC asks for one; at most 12 characters.
    #[serde(default)]
    pub system_type: String,
    /// Sender that phones show: a number like `+4790000001`, a short code, or up to 11 letters and
    /// digits. Empty: the SMSC's default.
    #[serde(default)]
    pub source: String,
    /// Type of number of the sender. By default 1 for `+…`, 0 for a short code, 5 for a name.
    #[serde(default)]
    pub source_ton: Option<u8>,
    /// Numbering plan of the sender. By default 1 for `+…`, else 0.
    #[serde(default)]
    pub source_npi: Option<u8>,
    /// Type of number of recipients; 1 is international.
    #[serde(default = "one")]
    pub dest_ton: u8,
    /// Numbering plan of recipients; 1 is E.164.
    #[serde(default = "one")]
    pub dest_npi: u8,
    /// `service_type` of messages, where the SMSC asks for one; at most 5 characters.
    #[serde(default)]
    pub service_type: String,
    /// What the SMSC takes `data_coding` 0 for. `gsm` at most of them; wrong accents and `@`s in
    /// received messages are a sign that it is `latin1`.
    #[serde(default)]
    pub alphabet: DefaultAlphabet,
    /// Whether characters outside the GSM alphabet are replaced by similar ones where that avoids
    /// UCS-2, which holds 70 characters a message instead of 160.
    #[serde(default = "yes")]
    pub transliterate: bool,
    /// How texts that need more than one segment are sent.
    #[serde(default)]
    pub long_messages: LongMessages,
    /// Longest message in segments; a longer text is cut and ends in `...`.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 255))]
    pub segments_max: u8,
    /// Which delivery receipts are asked for.
    #[serde(default)]
    pub receipts: Receipts,
    /// How ids in receipts differ from those in answers.
    #[serde(default)]
    pub receipt_id_base: MessageIdBase,
    /// Whether the SMSC is told until when a message makes sense.
    #[serde(default)]
    pub validity: Validity,
    /// How many messages may wait for the SMSC's answer at once.
    #[serde(default = "window")]
    #[schemars(range(min = 1, max = 1000))]
    pub window: u16,
    /// How many segments a second may go out. Halved while the SMSC throttles.
    #[serde(default = "throughput")]
    #[schemars(range(min = 1, max = 10000))]
    pub throughput: u32,
    /// How often the connection is tested.
    #[serde(default = "half_a_minute")]
    pub enquire_link_interval: DurationText,
    /// How long an answer may take. A message without one has an unknown result.
    #[serde(default = "half_a_minute")]
    pub response_timeout: DurationText,
    /// How long connecting and binding may take.
    #[serde(default = "half_a_minute")]
    pub bind_timeout: DurationText,
    /// Wait before connecting again after a failure; doubles up to 12 times as long. After a
    /// refused account it starts at 12 times as long, because providers block who keeps knocking.
    #[serde(default = "ten_seconds")]
    pub reconnect_delay: DurationText,
}

/// What an SMSC takes `data_coding` 0 for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DefaultAlphabet {
    /// GSM 03.38, one septet an octet.
    #[default]
    Gsm,
    /// ISO 8859-1.
    Latin1,
}

/// How a text that needs several segments is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LongMessages {
    /// Several messages, each with a user data header.
    #[default]
    Udh,
    /// Several messages with the TLVs `sar_msg_ref_num`, `sar_total_segments`, `sar_segment_seqnum`.
    Sar,
    /// One message with the TLV `message_payload`; the SMSC cuts it.
    Payload,
}

/// Which receipts are asked for (`registered_delivery`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Receipts {
    /// Of success and of failure.
    #[default]
    All,
    /// Of failure alone.
    Failures,
    /// None; a message then stays "sent".
    None,
}

impl Receipts {
    /// Bits 0 and 1 of `registered_delivery`.
    pub(super) const fn bits(self) -> u8 {
        match self {
            Self::All => 1,
            Self::Failures => 2,
            Self::None => 0,
        }
    }
}

/// Whether `validity_period` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Validity {
    /// As a time from now, up to the expiry of the delivery.
    #[default]
    Relative,
    /// Not set: the SMSC's own period. For an SMSC that refuses relative times (status 0x62).
    None,
}

const fn one() -> u8 {
    1
}
const fn ten() -> u8 {
    10
}
const fn yes() -> bool {
    true
}
const fn window() -> u16 {
    10
}
const fn throughput() -> u32 {
    10
}
const fn half_a_minute() -> DurationText {
    DurationText::from_secs(30)
}
const fn ten_seconds() -> DurationText {
    DurationText::from_secs(10)
}

/// Finds everything that is wrong. `path` is the JSON pointer of these settings.
#[must_use]
pub fn check(settings: &SmppSettings, path: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(check_address(&settings.address).map(|says| {
        Finding::error(format!("{path}/address"), says)
            .hint("write host:port, like smsc.example.net:2775")
    }));
    if settings.system_id.is_empty() {
        findings.push(Finding::error(
            format!("{path}/system_id"),
            "system_id is empty",
        ));
    }
    check_lengths(settings, path, &mut findings);
    check_source(settings, path, &mut findings);
    check_numbers(settings, path, &mut findings);
    check_durations(settings, path, &mut findings);
    findings
}

fn check_address(address: &str) -> Option<String> {
    let port = address
        .rsplit_once(':')
        .filter(|(host, _)| !host.is_empty())
        .and_then(|(_, port)| port.parse::<u16>().ok());
    match port {
        Some(0) | None => Some(format!("`{address}` is not a host and a port")),
        Some(_) => None,
    }
}

/// Longest texts without their NUL (SMPP 3.4 sections 4.1.5 and 4.4.1).
fn check_lengths(settings: &SmppSettings, path: &str, findings: &mut Vec<Finding>) {
    let texts = [
        ("system_id", settings.system_id.as_str(), 15),
        ("system_type", &settings.system_type, 12),
        ("service_type", &settings.service_type, 5),
        ("source", &settings.source, 20),
    ];
    for (key, text, most) in texts {
        if text.len() > most {
            findings.push(Finding::error(
                format!("{path}/{key}"),
                format!("`{text}` is longer than the {most} characters that SMPP allows"),
            ));
        }
        if !text.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
            findings.push(Finding::error(
                format!("{path}/{key}"),
                format!("`{text}` has characters that SMPP cannot carry here: only plain ASCII"),
            ));
        }
    }
    let password = settings.password.expose();
    if !password.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        findings.push(Finding::error(
            format!("{path}/password"),
            "the password has characters that SMPP cannot carry: only plain ASCII",
        ));
    } else if password.len() > 8 {
        findings.push(
            Finding::warning(
                format!("{path}/password"),
                "the password is longer than the 8 characters of SMPP 3.4",
            )
            .hint("fine if the provider gave it so; else ask for a shorter one"),
        );
    }
}

fn check_source(settings: &SmppSettings, path: &str, findings: &mut Vec<Finding>) {
    let source = settings.source.as_str();
    let place = format!("{path}/source");
    if source.starts_with('+') && source.parse::<PhoneNumber>().is_err() {
        findings.push(
            Finding::error(place, format!("`{source}` is not a phone number in E.164"))
                .hint("write + and the country code, then digits, like +4790000001"),
        );
    } else if !source.bytes().all(|b| b.is_ascii_digit() || b == b'+') && source.len() > 11 {
        findings.push(
            Finding::warning(
                place,
                format!("the sender name `{source}` is longer than 11 characters"),
            )
            .hint("networks cut or refuse longer names"),
        );
    }
}

fn check_numbers(settings: &SmppSettings, path: &str, findings: &mut Vec<Finding>) {
    let numbers = [
        ("segments_max", u32::from(settings.segments_max), 255),
        ("window", u32::from(settings.window), 1000),
        ("throughput", settings.throughput, 10_000),
    ];
    for (key, number, most) in numbers {
        if number == 0 || number > most {
            findings.push(Finding::error(
                format!("{path}/{key}"),
                format!("{number} is not between 1 and {most}"),
            ));
        }
    }
}

fn check_durations(settings: &SmppSettings, path: &str, findings: &mut Vec<Finding>) {
    let durations = [
        ("enquire_link_interval", settings.enquire_link_interval),
        ("response_timeout", settings.response_timeout),
        ("bind_timeout", settings.bind_timeout),
        ("reconnect_delay", settings.reconnect_delay),
    ];
    for (key, duration) in durations {
        if duration.0.is_zero() || duration.0.as_secs() > 86_400 {
            findings.push(Finding::error(
                format!("{path}/{key}"),
                format!("{duration} is not more than nothing and at most a day"),
            ));
        }
    }
}
