//! A report for people: as text for the terminal, as a table for spreadsheets, as a page to keep.

mod html;
mod table;
mod text;

pub use html::html;
pub use table::csv;
pub use text::text;

use std::time::Duration;

use andon_model::DurationText;

use crate::figures::Figure;
use crate::report::{GroupKind, GroupReport};

/// A figure as people read it; a dash where there is nothing to measure.
fn value(figure: &Figure) -> String {
    match (figure.value, figure.unit.as_str()) {
        (None, _) => "-".to_owned(),
        (Some(value), "s") => DurationText(Duration::from_secs_f64(value.max(0.0))).to_string(),
        (Some(value), "%") => format!("{value:.2} %"),
        (Some(value), _) if value.fract() == 0.0 => format!("{value:.0}"),
        (Some(value), _) => format!("{value:.2}"),
    }
}

/// Seconds as people read them: to the minute above an hour, to the hour above a day.
fn length(seconds: u64) -> String {
    let unit = match seconds {
        0..3_600 => 1,
        3_600..86_400 => 60,
        _ => 3_600,
    };
    DurationText(Duration::from_secs(seconds / unit * unit)).to_string()
}

/// A target as people read it, with its unit.
fn target(figure: &Figure) -> String {
    figure.target.as_ref().map_or_else(String::new, |target| {
        let unit = if figure.unit == "%" { " %" } else { "" };
        format!("{target}{unit}")
    })
}

fn source(figure: &Figure) -> &str {
    figure.target.as_ref().map_or("", |target| &target.source)
}

/// What a group is called in a heading.
fn heading(group: &GroupReport) -> String {
    match group.kind {
        GroupKind::Plant => "The whole plant".to_owned(),
        GroupKind::Group => format!("Group {}", group.name),
        GroupKind::Others => "Alarms of no group".to_owned(),
        GroupKind::Host => "Alarms of Andon itself".to_owned(),
    }
}

/// The counts of a group in one sentence.
fn counts(group: &GroupReport) -> String {
    format!(
        "{} activations, {} annunciations; {} times shelved, {} suppressed, {} taken out of service; {} one-time messages",
        group.activations,
        group.annunciations,
        group.silences.shelved,
        group.silences.suppressed,
        group.silences.out_of_service,
        group.messages
    )
}

/// How annunciations were answered, in one sentence.
fn answers(group: &GroupReport) -> String {
    let answers = &group.acknowledgements;
    format!(
        "{} acknowledged, {} silenced before that, {} over before anybody acknowledged, {} still waiting",
        answers.acknowledged, answers.silenced, answers.never, answers.waiting
    )
}

/// The states with the time that alarms spent in them.
fn states(group: &GroupReport) -> Vec<(&'static str, u64)> {
    let times = &group.time_in_state;
    vec![
        ("unacknowledged (B)", times.unacknowledged_seconds),
        ("acknowledged (C)", times.acknowledged_seconds),
        ("returned, unacknowledged (D)", times.returned_seconds),
        ("returned, latched", times.latched_seconds),
        ("shelved (E)", times.shelved_seconds),
        ("suppressed by design (F)", times.suppressed_seconds),
        ("out of service (G)", times.out_of_service_seconds),
    ]
}
