//! What a request passes on its way to the app, in this order: origin → identity → session → admission → the app.
//!
//! Each step answers in the app's place or lets the request go on. A request with a session is recorded, keeps its session
//! present while it is served, and is admitted in every phase. One without a session may start one on the way; the response
//! carries its cookie then, unless it is a 503.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{CACHE_CONTROL, HeaderValue, SET_COOKIE};
use http::{Method, Request, StatusCode};
use http_body::Body as _;
use http_support::{ConnectionHandle, security_headers};
use session_domain::UserName;
use session_domain::registry::PresenceKind;
use tower::{Service, ServiceExt as _};

use crate::events::EventStreamAnswer;
use crate::identity::Identity;
use crate::origin::Origin;
use crate::presence::{PresenceGuard, PresentBody};
use crate::request_kind::RequestKind;
use crate::resolve::{Resolved, resolve};
use crate::route_kind::RouteKind;
use crate::scope::Base;
use crate::service_state::ServiceState;
use crate::session::RequestContext;
use crate::sessions::ServedSession;
use crate::{admission, origin, trusted};

/// Answers a request, by `app` where no step does.
pub(crate) async fn handle<S>(
    state: Arc<ServiceState>,
    app: S,
    route: RouteKind,
    mut request: Request<Body>,
) -> Response
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    origin::strip_untrusted(&state, &mut request);
    let base = Base::of(request.extensions());
    let (head, body) = request.into_parts();
    let origin = match origin::check(&state, route, &head) {
        Ok(origin) => origin,
        Err(error) => return origin::refuse(&state, &head.headers, error),
    };
    let identity = match Identity::of(&state, &head) {
        Ok(identity) => identity,
        Err(unclear) => return trusted::refuse(&state, &head.headers, unclear),
    };
    if origin == Origin::CrossSitePost {
        let kind = RequestKind::CrossSitePost;
        if let Some(refusal) = admission::check(&state, &base, route, kind, &head).await {
            return refusal;
        }
        let context = RequestContext::without_session(Arc::clone(&state), base, identity.cookies, kind);
        return without_session(&state, app, Request::from_parts(head, body), context).await;
    }
    let kind = RequestKind::of(&head, route, state.config.session_start);
    let context = match resolve(&state, &base, identity, route, kind, &head).await {
        Resolved::Session(session) => {
            let context = RequestContext::known(Arc::clone(&state), base, identity.cookies, kind, session.clone());
            return with_session(&state, app, Request::from_parts(head, body), context, &session).await;
        }
        Resolved::Answered(answer) => return answer,
        Resolved::NoSession => {
            let name = identity.name.map(UserName::from_input);
            RequestContext::without_session(Arc::clone(&state), base, identity.cookies, kind)
                .named(name)
                .unresolved(identity.id)
        }
    };
    if let Some(refusal) = admission::check(&state, &context.base, route, kind, &head).await {
        return refusal;
    }
    without_session(&state, app, Request::from_parts(head, body), context).await
}

async fn with_session<S>(
    state: &Arc<ServiceState>,
    app: S,
    mut request: Request<Body>,
    context: RequestContext,
    session: &ServedSession,
) -> Response
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    state.sessions.touch(session, state.clock.now());
    let guard = PresenceGuard::of(state, session, PresenceKind::Request);
    let leaves = matches!(session, ServedSession::Guest(_)) && !state.registry.admits_adoptions();
    let (version, connection) = (request.version(), request.extensions().get::<ConnectionHandle>().cloned());
    request.extensions_mut().insert(context);
    let mut response = present_until_read(call(app, request).await, guard);
    if leaves {
        // The next request finds a pod that can adopt the session, where there is one.
        admission::leave_connection(&mut response, version);
        if let Some(connection) = connection {
            connection.close_when_done();
        }
    }
    response
}

async fn without_session<S>(
    state: &Arc<ServiceState>,
    app: S,
    mut request: Request<Body>,
    context: RequestContext,
) -> Response
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    if context.needs_path() && request.uri().path() == "/" && matches!(*request.method(), Method::GET | Method::HEAD) {
        return to_path_of_its_own();
    }
    let version = request.version();
    request.extensions_mut().insert(context.clone());
    let mut response = call(app, request).await;
    if admission::is_stopping(state) {
        admission::leave_connection(&mut response, version);
    }
    let Some((cookie, guard)) = context.take_started() else { return response };
    if response.status() != StatusCode::SERVICE_UNAVAILABLE {
        state.sessions.flush().await;
        response.headers_mut().append(SET_COOKIE, cookie);
        // Whatever the app says: a shared cache would hand this session to everybody.
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    present_until_read(response, guard)
}

/// Sends a new tab to the path under which its session is to live.
fn to_path_of_its_own() -> Response {
    let mut redirect = Redirect::to(Base::random().as_str()).into_response();
    redirect.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    security_headers::add(redirect.headers_mut(), security_headers::NOT_A_PAGE);
    redirect
}

async fn call<S>(app: S, request: Request<Body>) -> Response
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    match app.oneshot(request).await {
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

#[cfg(test)]
mod tests;
