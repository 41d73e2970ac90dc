//! Who is let in: newcomers, only while the pod serves and has room. Whoever has a session passes.

use axum::response::Response;
use http::header::{CONNECTION, HeaderMap, HeaderValue, RETRY_AFTER};
use http::{StatusCode, Version};
use session_domain::Phase;
use session_domain::registry::Refused;

use crate::page::{self, Page};
use crate::pod::Pod;

/// What a newcomer gets instead of the app, if anything.
pub(crate) fn check(pod: &Pod, version: Version) -> Option<Response> {
    if !pod.sessions.is_open() {
        return Some(refuse(pod, Refused::Closed, version));
    }
    (pod.sessions.active() >= pod.config.limits.max_sessions).then(|| refuse(pod, Refused::Full, version))
}

/// The answer to somebody whose session may be there, where nobody can say so now. Leaves the cookie alone: whoever asks
/// again in a moment loses nothing.
pub(crate) fn unclear(pod: &Pod, headers: &HeaderMap) -> Response {
    let mut response = if page::navigates(headers) {
        page::html(StatusCode::SERVICE_UNAVAILABLE, pod.pages.html(Page::Searching))
    } else {
        let detail = "The session cannot be looked for at this moment. It is not lost: try again in a few seconds.";
        page::problem(&*pod.pages, headers, StatusCode::SERVICE_UNAVAILABLE, "One moment", detail)
    };
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(1));
    response
}

/// The page for a newcomer who is not let in: maintenance, try again, or busy. Leaves the cookie alone.
pub(crate) fn refuse(pod: &Pod, refused: Refused, version: Version) -> Response {
    let phase = pod.lifecycle.borrow().phase();
    let (page, retry_after) = match (refused, phase) {
        (Refused::Closed, Phase::Maintenance) => {
            let retry_after = pod.config.maintenance_retry_after;
            (Page::Maintenance { retry_after }, retry_after.as_secs().max(1))
        }
        (Refused::Closed, Phase::Serving | Phase::Draining | Phase::Propagating) => (Page::TryAgain, 1),
        (Refused::Full, _) => (Page::Busy, 5),
    };
    let mut response = page::html(StatusCode::SERVICE_UNAVAILABLE, pod.pages.html(page));
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from(retry_after));
    if page == Page::TryAgain && version <= Version::HTTP_11 {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
