//! `/health`, `/ready` and `/metrics`. Served without tracking, in every phase.

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use http_support::security_headers;
use serde_json::json;
use session_domain::lifecycle::Readiness;

use crate::scrape;
use crate::service_state::{PodReadiness, ServiceState};

/// `/health`, `/healthz`, `/ready`, `/readyz`.
pub(crate) fn probes<S: Clone + Send + Sync + 'static>(state: &Arc<ServiceState>) -> Router<S> {
    Router::new()
        .route("/health", get(health))
        .route("/healthz", get(health))
        .route("/ready", get(ready))
        .route("/readyz", get(ready))
        .layer(map_response(security_headers::not_a_page))
        .with_state(Arc::clone(state))
}

/// `/metrics`.
pub(crate) fn metrics<S: Clone + Send + Sync + 'static>(state: &Arc<ServiceState>) -> Router<S> {
    Router::new()
        .route("/metrics", get(render))
        .layer(map_response(security_headers::not_a_page))
        .with_state(Arc::clone(state))
}

async fn health() -> Json<serde_json::Value> {
    Json(json!({ "status": "healthy" }))
}

async fn ready(State(state): State<Arc<ServiceState>>) -> Response {
    let readiness = state.readiness();
    if readiness.is_ready() {
        state.sessions.sharing().into_iter().for_each(|sharing| sharing.mark_ready());
    }
    let (status, mut body) = match readiness {
        PodReadiness::Lifecycle(Readiness::Ready) => (StatusCode::OK, json!({ "status": "ready" })),
        PodReadiness::Lifecycle(Readiness::ShuttingDown) => {
            (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "shutting_down" }))
        }
        PodReadiness::StoreNotReady => {
            (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "not_ready", "store": false }))
        }
        PodReadiness::DependencyMissing => (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "not_ready" })),
        PodReadiness::Full => (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "not_ready", "full": true })),
        PodReadiness::Lifecycle(Readiness::Maintenance) => {
            (StatusCode::SERVICE_UNAVAILABLE, json!({ "status": "not_ready", "maintenance_mode": true }))
        }
    };
    let is_stopping = matches!(readiness, PodReadiness::Lifecycle(Readiness::ShuttingDown));
    if let (false, false, Some(answer)) = (readiness.is_ready(), is_stopping, body.as_object_mut()) {
        state.dependencies.describe_missing(answer);
    }
    (status, Json(body)).into_response()
}

async fn render(State(state): State<Arc<ServiceState>>) -> Response {
    let text = scrape::render(&state);
    ([(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"))], text).into_response()
}
