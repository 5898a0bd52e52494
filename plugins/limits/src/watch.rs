//! One input under watch: what the rule knows of it beside the conditions.

use andon_plugin::prelude::*;

use crate::level::Level;

/// One input.
pub(crate) struct Watch {
    tag: String,
    unit: Option<String>,
    /// Whether none of its conditions holds or is on its way.
    normal: bool,
    last: f64,
    last_quality: Quality,
}

impl Watch {
    pub(crate) fn new(input: &Input) -> Self {
        Self {
            tag: input.tag.clone(),
            unit: input.unit.clone(),
            normal: false,
            last: f64::NAN,
            last_quality: Quality::BAD,
        }
    }

    /// Whether all conditions of this input are normal; not before its first sample.
    #[inline]
    pub(crate) const fn is_normal(&self) -> bool {
        self.normal
    }

    /// Says whether all conditions of this input are normal.
    pub(crate) const fn set_normal(&mut self, normal: bool) {
        self.normal = normal;
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
