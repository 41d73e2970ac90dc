//! One connection, from its first byte to its last.

use std::io;
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
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing::debug;

use super::activity::Activity;
use super::compact_body::CompactBody;
use super::connections::OpenConnection;
use super::tracked_io::{TrackedBody, TrackedIo};
use crate::problem::Problem;
use crate::request_host;

/// A request's head may have so many bytes; above that it is answered with 431.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// What the buffer holds beyond a head: it is filled in steps, and a head of just the limit must still fit.
const SLACK_BYTES: usize = 8 * 1024;

/// Requests that an HTTP/2 connection may have open.
const MAX_CONCURRENT_STREAMS: u32 = 200;

/// What an HTTP/2 client may send of one body before it is read. Each of its frames costs memory of its own, so that a
/// large window would hold many times what was sent.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;

/// The same for all bodies of a connection.
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;

/// What HTTP/2 clients say first (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long an idle connection is kept unless told otherwise: longer than the pools of proxies.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// What is set on every connection.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionSettings {
    /// A peer that acknowledges nothing for so long is gone: asleep, or out of reach.
    gone_after: Duration,
    /// How long an idle connection is kept.
    keep_alive: Duration,
    /// Whether requests carry the address that they come from.
    tells_peer: bool,
    /// Whether requests carry a handle on their connection.
    tells_connection: bool,
}

/// A handle on the connection that a request came in on.
#[derive(Clone, Debug)]
pub struct ConnectionHandle(CancellationToken);

impl ConnectionHandle {
    /// Lets the connection finish what it is at, and take no further request: HTTP/1.1 closes after the answers that are
    /// under way, HTTP/2 says so at once (GOAWAY). The client's next request comes on a connection of its own, at another pod
    /// where there is one.
    pub fn close_when_done(&self) {
        self.0.cancel();
    }
}

impl ConnectionSettings {
    /// The settings of a service that sends a heartbeat so often on its event streams.
    pub fn new(heartbeat: Duration) -> Self {
        let gone_after = (heartbeat * 2).clamp(Duration::from_secs(5), Duration::from_secs(60));
        Self { gone_after, keep_alive: KEEP_ALIVE, tells_peer: false, tells_connection: false }
    }

    /// The same, with idle connections that are kept for so long.
    #[must_use]
    pub const fn with_keep_alive(self, keep_alive: Duration) -> Self {
        Self { keep_alive, ..self }
    }

    /// The same, with requests that carry the address that they come from ([`ConnectInfo`]), or not.
    #[must_use]
    pub const fn with_peer_address(self, tells_peer: bool) -> Self {
        Self { tells_peer, ..self }
    }

    /// The same, with requests that carry a [`ConnectionHandle`], or not.
    #[must_use]
    pub const fn with_connection_handle(self, tells_connection: bool) -> Self {
        Self { tells_connection, ..self }
    }
}

/// Serves one connection until it ends, or until `stop` is cancelled and it has finished what it was at.
pub(super) async fn run(
    stream: TcpStream,
    peer: SocketAddr,
    routes: Router,
    stop: CancellationToken,
    settings: ConnectionSettings,
    open: OpenConnection,
) {
    tune(&stream, settings);
    let close = stop.child_token();
    let peer = settings.tells_peer.then_some(peer);
    let handle = settings.tells_connection.then(|| ConnectionHandle(close.clone()));
    let conversation = converse(stream, (peer, handle), routes, close.clone(), settings, Arc::clone(&open.activity));
    // Boxed, so that what is watched costs its own size once.
    open.activity.watch(Box::pin(conversation), settings.keep_alive, &close).await;
}

