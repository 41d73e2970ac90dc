//! The first step of a request: was it made by one of our own pages, or by no browser at all?

use axum::response::Response;
use door::same_origin;
use http::StatusCode;
use http::request::Parts;

use crate::page;
use crate::pod::Pod;

/// The answer to a request that would change something and was made by another site's page.
pub(crate) fn check(pod: &Pod, request: &Parts) -> Option<Response> {
    if same_origin::is_safe(&request.method) || !same_origin::is_foreign(&request.headers, &request.uri) {
        return None;
    }
    let detail = "This request was made by another site's page. Open the page itself and try again; \
                  a proxy in between must pass the Host header on.";
    Some(page::problem(&*pod.pages, &request.headers, StatusCode::FORBIDDEN, "Not from here", detail))
}
