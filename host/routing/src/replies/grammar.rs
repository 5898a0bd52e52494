//! What a person means by a message to the host: one grammar for every channel.
//!
//! ```text
//! message = code                                      acknowledge it
//!         | ( "ack" | "acknowledge" | "ok" ) [ code ] acknowledge
//!         | "take" [ code ]                           acknowledge, and say who works on it
//!         | "escalate" [ code ]                       tell the next now
//!         | "shelve" [ code ] duration reason         silence it for a time: shelve K7 2h pump is washed
//!         | "unshelve" [ code ]                       end that
//!         | "help"
//! duration = number ( "m" | "h" | "d" ) …             30m, 2h, 1h30m
//! ```
//! Without a code the newest alert that went to this phone is meant. Case, spaces and punctuation
//! around the words do not matter. A code that reads like a word (`ACK`) is not reachable by
//! itself; the word wins.

use std::time::Duration;

use andon_model::{DurationText, ShortCode};

/// Longer messages are not replies; nothing in them is looked at.
const REPLY_CHARS_MAX: usize = 200;

/// What somebody wants of an alarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// To acknowledge it.
    Acknowledge,
    /// To take it: acknowledge it, and tell others who works on it.
    Take,
    /// That the next are told now.
    Escalate,
    /// To silence it for a time.
    Shelve {
        /// For how long.
        time: Duration,
        /// Why, in that person's words.
        reason: String,
    },
    /// To end its shelving.
    Unshelve,
}

impl Wish {
    /// The word for it.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Take => "take",
            Self::Escalate => "escalate",
            Self::Shelve { .. } => "shelve",
            Self::Unshelve => "unshelve",
        }
    }
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Something is wanted of the alarm of this code, or of the newest that was sent.
    Wish(Wish, Option<ShortCode>),
    /// The grammar is wanted.
    Help,
    /// Nothing that the host understands.
    Unclear(Unclear),
}

/// What a message lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unclear {
    /// A verb or a code that the host knows.
    Everything,
    /// For how long to shelve.
    Time,
    /// Why to shelve.
    Reason,
}

/// Reads a message.
pub(super) fn meaning(text: &str) -> Meaning {
    let nothing = Meaning::Unclear(Unclear::Everything);
    if text.chars().take(REPLY_CHARS_MAX + 1).count() > REPLY_CHARS_MAX {
        return nothing;
    }
    let words: Vec<&str> = text
        .split(|sign: char| sign.is_whitespace() || matches!(sign, ':' | ',' | ';' | '='))
        .map(|word| word.trim_matches(|sign: char| !sign.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect();
    let Some((first, rest)) = words.split_first() else {
        return nothing;
    };
    let wish = match first.to_uppercase().as_str() {
        "ACK" | "ACKNOWLEDGE" | "OK" => Wish::Acknowledge,
        "TAKE" => Wish::Take,
        "ESCALATE" => Wish::Escalate,
        "UNSHELVE" => Wish::Unshelve,
        "SHELVE" => return shelve(rest),
        "HELP" => {
            return if rest.is_empty() {
                Meaning::Help
            } else {
                nothing
            };
        }
        _ => {
            return match (code(first), rest) {
                (Some(code), []) => Meaning::Wish(Wish::Acknowledge, Some(code)),
                _ => nothing,
            };
        }
    };
    match rest {
        [] => Meaning::Wish(wish, None),
        [name] => code(name).map_or(nothing, |code| Meaning::Wish(wish, Some(code))),
        _ => nothing,
    }
}

fn shelve(words: &[&str]) -> Meaning {
    // `2h` could be a code: it is one where a duration follows.
    let (code, time, reason) = match words {
        [name, time, reason @ ..] if code(name).is_some() && duration(time).is_some() => {
            (code(name), duration(time), reason)
        }
        [time, reason @ ..] if duration(time).is_some() => (None, duration(time), reason),
        _ => return Meaning::Unclear(Unclear::Time),
    };
    match (time, reason) {
        (Some(_), []) => Meaning::Unclear(Unclear::Reason),
        (Some(time), words) => {
            let reason = words.join(" ");
            Meaning::Wish(Wish::Shelve { time, reason }, code)
        }
        (None, _) => Meaning::Unclear(Unclear::Time),
    }
}

fn code(word: &str) -> Option<ShortCode> {
    word.parse().ok()
}

fn duration(word: &str) -> Option<Duration> {
    let text: DurationText = word.to_lowercase().parse().ok()?;
    (!text.0.is_zero()).then_some(text.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(text: &str) -> (Wish, Option<String>) {
        let Meaning::Wish(wish, code) = meaning(text) else {
            panic!("{text:?} is no wish")
        };
        (wish, code.map(|code| code.to_string()))
    }

    #[test]
    fn verbs_are_read_in_any_case_with_and_without_a_code() {
        let k7 = || Some("K7".to_owned());
        assert_eq!(wish("take k7"), (Wish::Take, k7()));
        assert_eq!(wish("Take."), (Wish::Take, None));
        assert_eq!(wish("ESCALATE K7!"), (Wish::Escalate, k7()));
        assert_eq!(wish("escalate"), (Wish::Escalate, None));
        assert_eq!(wish("unshelve: K7"), (Wish::Unshelve, k7()));
        assert_eq!(wish("ok"), (Wish::Acknowledge, None));
        assert_eq!(meaning(" Help? "), Meaning::Help);
    }

    #[test]
    fn shelving_needs_a_time_and_a_reason_which_keeps_its_words() {
        let shelved = |hours: u64, reason: &str| Wish::Shelve {
            time: Duration::from_secs(hours * 3600),
            reason: reason.to_owned(),
        };
        assert_eq!(
            wish("shelve K7 2h Pump 3 is washed"),
            (shelved(2, "Pump 3 is washed"), Some("K7".into()))
        );
        assert_eq!(wish("Shelve 2H valve"), (shelved(2, "valve"), None));
        assert_eq!(
            wish("shelve 2H 3h valve"),
            (shelved(3, "valve"), Some("2H".into()))
        );
        let unclear = |text: &str| {
            let Meaning::Unclear(what) = meaning(text) else {
                panic!("{text:?} is clear")
            };
            what
        };
        assert_eq!(unclear("shelve K7 2h"), Unclear::Reason);
        assert_eq!(unclear("shelve K7 because"), Unclear::Time);
        assert_eq!(unclear("shelve K7 0h because"), Unclear::Time);
        assert_eq!(unclear("shelve"), Unclear::Time);
        assert_eq!(unclear("take K7 now"), Unclear::Everything);
        assert_eq!(unclear("💥"), Unclear::Everything);
    }
}
