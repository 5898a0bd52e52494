//! For spreadsheets: one flat table as CSV, so that rows can be filtered and pivoted.
//!
//! ```text
//! group,table,name,value,unit,target,mark,source
//! north,figure,per-10-minutes,0.29,,at most 1,holds,ISA-18.2-2016 16.4
//! north,top-ten,tanks/t1.level.high,41,annunciations,,,
//! north,day,2026-11-24,12,annunciations,,,
//! ```
//!
//! Numbers have a decimal point. A text that a spreadsheet would take for a formula gets an
//! apostrophe in front, as its words come from plugins and settings.

use super::{source, states, target};
use crate::report::{GroupReport, Report};

const HEAD: [&str; 8] = [
    "group", "table", "name", "value", "unit", "target", "mark", "source",
];

type Row = [String; 8];

/// The report as CSV, with a line of headings.
///
/// # Errors
/// Never in practice: writing to memory does not fail.
pub fn csv(report: &Report) -> Result<String, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(HEAD)?;
    for group in &report.groups {
        let rows = figures(group)
            .into_iter()
            .chain(counts(group))
            .chain(lists(group));
        for row in rows {
            table.write_record(row.map(|cell| harmless(&cell)))?;
        }
    }
    let bytes = table.into_inner().map_err(|error| {
        let error = std::io::Error::other(error.to_string());
        csv::Error::from(error)
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn figures(group: &GroupReport) -> Vec<Row> {
    let figures = group.figures.iter().map(|figure| {
        let value = figure
            .value
            .map_or_else(String::new, |value| value.to_string());
        [
            &group.name,
            "figure",
            &figure.key,
            &value,
            &figure.unit,
            &target(figure),
            figure.mark.word(),
            source(figure),
        ]
        .map(str::to_owned)
    });
    figures.collect()
}

fn counts(group: &GroupReport) -> Vec<Row> {
    let (silences, answers) = (&group.silences, &group.acknowledgements);
    let counts = [
        ("count", "activations", group.activations),
        ("count", "annunciations", group.annunciations),
        ("count", "re-alarms", group.re_alarms),
        ("count", "messages", group.messages),
        ("count", "shelved", silences.shelved),
        ("count", "suppressed", silences.suppressed),
        ("count", "out-of-service", silences.out_of_service),
        ("count", "floods", group.floods),
        ("answers", "acknowledged", answers.acknowledged),
        ("answers", "silenced", answers.silenced),
        ("answers", "never", answers.never),
        ("answers", "waiting", answers.waiting),
    ];
    let mut rows: Vec<Row> = counts
        .into_iter()
        .map(|(table, name, count)| row(group, table, name, count, ""))
        .collect();
    let states = states(group).into_iter();
    rows.extend(states.map(|(state, seconds)| row(group, "time-in-state", state, seconds, "s")));
    rows
}

fn lists(group: &GroupReport) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |table: &str, name: &str, count: u64, unit: &str| {
        rows.push(row(group, table, name, count, unit));
    };
    for one in &group.top_ten {
        add("top-ten", &one.alarm, one.annunciations, "annunciations");
    }
    for one in &group.chattering {
        add("chattering", &one.alarm, one.activations, "activations");
    }
    for one in &group.fleeting {
        add("fleeting", &one.alarm, one.times, "times");
    }
    for one in &group.stale {
        let since = u64::try_from(one.since.nanos() / 1_000_000_000).unwrap_or(0);
        add("stale", &one.alarm, since, "s since 1970");
    }
    for flood in &group.largest_floods {
        let count = flood.annunciations;
        add("flood", &flood.from_text, count, "annunciations");
    }
    for day in &group.days {
        add("day", &day.date, day.annunciations, "annunciations");
        add("day", &day.date, day.activations, "activations");
        add("day", &day.date, day.flood_seconds, "s in flood");
        add("day", &day.date, day.stale, "stale");
        add("day", &day.date, day.standing_at_end, "standing at its end");
    }
    rows
}

fn row(group: &GroupReport, table: &str, name: &str, count: u64, unit: &str) -> Row {
    let count = count.to_string();
    [&group.name, table, name, &count, unit, "", "", ""].map(str::to_owned)
}

fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}
