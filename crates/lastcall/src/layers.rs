//! What a request passes on its way to the app, outermost first. Each step answers in the app's place or lets the request go on:
//!
//! 1. **connection**: is it closed after the response?
//! 2. **measure**: how long the response took
//! 3. **origin**: is it a change that another site's page asks for?
//! 4. **identity**: which session and which user does it name?
//! 5. **session**: where is that session?
//! 6. **admission**: is a request without a session served now?
//! 7. **handler**: the app, the presence of the session, and the cookie of a new one
//!
//! [`stack`] is the one place that puts them in order. The path of a request whose session is in memory allocates nothing but the
//! context that its handler gets.

mod admission;
mod connection;
mod handler;
mod identity;
mod layer_future;
mod measure;
mod origin;
mod session;
mod staged_request;
#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use admission::Admission;
use axum::BoxError;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use connection::{CloseConnection, Closing};
use handler::{Handler, HandlerFuture};
use http::Request;
use identity::Identify;
use layer_future::LayerFuture;
use measure::{Measure, Measured};
use origin::Origin;
use pin_project_lite::pin_project;
use session::FindSession;
use staged_request::Incoming;
use tower::layer::layer_fn;
use tower::{Layer, Service, ServiceBuilder};

use crate::bypass::is_own;
use crate::request_context::RequestContext;
use crate::route_kind::RouteKind;
use crate::service_state::ServiceState;

/// The steps around a handler.
type Stack<S> = CloseConnection<Measure<Origin<Identify<FindSession<Admission<Handler<S>>>>>>>;

/// The response that the steps give, around the handler's `F`.
type StackResponse<F, E> =
    Closing<Measured<LayerFuture<LayerFuture<LayerFuture<LayerFuture<HandlerFuture<F>, E>, E>, E>, E>>>;

/// Puts the steps around a handler, in their order.
fn stack<S>(handler: S) -> Stack<S> {
    ServiceBuilder::new()
        .layer(layer_fn(CloseConnection))
        .layer(layer_fn(Measure))
        .layer(layer_fn(Origin))
        .layer(layer_fn(Identify))
        .layer(layer_fn(FindSession))
        .layer(layer_fn(Admission))
        .layer(layer_fn(Handler))
        .service(handler)
}

/// Tracks the sessions of the requests that pass it. A request that has passed it passes it again untouched. Made by
/// [`Lastcall::layer`](crate::Lastcall::layer).
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
        LastcallService { state: Arc::clone(&self.state), route: self.route, stack: stack(app) }
    }
}

/// An app behind a [`LastcallLayer`].
#[derive(Clone)]
pub struct LastcallService<S> {
    state: Arc<ServiceState>,
    route: RouteKind,
    stack: Stack<S>,
}

impl<S> std::fmt::Debug for LastcallService<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LastcallService").field("route", &self.route).finish_non_exhaustive()
    }
}

impl<S> LastcallService<S> {
    /// What stands behind all steps.
    fn handler(&mut self) -> &mut S {
        let CloseConnection(Measure(Origin(Identify(FindSession(Admission(Handler(handler))))))) = &mut self.stack;
        handler
    }
}

impl<S, B, R> Service<Request<B>> for LastcallService<S>
where
    S: Service<Request<Body>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.handler().poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let passed = request.extensions().get::<RequestContext>();
        let has_passed = passed.is_some_and(|passed| passed.is_of(&self.state));
        let inner = if has_passed || self.route == RouteKind::App && is_own(&self.state, &request) {
            Inner::Untouched { response: self.handler().call(request.map(Body::new)) }
        } else {
            let incoming = Incoming { state: Arc::clone(&self.state), route: self.route, request };
            Inner::Tracked { response: self.stack.call(incoming) }
        };
        ResponseFuture { inner }
    }
}

pin_project! {
    /// The response of an app behind a [`LastcallLayer`].
    pub struct ResponseFuture<F, E> {
        #[pin]
        inner: Inner<F, E>,
    }
}

pin_project! {
    #[project = Projected]
    enum Inner<F, E> {
        Tracked { #[pin] response: StackResponse<F, E> },
        Untouched { #[pin] response: F },
    }
}

impl<F, E> std::fmt::Debug for ResponseFuture<F, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<F, R, E> Future for ResponseFuture<F, E>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().inner.project() {
            Projected::Tracked { response } => response.poll(context),
            Projected::Untouched { response } => response.poll(context).map_ok(|response| response.map(Body::new)),
        }
    }
}
