//! What `andon replay` tells: as JSON, or for people.
//!
//! It holds nothing of the run itself, such as its time, so the same recording and the same rules
//! give the same report, byte for byte.

use std::fmt::{self, Write as _};

use andon_model::{DeliveryKind, DurationText, Timestamp};
use andon_recording::{Comparison, Message, Notes, Outcome};
use serde::Serialize;

use super::Played;
use super::versions::{Member, Version};

/// Most lines of one list for people; `--json` has them all.
const LINES_MAX: usize = 50;

/// All that a replay came to.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// What was replayed.
    pub(crate) recording: String,
    /// What there is to say of it.
    pub(crate) notes: Notes,
    /// Its tags and those of the settings.
    pub(crate) tags: Tags,
    /// The versions, one or two.
    pub(crate) versions: Vec<VersionReport>,
    /// How the second differs from the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comparison: Option<Comparison>,
}

/// Tags of the recording and of the settings.
#[derive(Debug, Serialize)]
pub(crate) struct Tags {
    /// How many tags have samples that were taken.
    pub(crate) read: usize,
    /// Tags of the recording that the settings lack, with the samples that were left out.
    pub(crate) unknown: Vec<(String, u64)>,
    /// The same of tags that functions compute, which were computed anew.
    pub(crate) computed: Vec<(String, u64)>,
    /// Tags that rules read and the recording lacks.
    pub(crate) missing: Vec<String>,
}

/// What one version made of it.
#[derive(Debug, Serialize)]
pub(crate) struct VersionReport {
    name: &'static str,
    from: String,
    instances: Vec<Member>,
    outcome: Outcome,
    /// How often time went on although more wake-ups were due than are played between two batches.
    wake_ups_skipped: u64,
}

impl VersionReport {
    /// What a version came to.
    pub(crate) fn new(version: &Version, played: Played) -> Self {
        Self {
            name: version.name,
            from: version.from.clone(),
            instances: version.members(),
            outcome: played.outcome,
            wake_ups_skipped: played.skipped,
        }
    }

    /// What it came to.
    pub(crate) const fn outcome(&self) -> &Outcome {
        &self.outcome
    }
}

impl Report {
    /// The report for people.
    ///
    /// # Errors
    /// Writing to the text fails, which it does not.
    pub(crate) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        self.head(&mut text)?;
        match (&self.comparison, self.versions.as_slice()) {
            (Some(comparison), [first, second]) => {
                for version in [first, second] {
                    summary(version, &mut text)?;
                    troubles(version, &mut text)?;
                }
                side_by_side(first, second, comparison, &mut text)?;
            }
            _ => {
                for version in &self.versions {
                    summary(version, &mut text)?;
                    troubles(version, &mut text)?;
                    alone(version, &mut text)?;
                }
            }
        }
        Ok(text)
    }

    fn head(&self, text: &mut String) -> fmt::Result {
        let notes = &self.notes;
        write!(
            text,
            "{}: {} samples of {} tags in {} batches",
            self.recording, notes.samples, self.tags.read, notes.batches
        )?;
        if let (Some(from), Some(to)) = (notes.from, notes.to) {
            let long = DurationText(to.since(from));
            write!(text, ", {from} to {to} ({long})")?;
        }
        writeln!(text)?;
        let listed = notes.problems.iter().map(ToString::to_string);
        list(text, "", listed, notes.problems_total)?;
        let tags = &self.tags;
        let counted = |(name, samples): &(String, u64)| format!("{name} ({samples} samples)");
        if !tags.unknown.is_empty() {
            writeln!(
                text,
                "The settings do not know these tags, so their samples are left out:"
            )?;
            let lines = tags.unknown.iter().map(counted);
            list(text, "  ", lines, tags.unknown.len() as u64)?;
        }
        if !tags.computed.is_empty() {
            writeln!(
                text,
                "Functions compute these tags anew, so their samples are left out:"
            )?;
            let lines = tags.computed.iter().map(counted);
            list(text, "  ", lines, tags.computed.len() as u64)?;
        }
        if !tags.missing.is_empty() {
            writeln!(
                text,
                "Rules read these tags, and the recording has no sample of them:"
            )?;
            let lines = tags.missing.iter().cloned();
            list(text, "  ", lines, tags.missing.len() as u64)?;
        }
        Ok(())
    }
}

/// Lines of a list, and how many more there are.
fn list(
    text: &mut String,
    indent: &str,
    lines: impl Iterator<Item = String>,
    total: u64,
) -> fmt::Result {
    let mut shown = 0;
    for line in lines.take(LINES_MAX) {
        writeln!(text, "{indent}{line}")?;
        shown += 1;
    }
    if total > shown {
        writeln!(text, "{indent}and {} more", total - shown)?;
    }
    Ok(())
}

fn summary(version: &VersionReport, text: &mut String) -> fmt::Result {
    let outcome = &version.outcome;
    let raised: u64 = outcome.alarms.values().map(|one| one.raised).sum();
    let cleared: u64 = outcome.alarms.values().map(|one| one.cleared).sum();
    let notified: u64 = outcome.alarms.values().map(|one| one.notified).sum();
    writeln!(
        text,
        "\n{} {}: {} instances; {} alarms, raised {raised} times, cleared {cleared} times, told once {notified} times; {} messages",
        version.name,
        version.from,
        version.instances.len(),
        outcome.alarms.len(),
        outcome.messages_total
    )
}

