//! What is wrong in `[[alarms.suppressions]]` and `[[alarms.groups]]`.

use std::collections::BTreeSet;
use std::time::Duration;

use andon_model::{AlarmId, Finding};

use super::{Group, Rule, SuppressionPlan, SuppressionSettings, Test, When, WhenSettings};
use crate::conditioning::{ConditioningSettings, check_name, check_selectors, within};
use crate::selector::{AlarmSelector, AlarmSelectorSettings};

/// Checks suppressions and groups; paths of findings are below `[alarms]`.
pub(crate) fn check_suppression(
    settings: &ConditioningSettings,
    findings: &mut Vec<Finding>,
) -> SuppressionPlan {
    let mut names = BTreeSet::new();
    let mut rules = Vec::with_capacity(settings.suppressions.len());
    for (index, one) in settings.suppressions.iter().enumerate() {
        let path = format!("/suppressions/{index}");
        check_name(&one.name, &path, &mut names, findings);
        rules.extend(rule(one, &path, findings));
    }
    let mut names = BTreeSet::new();
    let mut groups = Vec::with_capacity(settings.groups.len());
    for (index, one) in settings.groups.iter().enumerate() {
        let path = format!("/groups/{index}");
        check_name(&one.name, &path, &mut names, findings);
        if one.members.is_empty() {
            let says = format!("group `{}` has no members", one.name);
            let finding = Finding::error(format!("{path}/members"), says);
            findings.push(finding.hint("name alarms, like { instance = \"boiler*\" }"));
        }
        groups.push(Group {
            name: one.name.clone(),
            members: check_selectors(&one.members, &format!("{path}/members"), findings),
            suppress_followers: one.suppress_followers,
        });
    }
    refuse_circles(&rules, findings);
    let spared = devices_selector().map_or_else(Vec::new, |devices| {
        let silences_devices =
            |rule: &&Rule| rule.suppresses.iter().any(|one| one.overlaps(&devices));
        let looked_at = rules.iter().filter(silences_devices);
        let looked_at = looked_at.filter_map(|rule| match &rule.when {
            When::Alarm(selector) => Some((**selector).clone()),
            When::Tag(..) => None,
        });
        looked_at.collect()
    });
    SuppressionPlan {
        comm_loss: settings.comm_loss_inhibits,
        rules,
        groups,
        spared,
    }
}

/// The host's alarms about devices.
fn devices_selector() -> Option<AlarmSelector> {
    let settings = AlarmSelectorSettings {
        instance: Some(AlarmId::HOST.to_owned()),
        key: Some("device.*".to_owned()),
        ..AlarmSelectorSettings::default()
    };
    let mut findings = Vec::new();
    let selector = settings.check("", &mut findings);
    findings.is_empty().then_some(selector)
}

fn rule(one: &SuppressionSettings, path: &str, findings: &mut Vec<Finding>) -> Option<Rule> {
    let suppresses_path = format!("{path}/suppresses");
    if one.suppresses.is_empty() {
        let says = format!("suppression `{}` suppresses nothing", one.name);
        let finding = Finding::error(suppresses_path.as_str(), says);
        findings.push(finding.hint("name alarms, like { instance = \"boiler*\" }"));
    }
    for (index, selector) in one.suppresses.iter().enumerate() {
        if selector.is_empty() {
            let says = format!(
                "suppression `{}` would silence every alarm of the plant",
                one.name
            );
            let finding = Finding::error(format!("{suppresses_path}/{index}"), says);
            findings.push(finding.hint("say which alarms; `instance = \"*\"` if it is really all"));
        }
    }
    if one.reason.trim().is_empty() {
        let says = format!("suppression `{}` has no reason", one.name);
        let finding = Finding::error(format!("{path}/reason"), says);
        findings.push(finding.hint("say in a few words why nobody needs to hear of these alarms"));
    }
    within(one.delay_off, &format!("{path}/delay_off"), findings);
    let suppresses = check_selectors(&one.suppresses, &suppresses_path, findings);
    let path = format!("{path}/when");
    Some(Rule {
        name: one.name.clone(),
        when: when(&one.when, &path, findings)?,
        suppresses,
        reason: one.reason.clone(),
        delay_off: one.delay_off.map_or(Duration::ZERO, |text| text.0),
        path,
    })
}

