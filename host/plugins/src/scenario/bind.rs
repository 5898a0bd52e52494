//! Binds a scenario to a component: its tags get ids, its ports get tags; what does not fit is a
//! finding, all of them at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use andon_model::{
    BoundInput, BoundOutput, Component, Description, Finding, InputPort, InstancePlan, Limits,
    OnDown, PortType, Tag, TagId, TagTable, ValueType,
};

use super::file::{Scenario, ScenarioError, Value, nearest};

/// A scenario that fits its component.
pub(super) struct Bound {
    pub(super) plan: InstancePlan,
    pub(super) tags: TagTable,
}

/// Binds the ports in the order in which `describe` lists them.
pub(super) fn bind(
    scenario: &Scenario,
    component: &dyn Component,
    limits: &Limits,
) -> Result<Bound, ScenarioError> {
    let description = component.description();
    let mut findings = unknown_ports(scenario, description);
    let mut tags = tags_of(scenario, &mut findings);
    let mut inputs = Vec::new();
    for port in &description.inputs {
        match tags_of_port(scenario, port, &tags) {
            Ok(bound) => {
                for id in bound {
                    inputs.extend(bind_one(port, id, &tags, &mut findings));
                }
            }
            Err(finding) => findings.push(finding),
        }
    }
    findings.extend(unbound_tags(scenario, &inputs));
    if !findings.is_empty() {
        return Err(ScenarioError::Problems(findings));
    }
    let name = scenario.component.clone();
    let outputs = description
        .outputs
        .iter()
        .map(|port| {
            let tag = Tag {
                name: format!("{name}.{}", port.name).into(),
                value_type: output_type(port.port_type),
                unit: port.unit.as_deref().map(Arc::from),
                description: None,
                source: "function".into(),
            };
            BoundOutput {
                port: port.name.clone(),
                tag_name: Arc::clone(&tag.name),
                tag: tags.put(tag),
            }
        })
        .collect();
    let plan = InstancePlan {
        component: format!("{name}.wasm"),
        name,
        kind: component.kind(),
        inputs,
        outputs,
        parameters: scenario.parameters.clone(),
        labels: scenario.labels.clone(),
        limits: limits.clone(),
        on_down: OnDown::default(),
        needs_acknowledgement: true,
        latching: false,
    };
    Ok(Bound { plan, tags })
}

const fn output_type(port: PortType) -> ValueType {
    match port {
        PortType::Bool => ValueType::Bool,
        PortType::Number | PortType::Text | PortType::Any => ValueType::F64,
    }
}

fn unknown_ports(scenario: &Scenario, description: &Description) -> Vec<Finding> {
    let inputs: Vec<&str> = description.inputs.iter().map(|p| p.name.as_str()).collect();
    let outputs: Vec<&str> = description
        .outputs
        .iter()
        .map(|p| p.name.as_str())
        .collect();
    let mut findings = Vec::new();
    for port in scenario.inputs.keys() {
        findings.extend(unknown("/inputs", "input", port, &inputs, description));
    }
    for (index, step) in scenario.steps.iter().enumerate() {
        for name in step.outputs.keys() {
            let port = name.strip_suffix(".quality").unwrap_or(name);
            let path = format!("/step/{index}/outputs");
            findings.extend(unknown(&path, "output", port, &outputs, description));
        }
    }
    findings
}

fn unknown(
    path: &str,
    what: &str,
    port: &str,
    known: &[&str],
    description: &Description,
) -> Option<Finding> {
    if known.contains(&port) {
        return None;
    }
    let says = format!("`{}` has no {what} `{port}`", description.name);
    let hint = match nearest(port, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("it has no {what}s"),
        None => format!("it has {}", known.join(", ")),
    };
    Some(Finding::error(format!("{path}/{port}"), says).hint(hint))
}

