//! The layer that an app and Lastcall's own routes stand behind.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use http::Request;
use tokio::time::Instant;
use tower::{Layer, Service};

use crate::route_kind::RouteKind;
use crate::service_state::ServiceState;
use crate::session::RequestContext;
use crate::session_layer;

/// Tracks the sessions of the requests that pass it.
#[derive(Clone)]
pub struct LastcallLayer {
    state: Arc<ServiceState>,
    route: RouteKind,
}

impl std::fmt::Debug for LastcallLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LastcallLayer").field("route", &self.route).finish_non_exhaustive()
    }
}

impl LastcallLayer {
    pub(crate) const fn new(state: Arc<ServiceState>, route: RouteKind) -> Self {
        Self { state, route }
    }
}

impl<S> Layer<S> for LastcallLayer {
    type Service = LastcallService<S>;

    fn layer(&self, app: S) -> LastcallService<S> {
        LastcallService { state: Arc::clone(&self.state), route: self.route, app }
    }
}

/// An app whose sessions are tracked.
#[derive(Clone)]
pub struct LastcallService<S> {
    state: Arc<ServiceState>,
    route: RouteKind,
    app: S,
}

impl<S> std::fmt::Debug for LastcallService<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LastcallService").field("route", &self.route).finish_non_exhaustive()
    }
}

impl<S> Service<Request<Body>> for LastcallService<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.app.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let passed = request.extensions().get::<RequestContext>();
        if passed.is_some_and(|passed| Arc::ptr_eq(&passed.state, &self.state)) {
            return Box::pin(self.app.call(request));
        }
        let (state, route, app) = (Arc::clone(&self.state), self.route, self.app.clone());
        Box::pin(async move {
            let began = Instant::now();
            let response = session_layer::handle(Arc::clone(&state), app, route, request).await;
            state.metrics.request(response.status(), began.elapsed());
            Ok(response)
        })
    }
}
