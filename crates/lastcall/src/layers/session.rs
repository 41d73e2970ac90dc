//! The session that the cookie names, found here or at another pod. A request with a session is admitted in every
//! phase.

mod replaced;

use std::sync::Arc;
use std::task::{Context, Poll};

use axum::response::{IntoResponse as _, Response};
use session_domain::registry::AdmissionError;
use session_domain::shared::Purpose;
use session_domain::{Phase, SessionId, UserName};
use tower::Service;

use super::identity::Identity;
use super::layer_future::LayerFuture;
use super::origin::upgrades_to_websocket;
use super::staged_request::StagedRequest;
use crate::refusal::{Reason, Refusal};
use crate::request_kind::RequestKind;
use crate::resolved_session::ResolvedSession;
use crate::route_kind::RouteKind;
use crate::service_state::ServiceState;
use crate::sessions::SessionLookup;

#[derive(Clone, Debug)]
pub(crate) struct FindSession<S>(pub(super) S);

impl<S, B> Service<StagedRequest<B, Identity>> for FindSession<S>
where
    S: Service<StagedRequest<B, ResolvedSession>, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = LayerFuture<S::Future, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: StagedRequest<B, Identity>) -> Self::Future {
        if request.facts.kind == RequestKind::CrossSitePost {
            let resolved = ResolvedSession::NoSession { user: None, unresolved: None };
            return LayerFuture::Passed { next: self.0.call(request.with(|_| resolved)) };
        }
        let Some(finding) = find_now(&request) else {
            let next = self.0.clone();
            let mut next = std::mem::replace(&mut self.0, next);
            return LayerFuture::waiting(async move {
                match find(request).await {
                    Ok(request) => next.call(request).await,
                    Err(refusal) => Ok(refusal.into_response()),
                }
            });
        };
        match resolve(request, finding) {
            Ok(request) => LayerFuture::Passed { next: self.0.call(request) },
            Err(refusal) => LayerFuture::refused(refusal),
        }
    }
}

/// The session of a request, where it is known without a wait.
fn find_now<B>(request: &StagedRequest<B, Identity>) -> Option<SessionLookup> {
    let sessions = &request.state.sessions;
    match request.stage.id {
        None if request.stage.has_unverified_cookie => Some(SessionLookup::Unavailable),
        None => Some(SessionLookup::NotFound),
        Some(id) => {
            let session = sessions.find_own(id)?;
            let stays = request.proxy_user().is_none_or(|name| !is_another(&session.user(), name));
            stays.then_some(SessionLookup::Found(session))
        }
    }
}

async fn find<B>(request: StagedRequest<B, Identity>) -> Result<StagedRequest<B, ResolvedSession>, Refusal> {
    let Some(id) = request.stage.id else { return resolve(request, SessionLookup::NotFound) };
    let (state, purpose) = (Arc::clone(&request.state), purpose(&request));
    let finding = match look_up(&state, id, purpose).await {
        SessionLookup::Found(session) => {
            let is_another = request.proxy_user().is_some_and(|name| is_another(&session.user(), name));
            if is_another {
                // The proxy names another user than the session's own.
                state.sessions.log_out(&session, false).await;
                SessionLookup::NotFound
            } else {
                SessionLookup::Found(session)
            }
        }
        other => other,
    };
    resolve(request, finding)
}

/// What the session is looked for. A WebSocket of the app keeps the session here as an event stream does.
fn purpose<B>(request: &StagedRequest<B, Identity>) -> Purpose {
    match request.route.purpose(&request.head.method) {
        Purpose::Request if upgrades_to_websocket(&request.head) => Purpose::Stream,
        purpose => purpose,
    }
}

async fn look_up(state: &ServiceState, id: SessionId, purpose: Purpose) -> SessionLookup {
    match purpose {
        // Ended where it lives, and never adopted for that.
        Purpose::Logout => match state.sessions.find_own(id) {
            Some(session) => SessionLookup::Found(session),
            None if state.sessions.is_replaced(id).await => SessionLookup::Replaced,
            None => SessionLookup::NotFound,
        },
        Purpose::Request | Purpose::Stream => state.sessions.find(id, purpose).await,
    }
}

fn resolve<B>(
    mut request: StagedRequest<B, Identity>,
    finding: SessionLookup,
) -> Result<StagedRequest<B, ResolvedSession>, Refusal> {
    let is_foreign = request.state.config.foreign_app && request.route == RouteKind::App;
    let is_logout = request.route.purpose(&request.head.method) == Purpose::Logout;
    match finding {
        SessionLookup::Found(session) => return Ok(request.with(|_| ResolvedSession::Session(session))),
        SessionLookup::NotFound => {
            // Its user would act in the name of another session.
            let has_stale_cookie = request.stage.id.is_some() && !request.head.method.is_safe();
            if has_stale_cookie && !is_foreign && !request.route.serves_ended_sessions() {
                return Err(request.refuse(Reason::SessionEnded));
            }
        }
        SessionLookup::Replaced if is_foreign => {
            // The browser has the new cookie by now: a session that starts here would replace it.
            request.facts.kind = request.facts.kind.without_start();
            return Ok(request.with(|_| ResolvedSession::NoSession { user: None, unresolved: None }));
        }
        SessionLookup::Replaced => return Err(replaced::refuse(&request)),
        SessionLookup::Unavailable if is_logout => {}
        // The app is not to be away because the store is. In maintenance nobody knows whether the request is of a session.
        SessionLookup::Unavailable if is_foreign && !is_in_maintenance(&request.state) => {
            request.state.record_unresolved();
            request.facts.kind = request.facts.kind.without_start();
            request.facts.is_unresolved = true;
            return Ok(request.with(|identity| ResolvedSession::NoSession { user: None, unresolved: identity.id }));
        }
        SessionLookup::Unavailable => return Err(request.refuse(Reason::LookupFailed)),
        SessionLookup::Maintenance => {
            return Err(request.refuse(Reason::not_admitted(&request.state, AdmissionError::Closed)));
        }
    }
    let user = request.proxy_user().map(UserName::from_input);
    Ok(request.with(|identity| ResolvedSession::NoSession { user, unresolved: identity.id }))
}

fn is_in_maintenance(state: &ServiceState) -> bool {
    state.lifecycle.borrow().phase() == Phase::Maintenance
}

/// Compares the raw text first: usually equal, and normalizing allocates.
fn is_another(user: &UserName, name: &str) -> bool {
    user.as_str() != name && UserName::from_input(name) != *user
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_however_it_is_written() {
        let user = UserName::from_input("ada lovelace");
        for (name, another) in [
            ("ada lovelace", false),
            (" ada  lovelace ", false),
            ("ada\u{202e} lovelace", false),
            ("Ada Lovelace", true),
            ("ada", true),
        ] {
            assert_eq!(is_another(&user, name), another, "{name:?}");
        }
    }
}
