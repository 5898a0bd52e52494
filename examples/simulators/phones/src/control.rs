//! A door for the demo: read the phones, answer from one, switch the SMSC off.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use crate::inbox::{Inbox, Message, Reply};

#[derive(Deserialize)]
struct Say {
    from: String,
    to: String,
    text: String,
}

#[derive(Deserialize)]
struct Smsc {
    up: bool,
}

/// `GET /messages`, `POST /say` (JSON: from, to, text), `POST /smsc?up=`.
pub(crate) fn router(inbox: Arc<Inbox>) -> Router {
    Router::new()
        .route("/messages", get(messages))
        .route("/say", post(say))
        .route("/smsc", post(smsc))
        .with_state(inbox)
}

async fn messages(State(inbox): State<Arc<Inbox>>) -> Json<Vec<Message>> {
    Json(inbox.messages())
}

async fn say(State(inbox): State<Arc<Inbox>>, Json(say): Json<Say>) -> &'static str {
    inbox.say(Reply {
        from: say.from,
        to: say.to,
        text: say.text,
    });
    "ok\n"
}

async fn smsc(State(inbox): State<Arc<Inbox>>, Query(smsc): Query<Smsc>) -> &'static str {
    inbox.smsc_up.store(smsc.up, Ordering::SeqCst);
    "ok\n"
}
