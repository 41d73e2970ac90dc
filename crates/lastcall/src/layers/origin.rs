//! Forwarded fields of peers that are not trusted are removed, and changes that another site's page asks for are
//! refused.
//!
//! Some routes are meant for other sites' forms: identity providers post their answer (OIDC `form_post`, SAML), and payment
//! providers send customers back by a form. Those come without the session's cookie, which is `SameSite=Lax`, and look like a
//! newcomer's. They are handed to the app without a session, whatever they carry.

use std::task::{Context, Poll};

use axum::response::Response;
use http::request::Parts;
use http::{Method, Request};
use http_support::{forwarded, header_fields, peer_address};
use tower::Service;

use super::layer_future::LayerFuture;
use super::staged_request::{Incoming, StagedRequest};
use crate::refusal::{Reason, Refusal};
use crate::request_facts::RequestFacts;
use crate::request_kind::RequestKind;
use crate::route_kind::RouteKind;
use crate::service_state::ServiceState;

/// The request passed the same-origin check, or its route accepts cross-site posts.
#[derive(Debug)]
pub(crate) struct OriginChecked;

#[derive(Clone, Debug)]
pub(crate) struct Origin<S>(pub(super) S);

impl<S, B> Service<Incoming<B>> for Origin<S>
where
    S: Service<StagedRequest<B, OriginChecked>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = LayerFuture<S::Future, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, incoming: Incoming<B>) -> Self::Future {
        match check(incoming) {
            Ok(request) => LayerFuture::Passed { next: self.0.call(request) },
            Err(refusal) => LayerFuture::refused(refusal),
        }
    }
}

fn check<B>(incoming: Incoming<B>) -> Result<StagedRequest<B, OriginChecked>, Refusal> {
    let Incoming { state, route, mut request } = incoming;
    strip_untrusted(&state, &mut request);
    let (head, body) = request.into_parts();
    let mut facts = RequestFacts::of(&state, route, &head);
    // A WebSocket is opened by `GET`, and any page may try.
    let opens_socket = head.method == Method::GET && (route == RouteKind::WebSocket || upgrades_to_websocket(&head));
    // An app that is not built on this library has rules of its own.
    let is_checked = route != RouteKind::App || !state.config.foreign_app;
    if is_checked
        && (!head.method.is_safe() || opens_socket)
        && let Err(error) = state.same_origin.check(&head.headers, &head.uri)
    {
        if route != RouteKind::App || !state.cross_site_posts.include(&head) {
            return Err(Refusal::new(Reason::CrossOrigin(error), &state, &facts));
        }
        facts.kind = RequestKind::CrossSitePost;
    }
    Ok(StagedRequest { state, route, facts, head, body, stage: OriginChecked })
}

/// Whether the request asks for a WebSocket, on whichever path of the app. Over HTTP/2 it is a `CONNECT`, which is not safe.
pub(super) fn upgrades_to_websocket(head: &Parts) -> bool {
    header_fields::members(&head.headers, "upgrade").any(|protocol| protocol.eq_ignore_ascii_case(b"websocket"))
}

/// Removes the forwarded fields of a peer that is not trusted, where `TRUSTED_PROXIES` is set.
fn strip_untrusted<B>(state: &ServiceState, request: &mut Request<B>) {
    if let Some(proxies) = state.config.believed_proxies() {
        let peer = peer_address(request.extensions());
        if peer.is_none() {
            state.setup_faults.missing_peer();
        }
        let user_field = state.config.trusted_user.as_ref().map(|trusted| trusted.header().clone());
        forwarded::strip(request.headers_mut(), proxies, user_field.as_ref(), peer);
    }
}
