//! The host itself: its state, people, tags, plugins and tokens.

#![expect(
    unused_qualifications,
    reason = "the macro of the description writes whole paths"
)]

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::duty::Schedule;
use super::machine::{Plugin, Plugins, Status};
use super::problem::{Ask, Given, Named, Problem};
use super::shapes::{Contact, Tag, Tags, Token};
use super::{Shared, Told};
use crate::access::Caller;
use crate::books::{PAGE_MAX, TagQuestion};
use crate::view::PluginView;
use crate::{Command, Refusal};

/// Rows of one page if nothing is said.
const LIMIT: usize = 100;
/// Most days for which handovers are told.
const DAYS_MAX: u16 = 366;
/// Most values of one injection.
const VALUES_MAX: usize = 1_000;

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Whoami {
    /// Name of the user or token.
    name: String,
    /// `user` or `token`.
    kind: String,
    /// What may be done.
    role: String,
}

/// Who I am to the host.
#[utoipa::path(
    get, path = "/api/v1/whoami", tag = "host", operation_id = "whoami",
    responses((status = 200, description = "Name and role", body = Whoami))
)]
pub(crate) async fn whoami(Extension(caller): Extension<Caller>) -> Json<Whoami> {
    Json(Whoami {
        kind: caller.kind().to_owned(),
        role: caller.role.word().to_owned(),
        name: caller.name,
    })
}

/// The host at this moment: version, troubles, devices, sinks.
#[utoipa::path(
    get, path = "/api/v1/status", tag = "host", operation_id = "status",
    responses((status = 200, description = "The host", body = Status))
)]
pub(crate) async fn status(State(shared): State<Shared>) -> Json<Status> {
    Json(Status::from(shared.host.overview().await))
}

/// Contacts.
///
/// By name, without their addresses.
#[utoipa::path(
    get, path = "/api/v1/contacts", tag = "people", operation_id = "list_contacts",
    responses((status = 200, description = "The contacts", body = [Contact]))
)]
pub(crate) async fn contacts(State(shared): State<Shared>) -> Result<Json<Vec<Contact>>, Problem> {
    let contacts = shared.host.contacts().await?;
    Ok(Json(contacts.into_iter().map(Contact::from).collect()))
}

/// Which schedules are wanted, and when.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct DutyFilter {
    /// Only this schedule.
    schedule: Option<String>,
    /// Another moment than now, local time of the schedule: `2026-12-24 18:00`.
    at: Option<String>,
    /// For how many days handovers are told, 0 to 366; 7 if it is left out.
    days: Option<u16>,
}

/// Who is on call.
///
/// By schedule, with the coming handovers.
#[utoipa::path(
    get, path = "/api/v1/oncall", tag = "people", operation_id = "on_call",
    params(DutyFilter),
    responses((status = 200, description = "The schedules", body = [Schedule]))
)]
pub(crate) async fn on_call(
    State(shared): State<Shared>,
    Ask(filter): Ask<DutyFilter>,
) -> Result<Json<Vec<Schedule>>, Problem> {
    let days = filter.days.unwrap_or(7);
    if days > DAYS_MAX {
        return Err(Problem::bad(format!(
            "handovers are told for up to {DAYS_MAX} days, not {days}"
        )));
    }
    let command = Command::OnCall {
        schedule: filter.schedule,
        at: filter.at,
        days,
    };
    Ok(Json(read(shared.host.command(command).await?)?))
}

/// How a test message is sent.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct TestFilter {
    /// By every channel of the contact, not only the first that works.
    every_channel: bool,
}

/// A test message that is owed now.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TestSent {
    /// Number of the occurrence of the test: `/alarms/{number}/explain` tells what became of it.
    occurrence: u64,
    /// Keys of the deliveries.
    deliveries: Vec<String>,
}

