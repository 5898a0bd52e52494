//! Schemas that strangers wrote: those that components give of their parameters.
//!
//! A schema is a small program. A kilobyte of references, each to two others, asks for 2^30 checks;
//! references in a circle ask for checks without end, and a long chain of them for more stack than
//! there is; a pattern of ten characters may need megabytes. So a schema is judged before the
//! checker sees it: its size, its references and its patterns by themselves, and the number of
//! checks against the parameters that are there. The count is from above: each branch counts, taken
//! or not, and so does a key that the draft of the schema does not know.
//!
//! References lead to a place in the same schema (`#/$defs/NAME`); nested bases, anchors and
//! dynamic references would lead elsewhere than they seem to, and are refused.

use std::ptr;

use serde_json::{Map, Value};

/// Most values in a schema: objects, lists, texts, numbers. A large schema has a thousand.
const VALUES_MAX: usize = 20_000;
/// Most references; the checker follows a chain of them on its stack.
const REFERENCES_MAX: usize = 1_000;
/// Most patterns.
const PATTERNS_MAX: usize = 64;
/// Most bytes of a compiled pattern: with [`PATTERNS_MAX`] that is 64 MiB for a moment.
pub(crate) const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Most steps back that one pattern may make over one text.
pub(crate) const PATTERN_STEPS_MAX: usize = 10_000;
/// Most checks of one set of parameters, a third of a second.
const CHECKS_MAX: usize = 100_000;
/// Most checks that lead from one to the next.
const DEPTH_MAX: usize = 128;

/// Judges a schema together with what it shall be checked against.
///
/// # Errors
/// Why it is not used, in words that follow "the schema".
pub(crate) fn judge(schema: &Value, parameters: &Map<String, Value>) -> Result<(), String> {
    Census::of(schema).take(schema, true)?;
    let mut walk = Walk {
        schema,
        checks: 0,
        open: Vec::new(),
        here: 0,
    };
    walk.check(schema, Some(Place::Table(parameters)))
}

/// What is in a schema, whether it is reached or not.
struct Census {
    /// The draft in which `id` is what `$id` is now.
    is_draft_4: bool,
    values: usize,
    references: usize,
    patterns: usize,
}

impl Census {
    fn of(schema: &Value) -> Self {
        let draft = schema.get("$schema").and_then(Value::as_str);
        Self {
            is_draft_4: draft.is_some_and(|draft| draft.contains("draft-04")),
            values: 0,
            references: 0,
            patterns: 0,
        }
    }

    fn take(&mut self, value: &Value, is_root: bool) -> Result<(), String> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return Err(format!("has more than {VALUES_MAX} values"));
        }
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    self.key(key, value, is_root)?;
                    self.take(value, false)?;
                }
                Ok(())
            }
            Value::Array(items) => items.iter().try_for_each(|item| self.take(item, false)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    /// A key whose value is of another type is the name of a property, which may be any word.
    fn key(&mut self, key: &str, value: &Value, is_root: bool) -> Result<(), String> {
        if key.chars().any(char::is_control) {
            return Err("has a key with control characters".to_owned());
        }
        match (key, value) {
            ("$ref", Value::String(target)) => self.reference(target)?,
            ("$dynamicRef" | "$recursiveRef", Value::String(_)) => {
                return Err(format!(
                    "uses `{key}`; write `$ref` to a place in it instead"
                ));
            }
            ("$id" | "$schema", Value::String(_)) if !is_root => return Err(below_the_top(key)),
            ("id", Value::String(_)) if !is_root && self.is_draft_4 => {
                return Err(below_the_top(key));
            }
            ("pattern", Value::String(_)) => self.patterns += 1,
            ("patternProperties", Value::Object(patterns)) => self.patterns += patterns.len(),
            _ => {}
        }
        if self.patterns > PATTERNS_MAX {
            return Err(format!("has more than {PATTERNS_MAX} patterns"));
        }
        Ok(())
    }

    fn reference(&mut self, target: &str) -> Result<(), String> {
        let rest = target.strip_prefix('#');
        if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            || target.contains('%')
        {
            return Err(
                "refers to something that is no place in it; a reference is written like `#/$defs/NAME`"
                    .to_owned(),
            );
        }
        self.references += 1;
        if self.references > REFERENCES_MAX {
            return Err(format!("has more than {REFERENCES_MAX} references"));
        }
        Ok(())
    }
}

