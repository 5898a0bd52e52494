//! What a running sink asks for regularly: the account, statuses of messages, replies.

use std::time::Duration;

use andon_model::{Receipt, SinkEvent};

use super::Twilio;
use super::classify::{Answer, of_question};
use super::incoming::Inbox;
use super::message::{Message, Page};
use super::settings::Fetching;
use crate::EventSender;
use crate::courier::BackOff;
use crate::label::labelled;
use crate::request::CallError;

/// Messages whose status is asked for in one round.
const RECEIPTS_PER_ROUND: usize = 20;

/// Pages of replies that are fetched in one round, with so many messages each.
const PAGES_MAX: usize = 20;
const PAGE_SIZE: &str = "100";

/// Waits between account checks while the account cannot send, and while it can.
const CHECK_BACK_OFF: BackOff = BackOff {
    first: Duration::from_secs(5),
    longest: Duration::from_secs(60),
};
const CHECK_INTERVAL: Duration = Duration::from_secs(600);

/// Waits between rounds that failed.
const LONGEST_ROUND_WAIT: Duration = Duration::from_secs(60);

/// Nobody takes events any more.
pub(super) struct Closed;

/// A question that was not answered; why is noted in the sink's health.
struct NoAnswer;

/// Tells when the sink comes up or goes down.
pub(super) async fn tell_health(twilio: &Twilio, events: &EventSender) -> Closed {
    let mut judgements = twilio.health.follow();
    loop {
        let judgement = judgements.next().await;
        let why = labelled(&twilio.label, judgement.why);
        if judgement.up {
            tracing::info!(sink = twilio.name, account = twilio.label, "sink is up");
        } else {
            tracing::warn!(sink = twilio.name, account = twilio.label, %why, "sink is down");
        }
        let event = SinkEvent::State {
            sink: twilio.name.clone(),
            up: judgement.up,
            why,
            at: twilio.clock.now(),
        };
        if events.send(event).await.is_err() {
            return Closed;
        }
    }
}

/// Checks the account at start, often while the sink is down, and now and then while it is up.
pub(super) async fn check_account(twilio: &Twilio) -> Closed {
    let mut failures = 0;
    loop {
        let answer = ask(twilio, twilio.client.account().await);
        let wait = if answer.is_ok() && twilio.health.is_up() {
            failures = 0;
            CHECK_INTERVAL
        } else {
            failures += 1;
            CHECK_BACK_OFF.after(failures)
        };
        tokio::time::sleep(wait).await;
    }
}

/// Fetches statuses and replies, round after round.
pub(super) async fn fetch(twilio: &Twilio, events: &EventSender) -> Closed {
    let started = twilio.clock.now();
    let mut inboxes: Option<Vec<(String, Inbox)>> = None;
    let rounds = BackOff {
        first: twilio.settings.poll_interval.0,
        longest: LONGEST_ROUND_WAIT.max(twilio.settings.poll_interval.0),
    };
    let mut failures = 0;
    loop {
        tokio::time::sleep(rounds.after(failures + 1)).await;
        // Not before a first answer showed Twilio's clock.
        if inboxes.is_none() && twilio.health.is_up() {
            inboxes = Some(open_inboxes(twilio, started));
        }
        let round = match fetch_receipts(twilio, events).await {
            Ok(Ok(())) => fetch_replies(twilio, inboxes.as_mut(), events).await,
            other => other,
        };
        match round {
            Ok(Ok(())) => failures = 0,
            Ok(Err(NoAnswer)) => failures += 1,
            Err(closed) => return closed,
        }
    }
}

fn open_inboxes(twilio: &Twilio, started: andon_model::Timestamp) -> Vec<(String, Inbox)> {
    if twilio.settings.replies == Fetching::Off {
        return Vec::new();
    }
    let started = twilio.client.their_time(started);
    twilio
        .settings
        .numbers()
        .into_iter()
        .map(|number| (number.to_string(), Inbox::starting(started)))
        .collect()
}

