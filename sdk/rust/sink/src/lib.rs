//! Posts each message as JSON to the address of the contact. Replace it by your own sink.

use andon_plugin::prelude::*;

/// Longest piece of an answer that is told to people, characters.
const SAYS_CHARS_MAX: usize = 200;

/// What the settings can set. People read these comments when they configure the sink.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Who says so: the name of the plant
    title: String,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            title: "Andon".to_owned(),
        }
    }
}

/// The sink.
#[derive(Debug)]
pub struct Webhook {
    parameters: Parameters,
}

impl Sink for Webhook {
    type Parameters = Parameters;

    fn about() -> About {
        About::new(
            "{{name}}",
            "1.0.0",
            "Posts each message as JSON to the address of the contact.",
        )
    }

    fn configure(parameters: Parameters) -> Result<Self, Failure> {
        Ok(Self { parameters })
    }

    fn deliver(&mut self, message: &Notification, web: &dyn Web) -> Result<Receipt, Undelivered> {
        let address = &message.address;
        if !address.starts_with("https://") && !address.starts_with("http://") {
            let says = format!("`{address}` is no address like https://example.net/path");
            return Err(Undelivered::new(Setback::Address, says));
        }
        let body = json!({
            "id": message.id,
            "title": self.parameters.title,
            "text": message.text,
            "occasion": word(message.occasion),
            "priority": message.priority.to_string(),
            "attempt": message.attempt,
        });
        let answer = web.send(&Request::post_json(address, &body))?;
        if !answer.is_success() {
            let says: String = answer.text().trim().chars().take(SAYS_CHARS_MAX).collect();
            return Err(Undelivered::by_status("the webhook", &answer, &says));
        }
        let said = answer.json().unwrap_or_default();
        let id = said.get("id").and_then(|id| id.as_str());
        Ok(Receipt {
            id: id.map(str::to_owned),
        })
    }
}

fn word(occasion: Occasion) -> &'static str {
    match occasion {
        Occasion::Alert => "alert",
        Occasion::Resolved => "resolved",
        Occasion::Answer => "answer",
        Occasion::Test => "test",
    }
}

export_sink!(Webhook);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_posted_and_its_answer_is_read() {
        let mut bench = SinkBench::<Webhook>::start(json!({ "title": "Plant" })).unwrap();
        let message = Notification::for_test("https://example.net/hook", "it burns");
        bench.answer(200, &[], r#"{ "id": "r-1" }"#);
        let receipt = bench.deliver(&message).unwrap();
        assert_eq!(receipt.id.as_deref(), Some("r-1"));
        let request = bench.requests().remove(0);
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["text"], "it burns");

        bench.answer(429, &[("Retry-After", "30")], "later");
        let refused = bench.deliver(&message).unwrap_err();
        let wait = Some(Duration::from_secs(30));
        assert_eq!(refused.setback, Setback::Throttled(wait));
        bench.answer(404, &[], "who?");
        let refused = bench.deliver(&message).unwrap_err();
        assert_eq!(refused.setback, Setback::Address);
    }
}
