//! The order in which instances run: functions before whatever reads their outputs, then rules.
//!
//! An output of a function is a tag like any other, so functions may build on one another, but
//! not in a circle. Ties are settled by name, so that the same settings always give one order.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use andon_model::{Finding, InstancePlan, PluginKind, TagId};

/// Indices into the checked plans, in the order in which they run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order(pub(crate) Vec<usize>);

impl Order {
    /// Indices into the plans that were checked, first to run first.
    #[must_use]
    pub fn indices(&self) -> &[usize] {
        &self.0
    }
}

/// Orders instances: functions by their dependencies, then rules by name. `is_device` tells
/// whether a tag is read from a device.
///
/// # Errors
/// All of: two instances of one name, a function that writes a device's tag, two functions that
/// write one tag, a circle of functions (with its whole path). Paths point into `plans`.
pub fn check_order(
    plans: &[InstancePlan],
    is_device: impl Fn(TagId) -> bool,
) -> Result<Order, Vec<Finding>> {
    let plans: Vec<&InstancePlan> = plans.iter().collect();
    order_of(&plans, is_device)
}

/// The same over borrowed plans.
pub(crate) fn order_of(
    plans: &[&InstancePlan],
    is_device: impl Fn(TagId) -> bool,
) -> Result<Order, Vec<Finding>> {
    let mut findings = same_names(plans);
    let writers = writers_of(plans, is_device, &mut findings);
    let mut order = functions_in_order(plans, &writers, &mut findings);
    if !findings.is_empty() {
        return Err(findings);
    }
    let mut rules: Vec<usize> = indices_of(plans, PluginKind::Rule).collect();
    rules.sort_by_key(|index| plans.get(*index).map(|plan| plan.name.as_str()));
    order.extend(rules);
    Ok(Order(order))
}

fn indices_of<'a>(
    plans: &'a [&InstancePlan],
    kind: PluginKind,
) -> impl Iterator<Item = usize> + 'a {
    plans
        .iter()
        .enumerate()
        .filter(move |(_, plan)| plan.kind == kind)
        .map(|(index, _)| index)
}

fn same_names(plans: &[&InstancePlan]) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    plans
        .iter()
        .enumerate()
        .filter(|(_, plan)| !seen.insert(plan.name.as_str()))
        .map(|(index, plan)| {
            Finding::error(
                format!("/{index}/name"),
                format!("two plugin instances are called `{}`", plan.name),
            )
            .hint("give one of them another name")
        })
        .collect()
}

/// Which function writes which tag.
fn writers_of(
    plans: &[&InstancePlan],
    is_device: impl Fn(TagId) -> bool,
    findings: &mut Vec<Finding>,
) -> HashMap<TagId, usize> {
    let mut writers: HashMap<TagId, usize> = HashMap::new();
    for (index, plan) in plans.iter().enumerate() {
        for (port, output) in plan.outputs.iter().enumerate() {
            let path = format!("/{index}/outputs/{port}");
            if is_device(output.tag) {
                findings.push(
                    Finding::error(
                        path,
                        format!(
                            "function `{}` would write `{}`, which a device is read for",
                            plan.name, output.tag_name
                        ),
                    )
                    .hint("name another tag for this output"),
                );
                continue;
            }
            let Some(other) = writers.insert(output.tag, index) else {
                continue;
            };
            let other = plans.get(other).map_or("?", |plan| plan.name.as_str());
            findings.push(
                Finding::error(
                    path,
                    format!(
                        "functions `{other}` and `{}` both write `{}`",
                        plan.name, output.tag_name
                    ),
                )
                .hint("name another tag for one of the outputs"),
            );
        }
    }
    writers
}

/// Kahn's algorithm. What it leaves over holds circles: each is named once, then taken as if it
/// were no circle, to find the next.
fn functions_in_order(
    plans: &[&InstancePlan],
    writers: &HashMap<TagId, usize>,
    findings: &mut Vec<Finding>,
) -> Vec<usize> {
    // By name, so that ties and messages do not hang on the order in the settings.
    let mut waits: BTreeMap<(&str, usize), BTreeSet<usize>> =
        indices_of(plans, PluginKind::Function)
            .filter_map(|index| {
                let plan = plans.get(index)?;
                let before = plan.inputs.iter().filter_map(|i| writers.get(&i.tag));
                Some(((plan.name.as_str(), index), before.copied().collect()))
            })
            .collect();
    let mut readers: HashMap<usize, Vec<(&str, usize)>> = HashMap::new();
    for (reader, before) in &waits {
        for writer in before {
            readers.entry(*writer).or_default().push(*reader);
        }
    }
    let mut ready: BTreeSet<(&str, usize)> = waits
        .iter()
        .filter(|(_, before)| before.is_empty())
        .map(|(key, _)| *key)
        .collect();
    let mut order = Vec::with_capacity(waits.len());
    while !waits.is_empty() {
        let Some(next) = ready.pop_first() else {
            let circle = circle_in(plans, &waits);
            let Some(first) = circle.first().copied() else {
                break;
            };
            findings.push(name_circle(plans, &circle));
            ready.insert(first);
            continue;
        };
        waits.remove(&next);
        order.push(next.1);
        for reader in readers.get(&next.1).into_iter().flatten() {
            if let Some(before) = waits.get_mut(reader) {
                before.remove(&next.1);
                if before.is_empty() {
                    ready.insert(*reader);
                }
            }
        }
    }
    order
}

/// Every function that is left waits for another that is left, so walking from reader to writer
/// must come back to a function that it already met.
fn circle_in<'a>(
    plans: &[&'a InstancePlan],
    waits: &BTreeMap<(&'a str, usize), BTreeSet<usize>>,
) -> Vec<(&'a str, usize)> {
    let mut path: Vec<(&str, usize)> = Vec::new();
    let mut place: HashMap<usize, usize> = HashMap::new();
    let mut at = waits.keys().next().copied();
    while let Some(function) = at {
        if let Some(start) = place.get(&function.1) {
            let mut circle = path.split_off(*start);
            // The walk went against the flow of samples.
            circle.reverse();
            return circle;
        }
        place.insert(function.1, path.len());
        path.push(function);
        at = waits.get(&function).and_then(|before| {
            before
                .iter()
                .filter_map(|index| Some((plans.get(*index)?.name.as_str(), *index)))
                .filter(|key| waits.contains_key(key))
                .min()
        });
    }
    Vec::new()
}

fn name_circle(plans: &[&InstancePlan], circle: &[(&str, usize)]) -> Finding {
    let mut names: Vec<&str> = circle.iter().map(|(name, _)| *name).collect();
    // Begin with the least name: one circle has one text.
    let least = names
        .iter()
        .enumerate()
        .min_by_key(|(_, name)| **name)
        .map_or(0, |(index, _)| index);
    names.rotate_left(least);
    names.extend(names.first().copied());
    let index = circle.iter().min().map_or(0, |(_, index)| *index);
    let single = circle.len() == 1;
    let reads = if single {
        "a function reads its own output"
    } else {
        "functions read one another's outputs in a circle"
    };
    debug_assert!(index < plans.len(), "circles are made of plans");
    Finding::error(
        format!("/{index}/inputs"),
        format!("{reads}: {}", names.join(" → ")),
    )
    .hint("unbind one of these inputs")
}
