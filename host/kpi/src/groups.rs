//! Which operator group an alarm belongs to: settings checked into a plan.

use std::collections::BTreeSet;
use std::time::Duration;

use andon_model::{AlarmId, Finding, Labels};
use globset::{Glob, GlobMatcher};
use jiff::tz::TimeZone;

use crate::settings::KpiSettings;

/// How figures are counted; made by [`check`]. The default is that of empty settings.
#[derive(Debug, Clone)]
pub struct KpiPlan {
    /// What it was made of.
    settings: KpiSettings,
    zone: TimeZone,
    named: Vec<NamedGroup>,
    pub(crate) chattering_activations: usize,
    pub(crate) chattering_within: Duration,
    pub(crate) fleeting_shorter_than: Duration,
    pub(crate) fleeting_alone_for: Duration,
    pub(crate) stale_after: Duration,
}

impl Default for KpiPlan {
    fn default() -> Self {
        Self::of(&KpiSettings::default(), TimeZone::UTC, Vec::new())
    }
}

impl PartialEq for KpiPlan {
    /// Equal settings count equally.
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings && self.zone == other.zone
    }
}

/// A group by patterns.
#[derive(Debug, Clone)]
struct NamedGroup {
    name: String,
    labels: Vec<(String, Pattern)>,
}

/// A pattern for the value of a label.
#[derive(Debug, Clone)]
enum Pattern {
    Exact(String),
    Glob(Box<GlobMatcher>),
}

/// The group of one alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GroupOf<'a> {
    /// The host itself.
    Host,
    /// The settings make no groups.
    Plant,
    /// One of the settings, or a value of the label.
    Group(&'a str),
    /// Groups there are, but none of them.
    Others,
}

impl KpiPlan {
    /// Name of the group that holds every alarm of the plant.
    pub const PLANT: &'static str = "all";
    /// Name of the group of alarms that no group holds.
    pub const OTHERS: &'static str = "all others";
    /// Name of the group of alarms of the host itself.
    pub const HOST: &'static str = AlarmId::HOST;

    fn of(settings: &KpiSettings, zone: TimeZone, named: Vec<NamedGroup>) -> Self {
        Self {
            settings: settings.clone(),
            zone,
            named,
            chattering_activations: usize::try_from(settings.chattering.activations)
                .unwrap_or(usize::MAX),
            chattering_within: settings.chattering.within.0,
            fleeting_shorter_than: settings.fleeting.shorter_than.0,
            fleeting_alone_for: settings.fleeting.alone_for.0,
            stale_after: settings.stale_after.0,
        }
    }

    /// Whether there are groups at all.
    #[must_use]
    pub fn has_groups(&self) -> bool {
        self.settings.group_by.is_some() || !self.named.is_empty()
    }

    /// The time zone whose days are counted.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The group of an alarm, by its name as the journal writes it (`INSTANCE/KEY`) and its labels.
    pub(crate) fn group_of<'a>(&'a self, alarm: &'a str, labels: &'a Labels) -> GroupOf<'a> {
        let (instance, key) = alarm.split_once('/').unwrap_or((alarm, ""));
        if instance == AlarmId::HOST {
            return GroupOf::Host;
        }
        if !self.has_groups() {
            return GroupOf::Plant;
        }
        let value = |name: &str| match (labels.get(name), name) {
            (Some(value), _) => Some(value.as_str()),
            (None, "instance") => Some(instance),
            (None, "key") => Some(key),
            (None, _) => None,
        };
        let holds = |group: &&NamedGroup| {
            let mut labels = group.labels.iter();
            labels.all(|(name, pattern)| value(name).is_some_and(|text| pattern.matches(text)))
        };
        if let Some(group) = self.named.iter().find(holds) {
            return GroupOf::Group(&group.name);
        }
        let by_label = self.settings.group_by.as_deref().and_then(value);
        by_label
            .filter(|value| !value.is_empty())
            .map_or(GroupOf::Others, GroupOf::Group)
    }
}

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == text,
            Self::Glob(glob) => glob.is_match(text),
        }
    }
}

