//! Checks a tree against a JSON Schema and says all that is wrong, in people's words.
//!
//! The schemas are made from the settings types themselves, or are a plugin's own; so one
//! checker serves the settings, the files beside plugins and the parameters of plugins.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the kinds of validation errors belong to another crate and grow with it"
)]

use andon_model::Finding;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use schemars::JsonSchema;
use serde_json::Value;

use crate::document::escape;
use crate::foreign_schema::{PATTERN_BYTES_MAX, PATTERN_STEPS_MAX};
use crate::nearest::nearest;

/// Most characters that are told of what is wrong with a schema.
const SAYS_CHARS_MAX: usize = 300;

/// A compiled schema.
#[derive(Debug, Clone)]
pub struct SchemaCheck {
    schema: Value,
    validator: Validator,
}

impl SchemaCheck {
    /// The schema of a settings type.
    ///
    /// # Errors
    /// The schema is not valid, with the reason; for our own types a test shows that it is.
    pub fn of<T: JsonSchema>() -> Result<Self, String> {
        Self::new(schemars::schema_for!(T).to_value())
    }

    /// A schema that somebody else wrote, such as a plugin's.
    ///
    /// # Errors
    /// Why it is no schema, in a line. References to other documents are refused.
    pub fn new(schema: Value) -> Result<Self, String> {
        let patterns = jsonschema::PatternOptions::fancy_regex()
            .size_limit(PATTERN_BYTES_MAX)
            .backtrack_limit(PATTERN_STEPS_MAX);
        let validator = jsonschema::options()
            .with_pattern_options(patterns)
            .build(&schema)
            .map_err(|error| short(&error.to_string()))?;
        Ok(Self { schema, validator })
    }

    /// The schema itself.
    #[must_use]
    pub const fn schema(&self) -> &Value {
        &self.schema
    }

    /// All that is wrong with the tree, in the order of the tree.
    #[must_use]
    pub fn check(&self, value: &Value) -> Vec<Finding> {
        let mut findings = Vec::new();
        for error in self.validator.iter_errors(value) {
            self.explain(&error, value, &mut findings);
        }
        findings.sort_by(|a, b| a.path.cmp(&b.path));
        findings.dedup();
        findings
    }

