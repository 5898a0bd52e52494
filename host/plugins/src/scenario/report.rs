//! What a played scenario came to, and the differences as people read them.

use std::fmt;

use andon_model::{Action, AlarmRequest, CallError, CallErrorKind, DurationText};
use serde::Serialize;

use super::file::{ExpectedAction, QualityWord, Step, Value};
use super::play::Heard;
use super::side_by_side::{Beside, actions};

/// What a scenario came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Name of the scenario.
    pub scenario: String,
    /// How many steps were played.
    pub steps: usize,
    /// How often the guest was called.
    pub calls: usize,
    /// Where it differs from what the file expects; empty if it passed.
    pub differences: Vec<Difference>,
}

/// One thing that is not as expected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Which step, the first is 1.
    pub step: usize,
    /// The line of the file at which the step begins, the first is 1.
    pub line: usize,
    /// Its time.
    pub at: DurationText,
    /// Lines that tell it: `=` as expected, `-` expected, `+` got.
    pub lines: Vec<String>,
    /// The same, expected beside got.
    pub rows: Vec<Beside>,
}

impl Report {
    /// Whether all was as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.passed() { "ok" } else { "FAILED" };
        write!(
            f,
            "{word}: {} ({} steps, {} calls)",
            self.scenario, self.steps, self.calls
        )?;
        for difference in &self.differences {
            write!(f, "\n  step {}, at {}:", difference.step, difference.at)?;
            for line in &difference.lines {
                write!(f, "\n    {line}")?;
            }
        }
        Ok(())
    }
}

/// Compares what a step came to with what it expects.
pub(super) fn compare(
    number: usize,
    line: usize,
    step: &Step,
    heard: &Heard,
) -> Option<Difference> {
    let mut lines = Vec::new();
    let errors_lines = compare_errors(step, heard);
    lines.extend(errors_lines);
    lines.extend(compare_actions(&step.expect, &heard.actions));
    for (name, expected) in &step.outputs {
        lines.extend(compare_output(name, expected, heard));
    }
    (!lines.is_empty()).then_some(Difference {
        step: number,
        line,
        at: step.at,
        lines,
        rows: side_by_side(step, heard),
    })
}

/// Everything that the step expects beside what came.
fn side_by_side(step: &Step, heard: &Heard) -> Vec<Beside> {
    let mut rows = Vec::new();
    let says = step.says.as_ref();
    let says = says.map_or_else(String::new, |says| format!(": …{says:?}…"));
    let expected = step.error.map(|kind| format!("{}{says}", kind_word(kind)));
    for error in &heard.errors {
        let got = if failed_so(step, error) {
            expected.clone()
        } else {
            Some(format!("{}: {error}", kind_word(error.kind)))
        };
        rows.push(Beside::value("failure", expected.clone(), got));
    }
    if expected.is_some() && heard.errors.is_empty() {
        rows.push(Beside::value("failure", expected, None));
    }
    rows.extend(actions(&step.expect, &heard.actions));
    for (name, expected) in &step.outputs {
        let wrong = compare_output(name, expected, heard);
        let [_, got] = wrong.as_slice() else {
            continue;
        };
        let got = got
            .trim_start_matches("+ ")
            .trim_start_matches(name.as_str());
        let got = got
            .trim_start_matches(" = ")
            .trim_start_matches(" has ")
            .to_owned();
        rows.push(Beside::value(name, Some(show_value(expected)), Some(got)));
    }
    rows
}

/// Whether this is the failure that the step expects.
fn failed_so(step: &Step, error: &CallError) -> bool {
    let says = step.says.as_deref().unwrap_or_default();
    Some(error.kind) == step.error && error.message.contains(says)
}

fn compare_errors(step: &Step, heard: &Heard) -> Vec<String> {
    let mut lines: Vec<String> = heard
        .errors
        .iter()
        .filter(|error| !failed_so(step, error))
        .map(|error| format!("+ a call failed ({}): {error}", kind_word(error.kind)))
        .collect();
    if let Some(kind) = step.error
        && !heard.errors.iter().any(|error| failed_so(step, error))
    {
        let says = step.says.as_ref();
        let says = says.map_or_else(String::new, |says| format!(": …{says:?}…"));
        lines.insert(
            0,
            format!("- a call that fails ({}){says}", kind_word(kind)),
        );
    }
    lines
}

pub(super) const fn kind_word(kind: CallErrorKind) -> &'static str {
    match kind {
        CallErrorKind::Declined => "declined",
        CallErrorKind::TimeOut => "time-out",
        CallErrorKind::OutOfBounds => "out-of-bounds",
        CallErrorKind::Trap => "trap",
        CallErrorKind::BadAnswer => "bad-answer",
        CallErrorKind::Engine => "engine",
    }
}

