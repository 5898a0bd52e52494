//! What happened: the journal and the deliveries, page by page.

#![expect(
    unused_qualifications,
    reason = "the macro of the description writes whole paths"
)]

use andon_model::{JournalKind, OccurrenceId, Timestamp};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Shared;
use super::problem::{Ask, Named, Problem};
use super::shapes::{Deliveries, Journal, Line, Message};
use crate::books::{DeliveryQuestion, JournalQuestion, PAGE_MAX};

/// Rows of one page if nothing is said.
const LIMIT: usize = 100;

/// Which lines of the journal are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct JournalFilter {
    /// Not earlier than this moment, RFC 3339.
    #[param(value_type = Option<String>, example = "2026-11-23T00:00:00Z")]
    since: Option<String>,
    /// Earlier than this moment, RFC 3339.
    #[param(value_type = Option<String>, example = "2026-11-24T00:00:00Z")]
    until: Option<String>,
    /// Only of this kind: `alarm`, `delivery`, `operator`, `plugin`, `device`, `system`.
    kind: Option<String>,
    /// Only of this occurrence.
    occurrence: Option<u64>,
    /// Only of this alarm (`INSTANCE/KEY`), delivery, plugin, device or person.
    subject: Option<String>,
    /// Only lines before this number: `next` of the page before.
    before: Option<u64>,
    /// At most so many, up to 1,000; 100 if it is left out.
    limit: Option<usize>,
}

/// The journal.
///
/// Newest lines first. Where `next` is set, ask again with it as `before`; a page may hold fewer
/// lines than the limit, or none, and still have a next one.
#[utoipa::path(
    get, path = "/api/v1/journal", tag = "history", operation_id = "read_journal",
    params(JournalFilter),
    responses((status = 200, description = "A page of the journal", body = Journal))
)]
pub(crate) async fn journal(
    State(shared): State<Shared>,
    Ask(filter): Ask<JournalFilter>,
) -> Result<Json<Journal>, Problem> {
    let question = JournalQuestion {
        occurrence: filter.occurrence.map(OccurrenceId),
        kind: filter.kind.as_deref().map(kind).transpose()?,
        subject: filter.subject,
        since: filter.since.as_deref().map(moment).transpose()?,
        until: filter.until.as_deref().map(moment).transpose()?,
        before: filter.before,
        limit: filter.limit.unwrap_or(LIMIT).clamp(1, PAGE_MAX),
    };
    let page = shared.host.journal(question).await?;
    Ok(Json(Journal {
        lines: page.rows.iter().map(Line::from).collect(),
        next: page.next.and_then(|next| next.parse().ok()),
    }))
}

pub(super) fn kind(word: &str) -> Result<JournalKind, Problem> {
    [
        JournalKind::Alarm,
        JournalKind::Delivery,
        JournalKind::Operator,
        JournalKind::Plugin,
        JournalKind::Device,
        JournalKind::System,
    ]
    .into_iter()
    .find(|kind| kind.word() == word)
    .ok_or_else(|| {
        Problem::bad(format!(
            "`{word}` is no kind of line: use alarm, delivery, operator, plugin, device or system"
        ))
    })
}

fn moment(text: &str) -> Result<Timestamp, Problem> {
    text.parse().map_err(Problem::bad)
}

/// Which deliveries are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveryFilter {
    /// Only in this state: `queued`, `sending`, `sent`, `delivered`, `failed`, `expired`.
    state: Option<String>,
    /// Only to this contact.
    contact: Option<String>,
    /// Only of this occurrence.
    occurrence: Option<u64>,
    /// Only those before this number: `next` of the page before.
    before: Option<u64>,
    /// At most so many, up to 1,000; 100 if it is left out.
    limit: Option<usize>,
}

/// Deliveries.
///
/// Newest first. Where `next` is set, ask again with it as `before`; a page may hold fewer than the
/// limit, or none, and still have a next one.
#[utoipa::path(
    get, path = "/api/v1/deliveries", tag = "history", operation_id = "list_deliveries",
    params(DeliveryFilter),
    responses((status = 200, description = "A page of deliveries", body = Deliveries))
)]
pub(crate) async fn deliveries(
    State(shared): State<Shared>,
    Ask(filter): Ask<DeliveryFilter>,
) -> Result<Json<Deliveries>, Problem> {
    const STATES: [&str; 6] = [
        "queued",
        "sending",
        "sent",
        "delivered",
        "failed",
        "expired",
    ];
    if let Some(state) = &filter.state
        && !STATES.contains(&state.as_str())
    {
        return Err(Problem::bad(format!(
            "`{state}` is no state of a delivery: use one of {}",
            STATES.join(", ")
        )));
    }
    let question = DeliveryQuestion {
        occurrence: filter.occurrence.map(OccurrenceId),
        state: filter.state,
        contact: filter.contact,
        before: filter.before,
        limit: filter.limit.unwrap_or(LIMIT).clamp(1, PAGE_MAX),
    };
    let page = shared.host.deliveries(question).await?;
    Ok(Json(Deliveries {
        deliveries: page.rows.iter().map(Message::from).collect(),
        next: page.next.and_then(|next| next.parse().ok()),
    }))
}

/// One delivery.
#[utoipa::path(
    get, path = "/api/v1/deliveries/{id}", tag = "history", operation_id = "show_delivery",
    params(("id" = String, Path, description = "Its key")),
    responses((status = 200, description = "The delivery", body = Message))
)]
pub(crate) async fn delivery(
    State(shared): State<Shared>,
    Named(id): Named,
) -> Result<Json<Message>, Problem> {
    match shared.host.delivery(id.clone()).await? {
        Some(row) => Ok(Json(Message::from(&row))),
        None => Err(Problem::unknown(format!(
            "there is no delivery `{id}`: /api/v1/deliveries lists them"
        ))),
    }
}
