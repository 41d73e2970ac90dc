//! Lastcall's own routes, and which of them a request is for: that is said by the route that wraps it, never by its path.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use http::{Request, StatusCode};
use http_support::security_headers;
use tower::Layer as _;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::config::SessionScope;
use crate::layers::LastcallLayer;
use crate::route_kind::RouteKind;
use crate::scope::TabPaths;
use crate::service_state::ServiceState;
use crate::{account, assets, events, page, probes};

/// How long an answer of the service's own may take to begin. An event stream's answer begins at once.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(45);

/// All own routes, for a router of the app.
pub(crate) fn all<S: Clone + Send + Sync + 'static>(state: &Arc<ServiceState>) -> Router<S> {
    tracked(state).merge(untracked(state)).merge(metrics(state))
}

/// `/metrics`.
pub(crate) fn metrics<S: Clone + Send + Sync + 'static>(state: &Arc<ServiceState>) -> Router<S> {
    probes::metrics(state)
}

/// The own routes and the app as one router. What touches no session is matched first.
pub(crate) fn bundled(state: &Arc<ServiceState>, files: Router, app: Router, has_metrics: bool) -> Router {
    let app = app.layer(CatchPanicLayer::new());
    let behind = |kind| LastcallLayer::new(Arc::clone(state), kind).layer(app.clone());
    let tracked =
        tracked(state).route_service("/ws", behind(RouteKind::WebSocket)).fallback_service(behind(RouteKind::App));
    let outside = files.merge(untracked(state));
    let outside = if has_metrics { outside.merge(metrics(state)) } else { outside };
    match state.config.scope {
        SessionScope::Browser => outside.fallback_service(tracked),
        SessionScope::Tab => outside.fallback_service(TabPaths::new(tracked)),
    }
}

/// The scripts and the probes.
fn untracked<S: Clone + Send + Sync + 'static>(state: &Arc<ServiceState>) -> Router<S> {
    assets::router().merge(probes::probes(state))
}

/// What concerns the caller's session.
fn tracked<S: Clone + Send + Sync + 'static>(state: &Arc<ServiceState>) -> Router<S> {
    let route = |kind, route: MethodRouter<Arc<ServiceState>>| {
        route
            .fallback(wrong_method)
            .layer::<_, Infallible>(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWER_TIMEOUT))
            .layer::<_, Infallible>(map_response(security_headers::not_a_page))
            .layer::<_, Infallible>(CatchPanicLayer::new())
            .layer(LastcallLayer::new(Arc::clone(state), kind))
    };
    Router::new()
        .route("/login", route(RouteKind::Login, post(account::login)))
        .route("/logout", route(RouteKind::Logout, get(account::logout).post(account::logout)))
        .route("/session", route(RouteKind::Session, get(account::session)))
        .route("/events", route(RouteKind::Events, get(events::events)))
        .with_state(Arc::clone(state))
}

async fn wrong_method(State(state): State<Arc<ServiceState>>, request: Request<Body>) -> Response {
    let detail = "This path exists, but not with this method.";
    page::problem(&*state.pages, request.headers(), StatusCode::METHOD_NOT_ALLOWED, "Method not allowed", detail)
}
