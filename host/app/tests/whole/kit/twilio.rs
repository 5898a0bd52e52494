//! An endpoint like Twilio's: it counts every message that it read, lists what it has, and fails
//! as a test says.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::inbox::Inbox;
use super::settings::{ACCOUNT_SID, TWILIO_TOKEN};

/// How often a held request looks whether it may go on.
const TICK: Duration = Duration::from_millis(10);

/// What becomes of a new message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum OnCreate {
    /// It is taken and answered.
    #[default]
    Take,
    /// It is taken, and answered once this is changed.
    Hold,
    /// It is refused with this status and Twilio's code.
    Refuse(u16, u32),
}

#[derive(Debug, Default)]
struct Desk {
    on_create: OnCreate,
    /// `sid`, `to`, `from`, `body`.
    taken: Vec<[String; 4]>,
}

/// The endpoint; it is there as long as its runtime.
#[derive(Debug, Clone)]
pub(crate) struct Twilio {
    pub(crate) address: String,
    inbox: Inbox,
    desk: Arc<Mutex<Desk>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    to: String,
    from: String,
    body: String,
}

#[derive(Deserialize)]
struct Filter {
    #[serde(rename = "To")]
    to: Option<String>,
}

impl Twilio {
    pub(crate) fn start(runtime: &Runtime, inbox: Inbox) -> Self {
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let twilio = Self {
            address: listener.local_addr().expect("an address").to_string(),
            inbox,
            desk: Arc::default(),
        };
        let router = Router::new()
            .route("/2010-04-01/Accounts/{account}", get(account))
            .route(
                "/2010-04-01/Accounts/{account}/Messages.json",
                get(list).post(create),
            )
            .route("/2010-04-01/Accounts/{account}/Messages/{sid}", get(fetch))
            .with_state(twilio.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        twilio
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn on_create(&self, on_create: OnCreate) {
        self.lock().on_create = on_create;
    }

    fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        let wanted = format!(
            "Basic {}",
            STANDARD.encode(format!("{ACCOUNT_SID}:{TWILIO_TOKEN}"))
        );
        let given = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok());
        (given != Some(&wanted)).then(|| refuse(401, 20003))
    }
}

/// As some providers and proxies do, it echoes what it was given.
fn refuse(status: u16, code: u32) -> Response {
    let status_code = StatusCode::from_u16(status).expect("a status");
    let says = format!("refused; you sent the token {TWILIO_TOKEN}");
    (
        status_code,
        Json(json!({"code": code, "message": says, "status": status})),
    )
        .into_response()
}

async fn account(State(twilio): State<Twilio>, headers: HeaderMap) -> Response {
    match twilio.refusal(&headers) {
        Some(refusal) => refusal,
        None => Json(json!({"sid": ACCOUNT_SID, "status": "active"})).into_response(),
    }
}

async fn create(
    State(twilio): State<Twilio>,
    headers: HeaderMap,
    Form(form): Form<Create>,
) -> Response {
    if let Some(refusal) = twilio.refusal(&headers) {
        return refusal;
    }
    let on_create = twilio.lock().on_create;
    if let OnCreate::Refuse(status, code) = on_create {
        return refuse(status, code);
    }
    let message = {
        let mut desk = twilio.lock();
        let sid = format!("SM{:032x}", desk.taken.len() + 1);
        let message = [sid, form.to, form.from, form.body];
        desk.taken.push(message.clone());
        message
    };
    twilio.inbox.put("twilio", &message[1], message[3].clone());
    while twilio.lock().on_create == OnCreate::Hold {
        tokio::time::sleep(TICK).await;
    }
    (StatusCode::CREATED, Json(shown(&message, "queued"))).into_response()
}

/// Every message that was taken is delivered by the time that somebody asks.
async fn fetch(
    State(twilio): State<Twilio>,
    Path((_, sid)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = twilio.refusal(&headers) {
        return refusal;
    }
    let sid = sid.trim_end_matches(".json");
    let found = twilio
        .lock()
        .taken
        .iter()
        .find(|message| message[0] == sid)
        .cloned();
    match found {
        Some(message) => Json(shown(&message, "delivered")).into_response(),
        None => refuse(404, 20404),
    }
}

async fn list(
    State(twilio): State<Twilio>,
    headers: HeaderMap,
    Query(filter): Query<Filter>,
) -> Response {
    if let Some(refusal) = twilio.refusal(&headers) {
        return refusal;
    }
    let messages: Vec<Value> = twilio
        .lock()
        .taken
        .iter()
        .rev()
        .filter(|message| filter.to.as_ref().is_none_or(|to| *to == message[1]))
        .map(|message| shown(message, "delivered"))
        .collect();
    Json(json!({"messages": messages, "next_page_uri": null, "page": 0, "page_size": 50}))
        .into_response()
}

fn shown([sid, to, from, body]: &[String; 4], status: &str) -> Value {
    json!({
        "sid": sid, "to": to, "from": from, "body": body, "status": status,
        "direction": "outbound-api", "num_segments": "1", "error_code": null, "error_message": null,
        "date_created": null, "date_sent": null,
    })
}