fn troubles(version: &VersionReport, text: &mut String) -> fmt::Result {
    let outcome = &version.outcome;
    if version.wake_ups_skipped > 0 {
        writeln!(
            text,
            "  A plugin woke itself too often: {} times the wake-ups before the next batch were left out.",
            version.wake_ups_skipped
        )?;
    }
    for (what, trouble) in outcome.troubles.iter().take(LINES_MAX) {
        writeln!(
            text,
            "  {what}: {} times, first at {}: {}",
            trouble.count, trouble.first, trouble.says
        )?;
    }
    for (reason, count) in &outcome.not_sent {
        writeln!(
            text,
            "  {count} messages would not have been sent: {reason}"
        )?;
    }
    if outcome.unlisted > 0 {
        writeln!(
            text,
            "  {} steps of alarms are in no list",
            outcome.unlisted
        )?;
    }
    Ok(())
}

fn alone(version: &VersionReport, text: &mut String) -> fmt::Result {
    let outcome = &version.outcome;
    if outcome.alarms.is_empty() {
        return writeln!(text, "No alarm would have been raised.");
    }
    writeln!(text, "\nAlarms:")?;
    let lines = outcome.alarms.iter().map(|(id, tally)| {
        let mut line = format!(
            "{:<10} raised {:>5}  cleared {:>5}  {id}: {}",
            tally.priority,
            tally.raised + tally.notified,
            tally.cleared,
            tally.message
        );
        // Writing to a String cannot fail.
        write!(line, "  ({} to {})", tally.first, tally.last).unwrap_or_default();
        line
    });
    list(text, "  ", lines, outcome.alarms.len() as u64)?;
    if outcome.messages_total == 0 {
        return writeln!(text, "\nNobody would have been told.");
    }
    writeln!(
        text,
        "\nMessages that would have been sent, {} alerts and {} ends among them:",
        outcome.messages_of(DeliveryKind::Alert),
        outcome.messages_of(DeliveryKind::Resolved)
    )?;
    let lines = outcome.messages.iter().map(line_of);
    list(text, "  ", lines, outcome.messages_total)
}

fn line_of(message: &Message) -> String {
    format!(
        "{}  {} by {}: {}",
        message.at, message.contact, message.sink, message.text
    )
}

fn side_by_side(
    first: &VersionReport,
    second: &VersionReport,
    comparison: &Comparison,
    text: &mut String,
) -> fmt::Result {
    let (old, new) = (first.outcome.messages_total, second.outcome.messages_total);
    let difference = match (old, new) {
        (old, new) if new < old => format!("{} fewer messages", old - new),
        (old, new) if new > old => format!("{} more messages", new - old),
        _ => "as many messages".to_owned(),
    };
    let novel = match comparison.new.len() {
        0 => "none is new".to_owned(),
        1 => "this one is new".to_owned(),
        many => format!("these {many} are new"),
    };
    if comparison.is_same() {
        return writeln!(text, "\nv2 would have sent the very same.");
    }
    let colon = if comparison.new.is_empty() { "." } else { ":" };
    writeln!(text, "\nv2 would have sent {difference}; {novel}{colon}")?;
    let lines = comparison
        .new
        .iter()
        .map(|one| format!("+ {}", line_of(one)));
    list(text, "  ", lines, comparison.new.len() as u64)?;
    if !comparison.gone.is_empty() {
        writeln!(text, "v1 alone would have sent {}:", comparison.gone.len())?;
        let lines = comparison
            .gone
            .iter()
            .map(|one| format!("- {}", line_of(one)));
        list(text, "  ", lines, comparison.gone.len() as u64)?;
    }
    if !comparison.changed.is_empty() {
        let count = comparison.changed.len();
        writeln!(
            text,
            "Both would have sent {count} that differ in time or words:"
        )?;
        let lines = comparison.changed.iter().map(|pair| {
            let shift = shift(pair.before.at, pair.after.at);
            format!(
                "v1 {}\n  v2 {} ({shift})",
                line_of(&pair.before),
                line_of(&pair.after)
            )
        });
        list(text, "  ", lines, count as u64)?;
    }
    writeln!(text, "{} are the same.", comparison.same)?;
    if !comparison.alarms.is_empty() {
        writeln!(text, "Alarms, from v1 to v2:")?;
        let lines = comparison.alarms.iter().map(|(id, change)| {
            let ((a, b), (c, d)) = (change.raised, change.cleared);
            format!("{id}: raised {a} -> {b}, cleared {c} -> {d}")
        });
        list(text, "  ", lines, comparison.alarms.len() as u64)?;
    }
    Ok(())
}

fn shift(before: Timestamp, after: Timestamp) -> String {
    if after > before {
        format!("{} later", DurationText(after.since(before)))
    } else if before > after {
        format!("{} earlier", DurationText(before.since(after)))
    } else {
        "at the same moment".to_owned()
    }
}
