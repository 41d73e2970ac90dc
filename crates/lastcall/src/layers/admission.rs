//! Newcomers are admitted only while the pod serves and has room, and while their address is within its limit; untracked requests until
//! the pod stops, but not in maintenance. Requests with a session always pass.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum::response::{IntoResponse as _, Response};
use http_support::{forwarded, peer_address};
use session_domain::Phase;
use session_domain::lifecycle::State;
use session_domain::registry::AdmissionError;
use tower::Service;

use super::layer_future::LayerFuture;
use super::staged_request::StagedRequest;
use crate::eviction;
use crate::refusal::Reason;
use crate::request_kind::RequestKind;
use crate::resolved_session::ResolvedSession;
use crate::service_state::ServiceState;

/// The request may go to its handler.
#[derive(Debug)]
pub(crate) struct Admitted(pub(super) ResolvedSession);

#[derive(Clone, Debug)]
pub(crate) struct Admission<S>(pub(super) S);

impl<S, B> Service<StagedRequest<B, ResolvedSession>> for Admission<S>
where
    S: Service<StagedRequest<B, Admitted>, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = LayerFuture<S::Future, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: StagedRequest<B, ResolvedSession>) -> Self::Future {
        let error = refused(&request);
        // First, since an address that is over its limit must not make room for more.
        if error != Some(AdmissionError::Closed)
            && let Some(reason) = over_limit(&request)
        {
            return LayerFuture::refused(request.refuse(reason));
        }
        match error {
            None => LayerFuture::Passed { next: self.0.call(request.with(Admitted)) },
            Some(AdmissionError::Full) => {
                let next = self.0.clone();
                let mut next = std::mem::replace(&mut self.0, next);
                LayerFuture::waiting(async move {
                    let state = Arc::clone(&request.state);
                    eviction::make_room(&state).await;
                    match refused(&request) {
                        None => next.call(request.with(Admitted)).await,
                        Some(error) => Ok(request.refuse(Reason::not_admitted(&state, error)).into_response()),
                    }
                })
            }
            Some(error) => LayerFuture::refused(request.refuse(Reason::not_admitted(&request.state, error))),
        }
    }
}

/// Why a request is not admitted, if it is not.
fn refused<B>(request: &StagedRequest<B, ResolvedSession>) -> Option<AdmissionError> {
    if is_always_admitted(request) {
        return None;
    }
    let state = &request.state;
    match request.facts.kind {
        RequestKind::Navigation | RequestKind::Unspecific | RequestKind::Login => newcomer(state),
        RequestKind::CrossSitePost => cross_site_post(state),
        RequestKind::Untracked => untracked(state),
    }
}

fn is_always_admitted<B>(request: &StagedRequest<B, ResolvedSession>) -> bool {
    matches!(request.stage, ResolvedSession::Session(_)) || request.route.is_always_admitted()
}

fn newcomer(state: &ServiceState) -> Option<AdmissionError> {
    if !state.registry.admits_newcomers() {
        return Some(AdmissionError::Closed);
    }
    state.registry.is_full().then_some(AdmissionError::Full)
}

/// Why a newcomer is refused for the address that it comes from, if it is. Counts the others.
fn over_limit<B>(request: &StagedRequest<B, ResolvedSession>) -> Option<Reason> {
    let state = &request.state;
    let limit = state.newcomers.as_ref()?;
    if is_always_admitted(request) || !request.facts.kind.may_start() {
        return None;
    }
    let Some(peer) = peer_address(&request.head.extensions) else {
        state.setup_faults.missing_peer();
        return None;
    };
    let client = forwarded::client_address(&request.head.headers, state.config.believed_proxies(), peer);
    limit.admit(client).err().map(|retry_after| Reason::TooManyNewcomers { retry_after })
}

/// Untracked requests need no capacity; routes may still lead here during propagation.
fn untracked(state: &ServiceState) -> Option<AdmissionError> {
    match state.lifecycle.borrow().phase() {
        Phase::Maintenance => Some(AdmissionError::Closed),
        Phase::Serving | Phase::Draining | Phase::Propagating | Phase::Closing => None,
    }
}

/// Such a form may come from a user with a session, whose cookie is withheld. It is therefore served during a countdown.
fn cross_site_post(state: &ServiceState) -> Option<AdmissionError> {
    (state.lifecycle.borrow().state() == State::MaintenanceClosed).then_some(AdmissionError::Closed)
}
