//! An endpoint that speaks the part of Twilio's Messages API that the host uses: create, fetch,
//! list, and the account. Basic authentication is checked.

use std::sync::Arc;

use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::inbox::{Inbox, lock};

/// The endpoint's state.
#[derive(Clone)]
pub(crate) struct Twilio {
    /// Where messages go.
    pub(crate) inbox: Arc<Inbox>,
    /// The account that may send.
    pub(crate) account_sid: String,
    /// Its token.
    pub(crate) auth_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    to: String,
    from: Option<String>,
    messaging_service_sid: Option<String>,
    body: String,
}

#[derive(Deserialize)]
struct Filter {
    #[serde(rename = "To")]
    to: Option<String>,
}

/// The routes of the endpoint.
pub(crate) fn router(twilio: Twilio) -> Router {
    Router::new()
        .route("/2010-04-01/Accounts/{account}", get(account))
        .route(
            "/2010-04-01/Accounts/{account}/Messages.json",
            get(list).post(create),
        )
        .route("/2010-04-01/Accounts/{account}/Messages/{sid}", get(fetch))
        .with_state(twilio)
}

fn refuse(status: StatusCode, code: u32, message: &str) -> Response {
    (
        status,
        Json(json!({"code": code, "message": message, "status": status.as_u16()})),
    )
        .into_response()
}

fn may(twilio: &Twilio, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let wanted = STANDARD.encode(format!("{}:{}", twilio.account_sid, twilio.auth_token));
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("Basic "));
    if given == Some(wanted.as_str()) {
        Ok(())
    } else {
        Err(Box::new(refuse(
            StatusCode::UNAUTHORIZED,
            20003,
            "Authenticate",
        )))
    }
}

async fn account(State(twilio): State<Twilio>, headers: HeaderMap) -> Response {
    match may(&twilio, &headers) {
        Ok(()) => Json(
            json!({"sid": twilio.account_sid, "status": "active", "friendly_name": "Simulated"}),
        )
        .into_response(),
        Err(refusal) => *refusal,
    }
}

async fn create(
    State(twilio): State<Twilio>,
    headers: HeaderMap,
    Form(create): Form<Create>,
) -> Response {
    if let Err(refusal) = may(&twilio, &headers) {
        return *refusal;
    }
    if !create.to.starts_with('+') {
        return refuse(
            StatusCode::BAD_REQUEST,
            21211,
            "The 'To' number is not a valid phone number.",
        );
    }
    let Some(from) = create.from.or(create.messaging_service_sid) else {
        return refuse(
            StatusCode::BAD_REQUEST,
            21603,
            "A 'From' phone number is required.",
        );
    };
    twilio
        .inbox
        .take("twilio", &from, &create.to, create.body.clone(), 1);
    let sid = format!("SM{:032x}", twilio.inbox.number());
    let answer = message(
        &sid,
        &create.to,
        &from,
        &create.body,
        "queued",
        "outbound-api",
    );
    (StatusCode::CREATED, Json(answer)).into_response()
}

/// Every message that was taken is delivered by the time that somebody asks.
async fn fetch(
    State(twilio): State<Twilio>,
    Path((_, sid)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match may(&twilio, &headers) {
        Ok(()) => Json(message(
            sid.trim_end_matches(".json"),
            "",
            "",
            "",
            "delivered",
            "outbound-api",
        ))
        .into_response(),
        Err(refusal) => *refusal,
    }
}

async fn list(
    State(twilio): State<Twilio>,
    headers: HeaderMap,
    Query(filter): Query<Filter>,
) -> Response {
    if let Err(refusal) = may(&twilio, &headers) {
        return *refusal;
    }
    let messages: Vec<Value> = lock(&twilio.inbox.twilio_replies)
        .iter()
        .filter(|(_, reply)| filter.to.as_ref().is_none_or(|to| *to == reply.to))
        .map(|(sid, reply)| {
            message(
                sid,
                &reply.to,
                &reply.from,
                &reply.text,
                "received",
                "inbound",
            )
        })
        .collect();
    Json(json!({"messages": messages, "next_page_uri": null, "page": 0, "page_size": 50}))
        .into_response()
}

fn message(sid: &str, to: &str, from: &str, body: &str, status: &str, direction: &str) -> Value {
    let now = jiff::Timestamp::now()
        .strftime("%a, %d %b %Y %H:%M:%S +0000")
        .to_string();
    json!({
        "sid": sid, "to": to, "from": from, "body": body, "status": status, "direction": direction,
        "num_segments": "1", "error_code": null, "error_message": null, "date_created": now, "date_sent": now,
    })
}
