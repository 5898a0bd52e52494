//! The words of the answers to messages from people: what happened, always.

use andon_model::{AlarmRecord, Timestamp};

use super::grammar::{Unclear, Wish};
use super::{ReplyRequest, ReplyResult};
use crate::text::{clean, framed, rough, shortened, word};

/// The answer to a request that was decided.
pub(super) fn answer(
    request: &ReplyRequest,
    result: &ReplyResult,
    display_name: impl Fn(&str) -> String,
    now: Timestamp,
    chars_max: usize,
) -> String {
    let code = request.target.code();
    match result {
        ReplyResult::Done(record) => {
            let head = format!(
                "{code} {}: {} ",
                done(request, record, now),
                word(record.priority)
            );
            framed(&head, &record.message, "", chars_max)
        }
        ReplyResult::Already(record) => {
            let says = already(&request.wish, record, display_name, now);
            framed(&format!("{code} {says}: "), &record.message, "", chars_max)
        }
        ReplyResult::Counted {
            record,
            have,
            need,
            repeated,
        } => {
            let says = counted(*have, *need, *repeated);
            let head = format!("{code} {says}: {} ", word(record.priority));
            framed(&head, &record.message, "", chars_max)
        }
        ReplyResult::Over { record, again } => {
            let head = format!("{code} is already over{}: ", ended(record, now));
            let tail = again.as_ref().map_or_else(String::new, |again| {
                format!(". It stands again as {}", again.code)
            });
            framed(&head, &record.message, &tail, chars_max)
        }
        ReplyResult::Unknown => format!("No alarm has the code {code}. Nothing was changed"),
        ReplyResult::Refused(why) => {
            let head = format!("{code}: not done: ");
            shortened(&format!("{head}{}", clean(why)), chars_max)
        }
    }
}

/// What holds now.
fn done(request: &ReplyRequest, record: &AlarmRecord, now: Timestamp) -> String {
    match &request.wish {
        Wish::Acknowledge => "acknowledged".to_owned(),
        Wish::Take => "is yours".to_owned(),
        Wish::Escalate => "goes to the next now".to_owned(),
        Wish::Shelve { .. } => match &record.flags.shelved {
            Some(shelving) => format!("shelved for {}", rough(shelving.until.since(now))),
            None => "shelved".to_owned(),
        },
        Wish::Unshelve => "is no longer shelved".to_owned(),
    }
}

/// How many of those who have to acknowledge did.
fn counted(have: u32, need: u32, repeated: bool) -> String {
    let rest = match need.saturating_sub(have) {
        1 => "one more person has to".to_owned(),
        more => format!("{more} more people have to"),
    };
    if repeated {
        format!("has your acknowledgement already, {rest}")
    } else {
        format!("acknowledged by {have} of {need}, {rest}")
    }
}

/// What held before.
fn already(
    wish: &Wish,
    record: &AlarmRecord,
    display_name: impl Fn(&str) -> String,
    now: Timestamp,
) -> String {
    match wish {
        Wish::Acknowledge => match &record.acknowledged {
            Some(by) => format!(
                "was already acknowledged by {} {} ago",
                display_name(&by.by),
                rough(now.since(by.at))
            ),
            None => "needs no acknowledgement".to_owned(),
        },
        Wish::Take => "is yours already".to_owned(),
        Wish::Escalate => "has nobody further to tell".to_owned(),
        Wish::Shelve { .. } => match &record.flags.shelved {
            Some(shelving) => format!(
                "is already shelved by {} for another {}",
                display_name(&shelving.by),
                rough(shelving.until.since(now))
            ),
            None => "is shelved already".to_owned(),
        },
        Wish::Unshelve => "is not shelved".to_owned(),
    }
}

fn ended(record: &AlarmRecord, now: Timestamp) -> String {
    record.cleared_at.map_or_else(String::new, |at| {
        format!(", ended {} ago", rough(now.since(at)))
    })
}

/// The answer to what was not understood.
pub(super) const fn unclear(what: Unclear) -> &'static str {
    match what {
        Unclear::Everything => {
            "Not understood. To acknowledge, reply with the code of the alarm alone; HELP tells the rest"
        }
        Unclear::Time => "Not shelved: say for how long and why, like SHELVE K7 2h pump is washed",
        Unclear::Reason => "Not shelved: say why as well, like SHELVE K7 2h pump is washed",
    }
}

/// The answer to `help`.
pub(super) const HELP: &str = "K7 or ACK K7 acknowledges. TAKE K7: you work on it. ESCALATE K7: tell the next now. \
     SHELVE K7 2h REASON silences it, UNSHELVE K7 ends that. Without a code: the newest sent to you";

/// The answer to a wish without a code from a phone that got no alert lately.
pub(super) const NOTHING_SENT: &str =
    "No alarm was sent to this phone lately. Reply with the code of the alarm that you mean";
