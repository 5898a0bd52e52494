//! Alarms: those that stand, the story of one, and what people want of them.

#![expect(
    unused_qualifications,
    reason = "the macro of the description writes whole paths"
)]

use andon_model::{AlarmRecord, Priority};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::problem::{Ask, Named, Problem};
use super::shapes::{Alarm, Alarms, Explained, Granted};
use super::{Shared, Told};
use crate::access::Caller;
use crate::books::PAGE_MAX;
use crate::{AlarmWish, Command, Refusal, Wish};

/// Alarms of one page if nothing is said.
const LIMIT: usize = 100;

/// Which alarms are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlarmFilter {
    /// Only of this priority or above: `diagnostic`, `low`, `medium`, `high`, `critical`.
    #[param(value_type = Option<String>)]
    priority: Option<Priority>,
    /// Only those that nobody acknowledged (`true`), or that somebody did (`false`).
    unacknowledged: Option<bool>,
    /// Only those that are shelved, suppressed or out of service (`true`), or not (`false`).
    silenced: Option<bool>,
    /// Only of this rule instance.
    instance: Option<String>,
    /// Only with this label, `name=value`.
    label: Option<String>,
    /// Only those whose message, code or key holds this text.
    text: Option<String>,
    /// How many to leave out from the most urgent on.
    offset: usize,
    /// At most so many, up to 1,000; 100 if it is left out.
    limit: Option<usize>,
}

impl AlarmFilter {
    fn fits(&self, record: &AlarmRecord) -> bool {
        let is = |wanted: Option<bool>, holds: bool| wanted.is_none_or(|wanted| wanted == holds);
        let labelled = |wanted: &String| {
            let (name, value) = wanted.split_once('=').unwrap_or((wanted, ""));
            record.labels.get(name).is_some_and(|held| held == value)
        };
        let holds = |text: &String| {
            let text = text.to_lowercase();
            [
                record.message.as_str(),
                record.code.as_str(),
                &record.id.key,
            ]
            .iter()
            .any(|held| held.to_lowercase().contains(&text))
        };
        self.priority.is_none_or(|least| record.priority >= least)
            && is(self.unacknowledged, record.state.is_unacknowledged())
            && is(self.silenced, record.is_silenced())
            && self
                .instance
                .as_ref()
                .is_none_or(|name| record.id.instance == *name)
            && self.label.as_ref().is_none_or(labelled)
            && self.text.as_ref().is_none_or(holds)
    }
}

/// Standing alarms.
///
/// Those that are not over, most urgent first.
#[utoipa::path(
    get, path = "/api/v1/alarms", tag = "alarms", operation_id = "list_alarms",
    params(AlarmFilter),
    responses((status = 200, description = "The alarms", body = Alarms))
)]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Ask(filter): Ask<AlarmFilter>,
) -> Result<Json<Alarms>, Problem> {
    let standing = shared.host.standing().await?;
    let fitting: Vec<&AlarmRecord> = standing
        .iter()
        .filter(|record| filter.fits(record))
        .collect();
    let limit = filter.limit.unwrap_or(LIMIT).min(PAGE_MAX);
    let page = fitting.iter().skip(filter.offset).take(limit);
    Ok(Json(Alarms {
        alarms: page.map(|record| Alarm::from(*record)).collect(),
        total: fitting.len(),
    }))
}

/// One standing alarm.
#[utoipa::path(
    get, path = "/api/v1/alarms/{alarm}", tag = "alarms", operation_id = "show_alarm",
    params(("alarm" = String, Path, description = "Short code, number, or `INSTANCE/KEY` with the slash as `%2F`")),
    responses((status = 200, description = "The alarm", body = Alarm))
)]
pub(crate) async fn show(
    State(shared): State<Shared>,
    Named(name): Named,
) -> Result<Json<Alarm>, Problem> {
    let standing = shared.host.standing().await?;
    match standing.iter().find(|record| is_called(record, &name)) {
        Some(record) => Ok(Json(Alarm::from(record))),
        None => Err(Problem::unknown(format!(
            "no alarm called `{name}` stands; /api/v1/alarms/{name}/explain tells of one that is over"
        ))),
    }
}