/// Nothing if all is as expected; else all actions of the step, in order.
fn compare_actions(expected: &[ExpectedAction], got: &[Action]) -> Vec<String> {
    let rows = expected.len().max(got.len());
    let mut lines = Vec::new();
    let mut differs = false;
    for row in 0..rows {
        match (expected.get(row), got.get(row)) {
            (Some(expected), Some(got)) if meets(expected, got) => {
                lines.push(format!("= {}", show(got)));
            }
            (expected, got) => {
                differs = true;
                lines.extend(expected.map(|expected| format!("- {}", show_expected(expected))));
                lines.extend(got.map(|got| format!("+ {}", show(got))));
            }
        }
    }
    if differs { lines } else { Vec::new() }
}

fn meets(expected: &ExpectedAction, got: &Action) -> bool {
    let (key, alarm) = match got {
        Action::Raise(alarm) => (&expected.raise, alarm),
        Action::Notify(alarm) => (&expected.notify, alarm),
        Action::Clear(key) => return expected.clear.as_ref() == Some(key),
    };
    let has = |(name, value): (&String, &String)| {
        alarm
            .attributes
            .iter()
            .any(|(n, v)| n == name && v == value)
    };
    key.as_ref() == Some(&alarm.key)
        && expected.priority.is_none_or(|p| p == alarm.priority)
        && expected
            .message
            .as_ref()
            .is_none_or(|m| *m == alarm.message)
        && expected
            .contains
            .as_ref()
            .is_none_or(|part| alarm.message.contains(part))
        && expected.attributes.iter().all(has)
}

fn show(action: &Action) -> String {
    let alarm = |word: &str, alarm: &AlarmRequest| {
        let attributes = alarm.attributes.iter().map(|(n, v)| (n, v));
        format!(
            "{word} {}, {}, {:?}{}",
            alarm.key,
            alarm.priority,
            alarm.message,
            show_attributes(attributes)
        )
    };
    match action {
        Action::Raise(request) => alarm("raise", request),
        Action::Notify(request) => alarm("notify", request),
        Action::Clear(key) => format!("clear {key}"),
    }
}

fn show_expected(expected: &ExpectedAction) -> String {
    let keys = [
        ("raise", &expected.raise),
        ("clear", &expected.clear),
        ("notify", &expected.notify),
    ];
    let mut text: String = keys
        .into_iter()
        .filter_map(|(word, key)| Some(format!("{word} {}", key.as_ref()?)))
        .collect();
    if let Some(priority) = expected.priority {
        text.push_str(&format!(", {priority}"));
    }
    if let Some(message) = &expected.message {
        text.push_str(&format!(", {message:?}"));
    }
    if let Some(part) = &expected.contains {
        text.push_str(&format!(", …{part:?}…"));
    }
    text + &show_attributes(expected.attributes.iter())
}

fn show_attributes<'a>(attributes: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let all: Vec<String> = attributes
        .map(|(name, value)| format!("{name} = {value:?}"))
        .collect();
    if all.is_empty() {
        String::new()
    } else {
        format!(", {{ {} }}", all.join(", "))
    }
}

fn compare_output(name: &str, expected: &Value, heard: &Heard) -> Vec<String> {
    let (port, wants_quality) = match name.strip_suffix(".quality") {
        Some(port) => (port, true),
        None => (name, false),
    };
    let Some((value, quality)) = heard.outputs.get(port).copied() else {
        return vec![
            format!("- {name} = {}", show_value(expected)),
            format!("+ {name} has no value yet"),
        ];
    };
    let word = QualityWord::of(quality).word();
    let same = match expected {
        Value::Text(text) => wants_quality && text == word,
        Value::Number(number) => !wants_quality && is_near(*number, value),
        Value::Bool(on) => !wants_quality && value == f64::from(u8::from(*on)),
    };
    if same {
        return Vec::new();
    }
    let got = if wants_quality {
        format!("{word:?}")
    } else {
        value.to_string()
    };
    vec![
        format!("- {name} = {}", show_value(expected)),
        format!("+ {name} = {got}"),
    ]
}

/// Equal but for the rounding of the last digits: one part in 10^9.
fn is_near(expected: f64, got: f64) -> bool {
    let span = expected.abs().max(got.abs());
    expected == got || (expected.is_nan() && got.is_nan()) || (expected - got).abs() <= 1e-9 * span
}

fn show_value(value: &Value) -> String {
    match value {
        Value::Bool(on) => on.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
    }
}
