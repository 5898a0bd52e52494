//! The reference page of the settings, made from the types themselves, so that it cannot lie.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::{InstanceSettings, Settings};

/// The reference of `andon.toml` and of the files beside plugins, as Markdown.
#[must_use]
pub fn reference_page() -> String {
    let mut page = String::from(
        "# Settings\n\nMade from the source by `cargo xtask goldens`; do not edit.\n\
         Every text may hold `${NAME}`, an environment variable; every secret `x` may be given as `x_file`, a file that holds it.\n\
         Durations are written with units: `200ms`, `30s`, `1h30m`.\n\n",
    );
    section(
        &mut page,
        "andon.toml",
        &schemars::schema_for!(Settings).to_value(),
    );
    section(
        &mut page,
        "PLUGIN.toml beside a component",
        &schemars::schema_for!(InstanceSettings).to_value(),
    );
    page
}

fn section(page: &mut String, title: &str, schema: &Value) {
    write(page, format_args!("## {title}\n\n"));
    write(page, format_args!("{}\n\n", one_line(schema)));
    let mut open: Vec<(String, &Value)> = vec![(String::new(), schema)];
    let mut at = 0;
    while let Some((prefix, node)) = open.get(at).cloned() {
        at += 1;
        for form in forms(schema, node) {
            let Some(Value::Object(properties)) = form.get("properties") else {
                continue;
            };
            if !prefix.is_empty() {
                let (which, says) = (constant(properties), one_line(form));
                write(page, format_args!("### {prefix}{which}\n\n{says}\n\n"));
            }
            table(page, schema, form, properties);
            for (key, property) in properties {
                // A table within one of its own kind is described once.
                let again = prefix.trim_matches(['[', ']']).rsplit('.').next() == Some(key);
                if let (false, Some((suffix, below))) = (again, nested(schema, property)) {
                    let path = if prefix.is_empty() {
                        key.clone()
                    } else {
                        format!("{}.{key}", prefix.trim_matches(['[', ']']))
                    };
                    open.push((suffix.replace('_', &path), below));
                }
            }
        }
        // Types do not nest without end; a mistake there must not hang the page.
        if at > 200 {
            break;
        }
    }
}

/// What tells several forms of one table apart: ` with kind = "smpp"`.
fn constant(properties: &Map<String, Value>) -> String {
    properties
        .iter()
        .filter_map(|(key, property)| Some((key, property.get("const")?)))
        .map(|(key, value)| format!(" with {key} = {value}"))
        .collect()
}

fn table(page: &mut String, schema: &Value, form: &Value, properties: &Map<String, Value>) {
    let required: Vec<&str> = form
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    page.push_str("| key | type | default | meaning |\n|---|---|---|---|\n");
    for (key, property) in properties {
        let default = match property.get("default") {
            Some(value) if !value.is_null() && !value.is_object() => format!("`{value}`"),
            _ if required.contains(&key.as_str()) => "required".into(),
            _ => String::new(),
        };
        write(
            page,
            format_args!(
                "| `{key}` | {} | {default} | {} |\n",
                type_name(schema, property),
                one_line(property)
            ),
        );
    }
    page.push('\n');
}

/// The node itself, what it refers to, and the branches of a choice.
fn forms<'a>(root: &'a Value, node: &'a Value) -> Vec<&'a Value> {
    let node = follow(root, node);
    let branches = node
        .get("oneOf")
        .or_else(|| node.get("anyOf"))
        .and_then(Value::as_array);
    match branches {
        Some(branches) => branches
            .iter()
            .flat_map(|branch| forms(root, branch))
            .collect(),
        None => vec![node],
    }
}

fn follow<'a>(root: &'a Value, node: &'a Value) -> &'a Value {
    let target = node
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|text| text.strip_prefix('#'));
    target
        .and_then(|pointer| root.pointer(pointer))
        .unwrap_or(node)
}

/// A table below this key: `[_]`, `[[_]]` or `[_.NAME]`, and its schema.
fn nested<'a>(root: &'a Value, property: &'a Value) -> Option<(&'static str, &'a Value)> {
    let is_table = |node: &Value| {
        forms(root, node)
            .iter()
            .any(|form| form.get("properties").is_some())
    };
    let node = follow(root, property);
    if let Some(items) = node.get("items").filter(|items| is_table(items)) {
        return Some(("[[_]]", items));
    }
    if let Some(each) = node
        .get("additionalProperties")
        .filter(|each| is_table(each))
    {
        return Some(("[_.NAME]", each));
    }
    is_table(node).then_some(("[_]", node))
}

fn type_name(root: &Value, property: &Value) -> String {
    if property.get("x-secret").is_some() {
        return "secret".into();
    }
    let node = follow(root, property);
    if node.get("format").and_then(Value::as_str) == Some("duration-text") {
        return "duration".into();
    }
    if let Some(options) = node.get("enum").and_then(Value::as_array) {
        return options
            .iter()
            .map(|option| format!("`{option}`"))
            .collect::<Vec<_>>()
            .join(", ");
    }
    if let Some(branches) = node
        .get("oneOf")
        .or_else(|| node.get("anyOf"))
        .and_then(Value::as_array)
    {
        let mut names: Vec<String> = branches
            .iter()
            .map(|branch| {
                branch
                    .get("const")
                    .map_or_else(|| type_name(root, branch), |value| format!("`{value}`"))
            })
            .filter(|name| name != "null")
            .collect();
        names.dedup();
        return names.join(", ");
    }
    match node.get("type") {
        Some(Value::String(name)) => plain(root, node, name),
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| *name != "null")
            .map(|name| plain(root, node, name))
            .collect::<Vec<_>>()
            .join(" or "),
        _ => "any".into(),
    }
}

fn plain(root: &Value, node: &Value, name: &str) -> String {
    match name {
        "object" => "table".into(),
        "array" => node.get("items").map_or_else(
            || "list".into(),
            |items| format!("list of {}", type_name(root, items)),
        ),
        "string" => "text".into(),
        "boolean" => "true or false".into(),
        "integer" => "whole number".into(),
        other => other.into(),
    }
}

fn one_line(node: &Value) -> String {
    let text = node
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or("");
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

fn write(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    page.write_fmt(text).unwrap_or_default();
}
