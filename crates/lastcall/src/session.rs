//! The session of a request, as handlers see it.

use std::sync::Arc;

use axum::response::Response;
use session_domain::{PodName, SessionId, Timestamp, UserName};
use uuid::Uuid;

use crate::event_streams::StreamKind;
use crate::hooks::Login;
use crate::notice::DrainNotice;
use crate::notices::Notices;
use crate::refusal::{Reason, Refusal};
use crate::request_facts::RequestFacts;
use crate::running_notice::RunningNotice;
use crate::service_state::ServiceState;
use crate::sessions::{ServedSession, SignInOutcome};
use crate::signed_in::{SignedIn, SignedOut};
use crate::websocket::{self, TunnelGuard, WebSocket, WebSocketUpgrade};

/// The session that a request belongs to. As an extractor it starts one for a newcomer: a navigation, or, with
/// [`SessionStart::Any`](crate::SessionStart::Any), a `GET` whose `Accept` is absent or `*/*`. Where it can't, it answers in the
/// handler's place: 503 with the busy, maintenance or try-again page, and 401 to every other request without a session. As
/// `Option<Session>` it starts none and refuses none.
#[derive(Clone)]
pub struct Session {
    pub(crate) state: Arc<ServiceState>,
    pub(crate) served: ServedSession,
    pub(crate) facts: RequestFacts,
    /// Whether it has started on the way: its response will carry its cookie.
    pub(crate) is_new: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl Session {
    /// The session's id. Not a secret.
    pub fn id(&self) -> SessionId {
        self.served.id()
    }

    /// The user that it belongs to. Not escaped.
    pub fn user(&self) -> UserName {
        self.served.user()
    }

    /// When it began.
    pub fn login_time(&self) -> Timestamp {
        self.served.login_time()
    }

    /// When its last request came in: usually this request.
    pub fn last_activity(&self) -> Timestamp {
        self.served.last_activity()
    }

    /// The pod that owns it: this one, or where sessions are shared sometimes another.
    pub fn pod(&self) -> &PodName {
        match &self.served {
            ServedSession::Own(_) => &self.state.config.pod,
            ServedSession::Guest(guest) => guest.owner(),
        }
    }

    /// The path under which this user's pages live: `/`, or the tab's own. Begins and ends with a slash.
    pub fn base(&self) -> &str {
        self.facts.base.as_str()
    }

    /// The path of Lastcall's own routes for this user: [`base`](Self::base), and the prefix of the routes where there is one. Ends
    /// with a slash: a form that signs out posts to it and `logout`.
    pub fn routes_path(&self) -> String {
        self.state.config.route_prefix.below(self.base())
    }

    /// The path of the script that brings the banner into a page: [`SCRIPT_PATH`](crate::SCRIPT_PATH) behind the prefix.
    pub fn script_path(&self) -> String {
        self.state.config.route_prefix.script_path()
    }

    /// Whether users name themselves by `POST /login`: not where a proxy in front names them.
    pub fn allows_login_form(&self) -> bool {
        self.state.config.trusted_user.is_none()
    }

    /// Gives the notice that runs for the session, if any, and counts the session as notified: show it. A `HEAD` request, whose
    /// response reaches no user, notifies nobody.
    pub fn notice(&self) -> Option<DrainNotice> {
        let notice = self.running_notice()?;
        if !self.facts.is_head {
            self.mark_notified(&notice);
        }
        Some(notice.payload(self.state.clock.now()))
    }

    /// Follows the notices of the session. Each that is read counts the session as notified: show it.
    pub fn notices(&self) -> Notices {
        self.notices_on(StreamKind::EventStream)
    }

    /// The notices for what shows them on a stream or WebSocket of this kind.
    pub(crate) fn notices_on(&self, kind: StreamKind) -> Notices {
        Notices::of_session(Arc::clone(&self.state), self.served.clone(), kind, !self.facts.is_head)
    }

    /// Opens a WebSocket of the session, and gives the response that switches to it; `handler` runs once it is open.
    ///
    /// While it is open the session is present. Lastcall pings the client, closes the WebSocket when the session or the pod ends, and
    /// bounds what it uses: see [`WebSocket`]. A session that opens more than
    /// [`max_streams_per_session`](crate::Config::max_streams_per_session) loses its oldest one, with the code 1008. Where the pod has as
    /// many open as it may, the response is 503.
    pub async fn websocket<F, R>(&self, upgrade: WebSocketUpgrade, handler: F) -> Response
    where
        F: FnOnce(WebSocket) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        websocket::open(self, upgrade, handler).await
    }

