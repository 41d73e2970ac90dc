//! The parts of a response that give the browser a session's new cookie, or take it away.

use std::convert::Infallible;

use axum::response::{IntoResponseParts, ResponseParts};
use http::header::{HeaderValue, SET_COOKIE};
use session_domain::SessionId;

use crate::request_facts::RequestFacts;
use crate::service_state::ServiceState;

/// The part of a response that gives the browser its session. Without it the browser keeps the cookie that it has, which opens
/// nothing any more.
#[derive(Debug)]
#[must_use = "the browser gets its new cookie by this"]
pub struct SignedIn {
    session_id: SessionId,
    cookie: Option<HeaderValue>,
}

/// The part of a response that takes the session's cookie from the browser.
#[derive(Debug)]
#[must_use = "the browser keeps its cookie without this"]
pub struct SignedOut(Option<HeaderValue>);

impl SignedIn {
    pub(crate) fn new(id: SessionId, state: &ServiceState, facts: &RequestFacts) -> Self {
        let cookie = state.cookie.write(facts.is_secure, id, &facts.base, &state.keys.load());
        Self { session_id: id, cookie }
    }

    /// Where the session started with this request: the response carries its cookie anyway.
    pub(crate) const fn without_cookie(session_id: SessionId) -> Self {
        Self { session_id, cookie: None }
    }

    /// Returns the id of the session from now on, as [`SessionEnd`](crate::SessionEnd) names it when the session ends.
    pub const fn session_id(&self) -> SessionId {
        self.session_id
    }
}

impl SignedOut {
    pub(crate) fn new(state: &ServiceState, facts: &RequestFacts) -> Self {
        Self(state.cookie.clear(facts.is_secure, &facts.base))
    }
}

impl IntoResponseParts for SignedIn {
    type Error = Infallible;

    fn into_response_parts(self, response: ResponseParts) -> Result<ResponseParts, Infallible> {
        Ok(with_cookie(self.cookie, response))
    }
}

impl IntoResponseParts for SignedOut {
    type Error = Infallible;

    fn into_response_parts(self, response: ResponseParts) -> Result<ResponseParts, Infallible> {
        Ok(with_cookie(self.0, response))
    }
}

fn with_cookie(cookie: Option<HeaderValue>, mut response: ResponseParts) -> ResponseParts {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
