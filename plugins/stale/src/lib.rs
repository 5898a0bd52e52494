//! Tells when no good sample of an input came for a time.
//!
//! The host hands over what changed. A value that is read well and stays the same brings no sample, so
//! by default an input is stale when its *quality* is not good for the time. With `also_unchanged`
//! an input that does not change is stale too: a frozen sensor, a program that hangs.

use andon_plugin::prelude::*;

/// Parameters of the rule.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// How long an input may be without a good sample: `5m`.
    pub after: DurationText,
    /// Whether a good value that does not change counts as stale too: for counters and heartbeats.
    #[serde(default)]
    pub also_unchanged: bool,
    /// Whether uncertain quality counts as good.
    #[serde(default)]
    pub accept_uncertain: bool,
    /// Priority of the alarm.
    #[serde(default = "usual_priority")]
    pub priority: Priority,
    /// Text of the alarm, with {tag}, {after}, {reason} and {value} filled in.
    pub message: Option<String>,
}

const fn usual_priority() -> Priority {
    Priority::Medium
}

const USUAL_MESSAGE: &str = "{tag}: no good sample for {after} ({reason}, last value {value})";
const MESSAGE_NAMES: [&str; 4] = ["tag", "after", "reason", "value"];

/// The rule.
pub struct Stale {
    parameters: Parameters,
    message: MessageTemplate,
    /// By the index of the input.
    watches: Vec<Watch>,
    conditions: Conditions,
    started: bool,
}

/// What is known of an input.
#[derive(Debug, Default)]
struct Watch {
    value: Option<f64>,
    quality: Option<Quality>,
}

impl Rule for Stale {
    type Parameters = Parameters;

    fn about() -> About {
        About::new(
            "stale",
            env!("CARGO_PKG_VERSION"),
            "Raises an alarm when an input has no good sample for a time.",
        )
        .input(
            InputPort::any("inputs")
                .many()
                .summary("The tags to watch; each gets its own alarm."),
        )
    }

    fn configure(parameters: Parameters, start: &Start<'_>) -> Result<Self, Failure> {
        if parameters.after.0 < Duration::from_secs(1) {
            return Err(Failure::parameter("after", parameters.after, "at least 1s"));
        }
        let text = parameters.message.as_deref().unwrap_or(USUAL_MESSAGE);
        let message = MessageTemplate::parse(text, &MESSAGE_NAMES).map_err(|says| {
            Failure::new("bad-parameter", format!("parameter `message`: {says}"))
        })?;
        let delays = Delays {
            on: parameters.after.0,
            off: Duration::ZERO,
        };
        let keys = start
            .inputs()
            .iter()
            .map(|input| (format!("{}.stale", input.tag), delays));
        // Also without any sample there must be a call, in which the time begins to run.
        start.wake_at_once();
        Ok(Self {
            conditions: Conditions::new(keys, start.state())?,
            watches: start.inputs().iter().map(|_| Watch::default()).collect(),
            message,
            parameters,
            started: false,
        })
    }

    fn evaluate(&mut self, call: &mut Call<'_>) -> Result<(), Failure> {
        for sample in call.samples() {
            self.take(&sample, call);
        }
        if !self.started {
            self.started = true;
            self.begin(call);
        }
        for (place, edge) in self.conditions.tick(call.now()) {
            self.tell(place, edge, call);
        }
        self.conditions.settle(call)
    }
}

impl Stale {
    fn take(&mut self, sample: &Sample<'_>, call: &mut Call<'_>) {
        let place = sample.index as usize;
        let Some(watch) = self.watches.get_mut(place) else {
            return;
        };
        watch.quality = Some(sample.quality);
        if !sample.value.is_nan() {
            watch.value = Some(sample.value);
        }
        let is_good = sample.quality.is_good()
            || (self.parameters.accept_uncertain && !sample.quality.is_bad());
        // A good sample ends what was; the next wait begins at once where silence counts.
        let verdicts: &[Verdict] = match (is_good, self.parameters.also_unchanged) {
            (true, true) => &[Verdict::Gone, Verdict::Holds],
            (true, false) => &[Verdict::Gone],
            (false, _) => &[Verdict::Holds],
        };
        for verdict in verdicts {
            for edge in self.conditions.update(place, *verdict, sample.time) {
                self.tell(place, edge, call);
            }
        }
    }

    /// The first call: inputs that never had a sample begin to wait now.
    fn begin(&mut self, call: &mut Call<'_>) {
        for place in 0..self.watches.len() {
            let has_sample = self
                .watches
                .get(place)
                .is_some_and(|watch| watch.quality.is_some());
            if !has_sample {
                for edge in self.conditions.update(place, Verdict::Holds, call.now()) {
                    self.tell(place, edge, call);
                }
            }
        }
    }

    fn tell(&self, place: usize, edge: Edge, call: &mut Call<'_>) {
        let key = self.conditions.key(place);
        let input = u32::try_from(place)
            .ok()
            .and_then(|index| call.inputs().get(index));
        match (edge, input, self.watches.get(place)) {
            (Edge::Raise, Some(input), Some(watch)) => {
                let alarm = Alarm::new(key, self.parameters.priority, self.text(input, watch));
                call.raise_alarm(alarm.attribute("tag", &input.tag));
            }
            _ => call.clear(key),
        }
    }

    fn text(&self, input: &Input, watch: &Watch) -> String {
        self.message.fill(|name| match name {
            "tag" => input.tag.clone(),
            "after" => self.parameters.after.to_string(),
            "reason" => match watch.quality {
                None => "never read".to_owned(),
                Some(quality) if quality.is_good() => "unchanged".to_owned(),
                Some(quality) => quality.word().to_owned(),
            },
            _ => match watch.value {
                Some(value) => Reading::new(value, input.unit.as_deref()).to_string(),
                None => "none".to_owned(),
            },
        })
    }
}

export_rule!(Stale);
