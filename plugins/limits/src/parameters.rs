//! Parameters, and the checks that no schema can make.

use std::borrow::Cow;
use std::fmt;

use andon_plugin::prelude::*;
use schemars::{Schema, SchemaGenerator};
use serde::de::{self, Deserializer, MapAccess, Visitor};

use crate::level::{Level, LevelName};

/// Parameters of the rule. At least one of the four limits must be given; limits are in the unit of
/// the inputs.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Low low limit: a number, or a table with `limit` and its own priority, deadband and delays.
    pub low_low: Option<LevelSetting>,
    /// Low limit: a number, or a table.
    pub low: Option<LevelSetting>,
    /// High limit: a number, or a table.
    pub high: Option<LevelSetting>,
    /// High high limit: a number, or a table.
    pub high_high: Option<LevelSetting>,
    /// How far a value must come back behind a limit before the alarm clears.
    #[serde(default)]
    pub deadband: f64,
    /// How long a value must be beyond a limit before the alarm is raised.
    #[serde(default)]
    pub on_delay: DurationText,
    /// How long a value must be back before the alarm clears.
    #[serde(default)]
    pub off_delay: DurationText,
    /// What a sample of bad quality does.
    #[serde(default)]
    pub on_bad_quality: OnBadQuality,
    /// Text of the alarm, with {tag}, {level}, {value}, {side} and {limit} filled in.
    pub message: Option<String>,
}

/// One limit with what differs from the other limits.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelSetting {
    /// The limit.
    pub limit: f64,
    /// Priority of its alarm.
    pub priority: Option<Priority>,
    /// Its own deadband.
    pub deadband: Option<f64>,
    /// Its own on-delay.
    pub on_delay: Option<DurationText>,
    /// Its own off-delay.
    pub off_delay: Option<DurationText>,
}

/// What a sample of bad quality does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum OnBadQuality {
    /// Alarms and delays stay as they are: no delay starts, none finishes.
    #[default]
    Hold,
    /// It counts as beyond every limit: the fail-safe choice.
    Force,
    /// Its value counts as if it were good.
    Ignore,
}

/// Names that a message may use.
pub(crate) const MESSAGE_NAMES: [&str; 5] = ["tag", "level", "value", "side", "limit"];
const USUAL_MESSAGE: &str = "{tag} {level}: {value} is {side} {limit}";

impl Parameters {
    pub(crate) fn message(&self) -> Result<MessageTemplate, Failure> {
        let text = self.message.as_deref().unwrap_or(USUAL_MESSAGE);
        MessageTemplate::parse(text, &MESSAGE_NAMES)
            .map_err(|error| Failure::new("bad-parameter", format!("parameter `message`: {error}")))
    }

    /// The limits that are given, lowest first.
    pub(crate) fn levels(&self) -> Result<Vec<Level>, Failure> {
        let given = [
            (LevelName::LowLow, &self.low_low),
            (LevelName::Low, &self.low),
            (LevelName::High, &self.high),
            (LevelName::HighHigh, &self.high_high),
        ];
        let levels: Vec<Level> = given
            .into_iter()
            .filter_map(|(name, setting)| Some(self.level(name, setting.as_ref()?)))
            .collect();
        if levels.is_empty() {
            return Err(Failure::new(
                "bad-parameter",
                "no limit is given: set at least one of `low_low`, `low`, `high` and `high_high`",
            ));
        }
        levels.iter().try_for_each(check_level)?;
        check_order(&levels)?;
        check_deadbands(&levels)?;
        Ok(levels)
    }

    fn level(&self, name: LevelName, setting: &LevelSetting) -> Level {
        Level {
            name,
            limit: setting.limit,
            deadband: setting.deadband.unwrap_or(self.deadband),
            delays: Delays {
                on: setting.on_delay.unwrap_or(self.on_delay).0,
                off: setting.off_delay.unwrap_or(self.off_delay).0,
            },
            priority: setting.priority.unwrap_or_else(|| name.usual_priority()),
        }
    }
}

fn check_level(level: &Level) -> Result<(), Failure> {
    if !level.limit.is_finite() {
        return Err(Failure::parameter(
            level.name.parameter(),
            level.limit,
            "a finite number",
        ));
    }
    if !(level.deadband.is_finite() && level.deadband >= 0.0) {
        return Err(Failure::parameter(
            "deadband",
            level.deadband,
            "zero or more",
        ));
    }
    Ok(())
}

fn check_order(levels: &[Level]) -> Result<(), Failure> {
    for (lower, upper) in levels.iter().zip(levels.iter().skip(1)) {
        if lower.limit >= upper.limit {
            let must = format!(
                "more than `{}`, which is {}",
                lower.name.parameter(),
                Reading::bare(lower.limit)
            );
            return Err(Failure::parameter(
                upper.name.parameter(),
                Reading::bare(upper.limit),
                &must,
            ));
        }
    }
    Ok(())
}

/// A deadband that reaches the nearest limit of the other side would keep an alarm until the
/// opposite one is raised.
fn check_deadbands(levels: &[Level]) -> Result<(), Failure> {
    let lows = levels.iter().filter(|level| !level.name.is_high());
    let highs = levels.iter().filter(|level| level.name.is_high());
    for low in lows {
        for high in highs.clone() {
            let room = high.limit - low.limit;
            let widest = low.deadband.max(high.deadband);
            if widest >= room {
                let must = format!(
                    "less than {}, the distance from `{}` to `{}`",
                    Reading::bare(room),
                    low.name.parameter(),
                    high.name.parameter()
                );
                return Err(Failure::parameter("deadband", Reading::bare(widest), &must));
            }
        }
    }
    Ok(())
}

/// The table form; the number form is read beside it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LevelTable {
    /// The limit.
    limit: f64,
    /// Priority of its alarm.
    #[serde(default)]
    priority: Option<Priority>,
    /// How far a value must come back behind this limit before its alarm clears.
    #[serde(default)]
    deadband: Option<f64>,
    /// How long a value must be beyond this limit before its alarm is raised.
    #[serde(default)]
    on_delay: Option<DurationText>,
    /// How long a value must be back before its alarm clears.
    #[serde(default)]
    off_delay: Option<DurationText>,
}

/// By hand, because serde's untagged enums cannot say which field of a table is wrong.
impl<'de> Deserialize<'de> for LevelSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LevelVisitor)
    }
}

struct LevelVisitor;

impl LevelVisitor {
    const fn bare(limit: f64) -> LevelSetting {
        LevelSetting {
            limit,
            priority: None,
            deadband: None,
            on_delay: None,
            off_delay: None,
        }
    }
}

impl<'de> Visitor<'de> for LevelVisitor {
    type Value = LevelSetting;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or a table with `limit`")
    }

    fn visit_f64<E: de::Error>(self, limit: f64) -> Result<LevelSetting, E> {
        Ok(Self::bare(limit))
    }

    fn visit_i64<E: de::Error>(self, limit: i64) -> Result<LevelSetting, E> {
        Ok(Self::bare(limit as f64))
    }

    fn visit_u64<E: de::Error>(self, limit: u64) -> Result<LevelSetting, E> {
        Ok(Self::bare(limit as f64))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LevelSetting, A::Error> {
        let table = LevelTable::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(LevelSetting {
            limit: table.limit,
            priority: table.priority,
            deadband: table.deadband,
            on_delay: table.on_delay,
            off_delay: table.off_delay,
        })
    }
}

impl JsonSchema for LevelSetting {
    fn schema_name() -> Cow<'static, str> {
        "LevelSetting".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "anyOf": [{ "type": "number" }, generator.subschema_for::<LevelTable>()],
        })
    }
}