/// Checks the settings. Paths of findings are relative to `[kpi]`.
#[must_use]
pub fn check(settings: &KpiSettings) -> (Option<KpiPlan>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut names = BTreeSet::new();
    let mut named = Vec::new();
    for (index, group) in settings.groups.iter().enumerate() {
        let path = format!("/groups/{index}");
        let reserved = [KpiPlan::PLANT, KpiPlan::OTHERS, KpiPlan::HOST];
        if group.name.is_empty() || reserved.contains(&group.name.as_str()) {
            let says = format!("`{}` cannot be the name of a group", group.name);
            let hint = "give another name; `all`, `all others` and `andon` are there already";
            findings.push(Finding::error(format!("{path}/name"), says).hint(hint));
        } else if !names.insert(&group.name) {
            let says = format!("there are two groups of the name `{}`", group.name);
            let hint = "use each name once; `{a,b}` in one pattern matches either";
            findings.push(Finding::error(format!("{path}/name"), says).hint(hint));
        }
        if group.labels.is_empty() {
            let says = format!(
                "group `{}` has no labels, so it would hold every alarm",
                group.name
            );
            let hint = "name at least one label, like labels = { area = \"north\" }";
            findings.push(Finding::error(format!("{path}/labels"), says).hint(hint));
        }
        let labels = patterns(&path, &group.labels, &mut findings);
        let name = group.name.clone();
        named.push(NamedGroup { name, labels });
    }
    if settings.group_by.as_deref() == Some("") {
        let finding = Finding::error("/group_by", "the name of the label is empty");
        findings
            .push(finding.hint("name a label of your alarms, like `area`, or leave the key out"));
    }
    if !(2..=100).contains(&settings.chattering.activations) {
        let says = format!(
            "{} is not between 2 and 100",
            settings.chattering.activations
        );
        let hint = "3 activations in 1m is a common test";
        findings.push(Finding::error("/chattering/activations", says).hint(hint));
    }
    findings.extend(spans(settings));
    let zone = TimeZone::get(&settings.time_zone).unwrap_or_else(|_| {
        let says = format!("`{}` is not a time zone", settings.time_zone.escape_debug());
        let hint = "use a name of the IANA database, like `Europe/Oslo` or `UTC`";
        findings.push(Finding::error("/time_zone", says).hint(hint));
        TimeZone::UTC
    });
    let plan = findings
        .is_empty()
        .then(|| KpiPlan::of(settings, zone, named));
    (plan, findings)
}

fn patterns(path: &str, labels: &Labels, findings: &mut Vec<Finding>) -> Vec<(String, Pattern)> {
    let mut patterns = Vec::new();
    for (name, text) in labels {
        if !text.contains(['*', '?', '[', '{', '\\']) {
            patterns.push((name.clone(), Pattern::Exact(text.clone())));
            continue;
        }
        match Glob::new(text) {
            Ok(glob) => {
                let glob = Pattern::Glob(Box::new(glob.compile_matcher()));
                patterns.push((name.clone(), glob));
            }
            Err(error) => {
                let pointer = name.replace('~', "~0").replace('/', "~1");
                let says = format!("`{text}` is not a pattern: {}", error.kind());
                let hint = "`*` stands for any characters, `?` for one, `{a,b}` for either";
                findings.push(Finding::error(format!("{path}/labels/{pointer}"), says).hint(hint));
            }
        }
    }
    patterns
}

/// Times that would make a figure meaningless: none at all, or longer than a month.
fn spans(settings: &KpiSettings) -> Vec<Finding> {
    const MONTH: Duration = Duration::from_secs(31 * 86_400);
    let spans = [
        ("/chattering/within", settings.chattering.within),
        ("/fleeting/shorter_than", settings.fleeting.shorter_than),
        ("/fleeting/alone_for", settings.fleeting.alone_for),
        ("/stale_after", settings.stale_after),
    ];
    let wrong = spans
        .into_iter()
        .filter(|(_, span)| span.0.is_zero() || span.0 > MONTH);
    wrong
        .map(|(path, span)| {
            let finding = Finding::error(path, format!("{span} is not between 1ms and 31d"));
            finding.hint("leave the key out for the usual value")
        })
        .collect()
}
