//! The first thing that happens to a request: whose is it?
//!
//! accept → **track** → gate → the app. Verifies the cookie, records the activity, keeps the session present while
//! its request is served, and gives a newcomer's new cookie to the response.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Redirect, Response};
use door::same_origin;
use http::header::{CACHE_CONTROL, HeaderValue, SET_COOKIE};
use http::{Method, Request, StatusCode};
use http_body::Body as _;
use session_domain::UserName;
use session_domain::registry::Kind;
use tower::ServiceExt as _;

use crate::cookie::CookieStyle;
use crate::events::EventStreamAnswer;
use crate::pod::Pod;
use crate::presence::{PresenceGuard, PresentBody};
use crate::session::Visit;
use crate::sharing::Arrival;
use crate::{eviction, gate, headers, page, scope, sharing, trusted};

/// Paths that answer everybody in every phase; what they say to a newcomer is their own affair.
const UNGATED: [&str; 3] = ["/session", "/events", "/logout"];

/// Tracks a request and hands it to `routes`.
pub(crate) async fn track(pod: Arc<Pod>, routes: Router, mut request: Request<Body>) -> Response {
    let base = scope::split(request.uri_mut(), pod.config.scope);
    let cookies = CookieStyle::of(request.headers(), pod.config.cookie_secure, pod.config.scope);
    let changes = !same_origin::is_safe(request.method());
    if changes && same_origin::is_foreign(request.headers(), request.uri()) {
        return problem(
            &pod,
            &request,
            StatusCode::FORBIDDEN,
            "Not from here",
            "This request was made by another site's page. Open the page itself and try again; \
             a proxy in between must pass the Host header on.",
        );
    }

    let name = match trusted::name(&pod, &request) {
        Ok(name) => name,
        Err(unclear) => return trusted::refuse(&pod, request.headers(), unclear),
    };

    let id = cookies.read(request.headers(), &pod.keys.load());
    let now = pod.clock.now();
    let mut known = id.and_then(|id| pod.sessions.find(id, now));
    if known.is_none() && pod.sessions.is_full() {
        eviction::make_room(&pod).await;
    }
    // A session that the cookie names and that nobody can say anything of, and whether to ask again is better.
    let mut unclear = None;
    if let (None, Some(id), Some(_)) = (&known, id, &pod.sharing) {
        match sharing::arrive(&pod, id, request.uri().path() == "/events").await {
            Arrival::Found(session) => known = Some(session),
            Arrival::Nowhere => {}
            Arrival::Unclear { wait } => unclear = Some((id, wait)),
        }
    }
    if let Some(session) = known {
        known = trusted::keep(&pod, session, name).await;
    }
    if let Some(session) = known {
        match &pod.sharing {
            Some(sharing) if session.is_guest() => sharing.touch(session.id(), now),
            _ => pod.sessions.touch(&session, now),
        }
        let guard = PresenceGuard::open(&pod, &session, Kind::Request);
        request.extensions_mut().insert(Visit::known(pod, base, cookies, session));
        return present_until_read(call(routes, request).await, guard);
    }

    let path = request.uri().path();
    if let Some((_, true)) = unclear
        && path != "/logout"
    {
        return gate::unclear(&pod, &request);
    }
    if changes && id.is_some() && !matches!(path, "/login" | "/logout") {
        return problem(
            &pod,
            &request,
            StatusCode::CONFLICT,
            "The session has ended",
            "Nothing was done. Open the page again, then repeat what you did.",
        );
    }
    if !UNGATED.contains(&path)
        && let Some(refusal) = gate::check(&pod, request.version())
    {
        return refusal;
    }
    let visit = Visit::newcomer(Arc::clone(&pod), base, cookies)
        .named(name.map(UserName::from_input))
        .unclear(unclear.map(|(id, _)| id));
    if visit.needs_path() && path == "/" && matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut redirect = Redirect::to(scope::Base::random().as_str()).into_response();
        redirect.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers::guard(&mut redirect);
        return redirect;
    }
    request.extensions_mut().insert(visit.clone());
    let mut response = call(routes, request).await;
    let Some((cookie, guard)) = visit.take_started() else { return response };
    pod.written().await;
    response.headers_mut().append(SET_COOKIE, cookie);
    // Whatever the app says: a shared cache would hand this session to everybody.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match guard {
        Some(guard) => present_until_read(response, guard),
        None => response,
    }
}

async fn call(routes: Router, request: Request<Body>) -> Response {
    match routes.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// A request is in flight until its response was read: a download, or a stream of the app's own, holds a drain open.
/// Our event stream counts as a stream instead.
fn present_until_read(response: Response, guard: PresenceGuard) -> Response {
    if response.extensions().get::<EventStreamAnswer>().is_some() || response.body().is_end_stream() {
        return response;
    }
    response.map(|body| Body::new(PresentBody::new(body, guard)))
}

fn problem(pod: &Pod, request: &Request<Body>, status: StatusCode, title: &str, detail: &str) -> Response {
    page::problem(&*pod.pages, request.headers(), status, title, detail)
}
