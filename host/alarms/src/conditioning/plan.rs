//! The checked settings: what is wrong is told here, all at once, and never again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use andon_model::{DurationText, Finding};

use super::settings::{
    ChatteringSettings, ConditioningSettings, FleetingSettings, InstanceDelays, OnBadQuality,
    OnChatter, StaleSettings,
};
use crate::flood::FloodSettings;
use crate::selector::{AlarmSelector, AlarmSelectorSettings, Subject, any_matches};
use crate::suppression::{SuppressionPlan, check_suppression};

/// Longest delay of any kind; what takes longer is not a delay but a plan.
const DELAY_MAX: Duration = Duration::from_secs(7 * 86_400);

/// What stands between a rule and the people: the checked settings.
#[derive(Debug, Clone, Default)]
pub struct ConditioningPlan {
    conditions: Vec<Condition>,
    instances: BTreeMap<String, InstanceDelays>,
    pub(crate) suppression: SuppressionPlan,
    pub(crate) chattering: ChatteringSettings,
    pub(crate) fleeting: FleetingSettings,
    pub(crate) stale: StaleSettings,
    pub(crate) flood: FloodSettings,
}

#[derive(Debug, Clone)]
struct Condition {
    /// Empty means all.
    alarms: Vec<AlarmSelector>,
    on_delay: Option<Duration>,
    off_delay: Option<Duration>,
    on_bad_quality: OnBadQuality,
}

/// The delays of one alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Delay {
    pub(crate) on: Duration,
    pub(crate) off: Duration,
    pub(crate) on_bad_quality: OnBadQuality,
}

impl ConditioningPlan {
    /// The same with the delays that the files of instances give, by name of the instance.
    #[must_use]
    pub fn with_instances(mut self, instances: BTreeMap<String, InstanceDelays>) -> Self {
        self.instances = instances;
        self
    }

    /// Names of the tags that suppressions look at, each with its key as people write it.
    pub fn tags(&self) -> impl Iterator<Item = (&str, String)> {
        self.suppression.tags()
    }

    /// Whether any alarm is delayed at all.
    pub(crate) fn delays_nothing(&self) -> bool {
        self.conditions.is_empty() && self.instances.is_empty()
    }

    /// The delays of this alarm.
    pub(crate) fn delay_of(&self, subject: Subject<'_>) -> Delay {
        let condition = self.conditions.iter().find(|condition| {
            condition.alarms.is_empty() || any_matches(&condition.alarms, subject)
        });
        let own = self.instances.get(&subject.id.instance);
        let own_on = own.and_then(|own| own.on_delay).map(|text| text.0);
        let own_off = own.and_then(|own| own.off_delay).map(|text| text.0);
        Delay {
            on: own_on
                .or_else(|| condition?.on_delay)
                .unwrap_or(Duration::ZERO),
            off: own_off
                .or_else(|| condition?.off_delay)
                .unwrap_or(Duration::ZERO),
            on_bad_quality: condition
                .map(|condition| condition.on_bad_quality)
                .unwrap_or_default(),
        }
    }

    /// The off-delay that a chattering alarm gets.
    pub(crate) const fn chatter_hold(&self) -> Option<Duration> {
        match self.chattering.on_chatter {
            OnChatter::Mark => None,
            OnChatter::Hold => Some(self.chattering.hold.0),
        }
    }
}

/// Checks `[alarms]`; paths of findings are below it. The plan is missing if something stops it.
#[must_use]
pub fn check_conditioning(
    settings: &ConditioningSettings,
) -> (Option<ConditioningPlan>, Vec<Finding>) {
    let mut findings = Vec::new();
    let conditions = settings
        .conditions
        .iter()
        .enumerate()
        .map(|(index, condition)| {
            let path = format!("/conditions/{index}");
            if condition.on_delay.is_none() && condition.off_delay.is_none() {
                let says = "it gives neither an on-delay nor an off-delay, so it does nothing";
                findings.push(
                    Finding::warning(path.as_str(), says).hint("set `on_delay` or `off_delay`"),
                );
            }
            within(
                condition.on_delay,
                &format!("{path}/on_delay"),
                &mut findings,
            );
            within(
                condition.off_delay,
                &format!("{path}/off_delay"),
                &mut findings,
            );
            Condition {
                alarms: check_selectors(
                    &condition.alarms,
                    &format!("{path}/alarms"),
                    &mut findings,
                ),
                on_delay: condition.on_delay.map(|text| text.0),
                off_delay: condition.off_delay.map(|text| text.0),
                on_bad_quality: condition.on_bad_quality,
            }
        })
        .collect();
    check_marks(settings, &mut findings);
    check_flood(&settings.flood, &mut findings);
    let suppression = check_suppression(settings, &mut findings);
    let plan = ConditioningPlan {
        conditions,
        instances: BTreeMap::new(),
        suppression,
        chattering: settings.chattering.clone(),
        fleeting: settings.fleeting.clone(),
        stale: settings.stale.clone(),
        flood: settings.flood.clone(),
    };
    let stops = findings
        .iter()
        .any(|finding| finding.severity == andon_model::Severity::Error);
    ((!stops).then_some(plan), findings)
}

