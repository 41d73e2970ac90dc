//! What a handler gets to know of the session behind its request.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, IntoResponseParts, Redirect, Response, ResponseParts};
use http::header::{HeaderValue, SET_COOKIE};
use http::request::Parts;
use http::{Method, StatusCode};
use http_support::is_prefetch;
use session_domain::lifecycle::{NoticeId, Reason};
use session_domain::registry::{AdmissionError, PresenceKind};
use session_domain::{PodName, SessionId, Timestamp, UserName};
use uuid::Uuid;

use crate::admission;
use crate::cookie::CookieStyle;
use crate::event_streams::EventStreams;
use crate::notice::{DrainNotice, GuestNotice, Terms};
use crate::page;
use crate::presence::PresenceGuard;
use crate::request_kind::RequestKind;
use crate::scope::Base;
use crate::service_state::ServiceState;
use crate::sessions::{LiveSession, ServedSession, SignInOutcome};

/// The session that a request belongs to. As an extractor it starts one for a newcomer: a navigation, or, with
/// [`SessionStart::Any`](crate::SessionStart::Any), a `GET` whose `Accept` is absent or `*/*`. Where it can't, it answers in the
/// handler's place: 503 with the busy, maintenance or try-again page, and 401 to every other request without a session. As
/// `Option<Session>` it starts none and refuses none.
#[derive(Clone)]
pub struct Session {
    pub(crate) state: Arc<ServiceState>,
    pub(crate) held: ServedSession,
    pub(crate) base: Base,
}

/// The notice that runs for a session now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunningNotice {
    pub(crate) reason: Reason,
    pub(crate) deadline: Timestamp,
    pub(crate) terms: Terms,
    source: NoticeSource,
}

/// Where a notice runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NoticeSource {
    /// Here.
    Here(NoticeId),
    /// On the pod that owns the session.
    Owner,
}

impl RunningNotice {
    pub(crate) fn payload(&self, now: Timestamp) -> DrainNotice {
        DrainNotice::new(self.reason, self.deadline, self.terms, now)
    }

