//! Why a request is not served, and its response: a page where a user will look at it, else a problem document. Layers and handlers
//! return it with `?`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::Version;
use http::header::{CONNECTION, HeaderValue, RETRY_AFTER};
use http_support::{CrossOriginError, Problem, ProxyIdentityError};
use session_domain::Phase;
use session_domain::registry::AdmissionError;

use crate::maintenance_page;
use crate::page::{self, Page};
use crate::request_facts::RequestFacts;
use crate::service_state::ServiceState;
use crate::tasks::TaskRefusal;

/// A page that got no event stream may ask again after so long.
const STREAM_RETRY_SECONDS: u16 = 5;

/// Why a request is not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Another site's page made a request that would change something.
    CrossOrigin(CrossOriginError),
    /// The proxy in front names two users, or one that cannot be read.
    ProxyIdentity(ProxyIdentityError),
    /// Maintenance: no newcomer is admitted.
    Maintenance,
    /// The pod is about to stop: no newcomer is admitted.
    Stopping,
    /// The pod holds as many sessions as it may.
    Full,
    /// Too many newcomers came from this address within a minute.
    TooManyNewcomers { retry_after: Duration },
    /// The session that the cookie names cannot be looked up now.
    LookupFailed,
    /// A request that would change something carries the cookie of a session that has ended.
    SessionEnded,
    /// A login has just replaced the id that the cookie carries. `is_repeated`: the page itself led here.
    SessionReplaced { is_repeated: bool },
    /// The same, for a logout: the button ends the session that the user sees.
    ConfirmSignOut,
    /// The caller has no session, and asks about it.
    NoSession,
    /// The caller has no session, and this request starts none.
    CannotStart,
    /// A prefetch: browsers throw the response away and ask again when a user wants the page.
    Prefetch,
    /// A `HEAD` that has no session and starts none.
    Head,
    /// Users are named by the proxy in front.
    ProxyNamesUsers,
    /// The tab has no path of its own yet.
    TabNeedsPath,
    /// The form of a login cannot be read.
    BadForm(StatusCode),
    /// The pod has as many event streams open as it may.
    TooManyStreams,
    /// The session was force-closed in the middle of an upload.
    TransferCut,
    /// A request about a task.
    Task(TaskRefusal),
    /// The route takes other methods.
    WrongMethod,
    /// The app, which is not built on this library, does not answer.
    AppUnavailable,
    /// The handler is outside of the layer. A fault of the app.
    OutsideLayer,
}

impl Reason {
    /// Why a session is not admitted now.
    pub(crate) fn not_admitted(state: &ServiceState, error: AdmissionError) -> Self {
        match (error, state.lifecycle.borrow().phase()) {
            (AdmissionError::Full, _) => Self::Full,
            (AdmissionError::Closed, Phase::Maintenance) => Self::Maintenance,
            (AdmissionError::Closed, Phase::Serving | Phase::Draining | Phase::Propagating | Phase::Closing) => {
                Self::Stopping
            }
        }
    }
}

/// Refuses a request: with a page where a user will look at it, else with a problem document. Return it from a handler with `?`. The
/// session is unchanged.
pub struct Refusal {
    reason: Reason,
    request: Option<(Arc<ServiceState>, RequestFacts)>,
}

