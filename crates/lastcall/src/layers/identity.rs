//! Which session and which user a request names, by its cookie and by a proxy in front.
//!
//! A proxy's name is believed by the address that the connection comes from. Where no proxy names users, a session stays what
//! its cookie says, and newcomers are anonymous.

use std::task::{Context, Poll};

use axum::response::Response;
use http::request::Parts;
use http_support::{ProxyIdentityError, peer_address};
use session_domain::SessionId;
use tower::Service;

use super::layer_future::LayerFuture;
use super::origin::OriginChecked;
use super::staged_request::StagedRequest;
use crate::refusal::{Reason, Refusal};
use crate::service_state::ServiceState;

/// The session that a request names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    /// The session that its cookie names, where the signature verifies.
    pub(super) id: Option<SessionId>,
    /// Whether it has a cookie that another pod may have signed, while the pods have not agreed on a key.
    pub(super) has_unverified_cookie: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Identify<S>(pub(super) S);

impl<S, B> Service<StagedRequest<B, OriginChecked>> for Identify<S>
where
    S: Service<StagedRequest<B, Identity>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = LayerFuture<S::Future, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: StagedRequest<B, OriginChecked>) -> Self::Future {
        match identify(request) {
            Ok(request) => LayerFuture::Passed { next: self.0.call(request) },
            Err(refusal) => LayerFuture::refused(refusal),
        }
    }
}

fn identify<B>(request: StagedRequest<B, OriginChecked>) -> Result<StagedRequest<B, Identity>, Refusal> {
    let (state, headers) = (&request.state, &request.head.headers);
    proxy_user(state, &request.head).map_err(|error| request.refuse(Reason::ProxyIdentity(error)))?;
    let is_secure = request.facts.is_secure;
    let id = state.cookie.read(is_secure, headers, &state.keys.load());
    let has_unverified_cookie =
        id.is_none() && state.keys_are_provisional() && state.cookie.is_present(is_secure, headers);
    Ok(request.with(|OriginChecked| Identity { id, has_unverified_cookie }))
}

impl<B> StagedRequest<B, Identity> {
    /// The user that a trusted proxy names.
    pub(super) fn proxy_user(&self) -> Option<&str> {
        // This step has refused what is unclear.
        proxy_user(&self.state, &self.head).ok().flatten()
    }
}

fn proxy_user<'a>(state: &ServiceState, request: &'a Parts) -> Result<Option<&'a str>, ProxyIdentityError> {
    let Some(trusted) = &state.config.trusted_user else { return Ok(None) };
    let Some(peer) = peer_address(&request.extensions) else { return Ok(None) };
    trusted.name(&request.headers, peer)
}
