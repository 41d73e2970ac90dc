//! Recognizes Lastcall's own routes, which have their own layers, so that an outer layer passes them through.

use std::sync::atomic::Ordering;

use axum::extract::MatchedPath;
use http::Request;

use crate::assets::{RELOAD_PATH, RETRY_PATH, SCRIPT_PATH};
use crate::service_state::ServiceState;

/// Whether a request is for an own route in a router of the app, which stands behind the layer already. A layer around the whole
/// router lets it through.
pub(crate) fn is_own<B>(state: &ServiceState, request: &Request<B>) -> bool {
    if !state.routes_are_taken.load(Ordering::Relaxed) {
        return false;
    }
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let path = matched.unwrap_or_else(|| request.uri().path());
    match path {
        "/health" | "/healthz" | "/ready" | "/readyz" => state.config.probes_route,
        "/metrics" => state.config.metrics_route,
        path => match path.strip_prefix(state.config.route_prefix.as_str()) {
            Some("/logout" | "/session" | "/events" | "/ws" | SCRIPT_PATH | RETRY_PATH | RELOAD_PATH) => true,
            Some("/login") => state.config.login_route,
            Some("/blocked") => state.config.foreign_app,
            Some("/tasks") => true,
            Some("/tasks/{task_id}") => true,
            // Before the app's router has matched it.
            Some(path) if matched.is_none() => {
                path.strip_prefix("/tasks/").is_some_and(|id| !id.is_empty() && !id.contains('/'))
            }
            Some(_) | None => false,
        },
    }
}
