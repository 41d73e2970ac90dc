//! One connection, from its first byte to its last.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse as _, Response};
use http::header::{CONNECTION, HeaderValue};
use http::{Request, StatusCode, Version};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing::debug;

use super::activity::Activity;
use super::close_after_answer::ConnectionCloser;
use super::compact_body::CompactBody;
use super::connections::OpenConnection;
use super::protocol::is_http2;
use super::settings::ConnectionSettings;
use super::tracked_io::{TrackedBody, TrackedIo};
use crate::problem::Problem;
use crate::request_host;

/// The largest head of a request, in bytes. Larger ones are answered with 431.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// What the buffer holds beyond a head. It is filled in steps, and a head at the limit must still fit.
const SLACK_BYTES: usize = 8 * 1024;

/// How many fields a head may have. hyper's own limit of 100 would refuse heads that are much smaller than [`MAX_HEAD_BYTES`]. hyper fills and
/// gives back memory for this many with each head: 1,600 took a tenth of the time of a request to an app.
const MAX_FIELDS: usize = 512;

/// How many bytes HTTP/2 counts for each field beyond its name and value (RFC 9113, 6.5.2). The same head is to fit in either protocol, as
/// long as it has no more than 256 fields.
const HTTP2_FIELDS_BYTES: usize = 32 * 256;

/// How many requests an HTTP/2 connection may have open.
const MAX_CONCURRENT_STREAMS: u32 = 200;

/// How much an HTTP/2 client may send of one body before it is read, in bytes. Each frame has its own buffer, so that a large
/// window could cost many times what was sent.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;

/// How much an HTTP/2 client may send of all bodies before they are read, in bytes.
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;

/// How long a connection without a request yet may take to send its first one once the server stops. A proxy that has just connected is
/// about to send it, and would take the end of the connection for a failure of the pod.
const FIRST_REQUEST_TIME: Duration = Duration::from_millis(300);

/// A handle of the connection that a request came on.
#[derive(Clone, Debug)]
pub struct ConnectionHandle(CancellationToken);

impl ConnectionHandle {
    /// Closes the connection after the responses in progress: HTTP/1.1 accepts no further request, and HTTP/2 sends GOAWAY at
    /// once. The client's next request comes on a new connection, to another pod if there is one.
    pub fn close_when_done(&self) {
        self.0.cancel();
    }
}

/// Serves one connection until it ends, or until `stop` is cancelled and its requests are answered.
pub(super) async fn run(
    stream: TcpStream,
    peer: SocketAddr,
    routes: Router,
    stop: CancellationToken,
    settings: ConnectionSettings,
    open: OpenConnection,
) {
    settings.apply_to(&stream);
    let close = stop.child_token();
    let peer = settings.has_peer_address.then_some(peer);
    let handle = settings.has_handle.then(|| ConnectionHandle(close.clone()));
    let keep_alive = settings.keep_alive;
    let tokens = (stop, close.clone());
    let connection = serve(stream, (peer, handle), routes, tokens, settings, Arc::clone(&open.activity));
    // Boxed, so that its size is allocated once.
    open.activity.watch(Box::pin(connection), keep_alive, &close).await;
}

/// Answers requests until the client closes, or until `close` is cancelled and the requests in flight are answered. `stop` is the
/// server's, of which `close` is a child.
async fn serve(
    stream: TcpStream,
    extensions: (Option<SocketAddr>, Option<ConnectionHandle>),
    routes: Router,
    (stop, close): (CancellationToken, CancellationToken),
    settings: ConnectionSettings,
    activity: Arc<Activity>,
) {
    let first_bytes_are_late = async {
        close.cancelled().await;
        if stop.is_cancelled() {
            sleep(FIRST_REQUEST_TIME).await;
        }
    };
    let first_bytes = tokio::select! {
        first_bytes = is_http2(&stream, &activity) => Some(first_bytes),
        () = first_bytes_are_late => None,
    };
    let http2 = match first_bytes {
        Some(Ok(http2)) => http2,
        Some(Err(error)) => {
            return debug!(error = &error as &dyn std::error::Error, "a connection broke before its first request");
        }
        None => return,
    };
    if http2 {
        activity.reset();
    }
    // In HTTP/2, bytes also arrive between requests, and do not begin a head.
    let http1_activity = (!http2).then(|| Arc::clone(&activity));
    let io = TokioIo::new(TrackedIo::new(stream, http1_activity.clone()));
    let closer = ConnectionCloser::new(settings.close_after_answer, close.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let serving = activity.serve();
        let (routes, extensions, activity) = (routes.clone(), extensions.clone(), http1_activity.clone());
        let (closer, version) = (closer.clone(), request.version());
        let request = request.map(|body| CompactBody::new(body, activity));
        async move {
            let mut response = answer(routes, extensions, request).await;
            closer.answer(&mut response, version);
            // The connection that it was sent on belongs to another protocol then.
            let closer = (response.status() != StatusCode::SWITCHING_PROTOCOLS).then_some(closer);
            Ok::<_, std::convert::Infallible>(response.map(|body| TrackedBody::new(body, serving, closer)))
        }
    });
    let result = if http2 {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size((MAX_HEAD_BYTES + HTTP2_FIELDS_BYTES) as u32)
            .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .keep_alive_interval(settings.dead_after)
            .keep_alive_timeout(settings.dead_after)
            .serve_connection(io, service);
        // Boxed, so that a connection of HTTP/1.1 does not pay for its size.
        let mut connection = Box::pin(connection);
        tokio::select! {
            biased;
            result = connection.as_mut() => result,
            () = close.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    } else {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // It would also run between requests: the connection's activity has time limits for both.
            .header_read_timeout(None)
            .max_buf_size(MAX_HEAD_BYTES + SLACK_BYTES)
            .max_headers(MAX_FIELDS)
            .serve_connection(io, service)
            .with_upgrades();
        let mut connection = pin!(connection);
        tokio::select! {
            // hyper closes a connection of which it has read nothing, and the first request is there.
            biased;
            result = connection.as_mut() => result,
            () = close.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    if let Err(error) = result {
        debug!(error = &error as &dyn std::error::Error, "a connection ended early");
    }
}

/// The response of the routes, or the problem with the request's head.
async fn answer(
    routes: Router,
    (peer, handle): (Option<SocketAddr>, Option<ConnectionHandle>),
    mut request: Request<CompactBody>,
) -> Response {
    if head_bytes(&request) > MAX_HEAD_BYTES {
        let detail = "The request's head is larger than 32 KiB.";
        return Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The head is too large", detail)
            .into_response();
    }
    if let Err(error) = request_host::check(&request) {
        let mut refusal = Problem::new(StatusCode::BAD_REQUEST, "No clear host", error.to_string()).into_response();
        if request.version() <= Version::HTTP_11 {
            // The following bytes may belong to another client's request.
            refusal.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        return refusal;
    }
    if let Some(peer) = peer {
        request.extensions_mut().insert(ConnectInfo(peer));
    }
    if let Some(handle) = handle {
        request.extensions_mut().insert(handle);
    }
    match routes.oneshot(request.map(Body::new)).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The size of a head in HTTP/1.1, in bytes. Of the first line only the target counts.
fn head_bytes<B>(request: &Request<B>) -> usize {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    target + fields.sum::<usize>()
}
