//! The third step of a request: the session that its cookie names, found here or at another pod.

use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use session_domain::registry::AdmissionError;
use session_domain::shared::Purpose;

use crate::identity::Identity;
use crate::request_kind::RequestKind;
use crate::route_kind::RouteKind;
use crate::scope::Base;
use crate::service_state::ServiceState;
use crate::sessions::{ServedSession, SessionLookup};
use crate::{admission, page, replaced, trusted};

/// What became of the search for a request's session.
pub(crate) enum Resolved {
    /// It has one.
    Session(ServedSession),
    /// It has none.
    NoSession,
    /// It cannot go on.
    Answered(Response),
}

/// Finds the session of a request.
pub(crate) async fn resolve(
    state: &ServiceState,
    base: &Base,
    identity: Identity<'_>,
    route: RouteKind,
    kind: RequestKind,
    request: &Parts,
) -> Resolved {
    let purpose = route.purpose();
    let headers = &request.headers;
    let location = base.reopened(&request.method);
    match find(state, identity, purpose).await {
        SessionLookup::Found(session) => match trusted::keep(state, session, identity.name).await {
            Some(session) => Resolved::Session(session),
            None => without_session(state, identity, route, request),
        },
        SessionLookup::NotFound => without_session(state, identity, route, request),
        SessionLookup::Replaced => Resolved::Answered(replaced::answer(state, base, route, request)),
        SessionLookup::Unavailable if purpose == Purpose::Logout => Resolved::NoSession,
        SessionLookup::Unavailable => Resolved::Answered(admission::wait(state, headers, location, request.version)),
        SessionLookup::Maintenance => Resolved::Answered(admission::refuse(
            state,
            kind,
            headers,
            location,
            AdmissionError::Closed,
            request.version,
        )),
    }
}

async fn find(state: &ServiceState, identity: Identity<'_>, purpose: Purpose) -> SessionLookup {
    match (identity.id, purpose) {
        // Ended where it lives, and never adopted for that.
        (Some(id), Purpose::Logout) => match state.sessions.find_own(id) {
            Some(session) => SessionLookup::Found(session),
            None if state.sessions.is_replaced(id).await => SessionLookup::Replaced,
            None => SessionLookup::NotFound,
        },
        (Some(id), Purpose::Request | Purpose::Stream) => state.sessions.find(id, purpose).await,
        (None, _) if identity.has_unverified_cookie => SessionLookup::Unavailable,
        (None, _) => SessionLookup::NotFound,
    }
}

/// Refuses a change that carries the cookie of a session that has ended: its user would act in the name of another session.
fn without_session(state: &ServiceState, identity: Identity<'_>, route: RouteKind, request: &Parts) -> Resolved {
    let has_stale_cookie = identity.id.is_some() && !request.method.is_safe();
    if !has_stale_cookie || route.serves_ended_sessions() {
        return Resolved::NoSession;
    }
    let detail = "Nothing was done. Open the page again, then repeat what you did.";
    let status = StatusCode::CONFLICT;
    Resolved::Answered(page::problem(&*state.pages, &request.headers, status, "The session has ended", detail))
}
