//! `andon explain`: the way of an occurrence from the register to the receipt, each step with its
//! reason, from the journal alone.

use std::fmt::Write as _;

use andon_model::{AlarmId, Delivery, JournalEntry, OccurrenceId};
use andon_store::{Reader, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::host_view::journal_of;

/// Everything that is known of one occurrence.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Explained {
    /// Its number.
    pub(crate) occurrence: OccurrenceId,
    /// What happened, oldest first.
    pub(crate) journal: Vec<JournalEntry>,
    /// What was owed to whom.
    pub(crate) deliveries: Vec<Delivery>,
}

/// Why nothing can be explained.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExplainError {
    /// Nobody knows that name.
    #[error(
        "no alarm is called `{0}`: give a short code, a number, or INSTANCE/KEY; `andon alarms` lists those that stand"
    )]
    Unknown(String),
    /// The database.
    #[error("the journal cannot be read: {0}")]
    Store(#[from] StoreError),
}

/// Collects all lines about an alarm, named by code, number or condition.
pub(crate) fn collect(reader: &Reader, alarm: &str) -> Result<Explained, ExplainError> {
    for occurrence in meanings(reader, alarm)? {
        let journal = journal_of(reader, occurrence)?;
        let deliveries = reader.deliveries_of(occurrence)?;
        if !journal.is_empty() || !deliveries.is_empty() {
            return Ok(Explained {
                occurrence,
                journal,
                deliveries,
            });
        }
    }
    Err(ExplainError::Unknown(alarm.to_owned()))
}

fn meanings(reader: &Reader, alarm: &str) -> Result<Vec<OccurrenceId>, StoreError> {
    let mut found = Vec::new();
    if let Ok(code) = alarm.parse() {
        found.extend(reader.occurrence_of_code(&code)?);
    }
    if let Ok(number) = alarm.trim_start_matches('#').parse() {
        found.push(OccurrenceId(number));
    }
    if let Some((instance, key)) = alarm.split_once('/') {
        found.extend(reader.occurrence_of_alarm(&AlarmId::new(instance, key))?);
    }
    Ok(found)
}

/// The story as a person reads it.
pub(crate) fn render(explained: &Explained) -> String {
    let mut text = format!("occurrence {}\n", explained.occurrence);
    for entry in &explained.journal {
        let _unfailing = writeln!(
            text,
            "{}  {:<9} {:<14} {}",
            entry.at,
            entry.kind.word(),
            entry.event,
            entry.subject
        );
        let _unfailing = writeln!(text, "    why: {} ({})", entry.why, entry.why.reason);
        for line in details(&entry.data) {
            let _unfailing = writeln!(text, "    {line}");
        }
    }
    for row in &explained.deliveries {
        let _unfailing = writeln!(
            text,
            "{} to {} by {}: {} ({})",
            row.kind.word(),
            row.contact,
            row.channel,
            row.state.word(),
            row.why
        );
        let _unfailing = writeln!(text, "    text: {}", row.wire_text());
    }
    text
}

/// The samples that a rule saw and its message; people with the reason for which each is told, or is
/// not.
fn details(data: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(message) = data.get("message").and_then(Value::as_str) {
        lines.push(format!("message: {message}"));
    }
    let samples = data
        .get("cause")
        .and_then(|cause| cause.get("samples"))
        .and_then(Value::as_array);
    for sample in samples.into_iter().flatten() {
        let part = |key: &str| sample.get(key).map(plain).unwrap_or_default();
        lines.push(format!(
            "saw {} = {} (quality {}) at {}",
            part("tag_name"),
            part("value"),
            part("quality"),
            moment(sample.get("time"))
        ));
    }
    let people = |key: &str| {
        data.get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let why = |one: &Value| {
        let why = one.get("why");
        why.and_then(|why| why.get("detail").or(Some(why)))
            .map(plain)
            .unwrap_or_default()
    };
    lines.extend(people("told").map(|one| format!("told: {}", why(one))));
    lines.extend(people("not_told").map(|one| format!("not told: {}", why(one))));
    lines
}

fn moment(time: Option<&Value>) -> String {
    time.and_then(Value::as_i64)
        .map_or_else(String::new, |nanos| {
            andon_model::Timestamp::from_nanos(nanos).to_string()
        })
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
