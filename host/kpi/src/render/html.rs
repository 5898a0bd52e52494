//! A page to keep and to print: complete in itself, no script, nothing fetched from elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use super::{answers, counts, heading, length, source, states, target, value};
use crate::figures::{Figure, Mark};
use crate::report::{DayFigures, GroupReport, Report};

const STYLE: &str = "
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em; }
table { border-collapse: collapse; margin: .6em 0 1.2em; }
th, td { text-align: left; padding: .2em .9em .2em 0; border-bottom: 1px solid #ddd; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.holds { color: #146c2e; } .manageable { color: #8a5a00; } .missed { color: #b3261e; font-weight: 600; }
.note { border-left: 4px solid #8a5a00; padding-left: .8em; }
h2 { margin-top: 2em; border-top: 2px solid #333; padding-top: .6em; }
svg { width: 100%; height: 8em; }
@media print { h2 { break-before: page; } }
";

/// The report as one HTML page.
#[must_use]
pub fn html(report: &Report) -> String {
    let period = &report.period;
    let title = format!("Alarm figures {} to {}", period.from_text, period.to_text);
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                p { "Time zone " (period.time_zone) ", " (format!("{:.1}", period.days)) " days counted." }
                @for note in &report.notes { p.note { (note) } }
                @for group in &report.groups { (group_section(group)) }
                p {
                    "Targets are for one operator position and are held against annunciations: what is \
                     shelved, suppressed or out of service counts as activations alone."
                }
            }
        }
    };
    page.into_string()
}

fn group_section(group: &GroupReport) -> Markup {
    markup! {
        h2 { (heading(group)) }
        p { (counts(group)) "." br; (answers(group)) "." }
        table {
            tr { th { "figure" } th { "value" } th { "target" } th { "" } th { "source" } }
            @for figure in &group.figures { (figure_row(figure)) }
        }
        (day_bars(&group.days))
        (lists(group))
    }
}

fn figure_row(figure: &Figure) -> Markup {
    let mark = figure.mark.word();
    markup! {
        tr {
            td { (figure.name) }
            td.number { (value(figure)) }
            td { (target(figure)) }
            td class=[(figure.mark != Mark::None).then_some(mark)] { (mark) }
            td { (source(figure)) }
        }
    }
}

fn lists(group: &GroupReport) -> Markup {
    let top = group.top_ten.iter().map(|one| {
        let share = format!("{:.2} %", one.percent);
        vec![one.annunciations.to_string(), share, one.alarm.clone()]
    });
    let chattering = group.chattering.iter().map(|one| {
        let (bouts, activations) = (one.bouts.to_string(), one.activations.to_string());
        vec![bouts, activations, one.alarm.clone()]
    });
    let fleeting = group.fleeting.iter();
    let fleeting = fleeting.map(|one| vec![one.times.to_string(), one.alarm.clone()]);
    let stale = group.stale.iter();
    let stale = stale.map(|one| vec![one.since_text.clone(), one.alarm.clone()]);
    let floods = group.largest_floods.iter().map(|flood| {
        let count = flood.annunciations.to_string();
        vec![flood.from_text.clone(), length(flood.seconds), count]
    });
    let states = states(group).into_iter();
    let states = states.map(|(state, seconds)| vec![length(seconds), state.to_owned()]);
    markup! {
        (list("Most frequent", &["annunciated", "share", "alarm"], top.collect()))
        (list("Chattering", &["times", "activations", "alarm"], chattering.collect()))
        (list("Fleeting", &["times", "alarm"], fleeting.collect()))
        (list("Stale at the end of the period", &["since", "alarm"], stale.collect()))
        (list("Largest floods", &["began", "lasted", "alarms"], floods.collect()))
        (list("Time in states, all alarms together", &["time", "state"], states.collect()))
    }
}

/// A table with a heading; nothing if it has no rows.
fn list(name: &str, heads: &[&str], rows: Vec<Vec<String>>) -> Markup {
    markup! {
        @if !rows.is_empty() {
            h3 { (name) }
            table {
                tr { @for head in heads { th { (head) } } }
                @for row in &rows { tr { @for cell in row { td { (cell) } } } }
            }
        }
    }
}

/// Annunciations day by day.
fn day_bars(days: &[DayFigures]) -> Markup {
    let most = days.iter().map(|day| day.annunciations).max().unwrap_or(0);
    let width = 1_000.0 / days.len().max(1) as f64;
    let bars = days.iter().enumerate().map(|(number, day)| {
        let height = 100.0 * day.annunciations as f64 / most.max(1) as f64;
        let place = [number as f64 * width, 100.0 - height, width * 0.85, height];
        (place.map(|size| format!("{size:.2}")), day)
    });
    markup! {
        @if most > 0 {
            h3 { "Annunciations a day, at most " (most) }
            svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" {
                @for ([x, y, width, height], day) in bars {
                    rect x=(x) y=(y) width=(width) height=(height) fill="#3b6ea5" {
                        title { (day.date) ": " (day.annunciations) }
                    }
                }
            }
        }
    }
}
