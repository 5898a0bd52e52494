//! A sink whose parameter `mode` chooses how it behaves: `plain`, or one kind of hostility. Each
//! mode is named in a test of `host/wasm` or of the whole program.

#![allow(clippy::panic, reason = "trapping is what some modes are for")]
#![allow(
    clippy::disallowed_methods,
    reason = "waiting in a call is what one mode is for"
)]

use andon_plugin::prelude::*;

/// How to behave.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// How.
    mode: String,
    /// Where to send to.
    url: String,
    /// A number whose meaning the mode gives.
    amount: u64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            mode: "plain".to_owned(),
            url: "https://provider.example/".to_owned(),
            amount: 0,
        }
    }
}

/// The sink.
#[derive(Debug)]
pub struct Hostile(Parameters);

impl Sink for Hostile {
    type Parameters = Parameters;

    fn about() -> About {
        About::new("hostile-sink", "0.1.0", "Behaves as its mode says.")
    }

    fn configure(parameters: Parameters) -> Result<Self, Failure> {
        match parameters.mode.as_str() {
            "configure-declines" => Err(Failure::new("no-such-thing", "there is no such mode")),
            "configure-traps" => panic!("configure gives up"),
            _ => Ok(Self(parameters)),
        }
    }

    fn deliver(
        &mut self,
        notification: &Notification,
        web: &dyn Web,
    ) -> Result<Receipt, Undelivered> {
        match self.0.mode.as_str() {
            "loop" => endless(),
            "trap" => panic!("the sink gives up"),
            "sleep" => std::thread::sleep(Duration::from_millis(self.0.amount)),
            "allocate" => drop(std::hint::black_box(vec![1_u8; size(self.0.amount)])),
            "send-then-trap" => {
                self.send(notification, web)?;
                panic!("the sink gives up after it sent");
            }
            "send-then-loop" => {
                self.send(notification, web)?;
                endless();
            }
            "send-many" => {
                for _ in 0..self.0.amount {
                    self.send(notification, web)?;
                }
            }
            "send-huge" => {
                let body = vec![b'x'; size(self.0.amount)];
                web.send(&Request::post(&self.0.url, body))?;
            }
            "say-all" => return Err(self.say_all(notification, web)),
            _ => return self.send(notification, web),
        }
        Ok(Receipt::default())
    }
}

impl Hostile {
    fn send(&self, notification: &Notification, web: &dyn Web) -> Result<Receipt, Undelivered> {
        let body = format!("{} {}", notification.address, notification.text);
        let answer = web.send(&Request::post(&self.0.url, body))?;
        if answer.is_success() {
            let id = answer.header("x-id").map(str::to_owned);
            Ok(Receipt { id })
        } else {
            Err(Undelivered::by_status("it", &answer, &answer.text()))
        }
    }

    /// Sets a header that is the host's to set, and tells all that it can learn.
    fn say_all(&self, notification: &Notification, web: &dyn Web) -> Undelivered {
        let request = Request::post(&self.0.url, format!("{notification:?}"))
            .header("authorization", "Bearer my-own")
            .header("x-mine", "mine");
        let answer = match web.send(&request) {
            Ok(answer) => answer,
            Err(error) => return error.into(),
        };
        let environment: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
        let says = format!(
            "{} {:?} {} {environment:?}",
            answer.status,
            answer.headers,
            answer.text()
        );
        Undelivered::new(Setback::Message, says)
    }
}

fn endless() -> ! {
    let mut count = 0_u64;
    loop {
        count = std::hint::black_box(count.wrapping_add(1));
    }
}

fn size(amount: u64) -> usize {
    usize::try_from(amount).unwrap_or(usize::MAX)
}

export_sink!(Hostile);
