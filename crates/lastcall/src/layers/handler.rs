//! Hands the request to its handler with what is known of it, keeps the session present while the response is made
//! and read, and adds the cookie of a session that has started on the way, unless the response is a 503.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::Body;
use axum::response::{IntoResponse as _, Redirect, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, SET_COOKIE};
use http::request::Parts;
use http::{Method, Request, StatusCode, Version};
use http_body::Body as _;
use http_support::{ConnectionHandle, security_headers};
use pin_project_lite::pin_project;
use session_domain::registry::PresenceKind;
use tower::Service;

use super::admission::Admitted;
use super::staged_request::StagedRequest;
use crate::presence::{EventStreamAnswer, PresenceGuard};
use crate::refusal::{Reason, Refusal, close_connection};
use crate::request_context::RequestContext;
use crate::resolved_session::ResolvedSession;
use crate::scope::Base;
use crate::service_state::ServiceState;
use crate::sessions::ServedSession;
use crate::transfers::{DownloadMeter, MeteredUpload, ResponseBody, Transfer, is_worth_metering};

#[derive(Clone, Debug)]
pub(crate) struct Handler<S>(pub(super) S);

impl<S, B, R> Service<StagedRequest<B, Admitted>> for Handler<S>
where
    S: Service<Request<Body>, Response = Response<R>>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = HandlerFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: StagedRequest<B, Admitted>) -> Self::Future {
        let StagedRequest { state, facts, mut head, body, stage: Admitted(resolved), .. } = request;
        let mut body = Body::new(body);
        let after = match &resolved {
            ResolvedSession::Session(session) => {
                state.sessions.touch(session, state.clock.now());
                // The next request finds a pod that can adopt the session, where there is one.
                let leaves = matches!(session, ServedSession::Guest(_)) && !state.registry.admits_adoptions();
                let connection = leaves.then(|| head.extensions.get::<ConnectionHandle>().cloned()).flatten();
                let guard = PresenceGuard::of(&state, session, PresenceKind::Request);
                let upload = is_worth_metering(&body.size_hint()).then(|| {
                    let transfer = state.transfers.open(&state, session);
                    body = Body::new(MeteredUpload::new(std::mem::take(&mut body), &transfer));
                    let cut = Refusal::new(Reason::TransferCut, &state, &facts);
                    Upload { transfer, cut, version: facts.version }
                });
                let request = InFlight { state: Arc::clone(&state), session: session.clone(), guard, upload };
                Some(After::WithSession { request, leaves: leaves.then_some(facts.version), connection })
            }
            ResolvedSession::NoSession { .. } => None,
        };
        let context = RequestContext::new(state, facts, resolved);
        if after.is_none() && context.tab_needs_path() && is_first_page(&head) {
            return HandlerFuture::Redirected { response: Some(to_path_of_its_own()) };
        }
        let after = after.unwrap_or_else(|| After::WithoutSession { context: context.clone() });
        head.extensions.insert(context);
        HandlerFuture::Called { response: self.0.call(Request::from_parts(head, body)), after: Some(after) }
    }
}

/// What is done with the response.
pub(crate) enum After {
    /// The request has a session.
    WithSession {
        request: InFlight,
        /// The version of the request, where the connection is closed so that the next request can reach another pod.
        leaves: Option<Version>,
        connection: Option<ConnectionHandle>,
    },
    /// The request had none, and may have started one.
    WithoutSession { context: RequestContext },
}

impl After {
    /// Gives the response, or a wait for it.
    fn finish(self, mut response: Response) -> Result<Response, Pin<Box<dyn Future<Output = Response> + Send>>> {
        match self {
            Self::WithSession { request, leaves, connection } => {
                let mut response = request.until_read(response);
                // A connection that changes its protocol stays.
                if let Some(version) = leaves
                    && response.status() != StatusCode::SWITCHING_PROTOCOLS
                {
                    close_connection(&mut response, version);
                    if let Some(connection) = connection {
                        connection.close_when_done();
                    }
                }
                Ok(response)
            }
            Self::WithoutSession { context } => {
                if context.state.is_stopping() {
                    // The connection is closed so that the next request can reach another pod.
                    close_connection(&mut response, context.facts.version);
                }
                let Some((cookie, live, guard)) = context.take_started() else { return Ok(response) };
                let (state, session) = (Arc::clone(&context.state), ServedSession::Own(live));
                let request = InFlight { state, session, guard, upload: None };
                if response.status() == StatusCode::SERVICE_UNAVAILABLE {
                    return Ok(request.until_read(response));
                }
                response.headers_mut().append(SET_COOKIE, cookie);
                // Whatever the app says: a shared cache would hand this session to everybody.
                response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                let response = request.until_read(response);
                if context.state.sessions.sharing().is_none() {
                    return Ok(response);
                }
                // Other pods know the session before its cookie comes to them.
                Err(Box::pin(async move {
                    context.state.sessions.flush().await;
                    response
                }))
            }
        }
    }
}

