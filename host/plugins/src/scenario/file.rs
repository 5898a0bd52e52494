//! The text of a scenario file: parse, then check, with all problems at once.

use std::collections::BTreeMap;

use andon_model::{CallErrorKind, DurationText, Finding, Labels, Priority, Quality, ValueType};
use serde::Deserialize;
use toml::Spanned;

/// A checked scenario.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What it shows; the file's stem where the file does not say.
    pub name: String,
    /// Stem of the `.wasm` file.
    pub component: String,
    pub(super) parameters: serde_json::Value,
    pub(super) inputs: BTreeMap<String, Vec<String>>,
    pub(super) tags: BTreeMap<String, TagText>,
    pub(super) labels: Labels,
    pub(super) steps: Vec<Step>,
    /// The line of each step, the first is 1.
    pub(super) lines: Vec<usize>,
}

/// Why a scenario cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// The text is not TOML, or not of the form of a scenario; with line and mark.
    #[error("{0}")]
    Text(String),
    /// It says things that do not go together, or do not fit the component.
    #[error("{}", lines(.0))]
    Problems(Vec<Finding>),
}

fn lines(findings: &[Finding]) -> String {
    let all: Vec<String> = findings.iter().map(ToString::to_string).collect();
    all.join("\n")
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    name: Option<String>,
    component: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    inputs: BTreeMap<String, TagNames>,
    #[serde(default)]
    tags: BTreeMap<String, TagText>,
    #[serde(default)]
    labels: Labels,
    #[serde(default)]
    step: Vec<Spanned<Step>>,
}

/// One tag or several.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a tag name or a list of tag names")]
enum TagNames {
    One(String),
    Many(Vec<String>),
}

/// What the file says of a tag.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TagText {
    #[serde(rename = "type")]
    pub(super) value_type: Option<ValueType>,
    pub(super) unit: Option<String>,
}

/// What happens at one moment, and what must come of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub(super) at: DurationText,
    #[serde(default)]
    pub(super) set: BTreeMap<String, Value>,
    /// Further samples of the same batch, good ones, in this order.
    #[serde(default)]
    pub(super) more: Vec<BTreeMap<String, Value>>,
    #[serde(default)]
    pub(super) quality: BTreeMap<String, QualityWord>,
    #[serde(default)]
    pub(super) restart: bool,
    #[serde(default)]
    pub(super) expect: Vec<ExpectedAction>,
    #[serde(default)]
    pub(super) outputs: BTreeMap<String, Value>,
    pub(super) error: Option<CallErrorKind>,
    /// A part of that error's message.
    pub(super) says: Option<String>,
}

impl Step {
    /// All values that it sets, each with the key of the file that holds it.
    pub(super) fn values(&self) -> impl Iterator<Item = (&'static str, &String, &Value)> {
        let set = self.set.iter().map(|(tag, value)| ("set", tag, value));
        let more = self.more.iter().flatten();
        set.chain(more.map(|(tag, value)| ("more", tag, value)))
    }
}

/// A value of a tag.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, expecting = "expected a number, true, false or a text")]
pub(super) enum Value {
    Bool(bool),
    Number(f64),
    Text(String),
}

impl Value {
    /// The type of a tag of which nothing else is known.
    pub(super) const fn natural_type(&self) -> ValueType {
        match self {
            Self::Bool(_) => ValueType::Bool,
            Self::Number(_) => ValueType::F64,
            Self::Text(_) => ValueType::Text,
        }
    }
}

/// Quality in three words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum QualityWord {
    Good,
    Uncertain,
    Bad,
}

impl QualityWord {
    pub(super) const fn quality(self) -> Quality {
        match self {
            Self::Good => Quality::GOOD,
            Self::Uncertain => Quality::UNCERTAIN,
            Self::Bad => Quality::BAD,
        }
    }

    pub(super) const fn of(quality: Quality) -> Self {
        if quality.is_good() {
            Self::Good
        } else if quality.is_bad() {
            Self::Bad
        } else {
            Self::Uncertain
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Uncertain => "uncertain",
            Self::Bad => "bad",
        }
    }
}

/// An action that must come; what is not said may be anything.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedAction {
    pub(super) raise: Option<String>,
    pub(super) clear: Option<String>,
    pub(super) notify: Option<String>,
    pub(super) priority: Option<Priority>,
    pub(super) message: Option<String>,
    pub(super) contains: Option<String>,
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
}