fn is_called(record: &AlarmRecord, name: &str) -> bool {
    record.code.as_str().eq_ignore_ascii_case(name.trim())
        || name.trim_start_matches('#').parse() == Ok(record.occurrence.0)
        || record.id.to_string() == name
}

/// Why: the way of an alarm from the register to the receipt.
///
/// Also of alarms that are over, as long as the journal is kept.
#[utoipa::path(
    get, path = "/api/v1/alarms/{alarm}/explain", tag = "alarms", operation_id = "explain_alarm",
    params(("alarm" = String, Path, description = "Short code, number, or `INSTANCE/KEY` with the slash as `%2F`")),
    responses((status = 200, description = "Each step with its reason, and what was owed to whom", body = Explained))
)]
pub(crate) async fn explain(
    State(shared): State<Shared>,
    Named(name): Named,
) -> Result<Json<Explained>, Problem> {
    let story = shared.host.story(name).await?;
    Ok(Json(Explained::from(&story)))
}

/// Acknowledge an alarm.
#[utoipa::path(
    post, path = "/api/v1/alarms/{alarm}/acknowledge", tag = "alarms", operation_id = "acknowledge_alarm",
    params(("alarm" = String, Path, description = "Short code, number, or `INSTANCE/KEY` with the slash as `%2F`")),
    responses((status = 200, description = "What came of it", body = Granted))
)]
pub(crate) async fn acknowledge(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(alarm): Named,
) -> Result<Response, Problem> {
    grant(&shared, &caller, alarm, AlarmWish::Acknowledge).await
}

/// Take an alarm: acknowledge it, and tell the others who works on it.
#[utoipa::path(
    post, path = "/api/v1/alarms/{alarm}/take", tag = "alarms", operation_id = "take_alarm",
    params(("alarm" = String, Path, description = "Short code, number, or `INSTANCE/KEY` with the slash as `%2F`")),
    responses((status = 200, description = "What came of it", body = Granted))
)]
pub(crate) async fn take(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(alarm): Named,
) -> Result<Response, Problem> {
    grant(&shared, &caller, alarm, AlarmWish::Take).await
}

/// Tell the next people now.
#[utoipa::path(
    post, path = "/api/v1/alarms/{alarm}/escalate", tag = "alarms", operation_id = "escalate_alarm",
    params(("alarm" = String, Path, description = "Short code, number, or `INSTANCE/KEY` with the slash as `%2F`")),
    responses((status = 200, description = "What came of it", body = Granted))
)]
pub(crate) async fn escalate(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(alarm): Named,
) -> Result<Response, Problem> {
    grant(&shared, &caller, alarm, AlarmWish::Escalate).await
}

async fn grant(
    shared: &Shared,
    caller: &Caller,
    alarm: String,
    wish: AlarmWish,
) -> Result<Response, Problem> {
    let command = Command::Wish(Wish {
        alarm,
        wish,
        by: caller.name.clone(),
        how: "api".to_owned(),
    });
    let answer = shared.host.command(command).await?;
    let record = |name: &str| -> Result<Option<AlarmRecord>, Refusal> {
        match answer.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => AlarmRecord::deserialize(value)
                .map(Some)
                .map_err(|error| Refusal::unable(format!("the answer cannot be read: {error}"))),
        }
    };
    let result = answer
        .get("result")
        .and_then(Value::as_str)
        .unwrap_or("done");
    let now =
        record("alarm")?.ok_or_else(|| Refusal::unable("the host answered without an alarm"))?;
    let told = Told {
        occurrence: Some(now.occurrence.0),
        says: format!("{result}, {}", now.id),
    };
    let granted = Granted {
        result: result.to_owned(),
        alarm: Alarm::from(&now),
        again: record("again")?.as_ref().map(Alarm::from),
    };
    Ok((Extension(told), Json(granted)).into_response())
}
