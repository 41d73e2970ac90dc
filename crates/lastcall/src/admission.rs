//! Admission: newcomers are admitted only while the pod serves and has room; untracked requests until the pod stops, but not in
//! maintenance. Requests with a session always pass.

use std::sync::Arc;

use axum::response::Response;
use http::header::{CONNECTION, HeaderValue, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, StatusCode, Version};
use session_domain::Phase;
use session_domain::lifecycle::State;
use session_domain::registry::AdmissionError;

use crate::page::{self, Page};
use crate::request_kind::RequestKind;
use crate::route_kind::RouteKind;
use crate::scope::Base;
use crate::service_state::ServiceState;
use crate::{eviction, maintenance_page};

/// Whether a newcomer would be admitted now.
pub(crate) fn admits_newcomers(state: &ServiceState) -> bool {
    state.registry.admits_newcomers() && !state.registry.is_full()
}

/// What a request without a session gets instead of the app, if anything.
pub(crate) async fn check(
    state: &Arc<ServiceState>,
    base: &Base,
    route: RouteKind,
    kind: RequestKind,
    request: &Parts,
) -> Option<Response> {
    if route.is_always_admitted() {
        return None;
    }
    let refused = match kind {
        RequestKind::Navigation | RequestKind::Unspecific | RequestKind::Login => newcomer(state).await,
        RequestKind::CrossSitePost => cross_site_post(state),
        RequestKind::Untracked => untracked(state),
    };
    let location = base.reopened(&request.method);
    Some(refuse(state, kind, &request.headers, location, refused?, request.version))
}

async fn newcomer(state: &Arc<ServiceState>) -> Option<AdmissionError> {
    if !state.registry.admits_newcomers() {
        return Some(AdmissionError::Closed);
    }
    if state.registry.is_full() {
        eviction::make_room(state).await;
    }
    state.registry.is_full().then_some(AdmissionError::Full)
}

/// Holds no place, so that a full pod is no matter; and a route may lead here until the propagation is over.
fn untracked(state: &ServiceState) -> Option<AdmissionError> {
    match state.lifecycle.borrow().phase() {
        Phase::Maintenance => Some(AdmissionError::Closed),
        Phase::Serving | Phase::Draining | Phase::Propagating => None,
    }
}

/// Users with a session come back by such a form as newcomers do, and cannot be told from them: it is served while they are.
fn cross_site_post(state: &ServiceState) -> Option<AdmissionError> {
    (state.lifecycle.borrow().state() == State::MaintenanceClosed).then_some(AdmissionError::Closed)
}

/// Whether the pod will stop: what needs no session here had better go elsewhere the next time.
pub(crate) fn is_stopping(state: &ServiceState) -> bool {
    matches!(state.lifecycle.borrow().phase(), Phase::Draining | Phase::Propagating)
}

/// The answer to a request that is not admitted, in the caller's media type: maintenance, try again, or busy. A page opens
/// `location` in the end. Leaves the cookie alone.
pub(crate) fn refuse(
    state: &ServiceState,
    kind: RequestKind,
    headers: &HeaderMap,
    location: &str,
    refused: AdmissionError,
    version: Version,
) -> Response {
    let phase = state.lifecycle.borrow().phase();
    let (page, title, detail, retry_after) = match (refused, phase) {
        (AdmissionError::Closed, Phase::Maintenance) => {
            return maintenance_page::answer(
                &*state.pages,
                kind,
                headers,
                location,
                state.config.maintenance_retry_after,
            );
        }
        (AdmissionError::Closed, Phase::Serving | Phase::Draining | Phase::Propagating) => {
            let page = Page::TryAgain { location };
            (page, "This server is about to stop", "Another one takes over: try again in a second.", 1)
        }
        (AdmissionError::Full, _) => (Page::Busy { location }, "This server is full", "Try again in a few seconds.", 5),
    };
    let mut response = if kind.takes_page(headers) {
        page::html(StatusCode::SERVICE_UNAVAILABLE, state.pages.html(page))
    } else {
        page::problem_document(StatusCode::SERVICE_UNAVAILABLE, title, detail)
    };
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after));
    if matches!(page, Page::TryAgain { .. }) {
        leave_connection(&mut response, version);
    }
    response
}

/// The answer where the cookie's session cannot be looked up now. Leaves the cookie alone: asking again in a moment finds the
/// session, here or at the pod that holds it.
pub(crate) fn wait(state: &ServiceState, headers: &HeaderMap, location: &str, version: Version) -> Response {
    let mut response = if http_support::header_fields::is_navigation(headers) {
        page::html(StatusCode::SERVICE_UNAVAILABLE, state.pages.html(Page::Searching { location }))
    } else {
        let detail = "The session cannot be looked up at this moment. It is not lost: try again in a few seconds.";
        page::problem_document(StatusCode::SERVICE_UNAVAILABLE, "One moment", detail)
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
