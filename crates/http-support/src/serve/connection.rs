//! One connection, from its first byte to its last.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::FutureExt as _;
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
use super::detached::{Detached, Returned};
use super::handover::{Handover, Terms};
use super::protocol::{is_http2, next_bytes};
use super::settings::ConnectionSettings;
use super::tracked_io::{TrackedBody, TrackedIo};
use crate::problem::Problem;
use crate::request_host;

/// The largest head of a request, in bytes. Larger ones are answered with 431.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// What the buffer holds beyond a head. It is filled in steps, and a head at the limit must still fit.
const SLACK_BYTES: usize = 8 * 1024;

/// How many fields a head may have. hyper's own limit of 100 would refuse heads that are much smaller than [`MAX_HEAD_BYTES`]. The memory
/// for this many is taken and given back for each head: up to this number that costs a tenth of a microsecond, beyond it some.
const MAX_FIELDS: usize = 1_600;

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

/// What the connections of a listener share.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) routes: Router,
    pub(super) stop: CancellationToken,
    pub(super) settings: ConnectionSettings,
}

/// Where serving a connection begins.
enum Beginning {
    /// It was accepted.
    Accepted,
    /// It has sent a response without hyper, over HTTP/1.1. hyper had read these bytes beyond its request.
    Returned { read_ahead: Bytes },
}

/// Serves one connection until it ends, or until the server stops and its requests are answered.
///
/// hyper serves it, but for event streams over HTTP/1.1: once they have begun, this future sends them by itself, in a fraction of the
/// memory. It is written out, because an `async` block of the same takes more than twice its size.
pub(super) struct Connection {
    listening: Arc<Listening>,
    open: OpenConnection,
    sender: Sender,
}

/// What sends responses.
enum Sender {
    /// hyper, with its buffers. Ends with the connection, or with a response that leaves it.
    Hyper(Pin<Box<dyn Future<Output = Option<Leaving>> + Send>>),
    /// This future.
    Own(Leaving),
    /// The connection has ended.
    Closed,
}

/// A response that has left hyper, and the handle of its connection.
type Leaving = (Detached, Option<ConnectionHandle>);

impl Connection {
    /// A connection that was accepted.
    pub(super) fn new(stream: TcpStream, peer: SocketAddr, listening: &Arc<Listening>, open: OpenConnection) -> Self {
        listening.settings.apply_to(&stream);
        let sender = Sender::by_hyper(stream, Some(peer), listening, &open, Beginning::Accepted);
        Self { listening: Arc::clone(listening), open, sender }
    }

    /// What follows after the last event of a stream.
    fn after_stream(&self, detached: Detached, handle: Option<ConnectionHandle>) -> Sender {
        let Listening { stop, settings, .. } = &*self.listening;
        let is_closing = stop.is_cancelled()
            || settings.close_after_answer.is_on()
            || handle.is_some_and(|ConnectionHandle(close)| close.is_cancelled());
        match detached.finish(is_closing) {
            Some(Returned { stream, read_ahead }) => {
                let beginning = Beginning::Returned { read_ahead };
                Sender::by_hyper(stream, None, &self.listening, &self.open, beginning)
            }
            None => Sender::Closed,
        }
    }
}

impl Sender {
    fn by_hyper(
        stream: TcpStream,
        peer: Option<SocketAddr>,
        listening: &Arc<Listening>,
        open: &OpenConnection,
        beginning: Beginning,
    ) -> Self {
        Self::Hyper(Box::pin(serve(stream, peer, Arc::clone(listening), Arc::clone(&open.activity), beginning)))
    }
}

impl Future for Connection {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let next = match &mut self.sender {
                Sender::Hyper(serving) => match ready!(serving.as_mut().poll(context)) {
                    Some(leaving) => Sender::Own(leaving),
                    None => Sender::Closed,
                },
                Sender::Own((detached, _)) => {
                    let is_complete = ready!(detached.poll_sent(context));
                    match std::mem::replace(&mut self.sender, Sender::Closed) {
                        Sender::Own((detached, handle)) if is_complete => self.after_stream(detached, handle),
                        Sender::Own(_) | Sender::Hyper(_) | Sender::Closed => Sender::Closed,
                    }
                }
                Sender::Closed => return Poll::Ready(()),
            };
            self.sender = next;
        }
    }
}

/// Serves a connection by hyper, within its time limits, until it ends or a response leaves hyper.
async fn serve(
    stream: TcpStream,
    peer: Option<SocketAddr>,
    listening: Arc<Listening>,
    activity: Arc<Activity>,
    beginning: Beginning,
) -> Option<Leaving> {
    let close = listening.stop.child_token();
    let settings = &listening.settings;
    let peer = if settings.has_peer_address { Some(peer.map_or_else(|| stream.peer_addr(), Ok).ok()?) } else { None };
    let handle = settings.has_handle.then(|| ConnectionHandle(close.clone()));
    let connection = by_hyper(stream, (peer, handle.clone()), &listening, close.clone(), &activity, beginning);
    let detached = activity.watch(connection, settings.keep_alive, &close).await??;
    Some((detached, handle))
}

