//! One connection, from its first byte to its last.

use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing::debug;

use crate::trusted::Peer;

/// A request's head may have so many bytes; above that it is answered with 431.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// What the buffer holds beyond a head: it is filled in steps, and a head of just the limit must still fit.
const SLACK_BYTES: usize = 8 * 1024;

/// A client has so long to send a request's head, byte by byte if it likes.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// What HTTP/2 clients say first (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What is set on every connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// A peer that acknowledges nothing for so long is gone: asleep, or out of reach.
    gone_after: Duration,
    /// Whether requests carry the address that they come from.
    tells_peer: bool,
}

impl Settings {
    pub(crate) fn new(heartbeat: Duration) -> Self {
        Self { gone_after: (heartbeat * 2).clamp(Duration::from_secs(5), Duration::from_secs(60)), tells_peer: false }
    }

    /// The same, with requests that carry the address that they come from, or not.
    pub(crate) const fn telling_peers(self, tells_peer: bool) -> Self {
        Self { tells_peer, ..self }
    }
}

/// Serves one connection until it ends, or until `stop` is cancelled and it has finished what it was at.
pub(super) async fn run(stream: TcpStream, peer: IpAddr, routes: Router, stop: CancellationToken, settings: Settings) {
    tune(&stream, settings);
    let Some(first) = stop.run_until_cancelled(timeout(HEAD_TIMEOUT, speaks_http2(&stream))).await else { return };
    let http2 = match first {
        Ok(Ok(http2)) => http2,
        Ok(Err(error)) => return debug!(%error, "a connection broke before its first request"),
        Err(_) => return debug!("a connection sent nothing in time"),
    };
    let service = service_fn(move |mut request: Request<Incoming>| {
        if settings.tells_peer {
            request.extensions_mut().insert(Peer(peer));
        }
        let routes = routes.clone();
        async move {
            if head_bytes(&request) > MAX_HEAD_BYTES {
                let mut refusal = Response::new(Body::from("The request's head is larger than 32 KiB.\n"));
                *refusal.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
                return Ok(refusal);
            }
            routes.oneshot(request.map(Body::new)).await
        }
    });
    let io = TokioIo::new(stream);
    let result = if http2 {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(MAX_HEAD_BYTES as u32)
            .keep_alive_interval(settings.gone_after)
            .keep_alive_timeout(settings.gone_after)
            .serve_connection(io, service);
        let mut connection = pin!(connection);
        tokio::select! {
            result = connection.as_mut() => result,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    } else {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_HEAD_BYTES + SLACK_BYTES)
            .serve_connection(io, service)
            .with_upgrades();
        let mut connection = pin!(connection);
        tokio::select! {
            result = connection.as_mut() => result,
            () = stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    if let Err(error) = result {
        debug!(%error, "a connection ended early");
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
async fn speaks_http2(stream: &TcpStream) -> io::Result<bool> {
    let mut bytes = [0; PREFACE.len()];
    loop {
        let seen = stream.peek(&mut bytes).await?;
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
fn tune(stream: &TcpStream, settings: Settings) {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new().with_time(settings.gone_after).with_interval(settings.gone_after / 3);
    let tuned = socket.set_tcp_nodelay(true).and_then(|()| socket.set_tcp_keepalive(&keepalive));
    #[cfg(target_os = "linux")]
    let tuned = tuned.and_then(|()| socket.set_tcp_user_timeout(Some(settings.gone_after)));
    if let Err(error) = tuned {
        debug!(%error, "a connection's socket could not be tuned");
    }
}
