//! A door for the demo and for curious people: pin a value, release it, cut the line.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use crate::Shared;

#[derive(Deserialize)]
struct Pin {
    name: String,
    value: f64,
}

#[derive(Deserialize)]
struct Release {
    name: String,
}

#[derive(Deserialize)]
struct Line {
    up: bool,
}

/// `GET /values`, `POST /pin?name=&value=`, `POST /release?name=`, `POST /line?up=`.
pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/values", get(values))
        .route("/pin", post(pin))
        .route("/release", post(release))
        .route("/line", post(line))
        .with_state(shared)
}

async fn values(State(shared): State<Shared>) -> Json<BTreeMap<&'static str, f64>> {
    Json(shared.plant().all())
}

async fn pin(State(shared): State<Shared>, Query(pin): Query<Pin>) -> (StatusCode, String) {
    if shared.plant().pin(&pin.name, pin.value) {
        (StatusCode::OK, "ok\n".into())
    } else {
        (
            StatusCode::NOT_FOUND,
            format!("there is no value `{}`: GET /values lists them\n", pin.name),
        )
    }
}

async fn release(State(shared): State<Shared>, Query(release): Query<Release>) -> &'static str {
    shared.plant().release(&release.name);
    "ok\n"
}

async fn line(State(shared): State<Shared>, Query(line): Query<Line>) -> &'static str {
    shared.line_up.store(line.up, Ordering::SeqCst);
    "ok\n"
}
