//! What the probe listener serves besides the probes: waiting for the end of a drain, and what the pod's own processes may ask for.

mod loopback;
mod tasks;
#[cfg(test)]
mod tests;
mod wait;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware::{from_fn, map_response};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{post, put};
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue};
use http_support::{Problem, security_headers};
use session_domain::lifecycle::Policy;

use crate::service_state::ServiceState;

/// The routes. `has_tasks`: whether `/tasks` is among them, which on the listener of pages may be the path of browsers.
pub(crate) fn routes(state: &Arc<ServiceState>, has_tasks: bool) -> Router {
    let commands = Router::new().route("/drain", post(drain).fallback(wrong_method));
    let commands = match has_tasks {
        true => commands
            .route("/tasks", post(tasks::begin).fallback(wrong_method))
            .route("/tasks/{task_id}", put(tasks::renew).delete(tasks::end).fallback(wrong_method)),
        false => commands,
    };
    commands
        .route_layer(from_fn(loopback::require))
        .with_state(Arc::clone(state))
        .merge(wait::route(state))
        .layer(map_response(security_headers::not_a_page))
}

/// The answer of a listener without pages to a path that it does not have.
pub(crate) async fn unknown_path() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "Not found", "This listener has the probes and no pages.")
}

async fn wrong_method() -> Problem {
    let detail = "This path exists, but not with this method.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", detail)
}

/// `POST /drain`: begins a drain, if none has begun. Answers once the pod drains.
async fn drain(State(state): State<Arc<ServiceState>>) -> Response {
    state.drain_request.cancel();
    let mut lifecycle = state.lifecycle.subscribe();
    // The sender lives as long as the state.
    let known = lifecycle.wait_for(|lifecycle| lifecycle.phase().is_shutting_down()).await;
    let is_drained = known.is_ok_and(|lifecycle| lifecycle.is_drained());
    let Policy { drain_timeout, task_grace, propagation_wait, .. } = state.config.policy;
    let longest = drain_timeout.saturating_add(task_grace).saturating_add(propagation_wait);
    let status = if is_drained { "drained" } else { "draining" };
    let answer = serde_json::json!({ "status": status, "longest_seconds": longest.as_secs_f64().ceil() });
    (StatusCode::ACCEPTED, [(CACHE_CONTROL, HeaderValue::from_static("no-store"))], axum::Json(answer)).into_response()
}
