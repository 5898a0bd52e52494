//! Tells when two signals that should agree do not: two transmitters of one level, a command and its
//! feedback.
//!
//! Numbers agree while they differ by no more than the tolerance; booleans agree while they are equal.
//! The delay gives the slower of the two its time: a valve needs seconds to reach its end switch.

use andon_plugin::prelude::*;

/// Parameters of the rule.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How far two numbers may differ, in their unit. Booleans need none.
    #[serde(default)]
    pub tolerance: f64,
    /// How far they may differ in percent of the larger of the two; the wider of both counts.
    #[serde(default)]
    pub tolerance_percent: f64,
    /// How much the difference must fall below the tolerance before the alarm clears.
    #[serde(default)]
    pub deadband: f64,
    /// How long they must differ before the alarm is raised.
    #[serde(default)]
    pub on_delay: DurationText,
    /// How long they must agree before the alarm clears.
    #[serde(default)]
    pub off_delay: DurationText,
    /// Whether the second is the opposite of the first: a normally closed feedback. Booleans only.
    #[serde(default)]
    pub inverted: bool,
    /// Priority of the alarm.
    #[serde(default = "usual_priority")]
    pub priority: Priority,
    /// Text of the alarm, with {first}, {second} (tags), {first_value}, {second_value} and
    /// {difference} filled in.
    pub message: Option<String>,
}

const fn usual_priority() -> Priority {
    Priority::High
}

const USUAL_MESSAGE: &str =
    "{first} is {first_value}, but {second} is {second_value} (difference {difference})";
const USUAL_BOOL_MESSAGE: &str = "{first} is {first_value}, but {second} is {second_value}";
const MESSAGE_NAMES: [&str; 5] = [
    "first",
    "second",
    "first_value",
    "second_value",
    "difference",
];

/// The rule.
pub struct Discrepancy {
    parameters: Parameters,
    message: MessageTemplate,
    first: Signal,
    second: Signal,
    conditions: Conditions,
}

/// One of the two.
#[derive(Debug)]
struct Signal {
    input: Input,
    value: Option<f64>,
    is_bad: bool,
}

impl Signal {
    fn bound(port: &str, inputs: &Inputs) -> Result<Self, Failure> {
        let input = inputs.port(port).ok_or_else(|| {
            Failure::inputs(format!("nothing is bound to `{port}`: name a tag for it"))
        })?;
        Ok(Self {
            input: input.clone(),
            value: None,
            is_bad: false,
        })
    }

    fn is_bool(&self) -> bool {
        self.input.value_type == ValueType::Bool
    }

    fn see(&mut self, sample: &Sample<'_>) {
        if sample.index == self.input.index {
            self.is_bad = !sample.is_usable();
            if !self.is_bad {
                self.value = Some(sample.value);
            }
        }
    }

    fn shown(&self) -> String {
        match self.value {
            Some(value) if self.is_bool() => {
                let word = if value == 0.0 { "off" } else { "on" };
                word.to_owned()
            }
            Some(value) => Reading::new(value, self.input.unit.as_deref()).to_string(),
            None => "unknown".to_owned(),
        }
    }
}

impl Rule for Discrepancy {
    type Parameters = Parameters;

    fn about() -> About {
        About::new(
            "discrepancy",
            env!("CARGO_PKG_VERSION"),
            "Raises an alarm when two signals that should agree do not.",
        )
        .input(
            InputPort::number("first")
                .summary("A number or a boolean: the command, the first transmitter."),
        )
        .input(
            InputPort::number("second")
                .summary("What should agree with it: the feedback, the second transmitter."),
        )
    }

    fn configure(parameters: Parameters, start: &Start<'_>) -> Result<Self, Failure> {
        let first = Signal::bound("first", start.inputs())?;
        let second = Signal::bound("second", start.inputs())?;
        check(&parameters, &first, &second)?;
        let usual = if first.is_bool() {
            USUAL_BOOL_MESSAGE
        } else {
            USUAL_MESSAGE
        };
        let text = parameters.message.as_deref().unwrap_or(usual);
        let message = MessageTemplate::parse(text, &MESSAGE_NAMES).map_err(|says| {
            Failure::new("bad-parameter", format!("parameter `message`: {says}"))
        })?;
        let delays = Delays {
            on: parameters.on_delay.0,
            off: parameters.off_delay.0,
        };
        let key = format!("{}.discrepancy", first.input.tag);
        Ok(Self {
            conditions: Conditions::new([(key, delays)], start.state())?,
            parameters,
            message,
            first,
            second,
        })
    }

    fn evaluate(&mut self, call: &mut Call<'_>) -> Result<(), Failure> {
        for sample in call.samples() {
            self.first.see(&sample);
            self.second.see(&sample);
        }
        // Both values of one read belong together, so they are compared after the whole batch.
        if !call.samples().is_empty() {
            let verdict = self.verdict();
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

impl Discrepancy {
    fn verdict(&self) -> Verdict {
        if self.first.is_bad || self.second.is_bad {
            return Verdict::Unknown;
        }
        let (Some(first), Some(second)) = (self.first.value, self.second.value) else {
            return Verdict::Unknown;
        };
        if self.first.is_bool() {
            let agree = ((first != 0.0) == (second != 0.0)) != self.parameters.inverted;
            return Verdict::from(!agree);
        }
        let Parameters {
            tolerance,
            tolerance_percent,
            deadband,
            ..
        } = self.parameters;
        let share = first.abs().max(second.abs()) * tolerance_percent / 100.0;
        let allowed = tolerance.max(share);
        let give = if self.conditions.is_raised(0) {
            deadband.min(allowed)
        } else {
            0.0
        };
        Verdict::from((first - second).abs() > allowed - give)
    }

    fn tell(&self, edge: Edge, call: &mut Call<'_>) {
        let key = self.conditions.key(0);
        match edge {
            Edge::Clear => call.clear(key),
            Edge::Raise => {
                let alarm = Alarm::new(key, self.parameters.priority, self.text())
                    .attribute("tag", &self.first.input.tag)
                    .attribute("other", &self.second.input.tag);
                call.raise_alarm(alarm);
            }
        }
    }

    fn text(&self) -> String {
        let difference = match (self.first.value, self.second.value) {
            (Some(first), Some(second)) => (first - second).abs(),
            _ => f64::NAN,
        };
        self.message.fill(|name| match name {
            "first" => self.first.input.tag.clone(),
            "second" => self.second.input.tag.clone(),
            "first_value" => self.first.shown(),
            "second_value" => self.second.shown(),
            _ => Reading::new(difference, self.first.input.unit.as_deref()).to_string(),
        })
    }
}

fn check(parameters: &Parameters, first: &Signal, second: &Signal) -> Result<(), Failure> {
    for (name, value) in [
        ("tolerance", parameters.tolerance),
        ("tolerance_percent", parameters.tolerance_percent),
        ("deadband", parameters.deadband),
    ] {
        if !(value.is_finite() && value >= 0.0) {
            return Err(Failure::parameter(name, value, "zero or more"));
        }
    }
    if first.is_bool() != second.is_bool() {
        return Err(Failure::inputs(format!(
            "`{}` and `{}` cannot be compared: one is a boolean, the other a number",
            first.input.tag, second.input.tag
        )));
    }
    if parameters.inverted && !first.is_bool() {
        return Err(Failure::parameter(
            "inverted",
            true,
            "false, for the inputs are numbers",
        ));
    }
    Ok(())
}

export_rule!(Discrepancy);
