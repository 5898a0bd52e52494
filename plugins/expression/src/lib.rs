//! A rule as text: `level > 80 and not pump_running for 30s`.
//!
//! Names stand for tags that are bound to the one port, `inputs`. The expression is read when the
//! instance is configured; a mistake in it is told with its place. It is run once for each batch
//! in which an input changed, with the latest value of each.

mod engine;
mod names;
mod reader;
mod value;

use std::collections::BTreeMap;

use andon_plugin::prelude::*;

use engine::Compiled;
use names::Names;
use value::Value;

/// Parameters of the rule.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The condition, like `level > 80 and not pump_running for 30s`.
    pub expression: String,
    /// Names for tags, where the last part of the tag's name will not do: `pump = "plc1.pump3.run"`.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// Key of the alarm; the instance's name where it is not given.
    pub key: Option<String>,
    /// Priority of the alarm.
    #[serde(default = "usual_priority")]
    pub priority: Priority,
    /// Text of the alarm, with {expression} and the values of {names} filled in.
    pub message: Option<String>,
    /// How long the condition must be gone before the alarm clears.
    #[serde(default)]
    pub off_delay: DurationText,
    /// What bad quality of an input that the expression uses does.
    #[serde(default)]
    pub on_bad_quality: OnBadQuality,
}

const fn usual_priority() -> Priority {
    Priority::High
}

/// What bad quality of an input does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum OnBadQuality {
    /// The alarm and its delays stay as they are.
    #[default]
    Hold,
    /// The condition counts as true: the fail-safe choice.
    Force,
    /// The last value counts as if it were good.
    Ignore,
}

/// The rule.
pub struct Expression {
    compiled: Compiled,
    message: Option<MessageTemplate>,
    /// By the index of the input.
    slots: Vec<Slot>,
    names: BTreeMap<String, usize>,
    priority: Priority,
    on_bad_quality: OnBadQuality,
    conditions: Conditions,
    /// The last mistake while running, so that it is logged once and not for each sample.
    last_mistake: Option<String>,
}

/// What is known of an input.
#[derive(Debug, Clone, Default)]
struct Slot {
    value: Option<Value>,
    is_bad: bool,
}

impl Rule for Expression {
    type Parameters = Parameters;

    fn about() -> About {
        About::new(
            "expression",
            env!("CARGO_PKG_VERSION"),
            "Raises an alarm while an expression such as `level > 80 and not pump_running for 30s` holds.",
        )
        .input(InputPort::any("inputs").many().summary(
            "The tags that the expression names, by the last part of their name or by `names`.",
        ))
    }

    fn configure(parameters: Parameters, start: &Start<'_>) -> Result<Self, Failure> {
        let inputs = start.inputs();
        let names = Names::new(inputs, &parameters.names)?;
        let compiled = Compiled::new(&parameters.expression, &names, &trials(inputs))?;
        let delays = Delays {
            on: compiled.reading.delay.unwrap_or_default(),
            off: parameters.off_delay.0,
        };
        let key = parameters
            .key
            .unwrap_or_else(|| start.instance().to_owned());
        Ok(Self {
            message: read_message(parameters.message.as_deref(), &names)?,
            slots: vec![Slot::default(); inputs.len()],
            names: places(&names),
            priority: parameters.priority,
            on_bad_quality: parameters.on_bad_quality,
            conditions: Conditions::new([(key, delays)], start.state())?,
            compiled,
            last_mistake: None,
        })
    }

    fn evaluate(&mut self, call: &mut Call<'_>) -> Result<(), Failure> {
        for sample in call.samples() {
            self.see(&sample, call);
        }
        if !call.samples().is_empty() {
            let verdict = self.verdict(call);
            for edge in self.conditions.update(0, verdict, call.now()) {
                self.tell(edge, call);
            }
        }
        for (_, edge) in self.conditions.tick(call.now()) {
            self.tell(edge, call);
        }
        self.conditions.settle(call)
    }
}

