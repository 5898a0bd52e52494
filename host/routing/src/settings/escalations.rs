//! `[[escalations]]`, as a person writes them.

use andon_model::DurationText;
use schemars::JsonSchema;
use serde::Deserialize;

/// Whom to tell, and whom next while nobody answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalationSettings {
    /// Unique among escalations; routes name it.
    pub name: String,
    /// Steps in their order.
    pub steps: Vec<StepSettings>,
    /// What ends it. Somebody who takes the alarm always does, and so does its end.
    #[serde(default)]
    pub until: UntilSettings,
    /// How many different people have to acknowledge, 1 to 10.
    #[serde(default = "one")]
    pub acknowledgements: u32,
    /// How long after the last step somebody has to answer before the fallback is told that nobody
    /// did, 10s to 24h.
    #[serde(default = "ten_minutes")]
    pub unanswered_after: DurationText,
    /// After that the last step is told again and again, so often: 1m to 24h.
    #[serde(default = "half_an_hour")]
    pub again_every: DurationText,
    /// At most so many times, 0 to 1000.
    #[serde(default = "two_dozen")]
    pub again_times: u32,
}

/// One step of an escalation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepSettings {
    /// Names of contacts and groups that are told.
    pub to: Vec<String>,
    /// How long after the step before, its repeats included, this one comes; after the alarm for
    /// the first. At most 7d.
    #[serde(default = "at_once")]
    pub after: DurationText,
    /// Whether the same people are told again before the next step comes.
    pub repeat: Option<RepeatSettings>,
    /// Whether a contact is told by all channels at once, and not by the next one only when one
    /// fails.
    #[serde(default)]
    pub parallel: bool,
}

/// How often the people of a step are told again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RepeatSettings {
    /// How many more times, 1 to 100.
    pub times: u32,
    /// Time between two of them, 10s to 24h.
    pub every: DurationText,
}

/// What ends an escalation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UntilSettings {
    /// Enough people acknowledged.
    #[default]
    Acknowledged,
    /// Somebody took it; an acknowledgement is not enough.
    Taken,
    /// A provider reported that a message about it arrived.
    Delivered,
}

const fn one() -> u32 {
    1
}

const fn two_dozen() -> u32 {
    24
}

const fn at_once() -> DurationText {
    DurationText::from_secs(0)
}

const fn ten_minutes() -> DurationText {
    DurationText::from_secs(600)
}

const fn half_an_hour() -> DurationText {
    DurationText::from_secs(1_800)
}
