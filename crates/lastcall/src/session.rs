//! What a handler gets to know of the session behind its request.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, IntoResponseParts, Redirect, Response, ResponseParts};
use door::same_origin::is_prefetch;
use http::header::{HeaderValue, SET_COOKIE};
use http::request::Parts;
use http::{Method, StatusCode};
use session_domain::lifecycle::{Notice, Reason};
use session_domain::registry::{Kind, Refused};
use session_domain::{PodName, SessionId, Timestamp, UserName};
use uuid::Uuid;

use crate::cookie::CookieStyle;
use crate::gate;
use crate::notice::DrainNotice;
use crate::page;
use crate::pod::{Live, Pod};
use crate::presence::PresenceGuard;
use crate::scope::Base;
use crate::sharing;
use crate::streams::Streams;

/// The session that a request belongs to. As an extractor it starts one where a newcomer asks for a page with
/// `GET`; where it can't, it answers in the handler's place: with the busy, maintenance or try-again page, or 401
/// for methods that change something.
#[derive(Clone)]
pub struct Session {
    pub(crate) pod: Arc<Pod>,
    pub(crate) live: Live,
    pub(crate) base: Base,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl Session {
    /// The session's id. Not a secret.
    pub fn id(&self) -> SessionId {
        self.live.id()
    }

    /// Who it belongs to. Not escaped.
    pub fn user(&self) -> UserName {
        self.live.user()
    }

    /// When it began.
    pub fn login_time(&self) -> Timestamp {
        self.live.login_time()
    }

    /// When its last request came in: this one, as a rule.
    pub fn last_activity(&self) -> Timestamp {
        self.live.last_activity()
    }

    /// The pod that owns it: this one, or where sessions are shared sometimes another.
    pub fn pod(&self) -> &PodName {
        self.live.home().unwrap_or(&self.pod.config.pod)
    }

    /// The path under which this user's pages live: `/`, or the tab's own. Begins and ends with a slash.
    pub fn base(&self) -> &str {
        self.base.as_str()
    }

    /// Whether users name themselves by `POST /login`: not where a proxy in front names them.
    pub fn names_itself(&self) -> bool {
        self.pod.config.trusted_user.is_none()
    }

    /// What the user has to be told now, if anything. Asking counts as telling: show it.
    pub fn drain_notice(&self) -> Option<DrainNotice> {
        let notice = self.notice()?;
        self.pod.sessions.tell(&self.live, notice.id);
        Some(DrainNotice::new(&notice, self.pod.config.auto_logout, self.pod.clock.now()))
    }

    /// The notice that runs for this session. A shutdown of this pod is no affair of one that lives on another.
    pub(crate) fn notice(&self) -> Option<Notice> {
        let broadcast = Arc::clone(&self.pod.broadcast.borrow());
        broadcast.notice().filter(|notice| !self.live.is_guest() || notice.reason == Reason::Maintenance).copied()
    }

    /// An event stream was opened: other pods have to know before they are asked.
    pub(crate) async fn streams(&self) {
        match &self.pod.sharing {
            Some(sharing) if self.live.is_guest() => sharing.watch_guest(&self.live),
            _ => self.pod.written().await,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Response> {
        let Some(visit) = parts.extensions.get::<Visit>().cloned() else {
            return Err(StatusCode::INTERNAL_SERVER_ERROR.into_response());
        };
        if let Some(session) = visit.session() {
            return Ok(session);
        }
        let pages = &*visit.pod.pages;
        match parts.method {
            Method::HEAD => Err(StatusCode::OK.into_response()),
            Method::GET if is_prefetch(&parts.headers) => {
                // The browser throws this answer away and asks again once somebody really wants the page.
                Err(page::html(StatusCode::SERVICE_UNAVAILABLE, String::new()))
            }
            Method::GET if visit.needs_path() => Err(Redirect::to("/").into_response()),
            Method::GET => {
                let user = visit.name.clone().unwrap_or_else(UserName::anonymous);
                visit.start(user).map_err(|refused| gate::refuse(&visit.pod, refused, parts.version))
            }
            _ => Err(page::problem(
                pages,
                &parts.headers,
                StatusCode::UNAUTHORIZED,
                "No session",
                "Open the page first: it starts a session.",
            )),
        }
    }
}

/// Whoever makes a request: somebody with a session, or a newcomer. Never starts a session by itself.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) pod: Arc<Pod>,
    pub(crate) base: Base,
    pub(crate) cookies: CookieStyle,
    live: Option<Live>,
    /// For a newcomer: who a proxy says that it is.
    name: Option<UserName>,
    /// For a newcomer: the session that started on the way, which the response's cookie has to name.
    started: Option<Arc<OnceLock<Started>>>,
    /// A session that the cookie names, and that nobody can say anything of now.
    unclear: Option<SessionId>,
}

/// A session that started while its first request was served.
#[derive(Debug)]
pub(crate) struct Started {
    live: Live,
    guard: std::sync::Mutex<Option<PresenceGuard>>,
}

impl Visit {
    pub(crate) const fn known(pod: Arc<Pod>, base: Base, cookies: CookieStyle, live: Live) -> Self {
        Self { pod, base, cookies, live: Some(live), name: None, started: None, unclear: None }
    }

    pub(crate) fn newcomer(pod: Arc<Pod>, base: Base, cookies: CookieStyle) -> Self {
        Self { pod, base, cookies, live: None, name: None, started: Some(Arc::default()), unclear: None }
    }

    /// The same newcomer, whom a proxy names.
    pub(crate) fn named(self, name: Option<UserName>) -> Self {
        Self { name, ..self }
    }

    /// The same newcomer, whose cookie names a session that nobody can say anything of.
    pub(crate) fn unclear(self, unclear: Option<SessionId>) -> Self {
        Self { unclear, ..self }
    }

    /// The user leaves, whatever is known of their session.
    pub(crate) async fn log_out(&self, automatic: bool) {
        if let Some(session) = self.session() {
            sharing::log_out(&self.pod, &session.live, automatic).await;
        } else if let Some(id) = self.unclear {
            sharing::log_out_later(&self.pod, id, automatic);
        }
    }

    pub(crate) fn session(&self) -> Option<Session> {
        let live = match (&self.live, &self.started) {
            (Some(live), _) => live,
            (None, Some(started)) => &started.get()?.live,
            (None, None) => return None,
        };
        Some(Session { pod: Arc::clone(&self.pod), live: Arc::clone(live), base: self.base.clone() })
    }

    /// Whether a session could not be told from another tab's: it has no path of its own yet.
    pub(crate) fn needs_path(&self) -> bool {
        self.pod.config.scope == crate::config::SessionScope::Tab && self.base.is_root()
    }

    /// Starts a session for a newcomer; the response will carry its cookie.
    pub(crate) fn start(&self, user: UserName) -> Result<Session, Refused> {
        if let Some(session) = self.session() {
            return Ok(session);
        }
        let id = SessionId::from_uuid(Uuid::new_v4());
        let live = self.pod.sessions.start(id, user, Streams::default(), self.pod.clock.now())?;
        if let Some(started) = &self.started {
            let guard = PresenceGuard::open(&self.pod, &live, Kind::Request);
            let _ = started.set(Started { live: Arc::clone(&live), guard: std::sync::Mutex::new(Some(guard)) });
        }
        Ok(Session { pod: Arc::clone(&self.pod), live, base: self.base.clone() })
    }

    /// Names the user: a known session gets a new id, a newcomer a session. Counts one login in total.
    pub(crate) async fn sign_in(&self, user: UserName) -> Result<SignedIn, Refused> {
        let Some(live) = &self.live else { return self.start(user).map(|_| SignedIn(None)) };
        let id = SessionId::from_uuid(Uuid::new_v4());
        if !sharing::sign_in(&self.pod, live, id, &user).await {
            // It ended this very moment: the user comes as a newcomer.
            let session = Self::newcomer(Arc::clone(&self.pod), self.base.clone(), self.cookies).start(user)?;
            return Ok(SignedIn(self.cookies.write(session.id(), &self.base, &self.pod.keys.load())));
        }
        Ok(SignedIn(self.cookies.write(id, &self.base, &self.pod.keys.load())))
    }

    /// The cookie and the presence of a session that started on the way.
    pub(crate) fn take_started(&self) -> Option<(HeaderValue, Option<PresenceGuard>)> {
        let started = self.started.as_ref()?.get()?;
        let cookie = self.cookies.write(started.live.id(), &self.base, &self.pod.keys.load())?;
        let guard = started.guard.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        Some((cookie, guard))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
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
