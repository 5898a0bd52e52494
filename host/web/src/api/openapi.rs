//! The description of the API: made from the handlers, with the roles of the table of routes.

use std::sync::OnceLock;

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use utoipa::OpenApi;

use super::problem::Problem;
use super::routes::{Need, ROUTES, Route};
use super::{alarms, events, history, host, life};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Andon",
        description = "Alarms of a plant, and who was told of them. Moments are RFC 3339 in UTC. Whatever changes something is journalled with who asked."
    ),
    components(schemas(Problem)),
    paths(
        describe,
        host::whoami,
        host::status,
        host::contacts,
        host::on_call,
        host::send_test,
        host::tags,
        host::inject,
        host::plugins,
        host::roll_back,
        host::promote,
        host::refuse,
        host::reload,
        host::tokens,
        host::revoke,
        alarms::list,
        alarms::show,
        alarms::explain,
        alarms::acknowledge,
        alarms::take,
        alarms::escalate,
        life::shelve,
        life::unshelve,
        life::reset,
        life::service_out,
        life::service_back,
        history::journal,
        history::deliveries,
        history::delivery,
        events::follow,
    )
)]
struct Document;

/// This description, OpenAPI 3.1.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "host", operation_id = "describe",
    responses((status = 200, description = "The description", body = Value))
)]
pub(crate) async fn describe() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| document().to_string()).clone();
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// The whole document.
pub(crate) fn document() -> Value {
    // The document is plain data, so that writing it as JSON does not fail.
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    put(
        &mut document,
        "info",
        "version",
        json!(env!("CARGO_PKG_VERSION")),
    );
    put(
        &mut document,
        "info",
        "license",
        json!({ "name": env!("CARGO_PKG_LICENSE") }),
    );
    let ways = json!({
        "token": { "type": "http", "scheme": "bearer", "description": "A token of `andon token new`" },
        "password": { "type": "http", "scheme": "basic", "description": "A user of `[[api.users]]`" },
    });
    put(&mut document, "components", "securitySchemes", ways);
    for route in ROUTES {
        let path = document
            .get_mut("paths")
            .and_then(|paths| paths.get_mut(route.path));
        if let Some(operation) = path.and_then(|path| path.get_mut(route.verb.word())) {
            describe_access(operation, route);
        }
    }
    document
}

/// Puts something into an object of the document.
fn put(document: &mut Value, object: &str, key: &str, value: Value) {
    if let Some(Value::Object(fields)) = document.get_mut(object) {
        fields.insert(key.to_owned(), value);
    }
}

fn describe_access(operation: &mut Value, route: &Route) {
    let refused = json!({
        "description": "Why it was not done",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    put(operation, "responses", "default", refused);
    let Value::Object(fields) = operation else {
        return;
    };
    let (security, role) = match route.need {
        Need::Role(role) => (json!([{ "token": [] }, { "password": [] }]), json!(role)),
        Need::Here | Need::Metrics => (
            json!([{}, { "token": [] }, { "password": [] }]),
            json!("viewer, or nobody on the host's own machine"),
        ),
        Need::Nothing => (json!([]), Value::Null),
    };
    fields.insert("security".to_owned(), security);
    fields.insert("x-andon-role".to_owned(), role);
}