impl Scenario {
    /// Most steps of one file.
    pub const STEPS_MAX: usize = 10_000;

    /// Reads a scenario file. `stem` is the file's name without `.toml`; `plugin` is the name of
    /// the folder above `scenarios/`, which names the component where the file does not.
    ///
    /// # Errors
    /// The text is not a scenario (with line, mark, and the nearest known key), or says things
    /// that do not go together (all of them at once).
    pub fn parse(text: &str, stem: &str, plugin: &str) -> Result<Self, ScenarioError> {
        let file: FileText = toml::from_str(text).map_err(|error| {
            let hint = nearest_key(error.message());
            ScenarioError::Text(format!("{}{hint}", error.to_string().trim_end()))
        })?;
        let lines = file
            .step
            .iter()
            .map(|step| line_of(text, step.span().start));
        let lines = lines.collect();
        let steps: Vec<Step> = file.step.into_iter().map(Spanned::into_inner).collect();
        let findings = check(&steps);
        if !findings.is_empty() {
            return Err(ScenarioError::Problems(findings));
        }
        let inputs = file.inputs.into_iter().map(|(port, names)| match names {
            TagNames::One(name) => (port, vec![name]),
            TagNames::Many(names) => (port, names),
        });
        Ok(Self {
            name: file.name.unwrap_or_else(|| stem.to_owned()),
            component: file.component.unwrap_or_else(|| plugin.to_owned()),
            parameters: serde_json::Value::Object(file.parameters.into_iter().collect()),
            inputs: inputs.collect(),
            tags: file.tags,
            labels: file.labels,
            steps,
            lines,
        })
    }

    /// The parameters that the instance is given, to be checked against the component's schema.
    #[must_use]
    pub const fn parameters(&self) -> &serde_json::Value {
        &self.parameters
    }
}

/// The line of a place in a text.
fn line_of(text: &str, place: usize) -> usize {
    let before = text.bytes().take(place);
    1 + before.filter(|byte| *byte == b'\n').count()
}

fn check(steps: &[Step]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if steps.is_empty() || steps.len() > Scenario::STEPS_MAX {
        let says = format!(
            "a scenario has 1 to {} steps; this has {}",
            Scenario::STEPS_MAX,
            steps.len()
        );
        findings.push(Finding::error("/step", says).hint("write each as [[step]]"));
    }
    let mut before = None;
    for (index, step) in steps.iter().enumerate() {
        if before.is_some_and(|before| step.at < before) {
            findings.push(
                Finding::error(
                    format!("/step/{index}/at"),
                    format!("{} is earlier than the step before it", step.at),
                )
                .hint("times count from the start of the scenario and ascend"),
            );
        }
        before = Some(step.at);
        if step.says.is_some() && step.error.is_none() {
            let finding = Finding::error(
                format!("/step/{index}/says"),
                "it is a part of an error's message, and no error is expected",
            );
            findings.push(finding.hint("write the kind as well, as in error = \"declined\""));
        }
        for (place, expected) in step.expect.iter().enumerate() {
            let path = format!("/step/{index}/expect/{place}");
            findings.extend(check_expected(&path, expected));
        }
    }
    findings
}

fn check_expected(path: &str, expected: &ExpectedAction) -> Option<Finding> {
    let keys = [&expected.raise, &expected.clear, &expected.notify];
    if keys.into_iter().flatten().count() != 1 {
        return Some(Finding::error(
            path,
            "an expected action has exactly one of raise, clear and notify",
        ));
    }
    let says_more = expected.priority.is_some()
        || expected.message.is_some()
        || expected.contains.is_some()
        || !expected.attributes.is_empty();
    (expected.clear.is_some() && says_more)
        .then(|| Finding::error(path, "a clear has a key and nothing else"))
}

/// The hint for an unknown key, taken from the parser's sentence: it quotes the key first, then
/// those that are known.
fn nearest_key(message: &str) -> String {
    if !message.starts_with("unknown ") {
        return String::new();
    }
    let mut quoted = message.split('`').skip(1).step_by(2);
    let Some(unknown) = quoted.next() else {
        return String::new();
    };
    nearest(unknown, quoted).map_or_else(String::new, |known| format!("\ndid you mean `{known}`?"))
}

/// The known word that is most like an unknown one, if one is like it at all.
pub(super) fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|word| (strsim::jaro_winkler(unknown, word), word))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, word)| word)
}
