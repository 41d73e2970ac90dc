//! The first step of a request: forwarded fields of peers that are not trusted are removed, and changes that another site's page
//! asks for are refused.
//!
//! Some routes are meant for other sites' forms: identity providers post their answer (OIDC `form_post`, SAML), and payment
//! providers send customers back by a form. Those come without the session's cookie, which is `SameSite=Lax`, and look like a
//! newcomer's. They are handed to the app without a session, whatever they carry.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, Method, Request, StatusCode};
use http_support::{CrossOriginError, forwarded};

use crate::page;
use crate::route_kind::RouteKind;
use crate::service_state::ServiceState;

/// Where a request that goes on was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// By one of our own pages, or by no browser, or it changes nothing.
    Own,
    /// By a form of another site, on a route that takes those.
    CrossSitePost,
}

/// Removes the forwarded fields of a peer that is not trusted, where `TRUSTED_PROXIES` is set.
pub(crate) fn strip_untrusted(state: &ServiceState, request: &mut Request<Body>) {
    if let Some(proxies) = state.config.believed_proxies() {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let user_field = state.config.trusted_user.as_ref().map(|trusted| trusted.header().clone());
        forwarded::strip(request.headers_mut(), proxies, user_field.as_ref(), peer);
    }
}

/// Checks where a request comes from. Its path begins behind the [base](crate::scope::Base).
///
/// # Errors
/// Where another site's page made a request that would change something.
pub(crate) fn check(state: &ServiceState, route: RouteKind, request: &Parts) -> Result<Origin, CrossOriginError> {
    // A WebSocket is opened by `GET`, and any page may try.
    let opens_socket = request.method == Method::GET && route == RouteKind::WebSocket;
    if request.method.is_safe() && !opens_socket {
        return Ok(Origin::Own);
    }
    match state.same_origin.check(&request.headers, &request.uri) {
        Ok(()) => Ok(Origin::Own),
        Err(_) if route == RouteKind::App && state.cross_site_posts.include(request) => Ok(Origin::CrossSitePost),
        Err(error) => Err(error),
    }
}

/// The answer to a request of another site's page.
pub(crate) fn refuse(state: &ServiceState, headers: &HeaderMap, error: CrossOriginError) -> Response {
    page::problem(&*state.pages, headers, StatusCode::FORBIDDEN, "Not from here", &error.to_string())
}
