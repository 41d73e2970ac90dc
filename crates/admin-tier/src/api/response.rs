//! What responses of the API have in common.

use axum::Json;
use axum::response::{IntoResponse, Response};
use fleet::{FleetView, PodView};
use http::header::{CACHE_CONTROL, HeaderValue};
use serde::Serialize;

/// Sends JSON that no cache keeps.
pub(super) fn json(body: impl Serialize) -> Response {
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body)).into_response()
}

/// Returns the names of the unreachable pods: totals include their last known sessions.
pub(crate) fn unreachable_pods(view: &FleetView) -> Vec<&str> {
    view.unreachable().map(PodView::label).collect()
}
