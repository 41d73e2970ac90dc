//! Whose is a request?
//!
//! accept → origin → **track** → gate → the app. Verifies the cookie, records the activity, keeps the session present while
//! its request is served, and gives a newcomer's new cookie to the response.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Redirect, Response};
use door::same_origin;
use http::header::{CACHE_CONTROL, HeaderValue, SET_COOKIE};
use http::{Method, Request, StatusCode};
use http_body::Body as _;
use http_support::ConnectionHandle;
use session_domain::UserName;
use session_domain::registry::{Kind, Refused};
use session_domain::shared::Purpose;
use tower::ServiceExt as _;

use crate::cookie::CookieStyle;
use crate::events::EventStreamAnswer;
use crate::pod::Pod;
use crate::presence::{PresenceGuard, PresentBody};
use crate::session::Visit;
use crate::sessions::{Finding, Held};
use crate::{eviction, gate, headers, page, scope, trusted};

/// Paths that answer everybody in every phase; what they say to a newcomer is their own affair.
const UNGATED: [&str; 3] = ["/session", "/events", "/logout"];

/// Tracks a request and hands it to `routes`.
pub(crate) async fn track(pod: Arc<Pod>, routes: Router, mut request: Request<Body>) -> Response {
    let base = scope::split(request.uri_mut(), pod.config.scope);
    let cookies = CookieStyle::of(request.headers(), pod.config.cookie_secure, pod.config.scope);
    let changes = !same_origin::is_safe(request.method());

    let name = match trusted::name(&pod, &request) {
        Ok(name) => name,
        Err(unclear) => return trusted::refuse(&pod, request.headers(), unclear),
    };

    let now = pod.clock.now();
    let id = cookies.read(request.headers(), &pod.keys.load());
    let purpose = match request.uri().path() {
        "/logout" => Purpose::Logout,
        "/events" => Purpose::Stream,
        _ => Purpose::Request,
    };
    let finding = match (id, purpose) {
        // Ended where it lives, and never adopted for that.
        (Some(id), Purpose::Logout) => pod.sessions.find_own(id).map_or(Finding::Nowhere, Finding::Found),
        (Some(id), Purpose::Request | Purpose::Stream) => pod.sessions.find(id, purpose).await,
        (None, _) if is_foreign_cookie(&pod, cookies, &request) => Finding::Unknown,
        (None, _) => Finding::Nowhere,
    };
    let known = match finding {
        Finding::Found(session) => trusted::keep(&pod, session, name).await,
        Finding::Nowhere => None,
        Finding::Unknown if purpose == Purpose::Logout => None,
        Finding::Unknown => return gate::wait(&pod, request.headers(), request.version()),
        Finding::Maintenance => return gate::refuse(&pod, Refused::Closed, request.version()),
    };
    if let Some(session) = known {
        pod.sessions.touch(&session, now);
        let guard = PresenceGuard::of(&pod, &session, Kind::Request);
        let leaves = matches!(session, Held::Guest(_)) && !pod.registry.adopts();
        let (version, connection) = (request.version(), request.extensions().get::<ConnectionHandle>().cloned());
        request.extensions_mut().insert(Visit::known(pod, base, cookies, session));
        let mut response = present_until_read(call(routes, request).await, guard);
        if leaves {
            // The next request finds a pod that can adopt the session, where there is one.
            gate::leave_connection(&mut response, version);
            if let Some(connection) = connection {
                connection.close_when_done();
            }
        }
        return response;
    }

    let path = request.uri().path();
    if changes && id.is_some() && !matches!(path, "/login" | "/logout") {
        return problem(
            &pod,
            &request,
            StatusCode::CONFLICT,
            "The session has ended",
            "Nothing was done. Open the page again, then repeat what you did.",
        );
    }
    let may_start =
        matches!(*request.method(), Method::GET | Method::POST) && !same_origin::is_prefetch(request.headers());
    if may_start && pod.registry.is_full() && pod.registry.is_open() && !UNGATED.contains(&path) {
        eviction::make_room(&pod).await;
    }
    if !UNGATED.contains(&path)
        && let Some(refusal) = gate::check(&pod, request.version())
    {
        return refusal;
    }
    let visit = Visit::newcomer(Arc::clone(&pod), base, cookies).named(name.map(UserName::from_input)).unresolved(id);
    if visit.needs_path() && path == "/" && matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut redirect = Redirect::to(scope::Base::random().as_str()).into_response();
        redirect.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers::guard(&mut redirect);
        return redirect;
    }
    request.extensions_mut().insert(visit.clone());
    let response = call(routes, request).await;
    with_started(&pod, &visit, response).await
}

/// Gives the response the cookie of a session that started on the way, and keeps that session present until it was read.
pub(crate) async fn with_started(pod: &Pod, visit: &Visit, mut response: Response) -> Response {
    let Some((cookie, guard)) = visit.take_started() else { return response };
    pod.sessions.flush().await;
    response.headers_mut().append(SET_COOKIE, cookie);
    // Whatever the app says: a shared cache would hand this session to everybody.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    present_until_read(response, guard)
}

/// Whether the request has a cookie that another pod may have signed, while the pods have not agreed on a key.
fn is_foreign_cookie(pod: &Pod, cookies: CookieStyle, request: &Request<Body>) -> bool {
    pod.sessions.sharing().is_some_and(|sharing| sharing.keys_are_provisional())
        && cookies.is_present(request.headers())
}

pub(crate) async fn call(routes: Router, request: Request<Body>) -> Response {
    match routes.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// A request is in flight until its response was read: a download, or a stream of the app's own, holds a drain open.
/// Our event stream counts as a stream instead.
fn present_until_read(response: Response, guard: Option<PresenceGuard>) -> Response {
    let Some(guard) = guard else { return response };
    if response.extensions().get::<EventStreamAnswer>().is_some() || response.body().is_end_stream() {
        return response;
    }
    response.map(|body| Body::new(PresentBody::new(body, guard)))
}

fn problem(pod: &Pod, request: &Request<Body>, status: StatusCode, title: &str, detail: &str) -> Response {
    page::problem(&*pod.pages, request.headers(), status, title, detail)
}
