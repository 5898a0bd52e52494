//! Tells when a value rises or falls too fast.
//!
//! The rate is the change within a window: the latest value against the lowest (for a rise) or the
//! highest (for a fall) that was seen in the window, divided by the window. So a jump counts for as long
//! as the window reaches back to it, and noise that is small against limit times window does not count.

mod trace;

use std::collections::BTreeSet;

use andon_plugin::prelude::*;

use trace::Trace;

/// Parameters of the rule. At least one of `rise` and `fall` must be given.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Fastest rise that is in order, in the unit of the inputs per `per`.
    pub rise: Option<f64>,
    /// Fastest fall that is in order, as a positive number.
    pub fall: Option<f64>,
    /// Unit of time of the two.
    #[serde(default)]
    pub per: Per,
    /// How far the rule looks back.
    #[serde(default = "usual_window")]
    pub window: DurationText,
    /// How far the rate must fall below the limit before the alarm clears.
    #[serde(default)]
    pub deadband: f64,
    /// How long the rate must be beyond the limit before the alarm is raised.
    #[serde(default)]
    pub on_delay: DurationText,
    /// How long the rate must be in order before the alarm clears.
    #[serde(default)]
    pub off_delay: DurationText,
    /// Priority of the alarms.
    #[serde(default = "usual_priority")]
    pub priority: Priority,
    /// Text of the alarm, with {tag}, {direction}, {rate}, {limit}, {value} and {window} filled in.
    pub message: Option<String>,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Per {
    /// Per second.
    Second,
    /// Per minute.
    #[default]
    Minute,
    /// Per hour.
    Hour,
}

impl Per {
    const fn seconds(self) -> f64 {
        match self {
            Self::Second => 1.0,
            Self::Minute => 60.0,
            Self::Hour => 3600.0,
        }
    }

    const fn symbol(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "min",
            Self::Hour => "h",
        }
    }
}

const fn usual_window() -> DurationText {
    DurationText::from_secs(60)
}

const fn usual_priority() -> Priority {
    Priority::High
}

const USUAL_MESSAGE: &str = "{tag} {direction} by {rate}, more than {limit} (now {value})";
const MESSAGE_NAMES: [&str; 6] = ["tag", "direction", "rate", "limit", "value", "window"];

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Rise,
    Fall,
}

impl Direction {
    const fn word(self) -> &'static str {
        match self {
            Self::Rise => "rise",
            Self::Fall => "fall",
        }
    }
}

/// The rule.
pub struct RateOfChange {
    parameters: Parameters,
    message: MessageTemplate,
    limits: Vec<(Direction, f64)>,
    /// By the index of the input.
    traces: Vec<Trace>,
    /// All directions of the first input, then all of the second, and so on.
    conditions: Conditions,
    /// Inputs with a condition that is not normal: their rate falls while no sample comes.
    standing: BTreeSet<usize>,
    /// Alarms from before a restart: nobody knows yet whether their rate is in order.
    inherited: BTreeSet<usize>,
    started: bool,
}

impl Rule for RateOfChange {
    type Parameters = Parameters;

    fn about() -> About {
        About::new(
            "rate-of-change",
            env!("CARGO_PKG_VERSION"),
            "Raises an alarm when an input rises or falls too fast.",
        )
        .input(
            InputPort::number("inputs")
                .many()
                .summary("The values to watch; each gets its own alarms."),
        )
    }

    fn configure(parameters: Parameters, start: &Start<'_>) -> Result<Self, Failure> {
        let limits = limits(&parameters)?;
        let text = parameters.message.as_deref().unwrap_or(USUAL_MESSAGE);
        let message = MessageTemplate::parse(text, &MESSAGE_NAMES).map_err(|says| {
            Failure::new("bad-parameter", format!("parameter `message`: {says}"))
        })?;
        let delays = Delays {
            on: parameters.on_delay.0,
            off: parameters.off_delay.0,
        };
        let keys = start.inputs().iter().flat_map(|input| {
            limits
                .iter()
                .map(move |(direction, _)| (format!("{}.{}", input.tag, direction.word()), delays))
        });
        let conditions = Conditions::new(keys, start.state())?;
        let window = parameters.window.0;
        let places = 0..limits.len() * start.inputs().len();
        Ok(Self {
            inherited: places
                .filter(|place| conditions.is_raised(*place))
                .collect(),
            conditions,
            traces: start.inputs().iter().map(|_| Trace::new(window)).collect(),
            limits,
            message,
            parameters,
            standing: BTreeSet::new(),
            started: false,
        })
    }

    fn evaluate(&mut self, call: &mut Call<'_>) -> Result<(), Failure> {
        if !self.started {
            self.started = true;
            self.look_back(call);
        }
        for sample in call.samples() {
            let index = sample.index as usize;
            if let Some(trace) = self.traces.get_mut(index) {
                trace.take(sample.value, sample.is_usable(), sample.time);
                self.judge(index, sample.time, call);
            }
        }
        self.let_time_pass(call);
        self.conditions.settle(call)
    }
}

impl RateOfChange {
    /// After a start, what the host still has of the window counts.
    fn look_back(&mut self, call: &Call<'_>) {
        let since = call.now().minus(self.parameters.window.0);
        for (index, trace) in (0..).zip(&mut self.traces) {
            for kept in call.window(index, since) {
                let usable = !kept.quality.is_bad() && kept.value.is_finite();
                trace.take(kept.value, usable, kept.time);
            }
        }
    }