pin_project! {
    /// The future of the handler and of what follows it.
    #[project = Projected]
    pub(crate) enum HandlerFuture<F> {
        Called { #[pin] response: F, after: Option<After> },
        Written { response: Pin<Box<dyn Future<Output = Response> + Send>> },
        Redirected { response: Option<Response> },
    }
}

impl<F, R, E> Future for HandlerFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Output = Result<Response, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match self.as_mut().project() {
                Projected::Called { response, after } => {
                    let response = ready!(response.poll(context))?.map(Body::new);
                    match after.take().map(|after| after.finish(response)) {
                        Some(Ok(response)) => return Poll::Ready(Ok(response)),
                        Some(Err(response)) => self.set(Self::Written { response }),
                        // Polled once only after its end.
                        None => return Poll::Pending,
                    }
                }
                Projected::Written { response } => return response.as_mut().poll(context).map(Ok),
                Projected::Redirected { response } => {
                    return response.take().map_or(Poll::Pending, |r| Poll::Ready(Ok(r)));
                }
            }
        }
    }
}

fn is_first_page(head: &Parts) -> bool {
    head.uri.path() == "/" && matches!(head.method, Method::GET | Method::HEAD)
}

/// Sends a new tab to the path under which its session is to live.
fn to_path_of_its_own() -> Response {
    let mut redirect = Redirect::to(Base::random().as_str()).into_response();
    redirect.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    security_headers::add(redirect.headers_mut(), security_headers::NOT_A_PAGE);
    redirect
}

/// A request of a session. It is in flight until its response was read: a download, or a stream of the app's own, holds a drain
/// open.
pub(crate) struct InFlight {
    state: Arc<ServiceState>,
    session: ServedSession,
    /// Keeps the session present.
    guard: Option<PresenceGuard>,
    /// Present if the request has a large body.
    upload: Option<Upload>,
}

/// A metered request body.
struct Upload {
    transfer: Arc<Transfer>,
    /// The response if it is cut.
    cut: Refusal,
    version: Version,
}

impl InFlight {
    fn until_read(self, response: Response) -> Response {
        let Self { state, session, guard, upload } = self;
        let (upload, response) = match upload {
            Some(Upload { transfer, cut, version }) if transfer.was_cut() => {
                let mut response = cut.into_response();
                // What is left of the body is not read.
                close_connection(&mut response, version);
                (None, response)
            }
            upload => (upload.map(|upload| upload.transfer), response),
        };
        // Our event stream counts as a stream instead.
        if response.extensions().get::<EventStreamAnswer>().is_some() || response.body().is_end_stream() {
            return response;
        }
        let is_metered = is_worth_metering(&response.body().size_hint());
        let meter = match upload {
            _ if is_event_stream(&response) => DownloadMeter::Off,
            Some(upload) => DownloadMeter::of(upload),
            None if is_metered => DownloadMeter::OnceLarge { state, session, bytes: 0 },
            None => DownloadMeter::Off,
        };
        match (&guard, &meter) {
            (None, DownloadMeter::Off) => response,
            (Some(_), _) | (None, _) => response.map(|body| Body::new(ResponseBody::new(body, guard, meter))),
        }
    }
}

/// Whether it is an event stream of the app's own, which has no end that could be waited for.
fn is_event_stream(response: &Response) -> bool {
    let media_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    media_type.is_some_and(|value| value.len() >= 17 && value[..17].eq_ignore_ascii_case(b"text/event-stream"))
}
