//! What people order in the life of an alarm: shelving, reset, out of service.

use std::time::Duration;

use andon_model::{AlarmFlags, AlarmRecord, DurationText};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::{Given, Named, Problem};
use super::shapes::Alarm;
use super::{Shared, Told};
use crate::access::Caller;
use crate::{Command, LifeOrder, LifeRequest, Refusal};

/// How an alarm is shelved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shelving {
    /// For how long, like `90m`; without it until it returns to normal. The settings bound it by
    /// priority.
    #[serde(default, rename = "for")]
    #[schema(value_type = Option<String>, example = "8h")]
    time: Option<DurationText>,
    /// Why; whoever looks at the list reads it.
    reason: String,
}

/// How an alarm is taken out of service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Maintenance {
    /// In which time it is expected back, like `2d`; whoever took it out is reminded then.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2d")]
    back_in: Option<DurationText>,
    /// Why; whoever looks at the list reads it.
    reason: String,
}

/// What came of an order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ordered {
    /// `shelved`, `unshelved`, `reset`, `out of service`, `back in service`.
    result: String,
    /// The condition, `INSTANCE/KEY`.
    id: String,
    /// Why nobody is told of it now; nothing if people are.
    silenced: Option<String>,
    /// The alarm, if one of the condition stands.
    alarm: Option<Alarm>,
}

fn millis(time: DurationText) -> u64 {
    let time: Duration = time.0;
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Silence an alarm for a time.
///
/// It is watched on, and comes back by itself. `INSTANCE/KEY` also names one that is normal.
#[utoipa::path(
    post, path = "/api/v1/alarms/{alarm}/shelve", tag = "alarms", operation_id = "shelve_alarm",
    params(("alarm" = String, Path, description = "Short code, number, or `INSTANCE/KEY` with the slash as `%2F`")),
    request_body = Shelving,
    responses((status = 200, description = "What came of it", body = Ordered))
)]
pub(crate) async fn shelve(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(alarm): Named,
    Given(shelving): Given<Shelving>,
) -> Result<Response, Problem> {
    let order = LifeOrder::Shelve {
        for_ms: shelving.time.map(millis),
        reason: shelving.reason,
    };
    obey(&shared, &caller, alarm, order).await
}

/// End a shelving before its time.
#[utoipa::path(
    post, path = "/api/v1/alarms/{alarm}/unshelve", tag = "alarms", operation_id = "unshelve_alarm",
    params(("alarm" = String, Path, description = "Short code, number, or `INSTANCE/KEY` with the slash as `%2F`")),
    responses((status = 200, description = "What came of it", body = Ordered))
)]
pub(crate) async fn unshelve(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(alarm): Named,
) -> Result<Response, Problem> {
    obey(&shared, &caller, alarm, LifeOrder::Unshelve).await
}

/// End a latched alarm, once its condition is gone.
#[utoipa::path(
    post, path = "/api/v1/alarms/{alarm}/reset", tag = "alarms", operation_id = "reset_alarm",
    params(("alarm" = String, Path, description = "Short code, number, or `INSTANCE/KEY` with the slash as `%2F`")),
    responses((status = 200, description = "What came of it", body = Ordered))
)]
pub(crate) async fn reset(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(alarm): Named,
) -> Result<Response, Problem> {
    obey(&shared, &caller, alarm, LifeOrder::Reset).await
}

/// Take an alarm out of service until somebody brings it back.
#[utoipa::path(
    post, path = "/api/v1/alarms/{alarm}/service-out", tag = "alarms", operation_id = "take_out_of_service",
    params(("alarm" = String, Path, description = "Short code, number, or `INSTANCE/KEY` with the slash as `%2F`")),
    request_body = Maintenance,
    responses((status = 200, description = "What came of it", body = Ordered))
)]
pub(crate) async fn service_out(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(alarm): Named,
    Given(maintenance): Given<Maintenance>,
) -> Result<Response, Problem> {
    let order = LifeOrder::ServiceOut {
        back_in_ms: maintenance.back_in.map(millis),
        reason: maintenance.reason,
    };
    obey(&shared, &caller, alarm, order).await
}

/// Bring an alarm back into service.
#[utoipa::path(
    post, path = "/api/v1/alarms/{alarm}/service-back", tag = "alarms", operation_id = "return_to_service",
    params(("alarm" = String, Path, description = "Short code, number, or `INSTANCE/KEY` with the slash as `%2F`")),
    responses((status = 200, description = "What came of it", body = Ordered))
)]
pub(crate) async fn service_back(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(alarm): Named,
) -> Result<Response, Problem> {
    obey(&shared, &caller, alarm, LifeOrder::ServiceBack).await
}

async fn obey(
    shared: &Shared,
    caller: &Caller,
    alarm: String,
    order: LifeOrder,
) -> Result<Response, Problem> {
    let command = Command::Life(LifeRequest {
        alarm,
        by: caller.name.clone(),
        how: "api".to_owned(),
        order,
    });
    let answer: Answer = serde_json::from_value(shared.host.command(command).await?)
        .map_err(|error| Refusal::unable(format!("the host's answer cannot be read: {error}")))?;
    let told = Told {
        occurrence: answer.alarm.as_ref().map(|record| record.occurrence.0),
        says: format!("{}, {}", answer.result, answer.id),
    };
    let ordered = Ordered {
        silenced: answer.flags.silence(),
        alarm: answer.alarm.as_ref().map(Alarm::from),
        result: answer.result,
        id: answer.id,
    };
    Ok((Extension(told), Json(ordered)).into_response())
}

/// What the host answers.
#[derive(Debug, Deserialize)]
struct Answer {
    result: String,
    id: String,
    flags: AlarmFlags,
    alarm: Option<AlarmRecord>,
}
