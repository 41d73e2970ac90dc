//! `/health`, `/ready` and `/metrics`: no sign-in is required.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use crate::clock;
use crate::metrics::{self, ProcessMetrics};
use crate::state::AppState;

/// `GET /health`: healthy as long as the process serves.
pub(crate) async fn health() -> Json<Value> {
    Json(json!({ "status": "healthy" }))
}

/// `GET /ready`: always ready, as the admin tier never goes into maintenance.
pub(crate) async fn ready() -> Json<Value> {
    Json(json!({ "status": "ready" }))
}

/// `GET /metrics`, in the Prometheus text format.
pub(crate) async fn metrics(State(app): State<AppState>) -> Response {
    let process = ProcessMetrics {
        event_streams: app.event_streams.open_count(),
        event_streams_cut: app.event_streams.cut_count(),
        dropped_log_lines: app.dropped_log_lines(),
    };
    let text = metrics::render(&app.view(), process, clock::now());
    ([(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"))], text).into_response()
}