/// Checks a list of selectors.
pub(crate) fn check_selectors(
    selectors: &[AlarmSelectorSettings],
    path: &str,
    findings: &mut Vec<Finding>,
) -> Vec<AlarmSelector> {
    selectors
        .iter()
        .enumerate()
        .map(|(index, selector)| selector.check(&format!("{path}/{index}"), findings))
        .collect()
}

/// Refuses a delay that is too long.
pub(crate) fn within(delay: Option<DurationText>, path: &str, findings: &mut Vec<Finding>) {
    if delay.is_some_and(|delay| delay.0 > DELAY_MAX) {
        let says = format!("a delay may be {} at most", DurationText(DELAY_MAX));
        findings.push(Finding::error(path, says).hint("write a shorter one, like 30s"));
    }
}

/// Refuses a name that is empty, or that an earlier entry has.
pub(crate) fn check_name<'a>(
    name: &'a str,
    path: &str,
    seen: &mut BTreeSet<&'a str>,
    findings: &mut Vec<Finding>,
) {
    let path = format!("{path}/name");
    if name.trim().is_empty() {
        findings.push(Finding::error(path, "the name is empty").hint("give it a name"));
    } else if !seen.insert(name) {
        let says = format!("there are two of the name `{name}`");
        findings.push(Finding::error(path, says).hint("give each a name of its own"));
    }
}

/// Checks the delays in the file of an instance; paths of findings are those of its keys.
#[must_use]
pub fn check_instance_delays(delays: InstanceDelays) -> Vec<Finding> {
    let mut findings = Vec::new();
    within(delays.on_delay, "/on_delay", &mut findings);
    within(delays.off_delay, "/off_delay", &mut findings);
    findings
}

fn positive(duration: DurationText, path: &str, findings: &mut Vec<Finding>) {
    if duration.0.is_zero() {
        let says = "it must be longer than nothing";
        findings.push(Finding::error(path, says).hint("write a duration, like 60s"));
    }
    within(Some(duration), path, findings);
}

fn check_marks(settings: &ConditioningSettings, findings: &mut Vec<Finding>) {
    let chattering = &settings.chattering;
    positive(chattering.window, "/chattering/window", findings);
    positive(chattering.quiet, "/chattering/quiet", findings);
    positive(chattering.hold, "/chattering/hold", findings);
    if chattering.quiet < chattering.window {
        let says = "an alarm would stop to be chattering within the time in which it begins to";
        let finding = Finding::error("/chattering/quiet", says);
        findings.push(finding.hint("make `quiet` at least as long as `window`"));
    }
    positive(
        settings.fleeting.shorter_than,
        "/fleeting/shorter_than",
        findings,
    );
    positive(
        settings.fleeting.no_repeat_for,
        "/fleeting/no_repeat_for",
        findings,
    );
    for (duration, path) in [
        (settings.stale.after, "/stale/after"),
        (settings.stale.report_every, "/stale/report_every"),
    ] {
        if duration.0 < Duration::from_secs(60) {
            let says = "it must be a minute at least";
            findings.push(Finding::error(path, says).hint("write a longer one, like 1d"));
        }
    }
}

fn check_flood(flood: &FloodSettings, findings: &mut Vec<Finding>) {
    positive(flood.window, "/flood/window", findings);
    positive(flood.digest_every, "/flood/digest_every", findings);
    if flood.end > flood.start {
        let says = format!(
            "a flood that begins above {} alarms cannot end below {}: it would end at once",
            flood.start, flood.end
        );
        let finding = Finding::error("/flood/end", says);
        findings.push(finding.hint("make `end` at most `start`; usual are 10 and 5"));
    }
}
