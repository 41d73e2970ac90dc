//! Newcomers are admitted only while the pod serves and has room; untracked requests until the pod stops, but not
//! in maintenance. Requests with a session always pass.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum::response::{IntoResponse as _, Response};
use session_domain::Phase;
use session_domain::lifecycle::State;
use session_domain::registry::AdmissionError;
use tower::{Layer, Service};

use super::answer::Answer;
use super::passing::Passing;
use crate::eviction;
use crate::found::Found;
use crate::refusal::Reason;
use crate::request_kind::RequestKind;
use crate::service_state::ServiceState;

/// The request may go to its handler.
#[derive(Debug)]
pub(crate) struct Admitted(pub(super) Found);

#[derive(Clone, Copy, Debug)]
pub(crate) struct AdmissionLayer;

#[derive(Clone, Debug)]
pub(crate) struct Admission<S>(pub(super) S);

impl<S> Layer<S> for AdmissionLayer {
    type Service = Admission<S>;

    fn layer(&self, next: S) -> Admission<S> {
        Admission(next)
    }
}

impl<S, B> Service<Passing<B, Found>> for Admission<S>
where
    S: Service<Passing<B, Admitted>, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Answer<S::Future, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, passing: Passing<B, Found>) -> Self::Future {
        match refused(&passing) {
            None => Answer::Passed { next: self.0.call(passing.with(Admitted)) },
            Some(AdmissionError::Full) => {
                let next = self.0.clone();
                let mut next = std::mem::replace(&mut self.0, next);
                Answer::waiting(async move {
                    let state = Arc::clone(&passing.state);
                    eviction::make_room(&state).await;
                    match refused(&passing) {
                        None => next.call(passing.with(Admitted)).await,
                        Some(error) => Ok(passing.refuse(Reason::not_admitted(&state, error)).into_response()),
                    }
                })
            }
            Some(error) => Answer::refused(passing.refuse(Reason::not_admitted(&passing.state, error))),
        }
    }
}

/// Why a request is not admitted, if it is not.
fn refused<B>(passing: &Passing<B, Found>) -> Option<AdmissionError> {
    if matches!(passing.facts, Found::Session(_)) || passing.route.is_always_admitted() {
        return None;
    }
    let state = &passing.state;
    match passing.caller.kind {
        RequestKind::Navigation | RequestKind::Unspecific | RequestKind::Login => newcomer(state),
        RequestKind::CrossSitePost => cross_site_post(state),
        RequestKind::Untracked => untracked(state),
    }
}

fn newcomer(state: &ServiceState) -> Option<AdmissionError> {
    if !state.registry.admits_newcomers() {
        return Some(AdmissionError::Closed);
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
