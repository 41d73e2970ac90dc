//! What a client gets where a request cannot be passed on, or the app gives no answer.

use axum::response::Response;
use http::HeaderMap;
use http::StatusCode;
use http::header::{CONNECTION, HeaderValue};
use lastcall::{ForeignRequest, PlainPages};
use tracing::{debug, warn};
use upstream::UpstreamError;
use upstream::head::target::BadRequest;

/// The answer to a request that is not passed on. What follows it on the connection may belong to it, so that the connection closes.
pub(super) fn bad_request(pages: &PlainPages, headers: &HeaderMap, error: BadRequest) -> Response {
    let mut response = lastcall::problem(pages, headers, error.status(), "Not passed on", &error.to_string());
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The answer where the app gives none.
pub(super) async fn no_answer(request: &ForeignRequest, error: &UpstreamError) -> Response {
    let kind = error.kind().as_str();
    if error.is_of_the_app() {
        warn!(error.kind = kind, error = error as &dyn std::error::Error, "the app did not answer a request: 502");
        return request.app_unavailable().await;
    }
    debug!(error = error as &dyn std::error::Error, "a client has left before its request was complete");
    let mut response = Response::default();
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
