//! Server-sent events: lines of the journal as they reach the disk.
//!
//! The journal is the queue. A client has a place in it, the number of the last line that it was
//! given, and reads on from there whenever something new landed; so nothing is lost or doubled,
//! `Last-Event-ID` resumes over a restart of either side, and a slow client costs one page of
//! [`PAGE`] lines, not a growing queue. One that takes nothing at all for half a minute is cut off
//! by its door. At most [`STREAMS_MAX`] streams are open, [`STREAMS_PER_CALLER`] of one caller.

#![expect(
    unused_qualifications,
    reason = "the macro of the description writes whole paths"
)]

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use andon_model::JournalKind;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;
use utoipa::IntoParams;

use super::Shared;
use super::history::kind;
use super::problem::{Ask, Problem};
use super::shapes::Line;
use crate::access::Caller;
use crate::books::JournalLine;

/// Lines that are read at once.
const PAGE: usize = 256;
/// Most streams at once.
const STREAMS_MAX: usize = 128;
/// Most streams of one user or token.
const STREAMS_PER_CALLER: usize = 8;
/// How often a quiet stream says that it is there, and asks whether its caller still may.
const TICK: Duration = Duration::from_secs(10);
/// How long news are collected: a flood of commits is read in pages, not line by line.
const COLLECT: Duration = Duration::from_millis(50);

/// Open streams, by caller.
#[derive(Debug, Default)]
pub(crate) struct Streams(Mutex<BTreeMap<String, usize>>);

/// A place among the open streams; free again when it is dropped.
#[derive(Debug)]
struct Seat {
    streams: Arc<Streams>,
    caller: String,
}

impl Streams {
    fn sit(self: &Arc<Self>, caller: &Caller) -> Option<Seat> {
        let name = format!("{} {}", caller.kind(), caller.name);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.get(&name).copied().unwrap_or(0);
        if open.values().sum::<usize>() >= STREAMS_MAX || own >= STREAMS_PER_CALLER {
            return None;
        }
        open.insert(name.clone(), own + 1);
        Some(Seat {
            streams: Arc::clone(self),
            caller: name,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self
            .streams
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.caller) {
            *own = own.saturating_sub(1);
            if *own == 0 {
                open.remove(&self.caller);
            }
        }
    }
}

/// Which events are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventFilter {
    /// Kinds of lines, with commas; `alarm,delivery` if it is left out.
    kinds: Option<String>,
    /// Begin after this line of the journal; `Last-Event-ID` counts before it. Without both the
    /// stream begins with what comes next.
    after: Option<u64>,
}

/// Follow what happens.
///
/// A stream of server-sent events. `here` comes first and says where the stream begins; then each
/// line of the journal is an event of its kind, with its number as id and the line as data. `end`
/// comes last, with the reason. Reconnect with `Last-Event-ID`, as browsers do by themselves, and
/// no line is missed.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "history", operation_id = "follow_events",
    params(EventFilter, ("Last-Event-ID" = Option<String>, Header, description = "Id of the last event that was taken")),
    responses((status = 200, description = "Events; each `data` is a line of the journal", body = Line, content_type = "text/event-stream"))
)]
pub(crate) async fn follow(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Ask(filter): Ask<EventFilter>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let kinds = filter
        .kinds
        .as_deref()
        .unwrap_or("alarm,delivery")
        .split(',');
    let kinds: Vec<JournalKind> = kinds
        .map(|word| kind(word.trim()))
        .collect::<Result<_, _>>()?;
    let from = match headers.get("last-event-id") {
        None => filter.after,
        Some(id) => {
            let id = id.to_str().ok().and_then(|id| id.trim().parse().ok());
            Some(id.ok_or_else(|| Problem::bad("`Last-Event-ID` is not the number of a line"))?)
        }
    };
    let Some(seat) = shared.streams.sit(&caller) else {
        return Err(Problem::too_often(
            TICK,
            format!(
                "too many streams are open: {STREAMS_MAX} in all, {STREAMS_PER_CALLER} of one user or token"
            ),
        ));
    };
    // News are watched before the end is asked for, so that nothing falls between.
    let news = shared.host.news();
    let end = shared.host.journal_end().await?;
    // A number beyond the end is one of another database.
    let at = from.filter(|from| *from <= end).unwrap_or(end);
    let here = Event::default()
        .event("here")
        .id(at.to_string())
        .data(json!({ "number": at }).to_string());
    let follower = Follower {
        shared,
        caller,
        kinds,
        at,
        waiting: VecDeque::new(),
        greeting: Some(here),
        news,
        ended: false,
        _seat: seat,
    };
    let events = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    Ok(Sse::new(events).into_response())
}

/// One client and its place in the journal.
struct Follower {
    shared: Shared,
    caller: Caller,
    kinds: Vec<JournalKind>,
    /// The last line that was read.
    at: u64,
    /// Lines that were read and not yet given, at most [`PAGE`].
    waiting: VecDeque<JournalLine>,
    greeting: Option<Event>,
    news: watch::Receiver<u64>,
    ended: bool,
    _seat: Seat,
}

impl Follower {
    async fn next(&mut self) -> Option<Event> {
        if self.ended {
            return None;
        }
        if let Some(here) = self.greeting.take() {
            return Some(here);
        }
        loop {
            while let Some(line) = self.waiting.pop_front() {
                if self.kinds.contains(&line.entry.kind) {
                    return Some(event(&line));
                }
            }
            if !self.shared.access.still(&self.caller) {
                return self.end("the token was revoked or expired, or the user changed");
            }
            // What is news from here on is found by the next look.
            self.news.mark_unchanged();
            match self.shared.host.journal_after(self.at, PAGE).await {
                Ok(lines) => self.waiting.extend(lines),
                Err(refusal) => return self.end(&refusal.says),
            }
            if let Some(last) = self.waiting.back() {
                self.at = last.number;
                continue;
            }
            let stop = self.shared.stop.clone();
            tokio::select! {
                () = stop.cancelled() => return self.end("the host is stopping"),
                changed = self.news.changed() => match changed {
                    Ok(()) => tokio::time::sleep(COLLECT).await,
                    Err(_) => return self.end("the host is stopping"),
                },
                () = tokio::time::sleep(TICK) => return Some(Event::default().comment("here")),
            }
        }
    }

    fn end(&mut self, why: &str) -> Option<Event> {
        self.ended = true;
        let data = json!({ "reason": why }).to_string();
        Some(Event::default().event("end").data(data))
    }
}

fn event(line: &JournalLine) -> Event {
    let shape = Line::from(line);
    // A line is plain data, so that writing it as JSON does not fail.
    let data = serde_json::to_string(&shape).unwrap_or_default();
    Event::default()
        .event(line.entry.kind.word())
        .id(line.number.to_string())
        .data(data)
}