    /// Counts an upgraded connection of the session that the app itself serves or relays: WebSockets of another library, those of a
    /// server behind the app, and other protocols. Until the guard is dropped the session is present, and the connection counts among
    /// the session's WebSockets and in `lastcall_websocket_connections`. It does not protect the session. Its user is not notified by it.
    ///
    /// The app closes the connection when [`TunnelGuard::closing`] says so. Call this before the response that switches protocols.
    ///
    /// # Errors
    /// The response to give instead, a 503, where the pod has as many streams and WebSockets open as it may.
    pub async fn tunnel(&self) -> Result<TunnelGuard, Refusal> {
        let guard =
            TunnelGuard::open(&self.state, Some(&self.served)).ok_or_else(|| self.refuse(Reason::TooManyStreams))?;
        self.publish_open_stream().await;
        Ok(guard)
    }

    /// Names the user, as `POST /login` does: the session gets a new id, and one login is counted in all. The response has to
    /// carry the cookie that this gives.
    ///
    /// # Errors
    /// The response to give instead, with nothing changed: 403 where a proxy names users, 503 where the session's entry cannot be
    /// written now.
    pub async fn sign_in(&self, user: UserName) -> Result<SignedIn, Refusal> {
        if self.state.config.trusted_user.is_some() {
            return Err(self.refuse(Reason::ProxyNamesUsers));
        }
        self.name_user(user).await
    }

    /// Ends the session, as `POST /logout` does: while a notice runs of which its user was notified, it counts as graceful. The
    /// response has to carry what this gives: it clears the cookie.
    pub async fn sign_out(&self) -> SignedOut {
        self.state.sessions.log_out(&self.served, false).await;
        SignedOut::new(&self.state, &self.facts)
    }

    pub(crate) async fn name_user(&self, user: UserName) -> Result<SignedIn, Refusal> {
        let (id, old_id) = (SessionId::from_uuid(Uuid::new_v4()), self.id());
        let signed_in = match self.state.sessions.sign_in(&self.served, id, &user).await {
            SignInOutcome::Done => {
                let login_time = self.login_time();
                self.state.hooks.login(&Login { session_id: id, replaces: Some(old_id), user, login_time });
                match self.is_new {
                    true => SignedIn::without_cookie(id),
                    false => SignedIn::new(id, &self.state, &self.facts),
                }
            }
            SignInOutcome::Ended => {
                // It ended this very moment: the user comes as a newcomer.
                let started = self.state.start_session(user);
                let session = started.map_err(|error| self.refuse(Reason::not_admitted(&self.state, error)))?;
                SignedIn::new(session.id(), &self.state, &self.facts)
            }
            SignInOutcome::Unavailable => return Err(self.refuse(Reason::LookupFailed)),
        };
        self.state.sessions.flush().await;
        self.state.flush_tasks().await;
        Ok(signed_in)
    }

    /// The notice that runs for this session.
    pub(crate) fn running_notice(&self) -> Option<RunningNotice> {
        RunningNotice::of(&self.state, &self.served)
    }

    /// The notice was shown to the user.
    pub(crate) fn mark_notified(&self, notice: &RunningNotice) {
        notice.mark_notified(&self.state, &self.served);
    }

    /// An event stream or a WebSocket was opened: other pods have to know before they are asked.
    pub(crate) async fn publish_open_stream(&self) {
        match (&self.served, self.state.sessions.sharing()) {
            (ServedSession::Guest(guest), Some(sharing)) => sharing.watch_guest(guest),
            (ServedSession::Own(_) | ServedSession::Guest(_), _) => self.state.sessions.flush().await,
        }
    }

    pub(crate) fn refuse(&self, reason: Reason) -> Refusal {
        Refusal::new(reason, &self.state, &self.facts)
    }
}
