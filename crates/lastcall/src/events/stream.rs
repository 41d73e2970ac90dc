//! One open event stream: sends the events of its session as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream::unfold;
use http_support::ConnectionHandle;
use session_domain::registry::PresenceKind;

use super::feed::{EventFeed, FeedEnd, Next};
use super::server_event::ServerEvent;
use crate::encoded_event::EventEncoding;
use crate::event_streams::{CloseReason, StreamKind};
use crate::metrics::OpenStream;
use crate::presence::PresenceGuard;
use crate::session::Session;

/// How long a browser waits before it reopens a stream that ended cleanly. Each client gets a different time, so that the streams of
/// a pod that stopped do not all come back at once.
const RETRY_MS: std::ops::Range<u32> = 1_000..5_000;

/// Opens a stream of the session. It counts as present from now until the stream is dropped.
pub(super) fn open(
    session: Session,
    open: OpenStream,
    connection: Option<ConnectionHandle>,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let service = Arc::clone(&session.state);
    let presence = PresenceGuard::of(&service, &session.served, PresenceKind::EventStream);
    let feed = EventFeed::new(session, StreamKind::EventStream);
    let stream = EventStream { feed, connection, _presence: presence, _open: open };
    unfold(stream, |mut stream| async move {
        let bytes = stream.next().await?;
        Some((Ok(bytes), stream))
    })
}

struct EventStream {
    feed: EventFeed,
    /// The connection that it is sent on.
    connection: Option<ConnectionHandle>,
    _presence: Option<PresenceGuard>,
    _open: OpenStream,
}

impl EventStream {
    /// The next bytes; `None` once the stream is over.
    async fn next(&mut self) -> Option<Bytes> {
        match self.feed.next().await {
            Next::Event(event) => Some(server_sent(&event)),
            Next::End(FeedEnd::Session(CloseReason::Moved) | FeedEnd::Moves) => {
                if let Some(connection) = &self.connection {
                    // Reopened on this connection, the stream would come back here, and not to the session's pod.
                    connection.close_when_done();
                }
                None
            }
            Next::End(FeedEnd::Session(_) | FeedEnd::Evicted | FeedEnd::ServiceStops) => None,
        }
    }
}

fn server_sent(event: &ServerEvent) -> Bytes {
    let encoded = event.encode(EventEncoding::ServerSent);
    if !matches!(event, ServerEvent::Connected(_)) {
        return encoded;
    }
    let mut bytes = BytesMut::from(format!("retry: {}\n", fastrand::u32(RETRY_MS)).as_bytes());
    bytes.extend_from_slice(&encoded);
    bytes.freeze()
}
