//! Whether one contact was told of an occurrence, and why or why not, from the journal and the
//! outbox alone.
//!
//! The reasons are those that were written when it was decided. Settings of today are not asked:
//! they may differ from those of that night.

use andon_model::{Delivery, DeliveryKind, JournalEntry};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::explain::Explained;

/// What became of one contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ContactStory {
    /// Name of the contact.
    pub(crate) contact: String,
    /// The answer in a word.
    pub(crate) verdict: Verdict,
    /// Why, oldest first, each a sentence with its time.
    pub(crate) reasons: Vec<String>,
}

/// Whether a contact was told that the condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// A provider took a message, or may have taken it.
    Told,
    /// A message is on its way or waits.
    Owed,
    /// No message reached a provider.
    NotTold,
}

impl Verdict {
    const fn words(self) -> &'static str {
        match self {
            Self::Told => "was told",
            Self::Owed => "is being told",
            Self::NotTold => "was not told",
        }
    }
}

impl ContactStory {
    /// The story as a person reads it.
    pub(crate) fn render(&self) -> String {
        let mut text = format!("{} {}\n", self.contact, self.verdict.words());
        for reason in &self.reasons {
            text.push_str("    ");
            text.push_str(reason);
            text.push('\n');
        }
        text
    }
}

/// The story of one contact in an occurrence.
pub(crate) fn story(explained: &Explained, contact: &str) -> ContactStory {
    let alerts = explained
        .deliveries
        .iter()
        .filter(|row| row.contact == contact && row.kind == DeliveryKind::Alert);
    let mut verdict = Verdict::NotTold;
    let mut reasons: Vec<String> = explained
        .journal
        .iter()
        .filter_map(|line| reason_of(line, contact))
        .collect();
    for row in alerts {
        verdict = verdict.with(row);
        reasons.push(format!(
            "{}  alert by {}: {} ({})",
            row.created_at,
            row.channel,
            row.state.word(),
            row.why
        ));
    }
    if reasons.is_empty() {
        reasons.push(unnamed(&explained.journal, contact));
    }
    ContactStory {
        contact: contact.to_owned(),
        verdict,
        reasons,
    }
}

impl Verdict {
    fn with(self, row: &Delivery) -> Self {
        if self == Self::Told || row.state.has_left() || row.repeat {
            Self::Told
        } else if row.state.is_owed() {
            Self::Owed
        } else {
            self
        }
    }
}

/// What a line of the journal says about this contact: that it is told or not, or that nobody is.
fn reason_of(line: &JournalEntry, contact: &str) -> Option<String> {
    let of = |list: &str| {
        let list = line.data.get(list)?.as_array()?;
        list.iter()
            .find(|one| text(one, "contact") == Some(contact) || one.as_str() == Some(contact))
    };
    if let Some(one) = of("not_told") {
        let why = text(one, "why").unwrap_or_default();
        let reason = text(one, "reason").unwrap_or_default();
        return Some(format!("{}  not told: {why} ({reason})", line.at));
    }
    if let Some(one) = of("told") {
        let why = one.get("why").and_then(|why| text(why, "detail"));
        let why = why.map_or_else(|| line.why.to_string(), str::to_owned);
        return Some(format!("{}  told: {why}", line.at));
    }
    let alone = text(&line.data, "contact") == Some(contact);
    let nobody = line.event == "not told" && line.data.get("not_told").is_none();
    (alone || nobody).then(|| {
        let (event, why) = (&line.event, &line.why);
        format!("{}  {event}: {why} ({})", line.at, why.reason)
    })
}

/// Nothing names the contact: then no route did that matched.
fn unnamed(journal: &[JournalEntry], contact: &str) -> String {
    let mut routes: Vec<&str> = journal
        .iter()
        .filter_map(|line| line.data.get("routes")?.as_array())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    routes.sort_unstable();
    routes.dedup();
    if routes.is_empty() {
        format!(
            "no route that matched names {contact}, nor does the fallback that was told: `andon check` shows the routes of today"
        )
    } else {
        format!(
            "the routes that matched ({}) do not name {contact}, nor does a step of theirs that was due",
            routes.join(", ")
        )
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use andon_model::{JournalKind, OccurrenceId, Reason, Timestamp, Why};
    use serde_json::json;

    use super::*;

    fn explained(lines: Vec<(&str, Value)>) -> Explained {
        let journal = lines
            .into_iter()
            .map(|(event, data)| JournalEntry {
                at: Timestamp::from_secs(0),
                kind: JournalKind::Delivery,
                occurrence: Some(OccurrenceId(1)),
                subject: "tanks/high".into(),
                event: event.into(),
                why: Why::new(Reason::Shelved, "shelved by ola"),
                data,
            })
            .collect();
        Explained {
            occurrence: OccurrenceId(1),
            journal,
            deliveries: Vec::new(),
        }
    }

    #[test]
    fn a_reason_that_was_written_is_told() {
        let not_told = json!([{ "contact": "bo", "reason": "quiet-hours", "why": "bo sleeps" }]);
        let explained = explained(vec![("not told", json!({ "not_told": not_told }))]);
        let bo = story(&explained, "bo");
        assert_eq!(bo.verdict, Verdict::NotTold);
        assert!(
            bo.render().contains("bo sleeps (quiet-hours)"),
            "{}",
            bo.render()
        );
        let anna = story(&explained, "anna");
        assert!(anna.render().contains("no route that matched names anna"));
    }

    #[test]
    fn what_holds_for_all_holds_for_one() {
        let nobody = explained(vec![("not told", json!({}))]);
        let bo = story(&nobody, "bo");
        assert!(
            bo.render().contains("shelved by ola (shelved)"),
            "{}",
            bo.render()
        );
    }

    #[test]
    fn the_routes_that_matched_are_named_to_whom_they_do_not_name() {
        let told = json!({ "told": [{ "contact": "anna" }], "routes": ["night", "tanks"] });
        let bo = story(&explained(vec![("told", told)]), "bo");
        assert!(
            bo.render().contains("(night, tanks) do not name bo"),
            "{}",
            bo.render()
        );
    }
}