/// Answers requests until the client closes, or until `close` is cancelled and those in flight are answered.
async fn converse(
    stream: TcpStream,
    told: (Option<SocketAddr>, Option<ConnectionHandle>),
    routes: Router,
    close: CancellationToken,
    settings: ConnectionSettings,
    activity: Arc<Activity>,
) {
    let http2 = match close.run_until_cancelled(speaks_http2(&stream, &activity)).await {
        Some(Ok(http2)) => http2,
        Some(Err(error)) => return debug!(%error, "a connection broke before its first request"),
        None => return,
    };
    if http2 {
        activity.reset();
    }
    // In HTTP/2 bytes come between requests as well: they are not the beginning of a head.
    let io = TokioIo::new(TrackedIo::new(stream, (!http2).then(|| Arc::clone(&activity))));
    let service = service_fn(move |request: Request<Incoming>| {
        let serving = activity.serve();
        let (routes, told) = (routes.clone(), told.clone());
        async move {
            let response = answer(routes, told, request).await;
            Ok::<_, std::convert::Infallible>(response.map(|body| TrackedBody::new(body, serving)))
        }
    });
    let result = if http2 {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(MAX_HEAD_BYTES as u32)
            .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .keep_alive_interval(settings.gone_after)
            .keep_alive_timeout(settings.gone_after)
            .serve_connection(io, service);
        // Boxed, so that a connection of HTTP/1.1 does not pay for its size.
        let mut connection = Box::pin(connection);
        tokio::select! {
            result = connection.as_mut() => result,
            () = close.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    } else {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // It would run between requests, too: the connection's activity has time limits for both.
            .header_read_timeout(None)
            .max_buf_size(MAX_HEAD_BYTES + SLACK_BYTES)
            .serve_connection(io, service)
            .with_upgrades();
        let mut connection = pin!(connection);
        tokio::select! {
            result = connection.as_mut() => result,
            () = close.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    if let Err(error) = result {
        debug!(%error, "a connection ended early");
    }
}

/// The routes' answer, or what is wrong with the request as such.
async fn answer(
    routes: Router,
    (peer, handle): (Option<SocketAddr>, Option<ConnectionHandle>),
    mut request: Request<Incoming>,
) -> Response {
    if head_bytes(&request) > MAX_HEAD_BYTES {
        let detail = "The request's head is larger than 32 KiB.";
        return Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The head is too large", detail)
            .into_response();
    }
    if let Err(error) = request_host::check(&request) {
        let mut refusal = Problem::new(StatusCode::BAD_REQUEST, "No clear host", error.to_string()).into_response();
        if request.version() <= Version::HTTP_11 {
            // What follows on this connection may belong to somebody else's request.
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
    match routes.oneshot(request.map(|body| Body::new(CompactBody(body)))).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The size of a head as HTTP/1.1 writes it, its first line apart from the target left out.
fn head_bytes(request: &Request<Incoming>) -> usize {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let fields = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    target + fields.sum::<usize>()
}

/// Looks at the first bytes without taking them. Choosing the protocol here instead of by hyper-util's detection
/// halves the memory of an open event stream: no second buffer, no state for both protocols.
async fn speaks_http2(stream: &TcpStream, activity: &Activity) -> io::Result<bool> {
    let mut bytes = [0; PREFACE.len()];
    loop {
        let seen = stream.peek(&mut bytes).await?;
        if seen > 0 {
            activity.received();
        }
        if seen == 0 || !PREFACE.starts_with(&bytes[..seen]) {
            return Ok(false);
        }
        if seen == PREFACE.len() {
            return Ok(true);
        }
        // Peeking does not wait for more than it has shown before.
        sleep(Duration::from_millis(10)).await;
    }
}

/// Makes a sleeping laptop show: heartbeats that nobody acknowledges end the connection, not a buffer's end.
fn tune(stream: &TcpStream, settings: ConnectionSettings) {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(settings.gone_after).with_interval(settings.gone_after / 3);
    let tuned = socket.set_tcp_nodelay(true).and_then(|()| socket.set_tcp_keepalive(&keepalive));
    #[cfg(target_os = "linux")]
    let tuned = tuned.and_then(|()| socket.set_tcp_user_timeout(Some(settings.gone_after)));
    if let Err(error) = tuned {
        debug!(%error, "a connection's socket could not be tuned");
    }
}
