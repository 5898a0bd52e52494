//! The words of a message: complete in itself, within the bound, safe to show.
//!
//! ```text
//! HIGH Tank 1 level 81.2 % above 80 %. Reply K7 to ack
//! HIGH (first out) Boiler 2 low water. Reply M3 to ack
//! OVER after 12m: Tank 1 level 81.2 % above 80 % (K7)
//! TEST HIGH Pump 2 runs dry. Reply M3 to ack
//! ```
//! What a rule wrote comes from a stranger: control characters become spaces, and only its part is
//! shortened, so that priority, code and mark always arrive. Marks are plain ASCII, because a
//! single sign outside the GSM alphabet halves what fits into an SMS.

use std::time::Duration;

use andon_model::{AlarmRecord, Mark, Priority, Timestamp};

/// What stands at the end of a shortened text.
const CUT: &str = "...";
/// Less of a message says nothing.
const ITEM_CHARS_MIN: usize = 30;

/// The text of a raised alarm.
pub(crate) fn alert(record: &AlarmRecord, chars_max: usize) -> String {
    let head = format!(
        "{}{}{} ",
        mark(record),
        word(record.priority),
        noticed(record)
    );
    framed(&head, &record.message, &ask(record), chars_max)
}

/// The text for those who are told because nobody answered for so long.
pub(crate) fn unanswered(
    record: &AlarmRecord,
    since: Timestamp,
    now: Timestamp,
    chars_max: usize,
) -> String {
    let waited = rough(now.since(since));
    let head = format!(
        "{}{} unanswered for {waited}: ",
        mark(record),
        word(record.priority)
    );
    framed(&head, &record.message, &ask(record), chars_max)
}

/// The text of an alarm that was acknowledged and has stood for too long since.
pub(crate) fn still(record: &AlarmRecord, now: Timestamp, chars_max: usize) -> String {
    let stood = rough(now.since(record.raised_at));
    let head = format!(
        "{}{} still, after {stood}: ",
        mark(record),
        word(record.priority)
    );
    framed(&head, &record.message, &ask(record), chars_max)
}

/// How somebody answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answered {
    /// They know of it.
    Acknowledged,
    /// They work on it.
    Taken,
}

/// The text for the others, once somebody answered.
pub(crate) fn answered(
    record: &AlarmRecord,
    by: &[String],
    what: Answered,
    chars_max: usize,
) -> String {
    let names = match by {
        [] => "Somebody".to_owned(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    };
    let verb = match (what, by.len()) {
        (Answered::Acknowledged, _) => "acknowledged",
        (Answered::Taken, 0 | 1) => "works on",
        (Answered::Taken, _) => "work on",
    };
    let head = format!("{}{names} {verb} {}: ", mark(record), record.code);
    framed(&head, &record.message, "", chars_max)
}

/// Several messages as one: each as long as there is room for it, and how many more there are.
pub(crate) fn digest(texts: &[&str], chars_max: usize) -> String {
    let mut text = format!("{} messages from your quiet hours:", texts.len());
    for (place, one) in texts.iter().enumerate() {
        let rest = texts.len() - place;
        // So much stays free for saying that there are more.
        let more = format!(" +{rest} more");
        let room = chars_max.saturating_sub(text.chars().count() + more.len() + 3);
        let share = (room / rest).max(ITEM_CHARS_MIN);
        if share > room {
            text.push_str(&more);
            break;
        }
        text.push_str(&format!(" {}) {}", place + 1, shortened(one, share)));
    }
    text
}

/// The text of a one-time message, which nobody needs to acknowledge.
pub(crate) fn notice(record: &AlarmRecord, chars_max: usize) -> String {
    let head = format!("{}{} ", mark(record), word(record.priority));
    framed(&head, &record.message, "", chars_max)
}

/// The text that says that an alarm is over; it asks for an acknowledgement if one is still owed.
pub(crate) fn resolved(record: &AlarmRecord, now: Timestamp, chars_max: usize) -> String {
    let ended = record.cleared_at.unwrap_or(now);
    let lasted = rough(ended.since(record.raised_at));
    let head = format!("{}OVER after {lasted}: ", mark(record));
    let tail = if record.state.is_unacknowledged() {
        ask(record)
    } else {
        format!(" ({})", record.code)
    };
    framed(&head, &record.message, &tail, chars_max)
}

/// Head and tail whole, the middle cleaned and shortened to what is left.
pub(crate) fn framed(head: &str, middle: &str, tail: &str, chars_max: usize) -> String {
    let spare = chars_max.saturating_sub(head.chars().count() + tail.chars().count());
    let mut text = head.to_owned();
    text.push_str(&shortened(&clean(middle), spare));
    if tail.starts_with('.') && text.ends_with(['.', '!', '?']) {
        text.push_str(tail.trim_start_matches('.'));
    } else {
        text.push_str(tail);
    }
    text
}

/// One line without control characters and double spaces.
pub(crate) fn clean(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|sign| if sign.is_control() { ' ' } else { sign })
        .collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most so many characters, with the mark of a cut if some are missing.
pub(crate) fn shortened(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let kept: String = text
        .chars()
        .take(chars_max.saturating_sub(CUT.len()))
        .collect();
    format!("{}{CUT}", kept.trim_end())
}

/// A duration to its greatest unit or two: `45s`, `12m`, `3h05m`, `2d04h`.
pub(crate) fn rough(duration: Duration) -> String {
    let secs = duration.as_secs();
    match secs {
        0..60 => format!("{secs}s"),
        60..3_600 => format!("{}m", secs / 60),
        3_600..86_400 => format!("{}h{:02}m", secs / 3_600, secs % 3_600 / 60),
        _ => format!("{}d{:02}h", secs / 86_400, secs % 86_400 / 3_600),
    }
}

const fn mark(record: &AlarmRecord) -> &'static str {
    if record.test { "TEST " } else { "" }
}

/// What was noticed about the alarm, as far as it helps whoever hears of it: that it was the first
/// of its group, and that it comes and goes.
fn noticed(record: &AlarmRecord) -> String {
    let telling = [Mark::FirstOut, Mark::Chattering];
    let marks = telling
        .iter()
        .filter(|mark| record.flags.marks.contains(mark));
    let words: Vec<&str> = marks.map(|mark| mark.words()).collect();
    if words.is_empty() {
        String::new()
    } else {
        format!(" ({})", words.join(", "))
    }
}

/// The priority as it stands in front of a message.
pub(crate) const fn word(priority: Priority) -> &'static str {
    match priority {
        Priority::Diagnostic => "DIAGNOSTIC",
        Priority::Low => "LOW",
        Priority::Medium => "MEDIUM",
        Priority::High => "HIGH",
        Priority::Critical => "CRITICAL",
    }
}

fn ask(record: &AlarmRecord) -> String {
    format!(". Reply {} to ack", record.code)
}
