//! One input under watch.

use std::collections::BTreeMap;

use andon_plugin::prelude::*;

use crate::level::{Level, LevelName};
use crate::parameters::OnBadQuality;

/// One input with where each of its levels stands.
pub(crate) struct Watch {
    tag: String,
    unit: Option<String>,
    /// In the order of the levels.
    conditions: Vec<Condition>,
    /// A value between these two changes nothing; empty (low above high) while something stands.
    quiet: (f64, f64),
    last: f64,
    last_quality: Quality,
    moved: bool,
}

/// An edge of one level.
pub(crate) struct Step {
    level: usize,
    edge: Edge,
}

impl Watch {
    /// A watch that goes on where `remembered` stands; takes out what it uses.
    pub(crate) fn new(
        input: &Input,
        levels: &[Level],
        remembered: &mut BTreeMap<LevelName, Condition>,
    ) -> Self {
        let mut watch = Self {
            tag: input.tag.clone(),
            unit: input.unit.clone(),
            conditions: levels
                .iter()
                .map(|level| remembered.remove(&level.name).unwrap_or_default())
                .collect(),
            quiet: (f64::INFINITY, f64::NEG_INFINITY),
            last: f64::NAN,
            last_quality: Quality::BAD,
            moved: false,
        };
        watch.find_quiet(levels);
        watch
    }

    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// Whether the sample can change nothing: the one comparison that nearly all samples cost.
    #[inline]
    pub(crate) fn is_quiet_at(&self, sample: &Sample<'_>) -> bool {
        let (low, high) = self.quiet;
        !sample.quality.is_bad() && sample.value >= low && sample.value <= high
    }

    /// Whether anything that is remembered changed since this was last asked.
    pub(crate) fn moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    /// Judges a sample.
    pub(crate) fn take(
        &mut self,
        sample: &Sample<'_>,
        levels: &[Level],
        on_bad: OnBadQuality,
    ) -> Vec<Step> {
        if sample.value.is_finite() {
            self.last = sample.value;
        }
        self.last_quality = sample.quality;
        let mut steps = Vec::new();
        for (index, (condition, level)) in self.conditions.iter_mut().zip(levels).enumerate() {
            let before = *condition;
            let verdict = judge(sample, level, condition.is_raised(), on_bad);
            for edge in condition.update(verdict, sample.time, level.delays) {
                steps.push(Step { level: index, edge });
            }
            self.moved |= !condition.remembers_as(&before);
        }
        self.find_quiet(levels);
        steps
    }

    /// Finishes delays that ran out.
    pub(crate) fn tick(&mut self, now: Timestamp, levels: &[Level]) -> Vec<Step> {
        let mut steps = Vec::new();
        for (index, (condition, level)) in self.conditions.iter_mut().zip(levels).enumerate() {
            if let Some(edge) = condition.tick(now, level.delays) {
                steps.push(Step { level: index, edge });
                self.moved = true;
            }
        }
        if !steps.is_empty() {
            self.find_quiet(levels);
        }
        steps
    }

    /// When the next delay runs out.
    pub(crate) fn due(&self, levels: &[Level]) -> Option<Timestamp> {
        let pairs = self.conditions.iter().zip(levels);
        pairs
            .filter_map(|(condition, level)| condition.due(level.delays))
            .min()
    }

    /// What is to be remembered; nothing while all is normal.
    pub(crate) fn standing(&self, levels: &[Level]) -> Option<BTreeMap<LevelName, Condition>> {
        let pairs = levels.iter().zip(&self.conditions);
        let standing: BTreeMap<LevelName, Condition> = pairs
            .filter(|(_, condition)| !condition.is_normal())
            .map(|(level, condition)| (level.name, *condition))
            .collect();
        (!standing.is_empty()).then_some(standing)
    }

    /// Asks the host for what a step means.
    pub(crate) fn tell(
        &self,
        step: Step,
        levels: &[Level],
        message: &MessageTemplate,
        call: &mut Call<'_>,
    ) {
        let Some(level) = levels.get(step.level) else {
            return;
        };
        let key = format!("{}.{}", self.tag, level.name);
        match step.edge {
            Edge::Clear => call.clear(key),
            Edge::Raise => {
                let text = self.text(level, message);
                let alarm = Alarm::new(key, level.priority, text)
                    .attribute("tag", &self.tag)
                    .attribute("level", level.name.to_string());
                call.raise_alarm(alarm);
            }
        }
    }

    fn text(&self, level: &Level, message: &MessageTemplate) -> String {
        let unit = self.unit.as_deref();
        let value = Reading::new(self.last, unit);
        if self.last_quality.is_bad() && !level.is_beyond(self.last, false) {
            // Forced: the limits say nothing of such a value.
            return format!(
                "{} {}: its quality is {}, last value {value}",
                self.tag,
                level.name.words(),
                self.last_quality.word()
            );
        }
        message.fill(|name| match name {
            "tag" => self.tag.clone(),
            "level" => level.name.words().to_owned(),
            "value" => value.to_string(),
            "side" => level.name.side().to_owned(),
            _ => Reading::new(level.limit, unit).to_string(),
        })
    }

    fn find_quiet(&mut self, levels: &[Level]) {
        self.quiet = if self.conditions.iter().all(Condition::is_normal) {
            levels
                .iter()
                .fold((f64::NEG_INFINITY, f64::INFINITY), |(low, high), level| {
                    if level.name.is_high() {
                        (low, high.min(level.limit))
                    } else {
                        (low.max(level.limit), high)
                    }
                })
        } else {
            (f64::INFINITY, f64::NEG_INFINITY)
        };
    }
}

fn judge(sample: &Sample<'_>, level: &Level, raised: bool, on_bad: OnBadQuality) -> Verdict {
    let bad = sample.quality.is_bad();
    match on_bad {
        OnBadQuality::Force if bad => Verdict::Holds,
        OnBadQuality::Hold if bad => Verdict::Unknown,
        _ if sample.value.is_nan() => Verdict::Unknown,
        _ => level.is_beyond(sample.value, raised).into(),
    }
}
