//! WebSockets: `GET /ws` with the events of the caller's session, [`Session::websocket`](crate::Session::websocket) for those of apps, and
//! [`Session::tunnel`](crate::Session::tunnel) for upgraded connections that an app serves or relays itself.
//!
//! One task drives each socket of the first two ([`driver`]). It writes what its [`Source`](source::Source) gives, one message after the other,
//! pings the client, and closes the socket: at the session's end, at the socket's own moment of the last seconds of a countdown, and when
//! the service stops. What a socket may use is bounded: message sizes, queues, and the time of each write.

mod app_source;
mod closing_moment;
mod connection;
mod driver;
mod event_source;
mod keep_alive;
mod open_socket;
mod session_end;
mod socket;
mod source;
mod throttle;
mod tunnel;
mod upgrade;

use axum::response::{IntoResponse as _, Response};

use crate::refusal::{Reason, Refusal};
use crate::request_context::RequestContext;
use crate::session::Session;
use app_source::AppSource;
pub(crate) use driver::CLOSE_TIMEOUT;
use event_source::EventSource;
use open_socket::OpenSocket;
pub use socket::{WebSocket, WebSocketClosed, WebSocketMessage};
pub use tunnel::TunnelGuard;
pub use upgrade::{UpgradeRejection, WebSocketUpgrade};

/// The largest message that a client may send to `/ws`, which ignores all messages, in bytes.
const MAX_IGNORED_MESSAGE_BYTES: usize = 64 * 1024;

/// How much is read at once from a client whose messages are ignored, in bytes. Each socket holds a buffer of this size.
const IGNORED_READ_BUFFER_BYTES: usize = 1024;

/// `GET /ws`: the events of the session as text messages.
pub(crate) async fn events(
    context: RequestContext,
    upgrade: Result<WebSocketUpgrade, UpgradeRejection>,
) -> Result<Response, Refusal> {
    let session = context.require_session()?;
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return Ok(rejection.into_response()),
    };
    let open = OpenSocket::new(&session).ok_or_else(|| context.refuse(Reason::TooManyStreams))?;
    let source = EventSource::new(session.clone());
    let upgrade = upgrade.max_message_size(MAX_IGNORED_MESSAGE_BYTES).read_buffer_size(IGNORED_READ_BUFFER_BYTES);
    session.publish_open_stream().await;
    Ok(driver::spawn(upgrade, session, open, source, None))
}

/// Opens a WebSocket of the app.
pub(crate) async fn open<F, R>(session: &Session, upgrade: WebSocketUpgrade, handler: F) -> Response
where
    F: FnOnce(WebSocket) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let Some(open) = OpenSocket::new(session) else {
        return session.refuse(Reason::TooManyStreams).into_response();
    };
    let (source, inbox) = AppSource::new(session.clone(), handler);
    session.publish_open_stream().await;
    driver::spawn(upgrade, session.clone(), open, source, Some(inbox))
}