impl Expression {
    fn see(&mut self, sample: &Sample<'_>, call: &Call<'_>) {
        let kind = sample.input().map(|input| input.value_type);
        let value = match kind.unwrap_or_default() {
            ValueType::Text => call.text(sample.index).map(Value::Text),
            ValueType::Bool if !sample.value.is_nan() => Some(Value::YesNo(sample.value != 0.0)),
            ValueType::Number if !sample.value.is_nan() => Some(Value::Number(sample.value)),
            ValueType::Bool | ValueType::Number => None,
        };
        if let Some(slot) = self.slots.get_mut(sample.index as usize) {
            slot.is_bad = sample.quality.is_bad() || value.is_none();
            // The last value stays: a message and `ignore` use it.
            slot.value = value.or(slot.value.take());
        }
    }

    fn verdict(&mut self, call: &Call<'_>) -> Verdict {
        let used = &self.compiled.reading.used;
        let mut slots = used.iter().filter_map(|(place, _)| self.slots.get(*place));
        let bad = slots.clone().any(|slot| slot.is_bad);
        match self.on_bad_quality {
            OnBadQuality::Hold if bad => return Verdict::Unknown,
            OnBadQuality::Force if bad => return Verdict::Holds,
            _ if slots.any(|slot| slot.value.is_none()) => return Verdict::Unknown,
            OnBadQuality::Hold | OnBadQuality::Force | OnBadQuality::Ignore => {}
        }
        match self
            .compiled
            .run(|place| self.slots.get(place)?.value.clone())
        {
            Ok(holds) => holds.into(),
            Err(mistake) => {
                if self.last_mistake.as_ref() != Some(&mistake.says) {
                    let line = format!("the expression has no answer: {}", mistake.says);
                    call.log(LogLevel::Warn, &line);
                    self.last_mistake = Some(mistake.says);
                }
                Verdict::Unknown
            }
        }
    }

    fn tell(&self, edge: Edge, call: &mut Call<'_>) {
        let key = self.conditions.key(0);
        match edge {
            Edge::Clear => call.clear(key),
            Edge::Raise => call.raise(key, self.priority, self.text(call.inputs())),
        }
    }

    fn text(&self, inputs: &Inputs) -> String {
        let condition = &self.compiled.reading.condition;
        if let Some(message) = &self.message {
            return message.fill(|name| match self.names.get(name) {
                Some(place) => self.shown(*place, inputs),
                None => condition.clone(),
            });
        }
        let used = self.compiled.reading.used.iter();
        let values: Vec<String> = used
            .map(|(place, name)| format!("{name} = {}", self.shown(*place, inputs)))
            .collect();
        if values.is_empty() {
            condition.clone()
        } else {
            format!("{condition} ({})", values.join(", "))
        }
    }

    fn shown(&self, place: usize, inputs: &Inputs) -> String {
        let input = u32::try_from(place)
            .ok()
            .and_then(|index| inputs.get(index));
        let Some(slot) = self.slots.get(place) else {
            return String::new();
        };
        let value = slot.value.as_ref().map(|value| value.shown(input));
        let value = value.unwrap_or_else(|| "no value".to_owned());
        if slot.is_bad {
            format!("{value}, bad quality")
        } else {
            value
        }
    }
}

fn trials(inputs: &Inputs) -> Vec<Vec<Value>> {
    let columns: Vec<[Value; 4]> = inputs
        .iter()
        .map(|input| Value::trials(input.value_type))
        .collect();
    (0..4)
        .map(|trial| {
            columns
                .iter()
                .filter_map(|column| column.get(trial).cloned())
                .collect()
        })
        .collect()
}

fn read_message(text: Option<&str>, names: &Names) -> Result<Option<MessageTemplate>, Failure> {
    let Some(text) = text else {
        return Ok(None);
    };
    let mut known = names.known();
    known.push("expression".to_owned());
    MessageTemplate::parse(text, &known)
        .map(Some)
        .map_err(|says| Failure::new("bad-parameter", format!("parameter `message`: {says}")))
}

fn places(names: &Names) -> BTreeMap<String, usize> {
    let with_place = |name: String| names.place(&name).ok().map(|place| (name, place));
    names.known().into_iter().filter_map(with_place).collect()
}

export_rule!(Expression);
