//! Push messages by [ntfy](https://ntfy.sh): the address of a contact is a topic.
//!
//! One request a message: the JSON form of ntfy's publishing, posted to the server's root. The
//! token of an account is put in by the host; this component never sees it.

use andon_plugin::prelude::*;

/// Longest message that ntfy keeps as a message, bytes; a longer one would arrive as a file.
const MESSAGE_BYTES_MAX: usize = 4096;

/// Longest topic, characters.
const TOPIC_CHARS_MAX: usize = 64;

/// Longest piece of an answer that is told to people, characters.
const SAYS_CHARS_MAX: usize = 200;

/// Parameters of the sink.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// The server: scheme and host, without a path.
    server: String,
    /// What stands at the start of each title: the name of the plant.
    title: String,
    /// Page that a tap on the message opens.
    click: Option<String>,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            server: "https://ntfy.sh".to_owned(),
            title: "Andon".to_owned(),
            click: None,
        }
    }
}

/// A server that messages are published on.
#[derive(Debug)]
pub struct Ntfy {
    /// Where to post.
    url: String,
    title: String,
    click: Option<String>,
}

impl Sink for Ntfy {
    type Parameters = Parameters;

    fn about() -> About {
        About::new(
            "ntfy",
            env!("CARGO_PKG_VERSION"),
            "Push messages by ntfy: the address is a topic.",
        )
    }

    fn configure(parameters: Parameters) -> Result<Self, Failure> {
        let server = parameters.server.trim_end_matches('/');
        let host = server
            .strip_prefix("https://")
            .or_else(|| server.strip_prefix("http://"))
            .unwrap_or_default();
        if host.is_empty() || host.contains(['/', '?', '#', '@', ' ']) {
            return Err(Failure::parameter(
                "server",
                format!("`{}`", parameters.server),
                "a scheme and a host, like https://ntfy.sh",
            ));
        }
        Ok(Self {
            url: format!("{server}/"),
            title: parameters.title,
            click: parameters.click,
        })
    }

    fn deliver(
        &mut self,
        notification: &Notification,
        web: &dyn Web,
    ) -> Result<Receipt, Undelivered> {
        if !is_topic(&notification.address) {
            return Err(Undelivered::new(
                Setback::Address,
                format!(
                    "`{}` is not a topic: it has 1 to {TOPIC_CHARS_MAX} letters, digits, `-` and `_`",
                    notification.address
                ),
            ));
        }
        let answer = web.send(&Request::post_json(&self.url, &self.message(notification)))?;
        let said = answer.json().unwrap_or_default();
        if answer.is_success() {
            let id = said.get("id").and_then(|id| id.as_str());
            return Ok(Receipt {
                id: id.map(str::to_owned),
            });
        }
        // ntfy says what is wrong in `error`; a proxy before it says something else.
        let says = match said.get("error").and_then(|error| error.as_str()) {
            Some(error) => error.to_owned(),
            None => answer.text().trim().to_owned(),
        };
        let says: String = says.chars().take(SAYS_CHARS_MAX).collect();
        Err(Undelivered::by_status("ntfy", &answer, &says))
    }
}

impl Ntfy {
    fn message(&self, notification: &Notification) -> serde_json::Value {
        let (word, tag) = match (notification.occasion, notification.priority) {
            (Occasion::Alert, Priority::Critical) => ("critical alarm", "rotating_light"),
            (Occasion::Alert, Priority::High) => ("alarm", "warning"),
            (Occasion::Alert, Priority::Medium | Priority::Low | Priority::Diagnostic) => {
                ("notice", "information_source")
            }
            (Occasion::Resolved, _) => ("over", "white_check_mark"),
            (Occasion::Answer, _) => ("answer", "speech_balloon"),
            (Occasion::Test, _) => ("test", "test_tube"),
        };
        let mut message = json!({
            "topic": notification.address,
            "title": format!("{}: {word}", self.title).trim_start_matches(": "),
            "message": cut(&notification.text),
            "priority": urgency(notification),
            "tags": [tag],
        });
        if let (Some(click), Some(message)) = (&self.click, message.as_object_mut()) {
            message.insert("click".to_owned(), json!(click));
        }
        message
    }
}

/// ntfy's priority, 1 to 5: from 4 on a phone makes itself heard again and again. What is over, or
/// an answer, wakes nobody.
fn urgency(notification: &Notification) -> u8 {
    match (notification.occasion, notification.priority) {
        (Occasion::Resolved | Occasion::Answer, _) => 3,
        (_, Priority::Critical) => 5,
        (_, Priority::High) => 4,
        (_, Priority::Medium) => 3,
        (_, Priority::Low) => 2,
        (_, Priority::Diagnostic) => 1,
    }
}

fn is_topic(text: &str) -> bool {
    (1..=TOPIC_CHARS_MAX).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// The text, cut at a character so that ntfy takes it as a message.
fn cut(text: &str) -> String {
    if text.len() <= MESSAGE_BYTES_MAX {
        return text.to_owned();
    }
    let room = MESSAGE_BYTES_MAX - '…'.len_utf8();
    let mut bytes = 0;
    let mut cut: String = text
        .chars()
        .take_while(|sign| {
            bytes += sign.len_utf8();
            bytes <= room
        })
        .collect();
    cut.push('…');
    cut
}

export_sink!(Ntfy);
