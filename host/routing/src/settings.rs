//! Contacts, groups, routes and escalations as a person writes them: `[[contacts]]`, `[[groups]]`,
//! `[[routes]]`, `[[escalations]]` and `[routing]`.
//!
//! Only shapes and defaults live here; what they mean together is decided by [`crate::check`].

mod escalations;
mod quiet;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::oncall::ScheduleSettings;
use andon_model::{DurationText, PhoneNumber, Priority};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

pub use escalations::{EscalationSettings, RepeatSettings, StepSettings, UntilSettings};
pub use quiet::{DayName, QuietSettings};

/// Everything that the settings say about people. The keys are those of the settings file.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PeopleSettings {
    /// People who can be told.
    pub contacts: Vec<ContactSettings>,
    /// Names for several contacts at once.
    pub groups: Vec<GroupSettings>,
    /// Who is on call when.
    pub schedules: Vec<ScheduleSettings>,
    /// Which contacts are told of which alarms, tried in this order.
    pub routes: Vec<RouteSettings>,
    /// Whom to tell next while nobody answers; routes name them.
    pub escalations: Vec<EscalationSettings>,
    /// What holds for all routes.
    pub routing: RoutingSettings,
}

/// A person who can be told.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactSettings {
    /// Unique among contacts and groups: letters, digits and `. _ -`.
    pub name: String,
    /// What other people call this person, in messages; the name if it is left out.
    pub display_name: Option<String>,
    /// Phone number in E.164. It is the address in every channel that gives none, and messages
    /// that come from it count as this person's.
    pub phone: Option<PhoneNumber>,
    /// Ways to this person, the first is tried first: names of sinks, or `{ sink, address }`.
    #[serde(default)]
    pub channels: Vec<ChannelSettings>,
    /// When this person is not to be woken: messages wait until the end, and go out as one then.
    #[serde(default)]
    pub quiet: Vec<QuietSettings>,
}

/// One way to a person: the name of a sink, or a sink and the address there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelSettings {
    /// Name of a sink.
    pub sink: String,
    /// Address in that sink's terms; the contact's phone number if it is left out.
    pub address: Option<String>,
}

/// The long form of a channel.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ChannelTable {
    /// Name of a sink.
    sink: String,
    /// Address in that sink's terms; the contact's phone number if it is left out.
    address: Option<String>,
}

/// The two forms, for the schema alone.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum ChannelForms {
    /// Name of a sink; the address is the contact's phone number.
    Sink(String),
    /// A sink and the address there.
    Table(ChannelTable),
}

impl<'de> Deserialize<'de> for ChannelSettings {
    /// By hand, because an untagged enum would hide which key is wrong.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> Visitor<'de> for Forms {
            type Value = ChannelSettings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a sink, or { sink = \"…\", address = \"…\" }")
            }

            fn visit_str<E: de::Error>(self, sink: &str) -> Result<Self::Value, E> {
                Ok(ChannelSettings {
                    sink: sink.to_owned(),
                    address: None,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let table = ChannelTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ChannelSettings {
                    sink: table.sink,
                    address: table.address,
                })
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

impl JsonSchema for ChannelSettings {
    fn schema_name() -> Cow<'static, str> {
        "Channel".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        ChannelForms::json_schema(generator)
    }
}

/// A name for several contacts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupSettings {
    /// Unique among contacts and groups.
    pub name: String,
    /// Names of contacts or of other groups.
    pub members: Vec<String>,
}

/// Which contacts are told of which alarms. Routes may hold routes: a route below another matches
/// only what that one matches, the deepest match tells, and keys that it leaves out are those of
/// the route above it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteSettings {
    /// Unique among all routes; `andon explain` names it as the reason.
    pub name: String,
    /// Labels that an alarm must carry, all of them; each value is a pattern in which `*` stands
    /// for any characters, `?` for one and `{a,b}` for alternatives. `instance` and `key` match
    /// the alarm's own unless a label has that name. No labels match every alarm.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The lowest priority that matches. Default `low`.
    pub priority: Option<Priority>,
    /// Names of contacts and groups that are told. Either this or `escalation`.
    pub to: Option<Vec<String>>,
    /// Name of an escalation: who is told, and who next while nobody answers.
    pub escalation: Option<String>,
    /// Sinks to use here in place of the contacts' own order.
    pub channels: Option<Vec<String>>,
    /// Whether the routes below it in the list are tried as well after this one matched.
    #[serde(default, rename = "continue")]
    pub goes_on: bool,
    /// Whether those who were told are also told when it is over. Default true.
    pub resolved: Option<bool>,
    /// Whether those who were told are also told when somebody else acknowledges or takes it.
    /// Default true where there is an escalation, else false.
    pub notice_when_taken: Option<bool>,
    /// Routes within this one, tried in this order.
    #[serde(default)]
    pub routes: Vec<Self>,
}

/// What holds for all routes.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RoutingSettings {
    /// Contacts and groups that are told when no route matches, when somebody else cannot be
    /// reached, and when nobody answers, so that nothing is lost.
    pub fallback: Vec<String>,
    /// For how long a message is worth sending, by the alarm's priority.
    pub expire_after: ExpirySettings,
    /// Longest text of a message in characters, 80 to 1600; the alarm's words are shortened, never
    /// its priority or code.
    pub text_chars_max: u32,
    /// Pause before a channel that failed for the time being is tried again, once all channels of a
    /// contact have failed.
    pub retry_round: DurationText,
    /// Most messages that may be owed at once, 100 to 1,000,000. New ones of low priority are
    /// refused from 80 % of it, medium from 90 %, high from 95 %.
    pub owed_max: u32,
    /// Time zone of quiet hours that name none: `Europe/Oslo`.
    pub time_zone: Option<String>,
}

impl Default for RoutingSettings {
    fn default() -> Self {
        Self {
            fallback: Vec::new(),
            expire_after: ExpirySettings::default(),
            text_chars_max: 320,
            retry_round: DurationText::from_secs(60),
            owed_max: 100_000,
            time_zone: None,
        }
    }
}

/// For how long a message is worth sending: an alarm that arrives hours late is noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExpirySettings {
    /// Of alarms of low priority.
    pub low: DurationText,
    /// Of alarms of medium priority.
    pub medium: DurationText,
    /// Of alarms of high priority.
    pub high: DurationText,
    /// Of alarms of critical priority.
    pub critical: DurationText,
}

impl Default for ExpirySettings {
    fn default() -> Self {
        let two_hours = DurationText::from_secs(2 * 60 * 60);
        Self {
            low: two_hours,
            medium: two_hours,
            high: two_hours,
            critical: two_hours,
        }
    }
}

impl ExpirySettings {
    /// The limit of a priority.
    #[must_use]
    pub const fn of(&self, priority: Priority) -> Duration {
        match priority {
            Priority::Diagnostic | Priority::Low => self.low.0,
            Priority::Medium => self.medium.0,
            Priority::High => self.high.0,
            Priority::Critical => self.critical.0,
        }
    }

    /// The four limits with their keys.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, Duration); 4] {
        [
            ("low", self.low.0),
            ("medium", self.medium.0),
            ("high", self.high.0),
            ("critical", self.critical.0),
        ]
    }
}
