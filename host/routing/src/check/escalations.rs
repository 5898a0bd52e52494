//! Escalations: names, steps and times that make sense. Their people are resolved by the routes
//! that name them, because a route may choose the channels.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use andon_model::DurationText;

use super::{Check, Named};
use crate::plan::Until;
use crate::settings::{EscalationSettings, StepSettings, UntilSettings};

/// Most steps of an escalation.
const STEPS_MAX: usize = 50;
/// Most people who must acknowledge.
const ACKNOWLEDGEMENTS_MAX: u32 = 10;
const DAY: Duration = Duration::from_secs(86_400);
/// Nobody can answer faster.
const PAUSE_MIN: Duration = Duration::from_secs(1);

impl<'a> Check<'a> {
    /// The escalations of the settings by name.
    pub(super) fn escalations(&mut self) -> BTreeMap<&'a str, &'a EscalationSettings> {
        let settings = self.settings;
        self.count("/escalations", settings.escalations.len());
        let mut by_name = BTreeMap::new();
        for (index, escalation) in settings.escalations.iter().enumerate() {
            let path = format!("/escalations/{index}");
            let name = escalation.name.as_str();
            self.name(&format!("{path}/name"), "escalation", name);
            if by_name.insert(name, escalation).is_some() {
                self.error(
                    format!("{path}/name"),
                    format!("there are two escalations named `{name}`"),
                    Some("give each escalation its own name".to_owned()),
                );
            }
            self.steps(&path, escalation);
            self.acknowledgements(&path, escalation);
            self.ends(&path, escalation);
        }
        by_name
    }

    fn steps(&mut self, path: &str, escalation: &EscalationSettings) {
        let (name, count) = (&escalation.name, escalation.steps.len());
        if count == 0 {
            self.error(
                format!("{path}/steps"),
                format!("escalation `{name}` has no steps, so it tells nobody"),
                Some("add one: steps = [{ to = [\"…\"] }]".to_owned()),
            );
        }
        if count > STEPS_MAX {
            let says =
                format!("escalation `{name}` has {count} steps; at most {STEPS_MAX} are possible");
            self.error(format!("{path}/steps"), says, None);
        }
        for (number, step) in escalation.steps.iter().enumerate() {
            self.step(&format!("{path}/steps/{number}"), name, number, step);
        }
    }

    fn step(&mut self, path: &str, name: &str, number: usize, step: &StepSettings) {
        let shown = number + 1;
        if step.to.is_empty() {
            self.error(
                format!("{path}/to"),
                format!("step {shown} of escalation `{name}` tells nobody"),
                Some("name contacts or groups: to = [\"…\"]".to_owned()),
            );
        }
        self.resolve(&format!("{path}/to"), &step.to);
        if step.after.0 > DAY * 7 {
            self.error(format!("{path}/after"), "after must be at most 7d", None);
        }
        if number > 0 && step.after.0 < PAUSE_MIN {
            self.error(
                path,
                format!("step {shown} of escalation `{name}` leaves nobody time to answer"),
                Some("set after = \"5m\", or put its people into the step before".to_owned()),
            );
        }
        if let Some(repeat) = &step.repeat {
            if !(1..=100).contains(&repeat.times) {
                let says = format!("times is {}; it must be 1 to 100", repeat.times);
                self.error(format!("{path}/repeat/times"), says, None);
            }
            self.between(&format!("{path}/repeat"), "every", repeat.every);
        }
    }

    fn acknowledgements(&mut self, path: &str, escalation: &EscalationSettings) {
        let (name, wanted) = (&escalation.name, escalation.acknowledgements);
        let path = format!("{path}/acknowledgements");
        if !(1..=ACKNOWLEDGEMENTS_MAX).contains(&wanted) {
            let says =
                format!("acknowledgements is {wanted}; it must be 1 to {ACKNOWLEDGEMENTS_MAX}");
            self.error(path, says, None);
            return;
        }
        let names = escalation.steps.iter().flat_map(|step| &step.to);
        let people: BTreeSet<_> = names.flat_map(|name| self.behind(name)).collect();
        if people.iter().any(|one| matches!(one, Named::Schedule(_))) {
            return;
        }
        let people = people.len();
        if people > 0 && usize::try_from(wanted).unwrap_or(usize::MAX) > people {
            self.error(
                path,
                format!(
                    "escalation `{name}` wants {wanted} people to acknowledge and tells only {people}"
                ),
                Some("name more people in its steps, or want fewer".to_owned()),
            );
        }
    }

    fn ends(&mut self, path: &str, escalation: &EscalationSettings) {
        self.between(path, "unanswered_after", escalation.unanswered_after);
        self.between(path, "again_every", escalation.again_every);
        if escalation.again_times > 1_000 {
            let says = format!(
                "again_times is {}; it must be at most 1000",
                escalation.again_times
            );
            self.error(format!("{path}/again_times"), says, None);
        }
    }

    fn between(&mut self, path: &str, key: &str, value: DurationText) {
        if value.0 < PAUSE_MIN || value.0 > DAY {
            self.error(
                format!("{path}/{key}"),
                format!("{key} must be 1s to 1d"),
                None,
            );
        }
    }
}

impl From<UntilSettings> for Until {
    fn from(settings: UntilSettings) -> Self {
        match settings {
            UntilSettings::Acknowledged => Self::Acknowledged,
            UntilSettings::Taken => Self::Taken,
            UntilSettings::Delivered => Self::Delivered,
        }
    }
}
