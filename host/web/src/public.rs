//! The public door: shows, changes nothing.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::Host;
use crate::page;

/// Serves health, readiness, metrics and the status page until `stop`.
///
/// # Errors
/// The listener broke.
pub async fn serve_public(
    listener: TcpListener,
    host: Arc<dyn Host>,
    stop: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(listener, router(host))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

fn router(host: Arc<dyn Host>) -> Router {
    Router::new()
        .route("/", get(overview))
        .route(
            "/healthz",
            get(|State(host): State<Arc<dyn Host>>| async move { verdict(&host.sickness()) }),
        )
        .route(
            "/readyz",
            get(|State(host): State<Arc<dyn Host>>| async move { verdict(&host.unreadiness()) }),
        )
        .route("/metrics", get(metrics))
        .with_state(host)
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

async fn metrics(State(host): State<Arc<dyn Host>>) -> Response {
    let kind =
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], host.metrics_text()).into_response()
}

async fn overview(State(host): State<Arc<dyn Host>>) -> Response {
    let page = Html(page::render(&host.overview().await));
    // The page runs no script and loads nothing, and no other page may frame it.
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    );
    ([(header::CONTENT_SECURITY_POLICY, policy)], page).into_response()
}
