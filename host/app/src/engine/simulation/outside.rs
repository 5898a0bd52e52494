//! The world outside: two providers with their bad days, and the people who carry the phones.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use andon_model::{
    Delivery, DeliveryKind, Incoming, Outcome, Reason, Receipt, ReceiptStatus, Timestamp, Why,
};
use andon_routing::{AddressForm, KnownSink, PeopleSettings, RoutingPlan, check};
use rand::RngExt as _;
use rand::rngs::StdRng;

const PEOPLE: &str = r#"
[[contacts]]
name = "anna"
phone = "+4790000001"
channels = ["smsc", "twilio"]

[[contacts]]
name = "bo"
phone = "+4790000002"
channels = ["smsc", "twilio"]

[[contacts]]
name = "chris"
phone = "+4790000003"
channels = ["twilio", "smsc"]
quiet = [{ from = "22:00", to = "06:00", time_zone = "Europe/Berlin", through = "high" }]

[[contacts]]
name = "chief"
phone = "+4790000004"
channels = ["twilio"]

[[contacts]]
name = "dora"
phone = "+4790000005"
channels = ["smsc", "twilio"]

[[contacts]]
name = "erik"
phone = "+4790000006"
channels = ["twilio", "smsc"]

[[groups]]
name = "crew"
members = ["anna", "bo"]

# Twelve hours each by the wall clock, over the night in which it is set back.
[[schedules]]
name = "shift"
time_zone = "Europe/Berlin"

[[schedules.rotations]]
name = "day and night"
people = ["dora", "erik"]
every = "12h"
starts = "2026-10-12T06:00:00"

[[escalations]]
name = "shift-then-crew"

[[escalations.steps]]
to = ["shift"]
repeat = { times = 1, every = "5m" }

[[escalations.steps]]
to = ["crew"]
after = "10m"

[[escalations.steps]]
to = ["chief"]
after = "15m"
parallel = true

[[routes]]
name = "critical"
priority = "critical"
escalation = "shift-then-crew"

[[routes]]
name = "tanks"
labels = { area = "tanks" }
to = ["chris"]
continue = true

[[routes]]
name = "everything"
to = ["shift"]
resolved = false

[routing]
fallback = ["chief"]
"#;

/// Who is told of what.
pub(super) fn plan() -> Arc<RoutingPlan> {
    let settings: PeopleSettings = toml::from_str(PEOPLE).expect("settings parse");
    let sinks = ["smsc", "twilio"].map(|name| KnownSink {
        name: name.to_owned(),
        address: AddressForm::Phone,
    });
    let (plan, findings) = check(&settings, &sinks);
    Arc::new(plan.unwrap_or_else(|| panic!("refused: {findings:?}")))
}

/// What comes of a message that went out.
pub(super) struct Sent {
    pub(super) takes: Duration,
    pub(super) outcome: Outcome,
    pub(super) reports: Vec<(Duration, Receipt)>,
    pub(super) reply: Option<(Duration, Incoming)>,
}

#[derive(Debug, Default)]
pub(super) struct Outside {
    down: BTreeSet<&'static str>,
    messages: u64,
}

impl Outside {
    pub(super) fn set(&mut self, sink: &'static str, up: bool) {
        if up {
            self.down.remove(sink);
        } else {
            self.down.insert(sink);
        }
    }

    /// A message goes out: the provider takes it, or not, and the person reads it, or not.
    pub(super) fn send(&mut self, row: &Delivery, random: &mut StdRng, _now: Timestamp) -> Sent {
        self.messages += 1;
        let id = format!("m{}", self.messages);
        let takes = Duration::from_millis(random.random_range(80..3_000));
        let why = |reason, says: &str| Why::new(reason, says);
        if self.down.contains(&*row.channel.sink) {
            let outcome = if random.random_bool(0.5) {
                Outcome::SinkFailed {
                    why: why(Reason::ProviderFailed, "no connection"),
                }
            } else {
                Outcome::Retry {
                    after: None,
                    why: why(Reason::RetryLater, "no connection"),
                }
            };
            return Sent::lost(takes, outcome);
        }
        match random.random_range(0..100) {
            0..=2 => Sent::lost(
                takes,
                Outcome::Retry {
                    after: Some(Duration::from_secs(30)),
                    why: why(Reason::Throttled, "slow down"),
                },
            ),
            3 => Sent::lost(
                takes,
                Outcome::Dead {
                    why: why(Reason::RecipientRefused, "phone is off for good"),
                },
            ),
            4 => Sent::lost(takes, unknown()),
            5 => self.read(row, random, (takes, unknown(), id)),
            _ => {
                let taken = Outcome::Sent {
                    provider_ids: vec![id.clone()],
                };
                self.read(row, random, (takes, taken, id))
            }
        }
    }

    /// The message arrives at the phone, mostly.
    fn read(
        &mut self,
        row: &Delivery,
        random: &mut StdRng,
        (takes, outcome, id): (Duration, Outcome, String),
    ) -> Sent {
        let arrives = random.random_bool(0.96);
        let mut reports = Vec::new();
        if random.random_bool(0.9) {
            let receipt = Receipt {
                provider_id: id,
                status: if arrives {
                    ReceiptStatus::Delivered
                } else {
                    ReceiptStatus::Failed
                },
                detail: String::new(),
            };
            // Now and then the report is faster than the answer to the send.
            let wait = takes.mul_f64(random.random_range(0.5..6.0));
            reports.push((wait, receipt));
        }
        let reply = arrives.then(|| self.reply(row, random)).flatten();
        Sent {
            takes,
            outcome,
            reports,
            reply,
        }
    }

    fn reply(&mut self, row: &Delivery, random: &mut StdRng) -> Option<(Duration, Incoming)> {
        let code = row.code.as_ref()?;
        if row.kind != DeliveryKind::Alert {
            return None;
        }
        let text = match random.random_range(0..100) {
            0..=54 => code.to_string(),
            55..=59 => format!("take {code}"),
            60..=62 => format!("escalate {code}"),
            63..=65 => format!("shelve {code} 1h being worked on"),
            66 => "thank you, on my way".to_owned(),
            67 => "STOP".to_owned(),
            _ => return None,
        };
        self.messages += 1;
        let stranger = random.random_bool(0.01);
        let message = Incoming {
            provider_id: format!("r{}", self.messages),
            from: if stranger {
                "+4799999999".to_owned()
            } else {
                row.channel.address.clone()
            },
            to: "2000".to_owned(),
            text,
        };
        let wait = Duration::from_secs(random.random_range(20..1_800));
        Some((wait, message))
    }
}

impl Sent {
    const fn lost(takes: Duration, outcome: Outcome) -> Self {
        Self {
            takes,
            outcome,
            reports: Vec::new(),
            reply: None,
        }
    }
}

fn unknown() -> Outcome {
    Outcome::Unknown {
        why: Why::new(Reason::ResultUnknown, "no answer"),
    }
}