fn when(settings: &WhenSettings, path: &str, findings: &mut Vec<Finding>) -> Option<When> {
    let alarm = AlarmSelectorSettings {
        instance: settings.instance.clone(),
        key: settings.key.clone(),
        labels: settings.labels.clone(),
        priority_min: settings.priority_min,
        priority_max: None,
    };
    let tests: Vec<Test> = [
        settings.equals.map(Test::Equals),
        settings.above.map(Test::Above),
        settings.below.map(Test::Below),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut refuse = |says: &str, hint: &str| {
        findings.push(Finding::error(path, says).hint(hint));
        None
    };
    match (&settings.tag, alarm.is_empty(), tests.as_slice()) {
        (None, true, []) => refuse(
            "it does not say what must hold",
            "name an alarm, like { instance = \"trips\" }, or a tag, like { tag = \"pump1.running\", equals = 0 }",
        ),
        (None, true, _) => refuse(
            "it compares, and names no tag",
            "add `tag` with the name of the tag",
        ),
        (None, false, []) => Some(When::Alarm(Box::new(alarm.check(path, findings)))),
        (_, false, _) => refuse(
            "it names an alarm and a tag",
            "name one of them; write two suppressions if either will do",
        ),
        (Some(_), true, []) => refuse(
            "it does not say which value of the tag",
            "add one of `equals`, `above` and `below`",
        ),
        (Some(tag), true, [test]) => Some(When::Tag(tag.clone(), *test)),
        (Some(_), true, _) => refuse(
            "it compares the tag in more than one way",
            "keep one of `equals`, `above` and `below`",
        ),
    }
}

/// Refuses rules that silence, one by way of the other, what they look at themselves: then all of
/// these alarms could stand and nobody be told of any.
fn refuse_circles(rules: &[Rule], findings: &mut Vec<Finding>) {
    let silences = |one: &Rule, other: &Rule| {
        matches!(&other.when, When::Alarm(looks_at)
            if one.suppresses.iter().any(|selector| selector.overlaps(looks_at)))
    };
    let next: Vec<Vec<usize>> = rules
        .iter()
        .enumerate()
        .map(|(from, one)| {
            let others = rules.iter().enumerate();
            let reached = others.filter(|(to, other)| from != *to && silences(one, other));
            reached.map(|(to, _)| to).collect()
        })
        .collect();
    let mut done = BTreeSet::new();
    for start in 0..rules.len() {
        if let Some(circle) = circle_from(start, &next, &mut done) {
            let name = |index: &usize| rules.get(*index).map_or("?", |rule| rule.name.as_str());
            let mut chain: Vec<&str> = circle.iter().map(name).collect();
            chain.extend(circle.first().map(name));
            let says = format!(
                "suppressions go in a circle: {}; each silences what the next looks at, so that all of these alarms could stand and nobody be told",
                chain.join(" -> ")
            );
            let at = circle.first().and_then(|index| rules.get(*index));
            let path = at.map_or_else(String::new, |rule| {
                rule.path.replace("/when", "/suppresses")
            });
            let hint = "let one of them leave out the alarms that another looks at, for instance by `priority_max`";
            findings.push(Finding::error(path, says).hint(hint));
        }
    }
}

/// The first circle that is met on a walk from here over places that are not done.
fn circle_from(
    start: usize,
    next: &[Vec<usize>],
    done: &mut BTreeSet<usize>,
) -> Option<Vec<usize>> {
    // The way from the start, each place with the steps from it that are not tried yet.
    let mut way: Vec<(usize, Vec<usize>)> = Vec::new();
    if done.insert(start) {
        way.push((start, next.get(start).cloned().unwrap_or_default()));
    }
    let mut found = None;
    while let Some((_, open)) = way.last_mut() {
        let Some(step) = open.pop() else {
            way.pop();
            continue;
        };
        if let Some(at) = way.iter().position(|(place, _)| *place == step) {
            let circle = || way.iter().skip(at).map(|(place, _)| *place).collect();
            found.get_or_insert_with(circle);
        } else if done.insert(step) {
            way.push((step, next.get(step).cloned().unwrap_or_default()));
        }
    }
    found
}
