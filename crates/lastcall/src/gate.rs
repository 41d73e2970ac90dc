//! Admission: newcomers are admitted only while the pod serves and has room. Requests with a session always pass.

use axum::response::Response;
use http::header::{CONNECTION, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, StatusCode, Version};
use session_domain::Phase;
use session_domain::registry::Refused;

use crate::maintenance_page;
use crate::page::{self, Page};
use crate::pod::Pod;

/// Whether a newcomer would be admitted now.
pub(crate) fn admits_newcomers(pod: &Pod) -> bool {
    pod.registry.is_open() && !pod.registry.is_full()
}

/// What a newcomer gets instead of the app, if anything.
pub(crate) fn check(pod: &Pod, version: Version) -> Option<Response> {
    if !pod.registry.is_open() {
        return Some(refuse(pod, Refused::Closed, version));
    }
    pod.registry.is_full().then(|| refuse(pod, Refused::Full, version))
}

/// The answer where the cookie's session cannot be looked up now. Leaves the cookie alone: asking again in a moment finds the
/// session, here or at the pod that holds it.
pub(crate) fn wait(pod: &Pod, headers: &HeaderMap, version: Version) -> Response {
    let mut response = if page::navigates(headers) {
        page::html(StatusCode::SERVICE_UNAVAILABLE, pod.pages.html(Page::Searching))
    } else {
        let detail = "The session cannot be looked up at this moment. It is not lost: try again in a few seconds.";
        page::problem(&*pod.pages, headers, StatusCode::SERVICE_UNAVAILABLE, "One moment", detail)
    };
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(1));
    leave_connection(&mut response, version);
    response
}

/// The next try may reach another pod.
pub(crate) fn leave_connection(response: &mut Response, version: Version) {
    if version <= Version::HTTP_11 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

/// The page for a newcomer who is not let in: maintenance, try again, or busy. Leaves the cookie alone.
pub(crate) fn refuse(pod: &Pod, refused: Refused, version: Version) -> Response {
    let phase = pod.lifecycle.borrow().phase();
    let (page, retry_after) = match (refused, phase) {
        (Refused::Closed, Phase::Maintenance) => {
            return maintenance_page::answer(&*pod.pages, pod.config.maintenance_retry_after);
        }
        (Refused::Closed, Phase::Serving | Phase::Draining | Phase::Propagating) => (Page::TryAgain, 1),
        (Refused::Full, _) => (Page::Busy, 5),
    };
    let mut response = page::html(StatusCode::SERVICE_UNAVAILABLE, pod.pages.html(page));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after));
    if page == Page::TryAgain {
        leave_connection(&mut response, version);
    }
    response
}
