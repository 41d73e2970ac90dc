//! A request, with its session or without one, as its handler gets it.

use std::sync::{Arc, OnceLock};

use http::header::HeaderValue;
use parking_lot::Mutex;
use session_domain::registry::{AdmissionError, PresenceKind};
use session_domain::{SessionId, UserName};

use crate::presence::PresenceGuard;
use crate::refusal::{Reason, Refusal};
use crate::request_facts::RequestFacts;
use crate::resolved_session::ResolvedSession;
use crate::service_state::ServiceState;
use crate::session::Session;
use crate::sessions::{LiveSession, ServedSession};
use crate::signed_in::{SignedIn, SignedOut};

/// A request, with its session or without one. Never starts a session by itself.
#[derive(Clone)]
pub(crate) struct RequestContext {
    pub(crate) state: Arc<ServiceState>,
    pub(crate) facts: RequestFacts,
    known: Known,
}

/// The session of a request.
#[derive(Clone)]
enum Known {
    Session(ServedSession),
    NoSession {
        /// The user that a proxy names.
        user: Option<UserName>,
        /// The session that the cookie names, where this pod does not hold it and it was not looked up.
        unresolved: Option<SessionId>,
        /// The session that started on the way, which the response's cookie has to name.
        started: Arc<OnceLock<Started>>,
    },
}

/// A session that started while its first request was served.
#[derive(Debug)]
struct Started {
    live: LiveSession,
    guard: Mutex<Option<PresenceGuard>>,
}

impl RequestContext {
    pub(crate) fn new(state: Arc<ServiceState>, facts: RequestFacts, resolved: ResolvedSession) -> Self {
        let known = match resolved {
            ResolvedSession::Session(served) => Known::Session(served),
            ResolvedSession::NoSession { user, unresolved } => {
                Known::NoSession { user, unresolved, started: Arc::default() }
            }
        };
        Self { state, facts, known }
    }

    /// Whether the request has passed the layer of this handle.
    pub(crate) fn is_of(&self, state: &Arc<ServiceState>) -> bool {
        Arc::ptr_eq(&self.state, state)
    }

    /// The session, whether the request came with it or has started it.
    pub(crate) fn session(&self) -> Option<Session> {
        match &self.known {
            Known::Session(served) => Some(self.session_of(served.clone(), false)),
            Known::NoSession { started, .. } => {
                Some(self.session_of(ServedSession::Own(Arc::clone(&started.get()?.live)), true))
            }
        }
    }

    /// The session, or that there is none.
    ///
    /// # Errors
    /// Where there is none.
    pub(crate) fn require_session(&self) -> Result<Session, Refusal> {
        self.session().ok_or_else(|| self.refuse(Reason::NoSession))
    }

    fn session_of(&self, served: ServedSession, is_new: bool) -> Session {
        Session { state: Arc::clone(&self.state), served, facts: self.facts.clone(), is_new }
    }

    /// Whether a session could not be distinguished from another tab's, because the tab has no path of its own yet.
    pub(crate) fn tab_needs_path(&self) -> bool {
        self.facts.tab_needs_path
    }

    /// The user that a session of this newcomer starts with.
    pub(crate) fn newcomer(&self) -> UserName {
        match &self.known {
            Known::NoSession { user: Some(user), .. } => user.clone(),
            Known::NoSession { .. } | Known::Session(_) => UserName::anonymous(),
        }
    }

    /// Starts a session for a newcomer, unless there is one; the response will carry its cookie.
    ///
    /// # Errors
    /// Where none starts now.
    pub(crate) fn start(&self, user: UserName) -> Result<Session, Refusal> {
        if let Some(session) = self.session() {
            return Ok(session);
        }
        let refuse = |error: AdmissionError| self.refuse(Reason::not_admitted(&self.state, error));
        let live = self.state.start_session(user).map_err(refuse)?;
        if let Known::NoSession { started, .. } = &self.known {
            let guard = PresenceGuard::open(&self.state, &live, PresenceKind::Request);
            let _ = started.set(Started { live: Arc::clone(&live), guard: Mutex::new(Some(guard)) });
        }
        Ok(self.session_of(ServedSession::Own(live), true))
    }

    /// Names the user: a session that is there gets a new id, a newcomer a session. Counts one login in total.
    ///
    /// # Errors
    /// Where nothing was done.
    pub(crate) async fn sign_in(&self, user: UserName) -> Result<SignedIn, Refusal> {
        if let Some(session) = self.session() {
            return session.name_user(user).await;
        }
        if self.tab_needs_path() {
            return Err(self.refuse(Reason::TabNeedsPath));
        }
        if !self.facts.kind.may_sign_in() && !self.facts.is_own_change {
            return Err(self.refuse(Reason::NoSession));
        }
        let session = self.start(user)?;
        self.state.sessions.flush().await;
        Ok(SignedIn::without_cookie(session.id()))
    }

    /// The user logs out, whatever is known of their session.
    pub(crate) async fn log_out(&self, automatic: bool) -> SignedOut {
        match &self.known {
            Known::NoSession { unresolved: Some(id), started, .. } if started.get().is_none() => {
                self.state.sessions.log_out_by_id(*id, automatic).await;
            }
            Known::Session(_) | Known::NoSession { .. } => {
                if let Some(session) = self.session() {
                    self.state.sessions.log_out(&session.served, automatic).await;
                }
            }
        }
        SignedOut::new(&self.state, &self.facts)
    }

    /// The cookie of a session that started on the way and has not ended since, the session and its presence: what ended it has set
    /// the cookie that the browser is to keep.
    pub(crate) fn take_started(&self) -> Option<(HeaderValue, LiveSession, Option<PresenceGuard>)> {
        let Known::NoSession { started, .. } = &self.known else { return None };
        let started = started.get().filter(|started| !started.live.has_ended())?;
        let (facts, state) = (&self.facts, &self.state);
        let cookie = state.cookie.write(facts.is_secure, started.live.id(), &facts.base, &state.keys.load())?;
        let guard = started.guard.lock().take();
        Some((cookie, Arc::clone(&started.live), guard))
    }

    pub(crate) fn refuse(&self, reason: Reason) -> Refusal {
        Refusal::new(reason, &self.state, &self.facts)
    }
}
