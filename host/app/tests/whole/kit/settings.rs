//! The settings of the stand: ten tanks, three people, two ways out.

use std::fmt::Write as _;

/// Told of everything, by SMPP.
pub(crate) const ANNA: &str = "+4790000001";
/// Told of everything, by SMPP.
pub(crate) const BO: &str = "+4790000002";
/// Told of what carries the label `area = "dosing"`, by Twilio.
pub(crate) const CECILIE: &str = "+4790000003";
/// The number that people answer to.
const OUR_NUMBER: &str = "+4759440000";
pub(crate) const SMPP_PASSWORD: &str = "pass-smp";
pub(crate) const TWILIO_TOKEN: &str = "token-of-the-twilio-account";
pub(crate) const ACCOUNT_SID: &str = "AC00000000000000000000000000000001";
/// How many tanks: `tank0.level` is holding register 0, and so on.
const TANKS: u16 = 10;

/// The settings with these addresses.
pub(crate) fn andon_toml(plc: &str, smsc: &str, twilio: &str) -> String {
    let mut text = format!(
        r#"[host]
listen = "127.0.0.1:0"

[poll.default]
interval = "20ms"

[[devices]]
name = "plc"
address = "{plc}"
timeout = "500ms"
attempts = 1
reconnect_min = "50ms"
reconnect_max = "200ms"

[[sinks]]
kind = "smpp"
name = "sms"
address = "{smsc}"
system_id = "plant"
password_file = "smsc-password"
source = "{OUR_NUMBER}"
throughput = 500
reconnect_delay = "100ms"
response_timeout = "60s"

[[sinks]]
kind = "twilio"
name = "twilio"
account_sid = "{ACCOUNT_SID}"
auth_token = "{TWILIO_TOKEN}"
from = "+4759440001"
api_url = "http://{twilio}"
poll_interval = "1s"

[courier]
drain_time_max = "2s"
retry_delay = "200ms"
throttled_delay = "300ms"
sink_failed_delay = "300ms"
sink_failed_delay_max = "1s"
look_up_after = "200ms"

[[contacts]]
name = "anna"
display_name = "Anna Berg"
phone = "{ANNA}"
channels = ["sms"]

[[contacts]]
name = "bo"
phone = "{BO}"
channels = ["sms"]

[[contacts]]
name = "cecilie"
phone = "{CECILIE}"
channels = ["twilio"]

[[routes]]
name = "dosing"
labels = {{ area = "dosing" }}
to = ["cecilie"]

[[routes]]
name = "everything"
to = ["anna", "bo"]

[routing]
fallback = ["anna"]

"#
    );
    for tank in 0..TANKS {
        writeln!(
            text,
            "[[tags]]\nname = \"tank{tank}.level\"\ndevice = \"plc\"\naddress = \"holding:{tank}\"\n"
        )
        .expect("a text takes more");
    }
    text
}

/// An instance of `limits` that raises above 100.
pub(crate) const LEVELS_TOML: &str = r#"component = "limits.wasm"

[inputs]
inputs = ["tank*.level"]

[parameters]
high = 100.0
"#;
