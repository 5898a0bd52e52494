//! What a step expects beside what came, field by field, for a person who reads why it failed.
//!
//! Actions are paired by what they do and to which key, so that one that is missing does not make
//! all after it look wrong. The verdict of a step is not made here: it is that of `report`, which
//! takes actions one by one in their order.

use andon_model::{Action, AlarmRequest};
use serde::Serialize;

use super::file::ExpectedAction;

/// How an expected thing and what came stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As expected.
    Same,
    /// Something of it differs.
    Differs,
    /// It was expected, and nothing came.
    Missing,
    /// It came, and nothing was expected.
    Unexpected,
}

/// One expected action, output or failure beside what came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Beside {
    /// How they stand to each other.
    pub verdict: Verdict,
    /// Their fields, in the order in which they are read.
    pub fields: Vec<Field>,
}

/// One field of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// What it is: `priority`.
    pub name: String,
    /// What is expected; nothing where it may be anything.
    pub expected: Option<String>,
    /// What came; nothing where nothing did.
    pub got: Option<String>,
    /// Whether this is a reason why the step failed.
    pub differs: bool,
}

impl Beside {
    /// One value beside another.
    pub(super) fn value(name: &str, expected: Option<String>, got: Option<String>) -> Self {
        let verdict = match (&expected, &got) {
            (Some(expected), Some(got)) if expected == got => Verdict::Same,
            (Some(_), None) => Verdict::Missing,
            (None, Some(_)) => Verdict::Unexpected,
            _ => Verdict::Differs,
        };
        Self {
            verdict,
            fields: vec![Field {
                name: name.to_owned(),
                expected,
                got,
                differs: verdict != Verdict::Same,
            }],
        }
    }
}

/// All actions of a step, expected and come, in pairs.
pub(super) fn actions(expected: &[ExpectedAction], got: &[Action]) -> Vec<Beside> {
    let (mut expected, mut got) = (expected, got);
    let mut rows = Vec::with_capacity(expected.len().max(got.len()));
    loop {
        let row = match (expected, got) {
            ([], []) => return rows,
            ([one, ..], []) => missing(one),
            ([], [one, ..]) => unexpected(one),
            ([wanted, wanted_later @ ..], [came, came_later @ ..]) => {
                let (wants, is) = (name_of_expected(wanted), name_of(came));
                if wants != is && came_later.iter().any(|one| name_of(one) == wants) {
                    unexpected(came)
                } else if wants != is && wanted_later.iter().any(|one| name_of_expected(one) == is)
                {
                    missing(wanted)
                } else {
                    pair(wanted, came)
                }
            }
        };
        if row.verdict != Verdict::Unexpected {
            expected = expected.get(1..).unwrap_or_default();
        }
        if row.verdict != Verdict::Missing {
            got = got.get(1..).unwrap_or_default();
        }
        rows.push(row);
    }
}

/// What an action does and to which key.
fn name_of(action: &Action) -> (&'static str, &str) {
    match action {
        Action::Raise(alarm) => ("raise", &alarm.key),
        Action::Notify(alarm) => ("notify", &alarm.key),
        Action::Clear(key) => ("clear", key),
    }
}

fn name_of_expected(expected: &ExpectedAction) -> (&'static str, &str) {
    let keys = [
        ("raise", &expected.raise),
        ("clear", &expected.clear),
        ("notify", &expected.notify),
    ];
    let mut named = keys
        .into_iter()
        .filter_map(|(word, key)| Some((word, key.as_deref()?)));
    // The file was checked: exactly one of them is there.
    named.next().unwrap_or(("", ""))
}

const fn alarm_of(action: &Action) -> Option<&AlarmRequest> {
    match action {
        Action::Raise(alarm) | Action::Notify(alarm) => Some(alarm),
        Action::Clear(_) => None,
    }
}

fn pair(expected: &ExpectedAction, got: &Action) -> Beside {
    let ((word, key), (got_word, got_key)) = (name_of_expected(expected), name_of(got));
    let alarm = alarm_of(got);
    let mut fields = vec![
        field("action", Some(word.to_owned()), Some(got_word.to_owned())),
        field("key", Some(key.to_owned()), Some(got_key.to_owned())),
    ];
    let wanted = expected.priority.map(|priority| priority.to_string());
    let came = alarm.map(|alarm| alarm.priority.to_string());
    fields.push(field("priority", wanted, came));
    fields.push(message(expected, alarm));
    for (name, value) in &expected.attributes {
        let came = alarm.and_then(|alarm| {
            let found = alarm.attributes.iter().find(|(other, _)| other == name);
            found.map(|(_, value)| format!("{value:?}"))
        });
        fields.push(field(name, Some(format!("{value:?}")), came));
    }
    fields.retain(|field| field.expected.is_some() || field.got.is_some());
    let verdict = if fields.iter().any(|field| field.differs) {
        Verdict::Differs
    } else {
        Verdict::Same
    };
    Beside { verdict, fields }
}

fn field(name: &str, expected: Option<String>, got: Option<String>) -> Field {
    Field {
        name: name.to_owned(),
        differs: expected.is_some() && expected != got,
        expected,
        got,
    }
}

fn message(expected: &ExpectedAction, alarm: Option<&AlarmRequest>) -> Field {
    let got = alarm.map(|alarm| format!("{:?}", alarm.message));
    let came = alarm.map_or("", |alarm| alarm.message.as_str());
    match (&expected.message, &expected.contains) {
        (Some(whole), _) if *whole != came => field("message", Some(format!("{whole:?}")), got),
        (_, Some(part)) => Field {
            name: "message".to_owned(),
            expected: Some(format!("…{part:?}…")),
            got,
            differs: !came.contains(part.as_str()),
        },
        (whole, None) => field(
            "message",
            whole.as_ref().map(|text| format!("{text:?}")),
            got,
        ),
    }
}

fn missing(expected: &ExpectedAction) -> Beside {
    let (word, key) = name_of_expected(expected);
    one_sided(Verdict::Missing, format!("{word} {key}"))
}

fn unexpected(got: &Action) -> Beside {
    let (word, key) = name_of(got);
    let said = alarm_of(got).map_or_else(String::new, |alarm| {
        format!(", {}, {:?}", alarm.priority, alarm.message)
    });
    one_sided(Verdict::Unexpected, format!("{word} {key}{said}"))
}

fn one_sided(verdict: Verdict, what: String) -> Beside {
    let (expected, got) = if verdict == Verdict::Missing {
        (Some(what), None)
    } else {
        (None, Some(what))
    };
    Beside {
        verdict,
        fields: vec![Field {
            name: "action".to_owned(),
            expected,
            got,
            differs: true,
        }],
    }
}