    fn explain(&self, error: &ValidationError<'_>, root: &Value, findings: &mut Vec<Finding>) {
        let path = error.instance_path().as_str().to_owned();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let known = self.known_keys(error);
                for key in unexpected {
                    findings.push(unknown_key(&path, key, &known));
                }
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or("?");
                let hint = if self.is_secret_key(error, name) {
                    format!("add `{name}_file = \"…\"`, a file that holds it, or `{name} = \"…\"`")
                } else {
                    format!("add `{name} = …`")
                };
                findings
                    .push(Finding::error(path, format!("the key `{name}` is missing")).hint(hint));
            }
            ValidationErrorKind::OneOfNotValid { context }
            | ValidationErrorKind::AnyOf { context } => {
                self.explain_branches(context, &path, root, findings);
            }
            _ => {
                let shown = if self.is_secret(error) {
                    "the value".to_owned()
                } else {
                    show(root.pointer(&path).unwrap_or(&Value::Null))
                };
                findings.push(plain(error.kind(), path, &shown));
            }
        }
    }

    /// Whether the key that failed holds a secret, which no message may show.
    fn is_secret(&self, error: &ValidationError<'_>) -> bool {
        let location = error.schema_path().as_str();
        let above = location.rsplit_once('/').map_or("", |(above, _)| above);
        self.schema
            .pointer(above)
            .and_then(|node| node.get("x-secret"))
            .is_some()
    }

    /// Whether a key that is missing would hold a secret.
    fn is_secret_key(&self, error: &ValidationError<'_>, name: &str) -> bool {
        let location = error.schema_path().as_str();
        let above = location.rsplit_once('/').map_or("", |(above, _)| above);
        self.schema
            .pointer(&format!("{above}/properties/{}/x-secret", escape(name)))
            .is_some()
    }

    /// Of several forms that were tried, explains the one that the user meant: the one whose
    /// constant keys (`kind = "smpp"`) match.
    fn explain_branches(
        &self,
        branches: &[Vec<ValidationError<'static>>],
        path: &str,
        root: &Value,
        findings: &mut Vec<Finding>,
    ) {
        let wrong_tag = |error: &ValidationError<'_>| {
            matches!(error.kind(), ValidationErrorKind::Constant { .. })
                && error.instance_path().as_str() != path
        };
        let wrong_type = |error: &ValidationError<'_>| {
            matches!(
                error.kind(),
                ValidationErrorKind::Type { .. }
                    | ValidationErrorKind::Constant { .. }
                    | ValidationErrorKind::Enum { .. }
            ) && error.instance_path().as_str() == path
        };
        let meant: Vec<_> = branches
            .iter()
            .filter(|branch| {
                !branch
                    .iter()
                    .any(|error| wrong_tag(error) || wrong_type(error))
            })
            .collect();
        if let [branch] = meant.as_slice() {
            for error in *branch {
                self.explain(error, root, findings);
            }
            return;
        }
        if let Some(finding) = wrong_choice(branches, path, root) {
            findings.push(finding);
            return;
        }
        let shown = show(root.pointer(path).unwrap_or(&Value::Null));
        findings.push(Finding::error(
            path,
            format!("{shown} fits none of the forms that are allowed here"),
        ));
    }

    fn known_keys(&self, error: &ValidationError<'_>) -> Vec<String> {
        let location = error.schema_path().as_str();
        let mut at = location;
        // The schema path goes through `$ref`; evaluate it part by part from the root.
        while let Some((above, _)) = at.rsplit_once('/') {
            at = above;
            let keys = self.properties_at(at);
            if !keys.is_empty() {
                return keys;
            }
        }
        self.properties_at("")
    }

    fn properties_at(&self, pointer: &str) -> Vec<String> {
        let Some(node) = self.schema.pointer(pointer) else {
            return Vec::new();
        };
        let mut keys: Vec<String> = Vec::new();
        let reference = node
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|text| text.strip_prefix('#'))
            .and_then(|pointer| self.schema.pointer(pointer));
        for node in [Some(node), reference].into_iter().flatten() {
            if let Some(Value::Object(map)) = node.get("properties") {
                keys.extend(map.keys().cloned());
            }
        }
        keys
    }
}

fn unknown_key(path: &str, key: &str, known: &[String]) -> Finding {
    let finding = Finding::error(
        format!("{path}/{}", escape(key)),
        format!("unknown key `{key}`"),
    );
    match nearest(key, known.iter().map(String::as_str)) {
        Some(near) => finding.hint(format!("did you mean `{near}`?")),
        None if known.is_empty() => finding.hint("no keys are allowed here"),
        None => finding.hint(format!("allowed here: {}", known.join(", "))),
    }
}

