//! What a proxy in front of an app that is not built on this library needs to know of a request, and what it does for the app.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{CACHE_CONTROL, HeaderName, HeaderValue};
use http::request::Parts;
use http_support::TrustedUser;
use session_domain::{SessionId, UserName};
use uuid::Uuid;

use crate::hooks::Login;
use crate::refusal::Refusal;
use crate::request_context::RequestContext;
use crate::session::Session;
use crate::sessions::{EndReason, ServedSession, SignInOutcome};
use crate::signed_in::{SignedIn, SignedOut};
use crate::websocket::TunnelGuard;

/// A request to an app that is not built on this library: see [`Builder::foreign_app`](crate::Builder::foreign_app).
pub struct ForeignRequest {
    context: RequestContext,
    session: Option<Session>,
    /// The id that the session had when the request came in: a login replaces it.
    id: Option<SessionId>,
}

impl std::fmt::Debug for ForeignRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ForeignRequest").field("id", &self.id).finish_non_exhaustive()
    }
}

impl ForeignRequest {
    /// Takes what the layer has found out of a request. Starts the session of a newcomer.
    ///
    /// # Errors
    /// The response to give instead, where a newcomer is not admitted now.
    pub fn take(request: &mut Parts) -> Result<Self, Refusal> {
        let context = request.extensions.remove::<RequestContext>().ok_or_else(Refusal::outside_layer)?;
        let session = match context.session() {
            None if context.facts.kind.may_start() => Some(context.start(context.newcomer())?),
            session => session,
        };
        let id = session.as_ref().map(Session::id);
        Ok(Self { context, session, id })
    }

    /// The session of the request; `None`: it is untracked.
    pub const fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The id of the session when the request came in.
    pub const fn session_id(&self) -> Option<SessionId> {
        self.id
    }

    /// Counts the connection of a request that wants to change the protocol: see [`TunnelGuard`].
    ///
    /// # Errors
    /// The response to give instead, a 503, where the pod has as many streams and WebSockets open as it may.
    pub async fn tunnel(&self) -> Result<TunnelGuard, Refusal> {
        self.context.tunnel().await
    }

    /// Whether the client uses HTTPS, as far as proxies say so.
    pub const fn is_secure(&self) -> bool {
        self.context.facts.is_secure
    }

    /// The seconds that remain of the session's countdown, or of the pod's where there is no session, rounded up. Does not count as notifying.
    pub fn remaining_seconds(&self) -> Option<u64> {
        let state = &self.context.state;
        let deadline = match &self.session {
            Some(session) => session.running_notice()?.deadline,
            None => state.broadcast.borrow().running_notice()?.0.deadline,
        };
        let remaining = deadline.since(state.clock.now()).as_millis();
        Some(remaining.div_ceil(1000).try_into().unwrap_or(u64::MAX))
    }

    /// Whether a cookie of the request is Lastcall's: its name is, and its value verifies, or cannot be verified yet. The app is not to see
    /// it.
    pub fn is_session_cookie(&self, name: &[u8], value: &[u8]) -> bool {
        let state = &self.context.state;
        state.cookie.is_ours(name, value, &state.keys.load())
            || self.context.facts.is_unresolved && state.keys_are_provisional() && state.cookie.may_be_ours(name, value)
    }

    /// The field in which a proxy names the user, where there is one: the app must not read it anywhere but in the head.
    pub fn user_header(&self) -> Option<&HeaderName> {
        self.context.state.config.trusted_user.as_ref().map(TrustedUser::header)
    }

    /// The app has named the user of the session in its answer, which gets the new cookie. Does nothing without a session, where the
    /// user has that name already, where a proxy names users, and where the request came in before the last login of the session.
    pub async fn name_user(&self, name: &str, answer: &mut HeaderMap) {
        let Some(session) = &self.session else { return };
        let (state, user) = (&self.context.state, UserName::from_input(name));
        let is_outdated = self.id != Some(session.id());
        if state.config.trusted_user.is_some() || is_outdated || session.user() == user {
            return;
        }
        let (id, old_id) = (SessionId::from_uuid(Uuid::new_v4()), session.id());
        match state.sessions.sign_in(&session.served, id, &user).await {
            SignInOutcome::Done => {
                let login_time = session.login_time();
                state.hooks.login(&Login { session_id: id, replaces: Some(old_id), user, login_time });
                state.sessions.flush().await;
                state.flush_tasks().await;
                if !session.is_new {
                    set_cookie(answer, SignedIn::new(id, state, &self.context.facts));
                }
            }
            // Another answer, or the drain, was faster; or the store is away: the next answer names the user again.
            SignInOutcome::Ended | SignInOutcome::Unavailable => {}
        }
    }

    /// The app has signed the user out: the session ends as by a logout, and the answer takes its cookie away. A session that cannot be
    /// looked up now ends as well, as soon as the store is back, unless no pod can verify its cookie yet.
    pub async fn log_out(&self, answer: &mut HeaderMap) {
        let signed_out: SignedOut = match &self.session {
            Some(session) => session.sign_out().await,
            None if self.context.facts.is_unresolved => self.context.log_out(false).await,
            None => return,
        };
        set_cookie(answer, signed_out);
    }

    /// The response while the app cannot be reached: the waiting page for navigations, a problem document otherwise. Ends the
    /// session that this request started, and sets no cookie: its user has seen nothing of the app, and a drain must not wait for them.
    pub async fn app_unavailable(&self) -> Response {
        if let Some(Session { is_new: true, served: ServedSession::Own(live), state, .. }) = &self.session {
            state.sessions.end_all(vec![Arc::clone(live)], EndReason::Expired, |_| true).await;
        }
        self.context.refuse(crate::refusal::Reason::AppUnavailable).into_response()
    }
}

/// Adds a cookie of ours to an answer, which no cache may keep then.
fn set_cookie(answer: &mut HeaderMap, cookie: impl axum::response::IntoResponseParts) {
    let with_cookie = (cookie, ()).into_response();
    for value in with_cookie.headers().get_all(http::header::SET_COOKIE) {
        answer.append(http::header::SET_COOKIE, value.clone());
    }
    answer.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
