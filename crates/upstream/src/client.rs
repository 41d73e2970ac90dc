//! Requests to the app, over connections that are kept open for a short while.
//!
//! The connections are hyper's own, `hyper::client::conn::http1`, with a pool of this crate. What was looked at instead:
//! `axum-reverse-proxy` parses WebSocket frames and writes them again, and collects bodies to repeat requests; pingora brings a server and
//! a runtime of its own; hyper-util's pooled client does not say whether a failed request went over a reused connection, which decides
//! whether it may be repeated, and boxes each request.

mod answer_body;
mod connection;
mod error;
mod pool;
mod request_body;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, Response, StatusCode, Version};

use crate::address::Address;
pub use answer_body::AnswerBody;
use answer_body::Lease;
use connection::Sender;
pub(crate) use connection::probe;
pub use error::{ErrorKind, UpstreamError};
use pool::Pool;
use request_body::{RequestBody, Upload};

/// How long connections to the app take and are kept.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// How long opening one may take.
    pub connect: Duration,
    /// How long an idle one is kept: shorter than the app keeps it.
    pub idle: Duration,
}

/// Called with each failure of the app, the one of a body included.
type OnError = dyn Fn(ErrorKind) + Send + Sync;

/// The connections to the app.
#[derive(Clone)]
pub struct Upstream(Arc<Shared>);

struct Shared {
    address: Address,
    connect_timeout: Duration,
    pool: Arc<Pool>,
    on_error: Arc<OnError>,
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream").field("address", &self.0.address).finish_non_exhaustive()
    }
}

impl Upstream {
    /// Creates the connections to the app at `address`, of which none is open yet. `on_error` is called with each failure of the app: those
    /// that [`send`](Self::send) returns, and bodies that the app cuts. Needs a Tokio runtime.
    pub fn new(address: Address, timeouts: Timeouts, on_error: impl Fn(ErrorKind) + Send + Sync + 'static) -> Self {
        let (connect_timeout, pool) = (timeouts.connect, Pool::new(timeouts.idle));
        Self(Arc::new(Shared { address, connect_timeout, pool, on_error: Arc::new(on_error) }))
    }

    /// Sends a request, whose head is as the app is to get it, and returns the answer's head with its body to come. Sets the framing.
    ///
    /// A request without a body and with an idempotent method is repeated once on a new connection, if it went over a reused one that
    /// closed without an answer. There is no time limit for the answer.
    ///
    /// # Errors
    /// Where the app gave no answer that can be passed on.
    ///
    /// # Cancel safety
    /// Dropping the future closes the connection, which tells the app that the answer is no longer wanted.
    pub async fn send(&self, request: Request<Body>) -> Result<Response<AnswerBody>, UpstreamError> {
        let sent = self.try_send(request).await;
        sent.inspect_err(|error| {
            if error.is_of_the_app() {
                (self.0.on_error)(error.kind());
            }
        })
    }

    async fn try_send(&self, request: Request<Body>) -> Result<Response<AnswerBody>, UpstreamError> {
        let (mut head, body) = request.into_parts();
        head.version = Version::HTTP_11;
        let has_body = request_body::set_framing(&mut head, &body);
        let method = head.method.clone();
        head.extensions.clear();
        let mut again = (!has_body && method.is_idempotent()).then(|| head.clone());
        let (mut request, upload) = request_body::with_upload(head, body, has_body);
        // Connections that have closed before anything was written on them cost nothing: the next one takes the request.
        while let Some(mut sender) = self.0.pool.take() {
            let mut error = match sender.try_send_request(request).await {
                Ok(answer) => return self.answer(answer, sender, upload, &method),
                Err(error) => error,
            };
            request = match (error.take_message(), error.into_error(), again) {
                (Some(unsent), _, copy) => {
                    again = copy;
                    unsent
                }
                (None, error, Some(head)) if error::is_closed_unanswered(&error) => {
                    request = Request::from_parts(head, RequestBody::empty());
                    break;
                }
                (None, error, _) => return Err(UpstreamError::of_request(error, upload.as_deref())),
            };
        }
        let mut sender = self.connect().await?;
        match sender.send_request(request).await {
            Ok(answer) => self.answer(answer, sender, upload, &method),
            Err(error) => Err(UpstreamError::of_request(error, upload.as_deref())),
        }
    }

    async fn connect(&self) -> Result<Sender, UpstreamError> {
        let opening = connection::open(&self.0.address);
        match tokio::time::timeout(self.0.connect_timeout, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(UpstreamError::ConnectTimeout(self.0.connect_timeout)),
        }
    }

    /// The answer with a body that gives the connection back at its end.
    fn answer(
        &self,
        answer: Response<hyper::body::Incoming>,
        sender: Sender,
        upload: Option<Arc<Upload>>,
        method: &Method,
    ) -> Result<Response<AnswerBody>, UpstreamError> {
        let (mut head, body) = answer.into_parts();
        let is_bodiless = *method == Method::HEAD
            || matches!(
                head.status,
                StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::SWITCHING_PROTOCOLS
            );
        answer_body::set_framing(&mut head, &body, is_bodiless)?;
        let lease = Lease::new(sender, Arc::clone(&self.0.pool), upload);
        let body = AnswerBody::new(body, lease, is_bodiless, Arc::clone(&self.0.on_error));
        Ok(Response::from_parts(head, body))
    }
}