impl std::fmt::Debug for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Refusal").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl Refusal {
    pub(crate) fn new(reason: Reason, state: &Arc<ServiceState>, facts: &RequestFacts) -> Self {
        Self { reason, request: Some((Arc::clone(state), facts.clone())) }
    }

    /// The response of a handler outside of the layer.
    pub(crate) const fn outside_layer() -> Self {
        Self { reason: Reason::OutsideLayer, request: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match &self.request {
            Some((state, facts)) => respond(self.reason, state, facts),
            None => {
                tracing::error!("a handler uses `Session` outside of `Lastcall::layer`");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

fn respond(reason: Reason, state: &ServiceState, facts: &RequestFacts) -> Response {
    let (location, base) = (facts.location(), facts.base.as_str());
    let html = |status, page: Page<'_>| page::html(status, state.pages.html(page));
    let document =
        |status, title: &'static str, detail: &'static str| Problem::new(status, title, detail).into_response();
    let problem = |status, title: &str, detail: &str| {
        let problem = Problem::new(status, title.to_owned(), detail.to_owned());
        page::problem_to(&*state.pages, facts.navigates, problem)
    };
    match reason {
        Reason::CrossOrigin(error) => problem(StatusCode::FORBIDDEN, "Not from here", &error.to_string()),
        Reason::ProxyIdentity(error) => {
            let detail = format!("The proxy's user header is invalid: {error}.");
            problem(StatusCode::BAD_REQUEST, "Invalid user header", &detail)
        }
        Reason::Maintenance => {
            let retry_after = state.config.maintenance_retry_after;
            maintenance_page::answer(&*state.pages, facts.takes_page, location, retry_after)
        }
        Reason::Stopping => {
            let response = if facts.takes_page {
                html(StatusCode::SERVICE_UNAVAILABLE, Page::TryAgain { location })
            } else {
                let detail = "Try again in a second; another server will answer.";
                document(StatusCode::SERVICE_UNAVAILABLE, "This server is about to stop", detail)
            };
            leaving(retry(response, 1), facts.version)
        }
        Reason::Full => {
            let response = if facts.takes_page {
                html(StatusCode::SERVICE_UNAVAILABLE, Page::Busy { location })
            } else {
                document(StatusCode::SERVICE_UNAVAILABLE, "This server is full", "Try again in a few seconds.")
            };
            retry(response, 5)
        }
        Reason::TooManyNewcomers { retry_after } => {
            let detail =
                "Too many sessions were started from your address within a minute. Open the page again a little later.";
            let seconds = u16::try_from(retry_after.as_secs()).unwrap_or(u16::MAX).saturating_add(1);
            retry(problem(StatusCode::TOO_MANY_REQUESTS, "Too many new sessions", detail), seconds)
        }
        // Leaves the cookie alone: asking again in a moment finds the session, here or at the pod that holds it.
        Reason::LookupFailed => {
            let response = if facts.navigates {
                html(StatusCode::SERVICE_UNAVAILABLE, Page::Searching { location })
            } else {
                let detail =
                    "The session cannot be looked up at this moment. It is not lost: try again in a few seconds.";
                document(StatusCode::SERVICE_UNAVAILABLE, "Session temporarily unavailable", detail)
            };
            leaving(retry(response, 1), facts.version)
        }
        Reason::SessionEnded => {
            let detail = "Nothing was done. Open the page again, then repeat what you did.";
            problem(StatusCode::CONFLICT, "The session has ended", detail)
        }
        // What was posted is not posted again: the form's page is opened instead.
        Reason::SessionReplaced { is_repeated } if facts.navigates => {
            html(StatusCode::CONFLICT, Page::SessionRenewed { location, is_repeated })
        }
        Reason::SessionReplaced { .. } => {
            let detail = "A login has just given the session a new id. Nothing was done: repeat the request with the new cookie.";
            document(StatusCode::CONFLICT, "The session has a new id", detail)
        }
        Reason::ConfirmSignOut => {
            let routes = state.config.route_prefix.below(base);
            html(StatusCode::OK, Page::ConfirmSignOut { base, routes: &routes })
        }
        Reason::NoSession => no_session(state, facts),
        Reason::CannotStart => {
            problem(StatusCode::UNAUTHORIZED, "No session", "Open the page first: it starts a session.")
        }
        Reason::Prefetch => page::html(StatusCode::SERVICE_UNAVAILABLE, String::new()),
        Reason::Head => StatusCode::OK.into_response(),
        Reason::ProxyNamesUsers => {
            let header =
                state.config.trusted_user.as_ref().map(|trusted| trusted.header().as_str()).unwrap_or_default();
            let detail = format!("Users are named by the proxy in front, in the header {header}. Sign in there.");
            problem(StatusCode::FORBIDDEN, "Login form disabled", &detail)
        }
        Reason::TabNeedsPath => Redirect::to("/").into_response(),
        Reason::BadForm(status) => {
            let detail = "Send the form field `user`, as application/x-www-form-urlencoded, in at most 64 kB.";
            problem(status, "No name in the form", detail)
        }
        Reason::TooManyStreams => {
            let detail =
                "This server has reached its limit of open streams and WebSockets. Try again in a few seconds.";
            retry(
                problem(StatusCode::SERVICE_UNAVAILABLE, "Too many open streams and WebSockets", detail),
                STREAM_RETRY_SECONDS,
            )
        }
        Reason::TransferCut => {
            let detail = "The session ended before the upload was complete. Sign in again, then repeat it.";
            problem(StatusCode::SERVICE_UNAVAILABLE, "Upload cut off", detail)
        }
        Reason::Task(refusal) => {
            let (status, title, detail) = refusal.problem();
            let response = Problem::new(status, title, detail).into_response();
            match refusal.retry_seconds() {
                Some(seconds) => retry(response, seconds),
                None => response,
            }
        }
        Reason::WrongMethod => {
            let detail = "This path exists, but not with this method.";
            problem(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", detail)
        }
        Reason::AppUnavailable => {
            let response = if facts.navigates {
                html(StatusCode::BAD_GATEWAY, Page::AppUnavailable { location })
            } else {
                document(StatusCode::BAD_GATEWAY, "The app does not answer", "Try again in a second.")
            };
            retry(response, 1)
        }
        Reason::OutsideLayer => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A page that waits learns from it that the service itself answers, and whether it admits newcomers; a page that has a session,
/// how old the answer is.
fn no_session(state: &ServiceState, facts: &RequestFacts) -> Response {
    let detail = "The session has ended, or there never was one. Open the page: it starts one.";
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "No session", detail)
        .with("admits_newcomers", state.admits_newcomers())
        .with("server_time", state.clock.now().to_string());
    page::problem_to(&*state.pages, facts.navigates, problem)
}

fn retry(mut response: Response<Body>, seconds: u16) -> Response {
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn leaving(mut response: Response, version: Version) -> Response {
    close_connection(&mut response, version);
    response
}

/// Closes the connection after this response: the next try may reach another pod.
pub(crate) fn close_connection(response: &mut Response, version: Version) {
    if version <= Version::HTTP_11 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
}
