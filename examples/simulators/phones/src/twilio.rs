//! An endpoint that speaks the part of Twilio's Messages API that the host uses: create, fetch,
//! list, and the account. Basic authentication is checked.
//!
//! The list holds both ways, newest first and in pages, as the real one does: a host that does not
//! know whether a message was taken finds it there.

#[cfg(test)]
mod tests;

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

use crate::inbox::{Inbox, Listed, Way};

/// Messages in a page where the question names no number, and at most.
const PAGE_SIZE: usize = 50;
const PAGE_SIZE_MAX: usize = 1000;

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
#[serde(rename_all = "PascalCase")]
struct Filter {
    to: Option<String>,
    from: Option<String>,
    /// Not before this day, in UTC.
    #[serde(rename = "DateSent>")]
    since: Option<jiff::civil::Date>,
    page_size: Option<usize>,
    /// From 0.
    #[serde(default)]
    page: usize,
}

impl Filter {
    fn lets_through(&self, message: &Listed) -> bool {
        let is =
            |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
        let day = jiff::tz::Offset::UTC.to_datetime(message.at).date();
        is(&self.to, &message.to)
            && is(&self.from, &message.from)
            && self.since.is_none_or(|since| day >= since)
    }

    /// Where the page after this one is.
    fn next_page_uri(&self, account: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("To", &self.to), ("From", &self.from)] {
            query.extend_pairs(value.iter().map(|value| (name, value)));
        }
        query.extend_pairs(self.since.iter().map(|day| ("DateSent>", day.to_string())));
        query.extend_pairs(self.page_size.iter().map(|n| ("PageSize", n.to_string())));
        query.append_pair("Page", &(self.page + 1).to_string());
        format!(
            "/2010-04-01/Accounts/{account}/Messages.json?{}",
            query.finish()
        )
    }
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
    let message = twilio.inbox.list(Way::Out, &from, &create.to, &create.body);
    (StatusCode::CREATED, Json(resource(&message, "queued"))).into_response()
}

async fn fetch(
    State(twilio): State<Twilio>,
    Path((_, sid)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = may(&twilio, &headers) {
        return *refusal;
    }
    let sid = sid.trim_end_matches(".json");
    let listed = twilio.inbox.listed();
    match listed.iter().find(|message| message.sid == sid) {
        Some(message) => Json(resource(message, status_later(message.way))).into_response(),
        None => refuse(
            StatusCode::NOT_FOUND,
            20404,
            "The requested resource was not found",
        ),
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
    let size = filter
        .page_size
        .unwrap_or(PAGE_SIZE)
        .clamp(1, PAGE_SIZE_MAX);
    let mut found = twilio.inbox.listed();
    found.retain(|message| filter.lets_through(message));
    let before = filter.page.saturating_mul(size);
    let messages: Vec<Value> = found
        .iter()
        .skip(before)
        .take(size)
        .map(|message| resource(message, status_later(message.way)))
        .collect();
    let more = before.saturating_add(size) < found.len();
    let next = more.then(|| filter.next_page_uri(&twilio.account_sid));
    Json(json!({
        "messages": messages, "next_page_uri": next, "page": filter.page, "page_size": size,
    }))
    .into_response()
}

/// Every message that was taken is delivered by the time that somebody asks.
const fn status_later(way: Way) -> &'static str {
    match way {
        Way::Out => "delivered",
        Way::In => "received",
    }
}

fn resource(message: &Listed, status: &str) -> Value {
    let at = message
        .at
        .strftime("%a, %d %b %Y %H:%M:%S +0000")
        .to_string();
    let sent = (status != "queued").then_some(&at);
    let direction = match message.way {
        Way::Out => "outbound-api",
        Way::In => "inbound",
    };
    json!({
        "sid": message.sid, "to": message.to, "from": message.from, "body": message.text,
        "status": status, "direction": direction, "num_segments": "1", "error_code": null,
        "error_message": null, "date_created": at, "date_sent": sent,
    })
}
