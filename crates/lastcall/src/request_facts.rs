//! The properties of a request that its response depends on.

use http::request::Parts;
use http::{Method, Version};
use http_support::header_fields::is_navigation;

use crate::config::{SessionScope, SessionStart};
use crate::request_kind::{RequestKind, is_own_change, opens_a_document};
use crate::route_kind::RouteKind;
use crate::scope::Base;
use crate::service_state::ServiceState;

/// The properties of a request that its response depends on.
#[derive(Clone, Debug)]
pub(crate) struct RequestFacts {
    /// What the request is where it turns out to have no session.
    pub(crate) kind: RequestKind,
    /// Whether its session cannot be looked up now, and it is served without one.
    pub(crate) is_unresolved: bool,
    /// Where the session lives in the URL.
    pub(crate) base: Base,
    /// Whether it is a tab's that has no path of its own yet.
    pub(crate) tab_needs_path: bool,
    /// Whether the request came in by HTTPS, so that its cookie is secure.
    pub(crate) is_secure: bool,
    pub(crate) is_get: bool,
    /// Whether the request changes something, and comes from a page of our own or from a program.
    pub(crate) is_own_change: bool,
    /// Whether the body of the response never reaches the caller.
    pub(crate) is_head: bool,
    /// Whether a user will look at the response.
    pub(crate) navigates: bool,
    /// Whether a refusal to a newcomer is a page: for navigations, and for clients that take anything and are no script of a page.
    pub(crate) takes_page: bool,
    pub(crate) version: Version,
}

impl RequestFacts {
    /// Reads a request, whose path begins behind the [`Base`].
    pub(crate) fn of(state: &ServiceState, route: RouteKind, request: &Parts) -> Self {
        let is_foreign = state.config.foreign_app && route == RouteKind::App;
        // Of an app that is not built on this library, only what opens a page starts a session: its API clients get none.
        let start = if is_foreign { SessionStart::Navigation } else { state.config.session_start };
        let mut kind = RequestKind::of(request, route, start);
        if is_foreign && !opens_a_document(request) {
            kind = kind.without_start();
        }
        let tab_path = request.extensions.get::<Base>();
        if tab_path.is_none() && state.config.scope == SessionScope::Tab {
            state.setup_faults.unsupported_tab_scope();
        }
        Self {
            kind,
            is_unresolved: false,
            base: tab_path.cloned().unwrap_or_else(Base::root),
            tab_needs_path: tab_path.is_some_and(Base::is_root),
            is_secure: state.cookie.is_secure(&request.headers),
            is_get: request.method == Method::GET,
            is_own_change: is_own_change(request),
            is_head: request.method == Method::HEAD,
            navigates: is_navigation(&request.headers),
            takes_page: kind.takes_page(&request.headers),
            version: request.version,
        }
    }

    /// What a page opens in the end that stands in for the response: nothing (its own address) after a `GET`, else the first page,
    /// so that a form is not sent again.
    pub(crate) fn location(&self) -> &str {
        if self.is_get { "" } else { self.base.as_str() }
    }
}
