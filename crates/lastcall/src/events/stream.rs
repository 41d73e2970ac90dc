//! One open event stream: what it says, in which order, and when it ends.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream::unfold;
use http_support::{ConnectionHandle, sse};
use serde::Serialize;
use session_domain::registry::PresenceKind;
use session_domain::{PodName, SessionId, Timestamp};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::metrics::OpenStream;
use crate::notice::{Broadcast, DrainNotice, cancelled_frame, millis};
use crate::presence::PresenceGuard;
use crate::running_notice::RunningNotice;
use crate::session::Session;
use crate::streams::{CloseReason, StreamState};

/// A browser waits so long before it opens a stream again that ended cleanly; each is told another time, so that
/// the streams of a pod that went do not all come back at once.
const RETRY_MS: std::ops::Range<u32> = 1_000..5_000;

/// In the last seconds of a countdown heartbeats come this often: browsers tick hidden pages once a minute, but hear
/// what a stream says, and can leave in time.
const LAST_HEARTBEATS: Duration = Duration::from_secs(1);

/// How long before the end those begin.
const LAST_SECONDS: Duration = Duration::from_secs(5);

#[derive(Serialize)]
struct Connected<'a> {
    session_id: SessionId,
    pod: &'a PodName,
    server_time: Timestamp,
    heartbeat_ms: u64,
    drain: Option<&'a DrainNotice>,
}

#[derive(Serialize)]
struct Ended {
    reason: &'static str,
    server_time: Timestamp,
}

#[derive(Serialize)]
struct StreamEnded {
    reason: &'static str,
}

#[derive(Serialize)]
struct Heartbeat {
    server_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining_ms: Option<u64>,
}

/// Opens a stream of the session. It counts as present from now until the stream is dropped.
pub(super) fn open(
    session: Session,
    open: OpenStream,
    connection: Option<ConnectionHandle>,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let state = EventStream::new(session, open, connection);
    unfold(state, |mut state| async move {
        let bytes = state.next().await?;
        Some((Ok(bytes), state))
    })
}

struct EventStream {
    session: Session,
    /// The connection that it is sent on.
    connection: Option<ConnectionHandle>,
    number: u64,
    state: watch::Receiver<StreamState>,
    broadcast: watch::Receiver<Arc<Broadcast>>,
    /// The notice whose banner the page shows now.
    shown: Option<RunningNotice>,
    logins: u32,
    next_heartbeat: Instant,
    stage: Stage,
    _presence: Option<PresenceGuard>,
    _open: OpenStream,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Opening,
    Open,
    Over,
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.session.held.streams().close(self.number);
    }
}

impl EventStream {
    fn new(session: Session, open: OpenStream, connection: Option<ConnectionHandle>) -> Self {
        let service = Arc::clone(&session.state);
        let (number, state) = session.held.streams().open(service.config.max_streams_per_session);
        let logins = state.borrow().logins;
        Self {
            number,
            state,
            broadcast: service.broadcast.subscribe(),
            shown: None,
            logins,
            next_heartbeat: Instant::now() + service.config.heartbeat_interval,
            stage: Stage::Opening,
            _presence: PresenceGuard::of(&service, &session.held, PresenceKind::EventStream),
            _open: open,
            connection,
            session,
        }
    }

    /// The next bytes; `None` once the stream is over.
    async fn next(&mut self) -> Option<Bytes> {
        if self.stage == Stage::Over {
            return None;
        }
        if self.stage == Stage::Opening {
            self.stage = Stage::Open;
            return Some(self.connected());
        }
        let closed = self.state.borrow().closed;
        if let Some(reason) = closed {
            return self.session_ended(reason);
        }
        let state = Arc::clone(&self.session.state);
        loop {
            // In this order: the end of the session must be told even where the pod ends in the same moment.
            tokio::select! {
                biased;
                _ = self.state.changed() => {
                    if let Some(bytes) = self.hear_session() {
                        return Some(bytes);
                    }
                    if self.stage == Stage::Over {
                        return None;
                    }
                }
                changed = self.broadcast.changed() => {
                    changed.ok()?;
                    if let Some(bytes) = self.hear_broadcast() {
                        return Some(bytes);
                    }
                }
                () = state.streams_end.cancelled() => return None,
                () = sleep_until(self.next_heartbeat) => return Some(self.heartbeat()),
            }
        }
    }