fn below_the_top(key: &str) -> String {
    format!("has `{key}` below its top, where it may not stand")
}

/// A place in the parameters.
#[derive(Clone, Copy)]
enum Place<'a> {
    Table(&'a Map<String, Value>),
    List(&'a [Value]),
}

impl<'a> Place<'a> {
    /// `None` for what has nothing below it.
    fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::Object(table) => Some(Self::Table(table)),
            Value::Array(items) => Some(Self::List(items)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        }
    }
}

/// A walk through the schema as the checker does it, without checking anything.
struct Walk<'a> {
    schema: &'a Value,
    checks: usize,
    /// Subschemas on the way to where the walk is.
    open: Vec<&'a Value>,
    /// The first of `open` that is checked against the same place as the last.
    here: usize,
}

impl<'a> Walk<'a> {
    fn check(&mut self, node: &'a Value, place: Option<Place<'_>>) -> Result<(), String> {
        self.checks += 1;
        if self.checks > CHECKS_MAX {
            return Err(format!(
                "asks for more than {CHECKS_MAX} checks of these parameters"
            ));
        }
        let Value::Object(keys) = node else {
            return Ok(());
        };
        let same = self.open.iter().skip(self.here);
        if same.into_iter().any(|open| ptr::eq(*open, node)) {
            return Err("refers to itself without end".to_owned());
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(format!("is more than {DEPTH_MAX} checks deep"));
        }
        self.open.push(node);
        // What is not evaluated is found by going through all branches once more.
        let twice = keys.keys().any(|key| key.starts_with("unevaluated"));
        for _ in 0..=usize::from(twice) {
            for branch in self.branches(keys) {
                self.check(branch, place)?;
            }
        }
        let before = std::mem::replace(&mut self.here, self.open.len());
        match place {
            Some(Place::Table(table)) => self.below_table(keys, table)?,
            Some(Place::List(items)) => self.below_list(keys, items)?,
            None => {}
        }
        self.here = before;
        self.open.pop();
        Ok(())
    }

    /// Subschemas for the same place.
    fn branches(&self, keys: &'a Map<String, Value>) -> Vec<&'a Value> {
        let mut branches = Vec::new();
        for (key, value) in keys {
            match (key.as_str(), value) {
                ("allOf" | "anyOf" | "oneOf", Value::Array(several)) => branches.extend(several),
                ("not" | "if" | "then" | "else", one) => branches.push(one),
                ("dependentSchemas" | "dependencies", Value::Object(several)) => {
                    branches.extend(several.values());
                }
                ("$ref", Value::String(target)) => {
                    let pointer = target.strip_prefix('#').unwrap_or_default();
                    // The checker says it of one that leads nowhere.
                    branches.extend(self.schema.pointer(pointer));
                }
                _ => {}
            }
        }
        branches
    }

    fn below_table(
        &mut self,
        keys: &'a Map<String, Value>,
        table: &Map<String, Value>,
    ) -> Result<(), String> {
        for (name, value) in table {
            let place = Place::of(value);
            for (key, node) in keys {
                match (key.as_str(), node) {
                    ("properties", Value::Object(properties)) => {
                        if let Some(node) = properties.get(name) {
                            self.check(node, place)?;
                        }
                    }
                    ("patternProperties", Value::Object(patterns)) => {
                        for node in patterns.values() {
                            self.check(node, place)?;
                        }
                    }
                    ("propertyNames", node) => self.check(node, None)?,
                    ("additionalProperties" | "unevaluatedProperties", node) => {
                        self.check(node, place)?;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn below_list(&mut self, keys: &'a Map<String, Value>, items: &[Value]) -> Result<(), String> {
        for (index, value) in items.iter().enumerate() {
            let place = Place::of(value);
            for (key, node) in keys {
                match (key.as_str(), node) {
                    ("items" | "prefixItems", Value::Array(several)) => {
                        if let Some(node) = several.get(index) {
                            self.check(node, place)?;
                        }
                    }
                    ("items" | "additionalItems" | "contains" | "unevaluatedItems", node) => {
                        self.check(node, place)?;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}
