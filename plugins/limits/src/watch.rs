//! One input under watch: what the rule knows of it beside the conditions.

use andon_plugin::prelude::*;

use crate::level::Level;

/// One input.
pub(crate) struct Watch {
    tag: String,
    unit: Option<String>,
    /// A value between these two changes nothing; empty (low above high) while something stands.
    quiet: (f64, f64),
    last: f64,
    last_quality: Quality,
}

const NEVER_QUIET: (f64, f64) = (f64::INFINITY, f64::NEG_INFINITY);

impl Watch {
    pub(crate) fn new(input: &Input) -> Self {
        Self {
            tag: input.tag.clone(),
            unit: input.unit.clone(),
            quiet: NEVER_QUIET,
            last: f64::NAN,
            last_quality: Quality::BAD,
        }
    }

    /// Whether the sample can change nothing: the one comparison that nearly all samples cost.
    #[inline]
    pub(crate) fn is_quiet_at(&self, sample: &Sample<'_>) -> bool {
        let (low, high) = self.quiet;
        !sample.quality.is_bad() && sample.value >= low && sample.value <= high
    }

    /// Says whether all conditions of this input are normal.
    pub(crate) fn set_quiet(&mut self, all_normal: bool, levels: &[Level]) {
        self.quiet = if all_normal {
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
            NEVER_QUIET
        };
    }

    /// Keeps what a message will say.
    pub(crate) fn see(&mut self, sample: &Sample<'_>) {
        if !sample.value.is_nan() {
            self.last = sample.value;
        }
        self.last_quality = sample.quality;
    }

    /// The alarm of a level.
    pub(crate) fn alarm(&self, key: &str, level: &Level, message: &MessageTemplate) -> Alarm {
        Alarm::new(key, level.priority, self.text(level, message))
            .attribute("tag", &self.tag)
            .attribute("level", level.name.to_string())
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
}