    /// Judges again the inputs whose rate falls by itself as the window moves on.
    fn let_time_pass(&mut self, call: &mut Call<'_>) {
        let now = call.now();
        for index in self.standing.clone() {
            self.judge(index, now, call);
        }
        for (place, edge) in self.conditions.tick(now) {
            self.tell(place, edge, call);
        }
        let standing = self.standing.iter();
        let next = standing.filter_map(|index| self.traces.get(*index)?.next_change(now));
        if let Some(next) = next.min() {
            call.wake_at(next);
        }
    }

    fn judge(&mut self, index: usize, at: Timestamp, call: &mut Call<'_>) {
        let Some(trace) = self.traces.get_mut(index) else {
            return;
        };
        trace.forget_before(at);
        let first = index * self.limits.len();
        let mut all_normal = true;
        for (offset, (direction, limit)) in self.limits.clone().into_iter().enumerate() {
            let place = first + offset;
            let verdict = self.verdict(index, place, direction, limit, at);
            for edge in self.conditions.update(place, verdict, at) {
                self.tell(place, edge, call);
            }
            if verdict == Verdict::Gone {
                self.inherited.remove(&place);
            }
            all_normal &= self.conditions.is_normal(place);
        }
        if all_normal {
            self.standing.remove(&index);
        } else {
            self.standing.insert(index);
        }
    }

    fn verdict(
        &self,
        index: usize,
        place: usize,
        direction: Direction,
        limit: f64,
        at: Timestamp,
    ) -> Verdict {
        let Some(trace) = self.traces.get(index) else {
            return Verdict::Unknown;
        };
        let Some(rate) = self.rate(trace, direction) else {
            return Verdict::Unknown;
        };
        let raised = self.conditions.is_raised(place);
        let give = if raised {
            self.parameters.deadband
        } else {
            0.0
        };
        if rate > limit - give {
            Verdict::Holds
        } else if self.inherited.contains(&place) && !trace.covers_window(at) {
            Verdict::Unknown
        } else {
            Verdict::Gone
        }
    }

    /// In units per `per`; positive in its direction.
    fn rate(&self, trace: &Trace, direction: Direction) -> Option<f64> {
        let change = match direction {
            Direction::Rise => trace.rise()?,
            Direction::Fall => trace.fall()?,
        };
        Some(change / self.parameters.window.0.as_secs_f64() * self.parameters.per.seconds())
    }

    fn tell(&self, place: usize, edge: Edge, call: &mut Call<'_>) {
        let key = self.conditions.key(place);
        let index = place / self.limits.len();
        let input = u32::try_from(index)
            .ok()
            .and_then(|index| call.inputs().get(index));
        let trace = self.traces.get(index);
        let limit = self.limits.get(place % self.limits.len());
        match (edge, input, trace, limit) {
            (Edge::Raise, Some(input), Some(trace), Some((direction, limit))) => {
                let text = self.text(input, trace, *direction, *limit);
                let alarm = Alarm::new(key, self.parameters.priority, text)
                    .attribute("tag", &input.tag)
                    .attribute("direction", direction.word());
                call.raise_alarm(alarm);
            }
            _ => call.clear(key),
        }
    }

    fn text(&self, input: &Input, trace: &Trace, direction: Direction, limit: f64) -> String {
        let unit = input.unit.as_deref().unwrap_or_default();
        let per = format!("{unit}/{}", self.parameters.per.symbol());
        let rate = self.rate(trace, direction).unwrap_or(f64::NAN);
        self.message.fill(|name| match name {
            "tag" => input.tag.clone(),
            "direction" => format!("{}s", direction.word()),
            "rate" => Reading::new(rate, Some(&per)).to_string(),
            "limit" => Reading::new(limit, Some(&per)).to_string(),
            "window" => self.parameters.window.to_string(),
            _ => Reading::new(trace.value().unwrap_or(f64::NAN), input.unit.as_deref()).to_string(),
        })
    }
}

fn limits(parameters: &Parameters) -> Result<Vec<(Direction, f64)>, Failure> {
    let given = [
        ("rise", Direction::Rise, parameters.rise),
        ("fall", Direction::Fall, parameters.fall),
    ];
    let mut limits = Vec::new();
    for (name, direction, limit) in given {
        let Some(limit) = limit else { continue };
        if !(limit.is_finite() && limit > 0.0) {
            return Err(Failure::parameter(name, limit, "more than zero"));
        }
        if !(0.0..limit).contains(&parameters.deadband) {
            let must = format!("zero or more, and less than `{name}`, which is {limit}");
            return Err(Failure::parameter("deadband", parameters.deadband, &must));
        }
        limits.push((direction, limit));
    }
    if limits.is_empty() {
        return Err(Failure::new(
            "bad-parameter",
            "no limit is given: set `rise`, `fall` or both",
        ));
    }
    if parameters.window.0 < Duration::from_millis(100) {
        return Err(Failure::parameter(
            "window",
            parameters.window,
            "at least 100ms",
        ));
    }
    Ok(limits)
}

export_rule!(RateOfChange);