/// Answers requests until the client closes, until `close` is cancelled and the requests in flight are answered, or until a response
/// leaves hyper. `close` is a child of the server's token.
async fn by_hyper(
    stream: TcpStream,
    extensions: (Option<SocketAddr>, Option<ConnectionHandle>),
    listening: &Listening,
    close: CancellationToken,
    activity: &Arc<Activity>,
    beginning: Beginning,
) -> Option<Detached> {
    let Listening { routes, stop, settings } = listening;
    let first_bytes = match &beginning {
        Beginning::Accepted => {
            let first_bytes_are_late = async {
                close.cancelled().await;
                if stop.is_cancelled() {
                    sleep(FIRST_REQUEST_TIME).await;
                }
            };
            tokio::select! {
                first_bytes = is_http2(&stream, activity) => first_bytes,
                () = first_bytes_are_late => return None,
            }
        }
        Beginning::Returned { read_ahead } if read_ahead.is_empty() => tokio::select! {
            biased;
            // hyper's memory is taken for a request only.
            next_bytes = next_bytes(&stream) => next_bytes.map(|()| false),
            () = close.cancelled() => return None,
        },
        Beginning::Returned { .. } => Ok(false),
    };
    let http2 = match first_bytes {
        Ok(http2) => http2,
        Err(error) => {
            debug!(error = &error as &dyn std::error::Error, "a connection broke before its request");
            return None;
        }
    };
    let read_ahead = match beginning {
        Beginning::Accepted => Bytes::new(),
        Beginning::Returned { read_ahead } => read_ahead,
    };
    if http2 {
        activity.reset();
    }
    // In HTTP/2, bytes also arrive between requests, and do not begin a head.
    let http1_activity = (!http2).then(|| Arc::clone(activity));
    let handover = (!http2).then(Arc::<Handover>::default);
    let io = TokioIo::new(TrackedIo::new(stream, read_ahead, http1_activity.clone().zip(handover.clone())));
    let closer = ConnectionCloser::new(settings.close_after_answer.clone(), close.clone());
    let (routes, serving, leaving) = (routes.clone(), Arc::clone(activity), handover.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let serving = serving.serve();
        let (routes, extensions, activity) = (routes.clone(), extensions.clone(), http1_activity.clone());
        let (closer, version) = (closer.clone(), request.version());
        let leaving = leaving.clone().map(|handover| (handover, Terms::of(&request)));
        let request = request.map(|body| CompactBody::new(body, activity));
        async move {
            let mut response = answer(routes, extensions, request).await;
            closer.answer(&mut response, version);
            if let Some((handover, terms)) = leaving {
                handover.ask(&mut response, terms);
            }
            // The connection that it was sent on belongs to another protocol then.
            let closer = (response.status() != StatusCode::SWITCHING_PROTOCOLS).then_some(closer);
            Ok::<_, std::convert::Infallible>(response.map(|body| TrackedBody::new(body, serving, closer)))
        }
    });
    let result = if let Some(handover) = handover {
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // It would also run between requests: the connection's activity has time limits for both.
            .header_read_timeout(None)
            .max_buf_size(MAX_HEAD_BYTES + SLACK_BYTES)
            .max_headers(MAX_FIELDS)
            .serve_connection(io, service)
            .with_upgrades();
        let mut closed = pin!(close.cancelled());
        let mut is_closing = false;
        let end = poll_fn(|context| {
            loop {
                // Before it is closed: hyper closes a connection of which it has read nothing, and the first request is there.
                if let Poll::Ready(result) = connection.poll_unpin(context) {
                    return Poll::Ready(Err(result));
                }
                if let Some(left) = handover.take() {
                    return Poll::Ready(Ok(left));
                }
                if is_closing {
                    return Poll::Pending;
                }
                ready!(closed.as_mut().poll(context));
                is_closing = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
        });
        match end.await {
            Err(result) => result,
            Ok(left) => {
                // Before hyper drops what is left of the response.
                let serving = activity.keep_serving();
                let parts = connection.into_parts()?;
                let stream = parts.io.into_inner().into_stream();
                return Some(Detached::new(stream, left, &parts.read_buf, serving));
            }
        }
    } else {
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
    };
    if let Err(error) = result {
        debug!(error = &error as &dyn std::error::Error, "a connection ended early");
    }
    None
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