/// Every tag that the file names, with its type: as declared, else as the first value shows it.
fn tags_of(scenario: &Scenario, findings: &mut Vec<Finding>) -> TagTable {
    let mut first: BTreeMap<&str, &Value> = BTreeMap::new();
    let mut names: BTreeSet<&str> = scenario.tags.keys().map(String::as_str).collect();
    names.extend(scenario.inputs.values().flatten().map(String::as_str));
    for (index, step) in scenario.steps.iter().enumerate() {
        names.extend(step.quality.keys().map(String::as_str));
        for (key, name, value) in step.values() {
            names.insert(name);
            first.entry(name).or_insert(value);
            let tag_type = type_of(scenario, name, first.get(name.as_str()).copied());
            let is_text = matches!(value, Value::Text(_));
            if is_text != (tag_type == ValueType::Text) {
                let path = format!("/step/{index}/{key}/{name}");
                let says = format!("`{name}` is of type {tag_type}; the value is not");
                findings.push(Finding::error(path, says));
            }
        }
    }
    let mut tags = TagTable::default();
    for name in names {
        let text = scenario.tags.get(name);
        tags.put(Tag {
            name: name.into(),
            value_type: type_of(scenario, name, first.get(name).copied()),
            unit: text.and_then(|text| text.unit.as_deref()).map(Arc::from),
            description: None,
            source: "scenario".into(),
        });
    }
    tags
}

fn type_of(scenario: &Scenario, name: &str, first: Option<&Value>) -> ValueType {
    scenario
        .tags
        .get(name)
        .and_then(|text| text.value_type)
        .or_else(|| first.map(Value::natural_type))
        .unwrap_or_default()
}

fn tags_of_port(
    scenario: &Scenario,
    port: &InputPort,
    tags: &TagTable,
) -> Result<Vec<TagId>, Finding> {
    let path = format!("/inputs/{}", port.name);
    let bound = match (scenario.inputs.get(&port.name), &port.default) {
        (Some(names), _) => names.iter().filter_map(|name| tags.find(name)).collect(),
        (None, Some(pattern)) => tags
            .matching(pattern)
            .map_err(|says| Finding::error(path.clone(), says))?,
        (None, None) => Vec::new(),
    };
    if bound.is_empty() && !port.optional {
        let says = format!("input `{}` is bound to no tag", port.name);
        let hint = format!("write `{} = \"some.tag\"` below [inputs]", port.name);
        return Err(Finding::error(path, says).hint(hint));
    }
    if bound.len() > 1 && !port.many {
        let says = format!("input `{}` takes one tag, not {}", port.name, bound.len());
        return Err(Finding::error(path, says));
    }
    Ok(bound)
}

fn bind_one(
    port: &InputPort,
    id: TagId,
    tags: &TagTable,
    findings: &mut Vec<Finding>,
) -> Option<BoundInput> {
    let tag = tags.get(id)?;
    if !port.port_type.takes(tag.value_type) {
        let says = format!(
            "input `{}` takes {}, but `{}` is of type {}",
            port.name, port.port_type, tag.name, tag.value_type
        );
        findings.push(
            Finding::error(format!("/inputs/{}", port.name), says)
                .hint(format!("say its type below [tags.\"{}\"]", tag.name)),
        );
    }
    Some(BoundInput {
        port: port.name.clone(),
        tag: id,
        tag_name: Arc::clone(&tag.name),
        unit: tag.unit.clone(),
        value_type: tag.value_type,
    })
}

/// Values of tags that the component never sees are mistakes of the file.
fn unbound_tags(scenario: &Scenario, inputs: &[BoundInput]) -> Vec<Finding> {
    let bound: BTreeSet<&str> = inputs.iter().map(|input| &*input.tag_name).collect();
    let mut findings = Vec::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        let set = step.values().map(|(key, name, _)| (key, name));
        let quality = step.quality.keys().map(|name| ("quality", name));
        for (key, name) in set.chain(quality) {
            if bound.contains(name.as_str()) {
                continue;
            }
            let says = format!("`{name}` is bound to no input, so its value is never seen");
            let finding = Finding::error(format!("/step/{index}/{key}/{name}"), says);
            findings.push(match nearest(name, bound.iter().copied()) {
                Some(near) => finding.hint(format!("did you mean `{near}`?")),
                None => finding.hint("bind it below [inputs]"),
            });
        }
    }
    findings
}
