//! The page, health, readiness and metrics: they show and change nothing.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::api::Shared;
use crate::page as pages;

pub(crate) async fn health(State(shared): State<Shared>) -> Response {
    verdict(&shared.host.sickness())
}

pub(crate) async fn readiness(State(shared): State<Shared>) -> Response {
    verdict(&shared.host.unreadiness())
}

fn verdict(reasons: &[String]) -> Response {
    if reasons.is_empty() {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{}\n", reasons.join("\n")),
        )
            .into_response()
    }
}

pub(crate) async fn metrics(State(shared): State<Shared>) -> Response {
    let kind =
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], shared.host.metrics_text()).into_response()
}

pub(crate) async fn page(State(shared): State<Shared>) -> Response {
    let page = Html(pages::render(&shared.host.overview().await));
    // The page runs no script and loads nothing, and no other page may frame it.
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    );
    ([(header::CONTENT_SECURITY_POLICY, policy)], page).into_response()
}