async fn fetch_receipts(
    twilio: &Twilio,
    events: &EventSender,
) -> Result<Result<(), NoAnswer>, Closed> {
    if twilio.settings.receipts == Fetching::Off {
        return Ok(Ok(()));
    }
    let due = twilio
        .lock()
        .watched
        .due(twilio.clock.now(), RECEIPTS_PER_ROUND);
    for sid in due {
        let answer = match twilio.client.message(&sid).await {
            Ok(answer) if answer.status == 404 => {
                twilio.lock().watched.forget(&sid);
                continue;
            }
            other => match ask(twilio, other) {
                Ok(answer) => answer,
                Err(no_answer) => return Ok(Err(no_answer)),
            },
        };
        let Ok(message) = serde_json::from_slice::<Message>(&answer.body) else {
            tracing::warn!(
                sink = twilio.name,
                sid,
                "the status of a message is broken JSON"
            );
            continue;
        };
        let news = twilio.lock().watched.learn(&message);
        if let Some(receipt) = news {
            tell_receipt(twilio, receipt, events).await?;
        }
    }
    Ok(Ok(()))
}

async fn tell_receipt(
    twilio: &Twilio,
    receipt: Receipt,
    events: &EventSender,
) -> Result<(), Closed> {
    let event = SinkEvent::Receipt {
        sink: twilio.name.clone(),
        receipt,
        at: twilio.clock.now(),
    };
    events.send(event).await.map_err(|_| Closed)
}

async fn fetch_replies(
    twilio: &Twilio,
    inboxes: Option<&mut Vec<(String, Inbox)>>,
    events: &EventSender,
) -> Result<Result<(), NoAnswer>, Closed> {
    for (number, inbox) in inboxes.into_iter().flatten() {
        let listed = match list_replies(twilio, number, inbox).await {
            Ok(listed) => listed,
            Err(no_answer) => return Ok(Err(no_answer)),
        };
        for message in inbox.take(&listed) {
            let event = SinkEvent::Incoming {
                sink: twilio.name.clone(),
                message,
                at: twilio.clock.now(),
            };
            events.send(event).await.map_err(|_| Closed)?;
        }
    }
    Ok(Ok(()))
}

/// All messages to a number that may be new, newest first.
async fn list_replies(
    twilio: &Twilio,
    number: &str,
    inbox: &Inbox,
) -> Result<Vec<Message>, NoAnswer> {
    // The filter knows whole days only; the inbox knows the time.
    let day = inbox.since().to_string().chars().take(10).collect();
    let filter = [
        ("To", number.to_owned()),
        ("DateSent>", day),
        ("PageSize", PAGE_SIZE.to_owned()),
    ];
    let mut answer = ask(twilio, twilio.client.messages(&filter).await)?;
    let mut listed = Vec::new();
    for _ in 0..PAGES_MAX {
        let Ok(mut page) = serde_json::from_slice::<Page>(&answer.body) else {
            tracing::warn!(sink = twilio.name, "the list of replies is broken JSON");
            return Err(NoAnswer);
        };
        let last = inbox.is_last_page(&page.messages);
        listed.append(&mut page.messages);
        let next = page.next_page_uri.filter(|uri| !uri.is_empty() && !last);
        let Some(next) = next else {
            return Ok(listed);
        };
        let Some(following) = twilio.client.page(&next).await else {
            tracing::warn!(
                sink = twilio.name,
                "the next page of replies lies elsewhere"
            );
            return Ok(listed);
        };
        answer = ask(twilio, following)?;
    }
    tracing::warn!(
        sink = twilio.name,
        number,
        "too many replies at once; the oldest are not read"
    );
    Ok(listed)
}

/// Takes the answer to a question, and notes in the sink's health how it went.
fn ask(twilio: &Twilio, answer: Result<Answer, CallError>) -> Result<Answer, NoAnswer> {
    let answer = answer.map_err(|error| {
        twilio.health.unreachable(&error.to_string());
        NoAnswer
    })?;
    if let Some(refused) = of_question(&answer) {
        twilio.health.note(&refused);
        return Err(NoAnswer);
    }
    twilio.health.works();
    Ok(answer)
}