    fn hear_session(&mut self) -> Option<Bytes> {
        let state = *self.state.borrow_and_update();
        if let Some(reason) = state.closed {
            return self.session_ended(reason);
        }
        if state.evicted_through >= self.number {
            self.stage = Stage::Over;
            return Some(sse::encode("stream-ended", &StreamEnded { reason: "too_many_streams" }));
        }
        if state.logins != self.logins {
            self.logins = state.logins;
            return Some(self.connected());
        }
        self.hear_owner()
    }

    /// The notice of the pod that owns the session may have begun, changed, or gone.
    fn hear_owner(&mut self) -> Option<Bytes> {
        let now = self.session.state.clock.now();
        match (self.session.running_notice(), self.shown) {
            (Some(notice), Some(shown)) if notice.is_same(&shown) => None,
            (Some(notice), _) => {
                self.show(notice);
                Some(sse::encode("drain", &notice.payload(now)))
            }
            (None, Some(shown)) => {
                self.shown = None;
                Some(cancelled_frame(shown.reason, now))
            }
            (None, None) => None,
        }
    }

    fn hear_broadcast(&mut self) -> Option<Bytes> {
        let broadcast = Arc::clone(&self.broadcast.borrow_and_update());
        match &*broadcast {
            Broadcast::Running { notice, frame, .. } => {
                let running = self.session.running_notice()?;
                // Not for a session of another pod, where it is this pod alone that stops.
                let is_this = running.reason == notice.reason && running.deadline == notice.deadline;
                if !is_this || self.shown.is_some_and(|shown| shown.is_same(&running)) {
                    return None;
                }
                self.show(running);
                Some(frame.clone())
            }
            Broadcast::Cancelled { frame } if self.session.running_notice().is_none() => {
                self.shown.take().map(|_| frame.clone())
            }
            Broadcast::Cancelled { .. } | Broadcast::Quiet => None,
        }
    }

    fn show(&mut self, notice: RunningNotice) {
        self.shown = Some(notice);
        self.next_heartbeat = self.next_heartbeat.min(self.heartbeat_after(Some(&notice)));
        self.session.mark_notified(&notice);
    }

    /// The greeting, and right behind it the notice where one runs.
    fn connected(&mut self) -> Bytes {
        let state = Arc::clone(&self.session.state);
        self.broadcast.mark_unchanged();
        let running = self.session.running_notice();
        let payload = running.map(|notice| notice.payload(state.clock.now()));
        let greeting = sse::encode(
            "connected",
            &Connected {
                session_id: self.session.id(),
                pod: self.session.pod(),
                server_time: state.clock.now(),
                heartbeat_ms: millis(state.config.heartbeat_interval),
                drain: payload.as_ref(),
            },
        );
        let mut bytes = BytesMut::from(format!("retry: {}\n", fastrand::u32(RETRY_MS)).as_bytes());
        bytes.extend_from_slice(&greeting);
        self.shown = None;
        if let (Some(running), Some(payload)) = (running, payload) {
            bytes.extend_from_slice(&sse::encode("drain", &payload));
            self.next_heartbeat = self.heartbeat_after(Some(&running));
            self.show(running);
        }
        bytes.freeze()
    }

    fn session_ended(&mut self, closed: CloseReason) -> Option<Bytes> {
        self.stage = Stage::Over;
        if closed == CloseReason::Moved
            && let Some(connection) = &self.connection
        {
            // Opened again on this connection, the stream would be back here, and not where the session is.
            connection.close_when_done();
        }
        let reason = closed.reason()?;
        Some(sse::encode("session-ended", &Ended { reason, server_time: self.session.state.clock.now() }))
    }

    fn heartbeat(&mut self) -> Bytes {
        let state = &self.session.state;
        let (now, notice) = (state.clock.now(), self.session.running_notice());
        let remaining_ms = notice.map(|notice| millis(notice.deadline.since(now)));
        self.next_heartbeat = self.heartbeat_after(notice.as_ref());
        sse::encode("heartbeat", &Heartbeat { server_time: now, remaining_ms })
    }

    fn heartbeat_after(&self, notice: Option<&RunningNotice>) -> Instant {
        let state = &self.session.state;
        let pause = match notice.map(|notice| notice.deadline.since(state.clock.now())) {
            Some(left) => left.saturating_sub(LAST_SECONDS).max(LAST_HEARTBEATS),
            None => Duration::MAX,
        };
        Instant::now() + pause.min(state.config.heartbeat_interval)
    }
}