/// `kind = "smp"`: names the values that the constant key may have.
fn wrong_choice(
    branches: &[Vec<ValidationError<'static>>],
    path: &str,
    root: &Value,
) -> Option<Finding> {
    let mut allowed = Vec::new();
    let mut at = None;
    for error in branches.iter().flatten() {
        match error.kind() {
            ValidationErrorKind::Constant { expected_value } => {
                allowed.push(show(expected_value));
                at = Some(error.instance_path().as_str().to_owned());
            }
            ValidationErrorKind::Enum { options } => {
                allowed.extend(options.as_array().into_iter().flatten().map(show));
                at = Some(error.instance_path().as_str().to_owned());
            }
            ValidationErrorKind::Required { property } if allowed.is_empty() => {
                at.get_or_insert_with(|| format!("{path}/{}", property.as_str().unwrap_or("?")));
            }
            _ => {}
        }
    }
    let at = at?;
    allowed.sort();
    allowed.dedup();
    if allowed.is_empty() {
        return Some(Finding::error(at, "this key is missing"));
    }
    let shown = root.pointer(&at).map_or_else(|| "nothing".to_owned(), show);
    let finding = Finding::error(at, format!("{shown} is not allowed here"))
        .hint(format!("use one of {}", allowed.join(", ")));
    Some(finding)
}

fn plain(kind: &ValidationErrorKind, path: String, shown: &str) -> Finding {
    match kind {
        ValidationErrorKind::Type { kind } => {
            Finding::error(path, format!("{shown} is not {}", wanted(kind)))
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<&str> = options
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let finding = Finding::error(path, format!("{shown} is not allowed here"));
            match nearest(shown.trim_matches('"'), options.iter().copied()) {
                Some(near) => finding.hint(format!(
                    "did you mean `{near}`? allowed: {}",
                    options.join(", ")
                )),
                None => finding.hint(format!("use one of {}", options.join(", "))),
            }
        }
        ValidationErrorKind::Minimum { limit } => Finding::error(
            path,
            format!("{shown} is below {limit}, the least that is allowed"),
        ),
        ValidationErrorKind::Maximum { limit } => Finding::error(
            path,
            format!("{shown} is above {limit}, the most that is allowed"),
        ),
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            Finding::error(path, format!("{shown} must be above {limit}"))
        }
        ValidationErrorKind::ExclusiveMaximum { limit } => {
            Finding::error(path, format!("{shown} must be below {limit}"))
        }
        ValidationErrorKind::MinLength { limit: 1 } => Finding::error(path, "must not be empty"),
        ValidationErrorKind::MinItems { limit } => {
            Finding::error(path, format!("needs at least {limit} entries"))
        }
        ValidationErrorKind::Pattern { pattern } => Finding::error(
            path,
            format!("{shown} is not of the form that is wanted here"),
        )
        .hint(pattern_hint(pattern)),
        ValidationErrorKind::Constant { expected_value } => {
            Finding::error(path, format!("{shown} must be {}", show(expected_value)))
        }
        ValidationErrorKind::UniqueItems => Finding::error(path, "holds the same entry twice"),
        other => Finding::error(
            path,
            format!("{shown} breaks the rule `{}` of this key", other.keyword()),
        ),
    }
}

fn pattern_hint(pattern: &str) -> String {
    if pattern.contains("ms|s|m|h|d") {
        "write a number and a unit (ms, s, m, h or d), like 200ms, 30s or 1h30m".into()
    } else if pattern.starts_with(r"^\+[1-9]") {
        "write a phone number with + and the country code, like +4790000001".into()
    } else {
        format!("it must match {pattern}")
    }
}

fn wanted(kind: &TypeKind) -> String {
    let word = |name: &str| match name {
        "string" => "a text in quotes",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a table",
        "null" => "nothing",
        _ => "of the wanted type",
    };
    match kind {
        TypeKind::Single(one) => word(&one.to_string()).to_owned(),
        TypeKind::Multiple(many) => {
            let names: Vec<String> = many
                .iter()
                .map(|one| one.to_string())
                .filter(|name| name != "null")
                .collect();
            names
                .iter()
                .map(|name| word(name))
                .collect::<Vec<_>>()
                .join(" or ")
        }
    }
}

/// What the checker says of a schema may hold all of it.
fn short(says: &str) -> String {
    let signs = says.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = signs.clone().take(SAYS_CHARS_MAX).collect();
    if signs.count() > SAYS_CHARS_MAX {
        short.push('…');
    }
    short
}

/// A value as it may stand in a message: short, and never a table whole (it may hold a secret).
fn show(value: &Value) -> String {
    match value {
        Value::String(text) if text.chars().count() > 60 => {
            format!("\"{}…\"", text.chars().take(59).collect::<String>())
        }
        Value::Array(_) => "this list".into(),
        Value::Object(_) => "this table".into(),
        Value::Null => "nothing".into(),
        Value::String(_) | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
