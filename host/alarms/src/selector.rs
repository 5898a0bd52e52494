//! Which alarms something of the settings is about: patterns on instance, key, labels and priority.

use std::collections::BTreeMap;

use andon_model::{AlarmId, AlarmRecord, Finding, Labels, Priority};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::pattern::Pattern;

/// Which alarms are meant. What is left out matches all; what is given must all match. In patterns
/// `*` stands for any characters, `?` for one and `{a,b}` for alternatives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AlarmSelectorSettings {
    /// Pattern for the name of the rule instance.
    pub instance: Option<String>,
    /// Pattern for the key within the instance.
    pub key: Option<String>,
    /// Labels that the alarm must carry; each value is a pattern.
    pub labels: BTreeMap<String, String>,
    /// The lowest priority that is meant.
    pub priority_min: Option<Priority>,
    /// The highest priority that is meant.
    pub priority_max: Option<Priority>,
}

/// The same, checked.
#[derive(Debug, Clone)]
pub(crate) struct AlarmSelector {
    instance: Option<Pattern>,
    key: Option<Pattern>,
    labels: BTreeMap<String, Pattern>,
    priorities: (Priority, Priority),
}

/// What a selector looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) id: &'a AlarmId,
    pub(crate) labels: &'a Labels,
    pub(crate) priority: Priority,
}

impl<'a> From<&'a AlarmRecord> for Subject<'a> {
    fn from(record: &'a AlarmRecord) -> Self {
        Self {
            id: &record.id,
            labels: &record.labels,
            priority: record.priority,
        }
    }
}

impl AlarmSelectorSettings {
    /// Whether nothing is said, so that all alarms are meant.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The checked selector; what is wrong with it is added to the findings, under this path.
    pub(crate) fn check(&self, path: &str, findings: &mut Vec<Finding>) -> AlarmSelector {
        let mut pattern = |text: &str, key: &str| match Pattern::new(text) {
            Ok(pattern) => Some(pattern),
            Err(says) => {
                findings.push(Finding::error(format!("{path}/{key}"), says));
                None
            }
        };
        let instance = self
            .instance
            .as_deref()
            .and_then(|text| pattern(text, "instance"));
        let key = self.key.as_deref().and_then(|text| pattern(text, "key"));
        let labels = self
            .labels
            .iter()
            .filter_map(|(name, text)| {
                let value = pattern(text, &format!("labels/{}", escaped(name)))?;
                Some((name.clone(), value))
            })
            .collect();
        let lowest = self.priority_min.unwrap_or(Priority::Diagnostic);
        let highest = self.priority_max.unwrap_or(Priority::Critical);
        if lowest > highest {
            let says =
                format!("no alarm has a priority of at least {lowest} and at most {highest}");
            let path = format!("{path}/priority_min");
            findings.push(Finding::error(path, says).hint("exchange the two, or leave one out"));
        }
        AlarmSelector {
            instance,
            key,
            labels,
            priorities: (lowest, highest),
        }
    }
}

/// A name as a part of a JSON pointer.
pub(crate) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

impl AlarmSelector {
    pub(crate) fn matches(&self, subject: Subject<'_>) -> bool {
        let fits = |pattern: &Option<Pattern>, name: &str| {
            pattern.as_ref().is_none_or(|pattern| pattern.matches(name))
        };
        (self.priorities.0..=self.priorities.1).contains(&subject.priority)
            && fits(&self.instance, &subject.id.instance)
            && fits(&self.key, &subject.id.key)
            && self.labels.iter().all(|(name, pattern)| {
                subject
                    .labels
                    .get(name)
                    .is_some_and(|value| pattern.matches(value))
            })
    }

    /// Whether some alarm may be meant by both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let meet = |one: &Option<Pattern>, other: &Option<Pattern>| match (one, other) {
            (Some(one), Some(other)) => one.overlaps(other),
            _ => true,
        };
        self.priorities.0.max(other.priorities.0) <= self.priorities.1.min(other.priorities.1)
            && meet(&self.instance, &other.instance)
            && meet(&self.key, &other.key)
            && self.labels.iter().all(|(name, one)| {
                let other = other.labels.get(name);
                other.is_none_or(|other| one.overlaps(other))
            })
    }
}

/// Whether one of several selectors means this alarm.
pub(crate) fn any_matches(selectors: &[AlarmSelector], subject: Subject<'_>) -> bool {
    selectors.iter().any(|selector| selector.matches(subject))
}
