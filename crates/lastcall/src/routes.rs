//! Lastcall's own routes. The route determines the [`RouteKind`], not the path.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::middleware::{map_response, map_response_with_state};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post, put};
use http::{StatusCode, Version};
use http_support::security_headers;
use tower::Layer as _;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::config::SessionScope;
use crate::layers::LastcallLayer;
use crate::refusal::{Reason, Refusal};
use crate::request_context::RequestContext;
use crate::route_kind::RouteKind;
use crate::route_prefix::RoutePrefix;
use crate::scope::TabPaths;
use crate::service_state::ServiceState;
use crate::{assets, control, events, page_reports, probes, session_routes, tasks, websocket};

/// How long an answer of the service's own may take to begin. An event stream's answer begins at once.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(45);

/// All own routes, for a router of the app.
pub(crate) fn all<S: Clone + Send + Sync + 'static>(state: &Arc<ServiceState>) -> Router<S> {
    let routes = tracked(state).merge(untracked(state, true));
    if state.config.metrics_route { routes.merge(metrics(state)) } else { routes }
}

/// `/metrics`.
pub(crate) fn metrics<S: Clone + Send + Sync + 'static>(state: &Arc<ServiceState>) -> Router<S> {
    closed_in_handoff(state, probes::metrics(state))
}

/// What the listener of pages has besides them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnHttp {
    pub(crate) metrics: bool,
    pub(crate) probes: bool,
    /// What the processes of the pod ask for.
    pub(crate) control: bool,
}

/// The probes and what belongs to the pod itself, on a listener of their own.
pub(crate) fn probe_listener(state: &Arc<ServiceState>, has_metrics: bool) -> Router {
    let routes = probes::probes(state).merge(control::routes(state, true));
    let routes = if has_metrics { routes.merge(probes::metrics(state)) } else { routes };
    closed_in_handoff(state, routes.fallback(control::unknown_path))
}

/// The own routes and the app as one router. What touches no session is matched first.
pub(crate) fn bundled(state: &Arc<ServiceState>, files: Router, app: Router, on_http: OnHttp) -> Router {
    let app = app.layer(CatchPanicLayer::new());
    let tracked = tracked(state).fallback_service(LastcallLayer::new(Arc::clone(state), RouteKind::App).layer(app));
    let outside = files.merge(untracked(state, on_http.probes));
    let outside = if on_http.metrics && state.config.metrics_route { outside.merge(metrics(state)) } else { outside };
    let outside = match on_http.control {
        true => outside.merge(control::routes(state, state.config.route_prefix != RoutePrefix::default())),
        false => outside,
    };
    match state.config.scope {
        SessionScope::Browser => outside.fallback_service(tracked),
        SessionScope::Tab => outside.fallback_service(TabPaths::new(tracked)),
    }
}

/// The scripts, the reports of pages, and the probes unless the app has its own.
fn untracked<S: Clone + Send + Sync + 'static>(state: &Arc<ServiceState>, has_probes: bool) -> Router<S> {
    let own = assets::router(state.config.route_prefix.as_str()).merge(page_reports::router(state));
    let has_probes = has_probes && state.config.probes_route;
    closed_in_handoff(state, if has_probes { own.merge(probes::probes(state)) } else { own })
}

/// Closes the connection after each response once the pod hands its sessions off, on a server of the app's too.
fn closed_in_handoff<S: Clone + Send + Sync + 'static>(state: &Arc<ServiceState>, routes: Router<S>) -> Router<S> {
    routes.layer(map_response_with_state(Arc::clone(state), close_connection))
}

async fn close_connection(
    State(state): State<Arc<ServiceState>>,
    version: Version,
    mut response: Response,
) -> Response {
    state.close_after_answer.announce(&mut response, version);
    response
}

/// What concerns the caller's session.
fn tracked<S: Clone + Send + Sync + 'static>(state: &Arc<ServiceState>) -> Router<S> {
    let route = |kind, route: MethodRouter<S>| {
        route
            .fallback(wrong_method)
            .layer::<_, Infallible>(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, ANSWER_TIMEOUT))
            .layer::<_, Infallible>(map_response(security_headers::not_a_page))
            .layer::<_, Infallible>(CatchPanicLayer::new())
            .layer(LastcallLayer::new(Arc::clone(state), kind))
    };
    let path = |name: &str| format!("{}{name}", state.config.route_prefix.as_str());
    let routes = match state.config.login_route {
        true => Router::new().route(&path("/login"), route(RouteKind::Login, post(session_routes::login))),
        false => Router::new(),
    };
    routes
        .route(&path("/logout"), route(RouteKind::Logout, get(session_routes::logout).post(session_routes::logout)))
        .route(&path("/session"), route(RouteKind::Session, get(session_routes::session)))
        .route(&path("/events"), route(RouteKind::Events, get(events::events)))
        .route(&path("/tasks"), route(RouteKind::Tasks, post(tasks::begin)))
        .route(&path("/tasks/{task_id}"), route(RouteKind::Tasks, put(tasks::renew).delete(tasks::end)))
        .route(&path("/ws"), route(RouteKind::WebSocket, get(websocket::events)))
}

async fn wrong_method(context: RequestContext) -> Refusal {
    context.refuse(Reason::WrongMethod)
}
