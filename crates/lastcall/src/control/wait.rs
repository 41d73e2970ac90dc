//! `GET /wait-for-drain`: the `preStop` hook of a container that has to end after the drain of this pod.
//!
//! The kubelet also runs the hook where it restarts one container alone (a failed liveness probe): no drain follows then, and the
//! hook must not hang.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER};
use http_support::Problem;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::wrong_method;
use crate::service_state::ServiceState;

/// How long the begin of a drain is waited for.
const BEGIN_TIMEOUT: Duration = Duration::from_secs(5);

/// How many requests wait at once.
const PLACES: usize = 8;

#[derive(Clone)]
struct Waiting {
    state: Arc<ServiceState>,
    places: Arc<Semaphore>,
}

pub(super) fn route(state: &Arc<ServiceState>) -> Router {
    let waiting = Waiting { state: Arc::clone(state), places: Arc::new(Semaphore::new(PLACES)) };
    Router::new().route("/wait-for-drain", get(wait).fallback(wrong_method)).with_state(waiting)
}

/// A `HEAD` waits as a `GET` does. A request that need not wait takes no place; one whose client leaves frees its own.
async fn wait(State(Waiting { state, places }): State<Waiting>) -> Response {
    let mut lifecycle = state.lifecycle.subscribe();
    if lifecycle.borrow().is_drained() {
        return ended("drained");
    }
    let Ok(_place) = places.try_acquire() else {
        let detail = "As many requests as may wait for the drain do so. Try again in a second.";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Too many requests wait", detail);
        return ([(RETRY_AFTER, HeaderValue::from_static("1"))], problem).into_response();
    };
    let begun = lifecycle.wait_for(|lifecycle| lifecycle.phase().is_shutting_down());
    if timeout(BEGIN_TIMEOUT, begun).await.is_err() {
        return ended("no_drain");
    }
    // The sender lives as long as the state.
    let _ = lifecycle.wait_for(|lifecycle| lifecycle.is_drained()).await;
    ended("drained")
}

fn ended(status: &str) -> Response {
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(json!({ "status": status }))).into_response()
}
