//! For the terminal: one block a group, one line a figure, the mark in front where the eye looks.

use std::fmt::{self, Write as _};

use super::{answers, counts, heading, length, source, states, target, value};
use crate::figures::{Figure, Mark};
use crate::report::{GroupReport, Report};

/// The report as text.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String does not fail; say so rather than show half a report.
    match write_report(&mut text, report) {
        Ok(()) => text,
        Err(error) => format!("the report could not be written: {error}\n"),
    }
}

fn write_report(text: &mut String, report: &Report) -> fmt::Result {
    let period = &report.period;
    writeln!(
        text,
        "Alarm figures from {} to {} ({})",
        period.from_text, period.to_text, period.time_zone
    )?;
    for note in &report.notes {
        writeln!(text, "Note: {note}")?;
    }
    for group in &report.groups {
        write_group(text, group)?;
    }
    writeln!(text)?;
    writeln!(
        text,
        "Targets are for one operator position and are held against annunciations: what is shelved, \
         suppressed or out of service counts as activations alone."
    )
}

fn write_group(text: &mut String, group: &GroupReport) -> fmt::Result {
    writeln!(text, "\n{}", heading(group))?;
    writeln!(text, "  {}", counts(group))?;
    for figure in &group.figures {
        write_figure(text, figure)?;
    }
    writeln!(text, "  Answers: {}", answers(group))?;
    let spent = states(group)
        .into_iter()
        .filter(|(_, seconds)| *seconds > 0);
    let spent: Vec<String> = spent
        .map(|(state, seconds)| format!("{state} {}", length(seconds)))
        .collect();
    if !spent.is_empty() {
        let spent = spent.join(", ");
        writeln!(text, "  Time in states, all alarms together: {spent}")?;
    }
    write_lists(text, group)
}

fn write_figure(text: &mut String, figure: &Figure) -> fmt::Result {
    let mark = match figure.mark {
        Mark::Holds => "ok",
        Mark::Manageable => "so-so",
        Mark::Missed => "MISSED",
        Mark::None => "",
    };
    let line = format!(
        "  {mark:<6} {:<38} {:>10}  {:<28} {}",
        figure.name,
        value(figure),
        target(figure),
        source(figure)
    );
    writeln!(text, "{}", line.trim_end())
}

fn write_lists(text: &mut String, group: &GroupReport) -> fmt::Result {
    let mut list = |name: &str, lines: Vec<String>| {
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(text, "  {name}:")?;
        lines
            .iter()
            .try_for_each(|line| writeln!(text, "    {line}"))
    };
    let top = group.top_ten.iter().map(|one| {
        let (count, percent) = (one.annunciations, one.percent);
        format!("{count:>6} {percent:>6.2} %  {}", one.alarm)
    });
    list("Most frequent", top.collect())?;
    let chattering = group.chattering.iter();
    let chattering =
        chattering.map(|one| format!("{:>6} {:>6}  {}", one.bouts, one.activations, one.alarm));
    list("Chattering (times, activations)", chattering.collect())?;
    let fleeting = group.fleeting.iter();
    let fleeting = fleeting.map(|one| format!("{:>6}  {}", one.times, one.alarm));
    list("Fleeting (times)", fleeting.collect())?;
    let stale = group.stale.iter();
    let stale = stale.map(|one| format!("{}  {}", one.since_text, one.alarm));
    list("Stale at the end of the period, since", stale.collect())?;
    let floods = group.largest_floods.iter().map(|flood| {
        let (count, length) = (flood.annunciations, length(flood.seconds));
        format!("{}  {count:>6} alarms in {length}", flood.from_text)
    });
    let name = format!("Floods, the largest first ({} in all)", group.floods);
    list(&name, floods.collect())
}
