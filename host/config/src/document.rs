//! A TOML file as a tree that remembers where each value stands.
//!
//! Serde drops places, so the tree is kept as JSON for checking and deserializing, and beside it
//! a map from JSON pointers to bytes of the file.

use std::collections::BTreeMap;
use std::ops::Range;

use andon_model::{Finding, Severity};
use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::Problem;

/// A parsed file.
#[derive(Debug, Clone)]
pub struct Document {
    file: String,
    line_starts: Vec<usize>,
    spans: BTreeMap<String, Range<usize>>,
    value: Value,
}

impl Document {
    /// Parses a file's text. `file` is its name for messages.
    ///
    /// # Errors
    /// Every place where the text is not TOML.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let mut document = Self {
            file: file.to_owned(),
            line_starts: std::iter::once(0)
                .chain(text.match_indices('\n').map(|(at, _)| at + 1))
                .collect(),
            spans: BTreeMap::new(),
            value: Value::Null,
        };
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let mut problems: Vec<Problem> = errors
                .iter()
                .map(|error| document.syntax_problem(error))
                .collect();
            problems.sort();
            return Err(problems);
        }
        let mut problems = Vec::new();
        document.value = document.table(table.get_ref(), "", &mut problems);
        if problems.is_empty() {
            Ok(document)
        } else {
            problems.sort();
            Err(problems)
        }
    }

    /// The whole tree.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// The tree, to resolve secrets in.
    pub const fn value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    /// The name of the file.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The problem that a finding is, with file and line. `prefix` is the pointer of what the
    /// check was given.
    #[must_use]
    pub fn locate(&self, prefix: &str, finding: Finding) -> Problem {
        let pointer = format!("{prefix}{}", finding.path);
        let (file, line, column) = match finding.file.map(|file| *file) {
            Some((file, line)) => (file, line, usize::from(line > 0)),
            None => {
                let (line, column) = self.place(&pointer);
                (self.file.clone(), line, column)
            }
        };
        Problem {
            file,
            line,
            column,
            severity: finding.severity,
            key: readable(&pointer),
            says: finding.says,
            hint: finding.hint,
        }
    }

    /// Line and column of a pointer, or of the nearest thing above it that stands in the file.
    #[must_use]
    pub fn place(&self, pointer: &str) -> (usize, usize) {
        let mut pointer = pointer;
        loop {
            if let Some(span) = self.spans.get(pointer) {
                return self.line_column(span.start);
            }
            match pointer.rsplit_once('/') {
                Some((above, _)) => pointer = above,
                None => return (0, 0),
            }
        }
    }

    fn line_column(&self, at: usize) -> (usize, usize) {
        let line = self.line_starts.partition_point(|start| *start <= at);
        let start = self
            .line_starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        (line, at.saturating_sub(start) + 1)
    }

    fn syntax_problem(&self, error: &toml::de::Error) -> Problem {
        let (line, column) = error
            .span()
            .map_or((0, 0), |span| self.line_column(span.start));
        Problem {
            line,
            column,
            severity: Severity::Error,
            ..Problem::of_file(&self.file, format!("not TOML: {}", error.message()))
        }
    }

    fn table(&mut self, table: &DeTable<'_>, pointer: &str, problems: &mut Vec<Problem>) -> Value {
        let mut map = Map::new();
        for (key, value) in table {
            let below = format!("{pointer}/{}", escape(key.get_ref()));
            self.spans.insert(below.clone(), key.span());
            let value = self.convert(value, &below, problems);
            map.insert(key.get_ref().to_string(), value);
        }
        Value::Object(map)
    }

    fn convert(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        pointer: &str,
        problems: &mut Vec<Problem>,
    ) -> Value {
        match value.get_ref() {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(yes) => Value::Bool(*yes),
            DeValue::Datetime(moment) => Value::String(moment.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map(Value::from)
                .unwrap_or_else(|_| {
                    problems.push(self.locate(
                        "",
                        Finding::error(
                            pointer,
                            format!("{} does not fit into 64 bits", number.as_str()),
                        ),
                    ));
                    Value::Null
                }),
            DeValue::Float(number) => {
                let float = number
                    .as_str()
                    .parse::<f64>()
                    .ok()
                    .and_then(Number::from_f64);
                float.map(Value::Number).unwrap_or_else(|| {
                    problems.push(self.locate(
                        "",
                        Finding::error(
                            pointer,
                            format!("{} is not a finite number", number.as_str()),
                        ),
                    ));
                    Value::Null
                })
            }
            DeValue::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    let below = format!("{pointer}/{index}");
                    self.spans.insert(below.clone(), item.span());
                    list.push(self.convert(item, &below, problems));
                }
                Value::Array(list)
            }
            DeValue::Table(table) => self.table(table, pointer, problems),
        }
    }
}

/// A key as a part of a JSON pointer (RFC 6901, section 3).
pub(crate) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A part of a JSON pointer as the key that it means.
pub(crate) fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// A pointer as people write it: `/devices/0/address` is `devices[0].address`.
pub(crate) fn readable(pointer: &str) -> String {
    let mut text = String::new();
    for part in pointer.split('/').skip(1) {
        let part = unescape(part);
        if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) {
            text.push_str(&format!("[{part}]"));
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&part);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_placed_on_its_line() {
        let text = "[[devices]]\nname = \"plc\"\n\n[[devices]]\nadress = \"x\"\n";
        let document = Document::parse("andon.toml", text).expect("TOML");
        let problem = document.locate("/devices", Finding::error("/1/adress", "unknown key"));
        assert_eq!((problem.line, problem.column), (5, 1));
        assert_eq!(
            problem.to_string(),
            "andon.toml:5:1: error: devices[1].adress: unknown key"
        );
    }

    #[test]
    fn a_missing_key_is_placed_on_the_table_that_lacks_it() {
        let document = Document::parse("a.toml", "\n[host]\nlisten = \"x\"\n").expect("TOML");
        assert_eq!(document.place("/host/data"), (2, 2));
    }

    #[test]
    fn every_syntax_error_is_told_at_once() {
        let problems = Document::parse("a.toml", "a = \nb = 1\nc = ]\n").expect_err("not TOML");
        assert!(problems.len() >= 2, "{problems:?}");
        assert_eq!(problems[0].line, 1);
    }

    #[test]
    fn numbers_that_cannot_be_are_refused() {
        let problems =
            Document::parse("a.toml", "a = nan\nb = 99999999999999999999\n").expect_err("refused");
        assert_eq!(problems.len(), 2);
        assert_eq!(problems[1].line, 2);
    }
}