    /// Whether a page that shows the one has nothing new to show for the other.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let guest =
            |notice: &Self| GuestNotice { reason: notice.reason, deadline: notice.deadline, terms: notice.terms };
        guest(self).is_same(&guest(other))
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl Session {
    /// The session's id. Not a secret.
    pub fn id(&self) -> SessionId {
        self.held.id()
    }

    /// Who it belongs to. Not escaped.
    pub fn user(&self) -> UserName {
        self.held.user()
    }

    /// When it began.
    pub fn login_time(&self) -> Timestamp {
        self.held.login_time()
    }

    /// When its last request came in: this one, as a rule.
    pub fn last_activity(&self) -> Timestamp {
        self.held.last_activity()
    }

    /// The pod that owns it: this one, or where sessions are shared sometimes another.
    pub fn pod(&self) -> &PodName {
        match &self.held {
            ServedSession::Own(_) => &self.state.config.pod,
            ServedSession::Guest(guest) => guest.owner(),
        }
    }

    /// The path under which this user's pages live: `/`, or the tab's own. Begins and ends with a slash.
    pub fn base(&self) -> &str {
        self.base.as_str()
    }

    /// Whether users name themselves by `POST /login`: not where a proxy in front names them.
    pub fn names_itself(&self) -> bool {
        self.state.config.trusted_user.is_none()
    }

    /// What the user has to be told now, if anything. Asking counts as telling: show it.
    pub fn drain_notice(&self) -> Option<DrainNotice> {
        let notice = self.notice()?;
        self.mark_notified(&notice);
        Some(notice.payload(self.state.clock.now()))
    }

    /// The notice that runs for this session: the one of the pod that owns it. A maintenance is one of every pod.
    pub(crate) fn notice(&self) -> Option<RunningNotice> {
        let broadcast = Arc::clone(&self.state.broadcast.borrow());
        let here = broadcast.notice().map(|(notice, terms)| RunningNotice {
            reason: notice.reason,
            deadline: notice.deadline,
            terms,
            source: NoticeSource::Here(notice.id),
        });
        let ServedSession::Guest(guest) = &self.held else { return here };
        let of_owner = guest.streams().owner_notice().map(|notice| RunningNotice {
            reason: notice.reason,
            deadline: notice.deadline,
            terms: notice.terms,
            source: NoticeSource::Owner,
        });
        of_owner.or_else(|| here.filter(|notice| notice.reason == Reason::Maintenance))
    }

    /// The notice was shown to the user. Counted by the pod that owns the session.
    pub(crate) fn mark_notified(&self, notice: &RunningNotice) {
        match (&self.held, notice.source, self.state.sessions.sharing()) {
            (ServedSession::Own(live), NoticeSource::Here(id), _) => _ = self.state.registry.mark_notified(live, id),
            (ServedSession::Guest(guest), _, Some(sharing)) => sharing.mark_guest_notified(guest, notice.reason),
            (ServedSession::Own(_), NoticeSource::Owner, _) | (ServedSession::Guest(_), _, None) => {}
        }
    }

    /// An event stream was opened: other pods have to know before they are asked.
    pub(crate) async fn streams(&self) {
        match (&self.held, self.state.sessions.sharing()) {
            (ServedSession::Guest(guest), Some(sharing)) => sharing.watch_guest(guest),
            (ServedSession::Own(_) | ServedSession::Guest(_), _) => self.state.sessions.flush().await,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        let Some(context) = parts.extensions.get::<RequestContext>().cloned() else {
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        };
        if let Some(session) = context.session() {
            return Ok(session);
        }
        match context.kind {
            RequestKind::Navigation | RequestKind::Unspecific | RequestKind::Login if context.needs_path() => {
                Err(Redirect::to("/").into_response())
            }
            RequestKind::Navigation | RequestKind::Unspecific | RequestKind::Login => {
                let user = context.name.clone().unwrap_or_else(UserName::anonymous);
                context.start(user).map_err(|refused| {
                    let location = context.base.reopened(&parts.method);
                    admission::refuse(&context.state, context.kind, &parts.headers, location, refused, parts.version)
                })
            }
            RequestKind::Untracked if parts.method == Method::HEAD => Err(StatusCode::OK.into_response()),
            RequestKind::Untracked if parts.method == Method::GET && is_prefetch(&parts.headers) => {
                // The browser throws this answer away and asks again once somebody really wants the page.
                Err(page::html(StatusCode::SERVICE_UNAVAILABLE, String::new()))
            }
            RequestKind::CrossSitePost | RequestKind::Untracked => Err(page::problem(
                &*context.state.pages,
                &parts.headers,
                StatusCode::UNAUTHORIZED,
                "No session",
                "Open the page first: it starts a session.",
            )),
        }
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Infallible> {
        Ok(parts.extensions.get::<RequestContext>().and_then(RequestContext::session))
    }
}

/// A request, with its session or without one. Never starts a session by itself.
#[derive(Clone)]
pub(crate) struct RequestContext {
    pub(crate) state: Arc<ServiceState>,
    pub(crate) base: Base,
    pub(crate) cookies: CookieStyle,
    pub(crate) kind: RequestKind,
    held: Option<ServedSession>,
    /// Without a session: the user that a proxy names.
    name: Option<UserName>,
    /// Without a session: the one that started on the way, which the response's cookie has to name.
    started: Option<Arc<OnceLock<Started>>>,
    /// The session that the cookie names, where this pod does not hold it and it was not looked up.
    unresolved: Option<SessionId>,
}

/// A session that started while its first request was served.
#[derive(Debug)]
pub(crate) struct Started {
    live: LiveSession,
    guard: std::sync::Mutex<Option<PresenceGuard>>,
}

impl RequestContext {
    pub(crate) const fn known(
        state: Arc<ServiceState>,
        base: Base,
        cookies: CookieStyle,
        kind: RequestKind,
        held: ServedSession,
    ) -> Self {
        Self { state, base, cookies, kind, held: Some(held), name: None, started: None, unresolved: None }
    }

    pub(crate) fn without_session(
        state: Arc<ServiceState>,
        base: Base,
        cookies: CookieStyle,
        kind: RequestKind,
    ) -> Self {
        Self { state, base, cookies, kind, held: None, name: None, started: Some(Arc::default()), unresolved: None }
    }

    /// The same request, whose user a proxy names.
    pub(crate) fn named(self, name: Option<UserName>) -> Self {
        Self { name, ..self }
    }

    /// The same request, whose cookie names a session that was not looked up.
    pub(crate) fn unresolved(self, unresolved: Option<SessionId>) -> Self {
        Self { unresolved, ..self }
    }

    /// The user logs out, whatever is known of their session.
    pub(crate) async fn log_out(&self, automatic: bool) {
        if let Some(session) = self.session() {
            self.state.sessions.log_out(&session.held, automatic).await;
        } else if let Some(id) = self.unresolved {
            self.state.sessions.log_out_by_id(id, automatic).await;
        }
    }

    pub(crate) fn session(&self) -> Option<Session> {
        let held = match (&self.held, &self.started) {
            (Some(held), _) => held.clone(),
            (None, Some(started)) => ServedSession::Own(Arc::clone(&started.get()?.live)),
            (None, None) => return None,
        };
        Some(Session { state: Arc::clone(&self.state), held, base: self.base.clone() })
    }

    /// Whether a session could not be told from another tab's: it has no path of its own yet.
    pub(crate) fn needs_path(&self) -> bool {
        self.state.config.scope == crate::config::SessionScope::Tab && self.base.is_root()
    }

    /// Starts a session for a newcomer; the response will carry its cookie.
    pub(crate) fn start(&self, user: UserName) -> Result<Session, AdmissionError> {
        if let Some(session) = self.session() {
            return Ok(session);
        }
        let id = SessionId::from_uuid(Uuid::new_v4());
        let live = self.state.registry.start(id, user, EventStreams::default(), self.state.clock.now())?;
        if let Some(started) = &self.started {
            let guard = PresenceGuard::open(&self.state, &live, PresenceKind::Request);
            let _ = started.set(Started { live: Arc::clone(&live), guard: std::sync::Mutex::new(Some(guard)) });
        }
        Ok(Session { state: Arc::clone(&self.state), held: ServedSession::Own(live), base: self.base.clone() })
    }

    /// Names the user: a known session gets a new id, a newcomer a session. Counts one login in total.
    pub(crate) async fn sign_in(&self, user: UserName) -> Result<SignedIn, NotSignedIn> {
        let Some(held) = &self.held else {
            if self.session().is_none() && !self.kind.may_sign_in() {
                return Err(NotSignedIn::MayNotStart);
            }
            return Ok(self.start(user).map(|_| SignedIn(None))?);
        };
        let id = SessionId::from_uuid(Uuid::new_v4());
        match self.state.sessions.sign_in(held, id, &user).await {
            SignInOutcome::Done => Ok(SignedIn(self.cookies.write(id, &self.base, &self.state.keys.load()))),
            SignInOutcome::Ended => {
                // It ended this very moment: the user comes as a newcomer.
                let newcomer =
                    Self::without_session(Arc::clone(&self.state), self.base.clone(), self.cookies, self.kind);
                let session = newcomer.start(user)?;
                Ok(SignedIn(self.cookies.write(session.id(), &self.base, &self.state.keys.load())))
            }
            SignInOutcome::Unavailable => Err(NotSignedIn::Unavailable),
        }
    }

    /// The cookie and the presence of a session that started on the way.
    pub(crate) fn take_started(&self) -> Option<(HeaderValue, Option<PresenceGuard>)> {
        let started = self.started.as_ref()?.get()?;
        let cookie = self.cookies.write(started.live.id(), &self.base, &self.state.keys.load())?;
        let guard = started.guard.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        Some((cookie, guard))
    }
}

/// Why a user could not sign in. Nothing has changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotSignedIn {
    /// No session starts here now.
    Refused(AdmissionError),
    /// The session's entry cannot be written now.
    Unavailable,
    /// The caller has no session, and the request may not start one.
    MayNotStart,
}

impl From<AdmissionError> for NotSignedIn {
    fn from(refused: AdmissionError) -> Self {
        Self::Refused(refused)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestContext {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, StatusCode> {
        parts.extensions.get::<Self>().cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// The part of a response that gives the browser the session's new id.
#[derive(Debug)]
pub(crate) struct SignedIn(Option<HeaderValue>);

impl IntoResponseParts for SignedIn {
    type Error = Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Infallible> {
        if let Some(cookie) = self.0 {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        Ok(response)
    }
}