/// Send a test message to a contact.
#[utoipa::path(
    post, path = "/api/v1/contacts/{contact}/test", tag = "people", operation_id = "send_test",
    params(("contact" = String, Path, description = "Name of the contact"), TestFilter),
    responses((status = 200, description = "What is owed now", body = TestSent))
)]
pub(crate) async fn send_test(
    State(shared): State<Shared>,
    Named(contact): Named,
    Ask(filter): Ask<TestFilter>,
) -> Result<Response, Problem> {
    let command = Command::SendTest {
        contact: contact.clone(),
        every_channel: filter.every_channel,
    };
    let sent: TestSent = read(shared.host.command(command).await?)?;
    let told = Told {
        occurrence: Some(sent.occurrence),
        says: format!("a test to {contact}"),
    };
    Ok((Extension(told), Json(sent)).into_response())
}

/// Which tags are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(crate) struct TagFilter {
    /// Only those whose name holds this text.
    holds: String,
    /// Only those after this name: `next` of the page before.
    after: String,
    /// At most so many, up to 1,000; 100 if it is left out.
    limit: Option<usize>,
}

/// Tags with their latest values.
#[utoipa::path(
    get, path = "/api/v1/tags", tag = "tags", operation_id = "list_tags",
    params(TagFilter),
    responses((status = 200, description = "A page of tags", body = Tags))
)]
pub(crate) async fn tags(
    State(shared): State<Shared>,
    Ask(filter): Ask<TagFilter>,
) -> Result<Json<Tags>, Problem> {
    let question = TagQuestion {
        holds: filter.holds,
        after: filter.after,
        limit: filter.limit.unwrap_or(LIMIT).clamp(1, PAGE_MAX),
    };
    let page = shared.host.tags(question).await?;
    Ok(Json(Tags {
        tags: page.rows.into_iter().map(Tag::from).collect(),
        next: page.next,
    }))
}

/// Values to push through the real path.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Injection {
    /// Values by tag; all of them are one batch.
    #[schema(value_type = Object, example = json!({"tank1.level": 81.5, "pump1.running": true}))]
    values: BTreeMap<String, Value>,
}

/// How many values went through.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Injected {
    /// The values.
    injected: usize,
}

/// Push values through the real path, marked as a test.
#[utoipa::path(
    post, path = "/api/v1/tags/inject", tag = "tags", operation_id = "inject",
    request_body = Injection,
    responses((status = 200, description = "They went through", body = Injected))
)]
pub(crate) async fn inject(
    State(shared): State<Shared>,
    Given(injection): Given<Injection>,
) -> Result<Response, Problem> {
    if injection.values.is_empty() || injection.values.len() > VALUES_MAX {
        return Err(Problem::bad(format!(
            "give from 1 to {VALUES_MAX} values, not {}",
            injection.values.len()
        )));
    }
    let values = injection
        .values
        .into_iter()
        .map(|(tag, value)| match value {
            Value::String(text) => Ok((tag, text)),
            Value::Number(number) => Ok((tag, number.to_string())),
            Value::Bool(on) => Ok((tag, on.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => Err(Problem::bad(format!(
                "the value of `{tag}` is neither a number, true, false nor a text"
            ))),
        });
    let values: Vec<(String, String)> = values.collect::<Result<_, _>>()?;
    let names: Vec<&str> = values.iter().take(5).map(|(tag, _)| tag.as_str()).collect();
    let says = format!("{} values, among them {}", values.len(), names.join(", "));
    let injected: Injected = read(shared.host.command(Command::Inject { values }).await?)?;
    let told = Told {
        occurrence: None,
        says,
    };
    Ok((Extension(told), Json(injected)).into_response())
}

/// Plugins.
///
/// Instances, and files that gave none with the reason.
#[utoipa::path(
    get, path = "/api/v1/plugins", tag = "plugins", operation_id = "list_plugins",
    responses((status = 200, description = "The plugins", body = Plugins))
)]
pub(crate) async fn plugins(State(shared): State<Shared>) -> Result<Json<Plugins>, Problem> {
    let views: Vec<PluginView> = read(shared.host.command(Command::Plugins).await?)?;
    Ok(Json(Plugins {
        plugins: views.into_iter().map(Plugin::from).collect(),
    }))
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Done {
    /// What was done, in a sentence.
    done: String,
}

fn done(says: String) -> Response {
    let told = Told {
        occurrence: None,
        says: says.clone(),
    };
    (Extension(told), Json(Done { done: says })).into_response()
}

/// Go back to the last good version of a component.
#[utoipa::path(
    post, path = "/api/v1/plugins/{component}/rollback", tag = "plugins", operation_id = "roll_back",
    params(("component" = String, Path, description = "File name or stem of the component")),
    responses((status = 200, description = "What runs now", body = Done))
)]
pub(crate) async fn roll_back(
    State(shared): State<Shared>,
    Named(component): Named,
) -> Result<Response, Problem> {
    let command = Command::Rollback {
        component: component.clone(),
    };
    let answer = shared.host.command(command).await?;
    let hash = answer.get("runs").and_then(Value::as_str).unwrap_or("?");
    Ok(done(format!("{component} runs version {hash} again")))
}

