//! What `andon plugin test` tells: each file, then every failing step of all files, expected beside
//! actual with the differing fields marked, then one line that sums up.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use andon_plugins::scenario::{Beside, Difference, Report, Verdict};
use serde::Serialize;

use super::print;

/// Widest column of expected values, characters; longer ones go on a line of their own.
const COLUMN_MAX: usize = 44;

/// One scenario file, played or not.
#[derive(Debug, Serialize)]
pub(super) struct Played {
    /// The file.
    pub(super) file: PathBuf,
    /// What it came to.
    #[serde(flatten)]
    pub(super) report: Option<Report>,
    /// Why it could not be played.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

impl Played {
    fn passed(&self) -> bool {
        self.report.as_ref().is_some_and(Report::passed)
    }
}

/// Tells all of it; 1 if any failed.
pub(super) fn tell(played: &[Played], as_json: bool) -> anyhow::Result<ExitCode> {
    let failed = played.iter().filter(|one| !one.passed()).count();
    if as_json {
        print(serde_json::to_string(played)?);
    } else {
        for one in played {
            let word = if one.passed() { "ok  " } else { "FAIL" };
            print(format!("{word} {}", one.file.display()));
        }
        for one in played.iter().filter(|one| !one.passed()) {
            print(failure(one).trim_end());
        }
        print(format!("{} passed, {failed} failed", played.len() - failed));
    }
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn failure(played: &Played) -> String {
    let file = played.file.display();
    if let Some(error) = &played.error {
        return format!("\n{file}: {error}\n");
    }
    let mut text = String::new();
    if let Some(report) = &played.report {
        text.push_str(&format!("\n{file}: {}\n", report.scenario));
        for difference in &report.differences {
            let Difference { step, line, at, .. } = difference;
            text.push_str(&format!("  {file}:{line}: step {step}, at {at}\n"));
            text.push_str(&table(difference));
        }
    }
    text
}

/// Expected and actual side by side.
fn table(difference: &Difference) -> String {
    let mut text = String::new();
    if difference.rows.is_empty() {
        for line in &difference.lines {
            text.push_str(&format!("    {line}\n"));
        }
        return text;
    }
    let fields = || difference.rows.iter().flat_map(|row| &row.fields);
    let widest = |width: usize, text: &str| width.max(text.chars().count());
    let name_width = fields().fold(0, |width, field| widest(width, &field.name));
    let shown = fields().filter_map(|field| field.expected.as_deref());
    let column = shown.fold("expected".len(), widest).min(COLUMN_MAX);
    line(
        &mut text,
        ' ',
        "",
        "expected",
        "actual",
        (name_width, column),
    );
    for row in &difference.rows {
        for (index, field) in row.fields.iter().enumerate() {
            let expected = field.expected.as_deref();
            let expected = expected.unwrap_or(if row.verdict == Verdict::Unexpected {
                "(nothing)"
            } else {
                "(anything)"
            });
            let got = field.got.as_deref().unwrap_or("(nothing)");
            let mark = mark(row, field.differs, index);
            let widths = (name_width, column);
            line(&mut text, mark, &field.name, expected, got, widths);
        }
    }
    text
}

/// `>` marks a field that differs, `=` the first of an action that is as expected.
fn mark(row: &Beside, differs: bool, index: usize) -> char {
    match (row.verdict, differs, index) {
        (_, true, _) => '>',
        (Verdict::Same, false, 0) => '=',
        _ => ' ',
    }
}

fn line(
    text: &mut String,
    mark: char,
    name: &str,
    expected: &str,
    got: &str,
    (name_width, column): (usize, usize),
) {
    let head = format!("  {mark} {name:<name_width$}  ");
    let row = if expected.chars().count() <= column {
        format!("{head}{expected:<column$}  {got}")
    } else {
        let indent = " ".repeat(4 + name_width + 2 + column + 2);
        format!("{head}{expected}\n{indent}{got}")
    };
    // Writing to a String cannot fail.
    writeln!(text, "{}", row.trim_end()).unwrap_or_default();
}
