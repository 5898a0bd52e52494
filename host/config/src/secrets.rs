//! `${ENV}` in any text, and `NAME_file` in the place of a secret `NAME`.
//!
//! Resolved in the tree before it is checked, so that no stage knows how a secret was given.
//! Messages name the variable or the file, never what it holds.

use andon_model::{Finding, Timestamp};
use serde_json::{Map, Value};

use crate::document::escape;

/// What settings may ask of the machine. The app gives the real one, tests their own.
pub trait Surroundings {
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<String>;
    /// The text of a file; relative paths are taken from the folder of the settings.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read(&self, path: &str) -> Result<String, String>;
    /// The present, for what is told of the coming weeks; `None` leaves that out.
    fn now(&self) -> Option<Timestamp> {
        None
    }
}

/// Replaces variables and secret files in the tree.
pub(crate) fn resolve(
    value: &mut Value,
    schema: &Value,
    around: &dyn Surroundings,
) -> Vec<Finding> {
    let mut resolver = Resolver {
        root: schema,
        around,
        findings: Vec::new(),
    };
    resolver.node(value, &[schema], "");
    resolver.findings
}

struct Resolver<'a> {
    root: &'a Value,
    around: &'a dyn Surroundings,
    findings: Vec<Finding>,
}

impl<'a> Resolver<'a> {
    fn node(&mut self, value: &mut Value, schemas: &[&'a Value], path: &str) {
        let schemas = self.expand(schemas);
        match value {
            Value::String(text) if text.contains("${") => match self.expand_variables(text) {
                Ok(expanded) => *text = expanded,
                Err(says) => self.findings.push(
                    Finding::error(path, says)
                        .hint("set the variable, or write `$${` for a plain `${`"),
                ),
            },
            Value::Array(items) => {
                let below: Vec<&Value> = schemas
                    .iter()
                    .filter_map(|node| node.get("items"))
                    .collect();
                for (index, item) in items.iter_mut().enumerate() {
                    self.node(item, &below, &format!("{path}/{index}"));
                }
            }
            Value::Object(map) => self.object(map, &schemas, path),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn object(&mut self, map: &mut Map<String, Value>, schemas: &[&'a Value], path: &str) {
        for secret in secret_keys(schemas) {
            self.secret_file(map, &secret, path);
        }
        for (key, value) in map.iter_mut() {
            let below: Vec<&Value> = schemas
                .iter()
                .filter_map(|node| {
                    node.get("properties")
                        .and_then(|all| all.get(key))
                        .or_else(|| node.get("additionalProperties"))
                })
                .collect();
            self.node(value, &below, &format!("{path}/{}", escape(key)));
        }
    }

    fn secret_file(&mut self, map: &mut Map<String, Value>, secret: &str, path: &str) {
        let key = format!("{secret}_file");
        let Some(file) = map.remove(&key) else {
            return;
        };
        let place = format!("{path}/{key}");
        if map.contains_key(secret) {
            self.findings.push(
                Finding::error(place, format!("`{secret}` and `{key}` are both given"))
                    .hint("keep one of them"),
            );
            return;
        }
        let text = self.read_secret(&file).unwrap_or_else(|finding| {
            self.findings.push(Finding {
                path: place,
                ..finding
            });
            // Stands in for it, so that the key is not also told to be missing.
            "unreadable".to_owned()
        });
        map.insert(secret.to_owned(), Value::String(text));
    }

    fn read_secret(&self, file: &Value) -> Result<String, Finding> {
        let Value::String(file) = file else {
            return Err(Finding::error(
                "",
                "the path of a file must be a text in quotes",
            ));
        };
        let file = self
            .expand_variables(file)
            .map_err(|says| Finding::error("", says).hint("set the variable"))?;
        let read = self.around.read(&file).map_err(|why| {
            Finding::error("", format!("cannot read {file}: {why}"))
                .hint("check the path, and that the host may read the file")
        })?;
        match read.trim_end_matches(['\r', '\n']) {
            "" => Err(Finding::error("", format!("the file {file} is empty"))
                .hint("write the secret into it")),
            secret => Ok(secret.to_owned()),
        }
    }

    /// Follows references and takes all branches of a choice: a secret may stand in any of them.
    fn expand(&self, schemas: &[&'a Value]) -> Vec<&'a Value> {
        let mut open: Vec<&Value> = schemas.to_vec();
        let mut all: Vec<&Value> = Vec::new();
        while let Some(node) = open.pop() {
            // A schema that refers to itself ends here.
            if all.len() > 200 || all.iter().any(|seen| std::ptr::eq(*seen, node)) {
                continue;
            }
            all.push(node);
            let reference = node
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|text| text.strip_prefix('#'));
            open.extend(reference.and_then(|pointer| self.root.pointer(pointer)));
            for choice in ["oneOf", "anyOf", "allOf"] {
                open.extend(
                    node.get(choice)
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten(),
                );
            }
        }
        all
    }

    fn expand_variables(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            if let Some(plain) = before.strip_suffix('$') {
                out.push_str(plain);
                out.push_str("${");
                rest = after;
                continue;
            }
            let (name, tail) = after.split_once('}').ok_or("`${` has no closing `}`")?;
            out.push_str(before);
            out.push_str(
                &self
                    .around
                    .variable(name)
                    .ok_or_else(|| format!("the environment variable {name} is not set"))?,
            );
            rest = tail;
        }
        out.push_str(rest);
        Ok(out)
    }
}

fn secret_keys(schemas: &[&Value]) -> Vec<String> {
    let mut keys: Vec<String> = schemas
        .iter()
        .filter_map(|node| node.get("properties").and_then(Value::as_object))
        .flatten()
        .filter(|(_, property)| holds_secret(property))
        .map(|(key, _)| key.clone())
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

fn holds_secret(property: &Value) -> bool {
    property.get("x-secret").is_some()
        || property
            .get("anyOf")
            .and_then(Value::as_array)
            .is_some_and(|branches| {
                branches
                    .iter()
                    .any(|branch| branch.get("x-secret").is_some())
            })
}