/// Put the shadow of an instance in its place.
#[utoipa::path(
    post, path = "/api/v1/plugins/{instance}/promote", tag = "plugins", operation_id = "promote_shadow",
    params(("instance" = String, Path, description = "Name of the instance")),
    responses((status = 200, description = "The shadow took over", body = Done))
)]
pub(crate) async fn promote(
    State(shared): State<Shared>,
    Named(instance): Named,
) -> Result<Response, Problem> {
    let command = Command::Promote {
        instance: instance.clone(),
    };
    shared.host.command(command).await?;
    Ok(done(format!("the shadow of {instance} took over")))
}

/// End the shadow of an instance; what runs goes on.
#[utoipa::path(
    post, path = "/api/v1/plugins/{instance}/refuse", tag = "plugins", operation_id = "refuse_shadow",
    params(("instance" = String, Path, description = "Name of the instance")),
    responses((status = 200, description = "The shadow is ended", body = Done))
)]
pub(crate) async fn refuse(
    State(shared): State<Shared>,
    Named(instance): Named,
) -> Result<Response, Problem> {
    let command = Command::Refuse {
        instance: instance.clone(),
    };
    shared.host.command(command).await?;
    Ok(done(format!("the shadow of {instance} is ended")))
}

/// Read the settings again now.
#[utoipa::path(
    post, path = "/api/v1/reload", tag = "host", operation_id = "reload",
    responses((status = 200, description = "They were taken", body = Done))
)]
pub(crate) async fn reload(State(shared): State<Shared>) -> Result<Response, Problem> {
    shared.host.command(Command::Reload).await?;
    Ok(done("the settings are taken".to_owned()))
}

/// Tokens, without their secrets.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "access", operation_id = "list_tokens",
    responses((status = 200, description = "The tokens", body = [Token]))
)]
pub(crate) async fn tokens(State(shared): State<Shared>) -> Json<Vec<Token>> {
    Json(shared.access.tokens().iter().map(Token::from).collect())
}

/// Revoke a token.
///
/// What it opened ends. Tokens are made on the machine of the host alone: `andon token new`.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{token}", tag = "access", operation_id = "revoke_token",
    params(("token" = String, Path, description = "Name of the token")),
    responses((status = 200, description = "It is revoked", body = Done))
)]
pub(crate) async fn revoke(
    State(shared): State<Shared>,
    Named(name): Named,
) -> Result<Response, Problem> {
    let access = shared.access.clone();
    let gone = tokio::task::spawn_blocking(move || access.revoke_token(&name))
        .await
        .map_err(|_| Refusal::unable("the token could not be revoked"))??;
    Ok(done(format!("the token {} is revoked", gone.name)))
}

fn read<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T, Refusal> {
    serde_json::from_value(answer)
        .map_err(|error| Refusal::unable(format!("the host's answer cannot be read: {error}")))
}
