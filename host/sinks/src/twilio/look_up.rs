//! What became of a send without an answer: found in Twilio's list of messages to that number.
//!
//! Twilio has no key by which a message is created only once, so a message is recognised by its
//! text, its number and its time. Anything that is not clear counts as "cannot tell": a marked
//! repeat is better than a missing alert, and better than an unmarked one.

use std::time::Duration;

use andon_model::{Delivery, Outcome, PhoneNumber};

use super::Twilio;
use super::classify::{Answer, of_question};
use super::message::{Message, Page};
use crate::LookUp;
use crate::request::CallError;

/// Between our clock's claim and Twilio's date of creation, beyond the known difference.
const SLACK: Duration = Duration::from_secs(30);

/// Pages that are looked through before it counts as "cannot tell".
const PAGES_MAX: usize = 4;

/// Tries to reach Twilio, with a pause between them: without it nothing could be sent either.
const TRIES_MAX: usize = 3;
const PAUSE: Duration = Duration::from_secs(5);

/// What the candidates in a list say.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Found(String),
    /// Another message to that number, which nobody here knows.
    Unclear,
    Nothing,
}

pub(super) async fn look_up(twilio: &Twilio, delivery: &Delivery) -> LookUp {
    let Ok(to) = delivery.channel.address.parse::<PhoneNumber>() else {
        return LookUp::NotThere;
    };
    for attempt in 0..TRIES_MAX {
        if attempt > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        match search(twilio, delivery, &to).await {
            Ok(Some(Verdict::Found(sid))) => {
                twilio.remember(&sid);
                return LookUp::Found(Outcome::Sent {
                    provider_ids: vec![sid],
                });
            }
            Ok(Some(Verdict::Nothing)) => return LookUp::NotThere,
            Ok(Some(Verdict::Unclear)) => return LookUp::CannotTell,
            Ok(None) => {}
            Err(error) => twilio.health.unreachable(&error.to_string()),
        }
    }
    LookUp::CannotTell
}

/// `None` if Twilio does not answer the question now.
async fn search(
    twilio: &Twilio,
    delivery: &Delivery,
    to: &PhoneNumber,
) -> Result<Option<Verdict>, CallError> {
    // Not narrowed by date: a message that still waits in Twilio's queue has no date of sending.
    let filter = [("To", to.to_string()), ("PageSize", "50".to_owned())];
    let mut answer = twilio.client.messages(&filter).await?;
    let mut verdict = Verdict::Nothing;
    for _ in 0..PAGES_MAX {
        let Some(page) = read_page(twilio, &answer) else {
            return Ok(None);
        };
        // `next_at` of a claimed row is the moment of the claim.
        let since = twilio.client.their_time(delivery.next_at).minus(SLACK);
        let reaches_back = page
            .messages
            .iter()
            .any(|message| message.date().is_some_and(|date| date < since));
        for message in &page.messages {
            let in_time = message.date().is_none_or(|date| date >= since);
            if !in_time || message.is_inbound() || twilio.knows(message) {
                continue;
            }
            match judge(message, &twilio.text_of(delivery)) {
                Some(sid) => return Ok(Some(Verdict::Found(sid))),
                None => verdict = Verdict::Unclear,
            }
        }
        let next = page.next_page_uri.filter(|uri| !uri.is_empty());
        let Some(next) = next.filter(|_| !reaches_back) else {
            return Ok(Some(verdict));
        };
        answer = match twilio.client.page(&next).await {
            Some(answer) => answer?,
            None => return Ok(Some(Verdict::Unclear)),
        };
    }
    Ok(Some(Verdict::Unclear))
}

/// The sid, if this is the message: Twilio trims blanks at the ends.
fn judge(message: &Message, text: &str) -> Option<String> {
    let same = message.body.as_deref().map(str::trim) == Some(text.trim());
    message.sid().filter(|_| same).map(str::to_owned)
}

fn read_page(twilio: &Twilio, answer: &Answer) -> Option<Page> {
    if let Some(refused) = of_question(answer) {
        twilio.health.note(&refused);
        return None;
    }
    twilio.health.works();
    serde_json::from_slice(&answer.body).ok()
}
