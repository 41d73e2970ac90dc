//! One open event stream: which events it sends, in which order, and when it ends.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use futures_util::stream::unfold;
use http_support::{ConnectionHandle, sse};
use session_domain::registry::PresenceKind;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::payload::{Connected, Heartbeat, SessionEnded, StreamEnded};
use crate::clock::millis;
use crate::event_streams::{CloseReason, StreamState};
use crate::metrics::OpenStream;
use crate::notice::{Broadcast, cancelled_frame};
use crate::presence::PresenceGuard;
use crate::running_notice::RunningNotice;
use crate::session::Session;

/// How long a browser waits before it reopens a stream that ended cleanly. Each client gets a different time, so that the streams of
/// a pod that stopped do not all come back at once.
const RETRY_MS: std::ops::Range<u32> = 1_000..5_000;

/// The heartbeat interval in the last seconds of a countdown. Browsers run the timers of hidden pages once a minute, but deliver events
/// of a stream at once, so that the page can sign out in time.
const FINAL_HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// How long before the end of a countdown that interval begins.
const FINAL_PHASE: Duration = Duration::from_secs(5);

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
    /// The notice whose banner the page shows.
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
    Ended,
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.session.served.streams().record_closed(self.number);
    }
}

impl EventStream {
    fn new(session: Session, open: OpenStream, connection: Option<ConnectionHandle>) -> Self {
        let service = Arc::clone(&session.state);
        let (number, state) = session.served.streams().open(service.config.max_streams_per_session);
        let logins = state.borrow().logins;
        Self {
            number,
            state,
            broadcast: service.broadcast.subscribe(),
            shown: None,
            logins,
            next_heartbeat: Instant::now() + service.config.heartbeat_interval,
            stage: Stage::Opening,
            _presence: PresenceGuard::of(&service, &session.served, PresenceKind::EventStream),
            _open: open,
            connection,
            session,
        }
    }

    /// The next bytes; `None` once the stream is over.
    async fn next(&mut self) -> Option<Bytes> {
        if self.stage == Stage::Ended {
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
            // In this order: `session-ended` is sent even where the pod stops in the same moment.
            tokio::select! {
                biased;
                _ = self.state.changed() => {
                    if let Some(bytes) = self.on_session_change() {
                        return Some(bytes);
                    }
                    if self.stage == Stage::Ended {
                        return None;
                    }
                }
                changed = self.broadcast.changed() => {
                    changed.ok()?;
                    if let Some(bytes) = self.on_broadcast() {
                        return Some(bytes);
                    }
                }
                () = state.streams_end.cancelled() => return None,
                () = sleep_until(self.next_heartbeat) => return Some(self.heartbeat()),
            }
        }
    }

    fn on_session_change(&mut self) -> Option<Bytes> {
        let state = *self.state.borrow_and_update();
        if let Some(reason) = state.closed {
            return self.session_ended(reason);
        }
        if state.evicted_through >= self.number {
            self.stage = Stage::Ended;
            return Some(sse::encode("stream-ended", &StreamEnded { reason: "too_many_streams" }));
        }
        if state.logins != self.logins {
            self.logins = state.logins;
            return Some(self.connected());
        }
        self.on_own_terms()
    }

    /// Shows the notice where it has begun or changed for this session alone, and hides it where it has ended: the session is a guest,
    /// or it became protected or ceased to be.
    fn on_own_terms(&mut self) -> Option<Bytes> {
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

    fn on_broadcast(&mut self) -> Option<Bytes> {
        let broadcast = Arc::clone(&self.broadcast.borrow_and_update());
        match &*broadcast {
            Broadcast::Running { notice, frame, .. } => {
                let running = self.session.running_notice()?;
                // Not for a session of another pod while only this pod stops.
                if !running.is_of(notice) || self.shown.is_some_and(|shown| shown.is_same(&running)) {
                    return None;
                }
                self.show(running);
                if running.protected.is_some() {
                    return Some(sse::encode("drain", &running.payload(self.session.state.clock.now())));
                }
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

    /// The `connected` event, followed by `drain` where a notice runs.
    fn connected(&mut self) -> Bytes {
        let state = Arc::clone(&self.session.state);
        self.broadcast.mark_unchanged();
        let running = self.session.running_notice();
        let payload = running.map(|notice| notice.payload(state.clock.now()));
        let connected = sse::encode(
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
        bytes.extend_from_slice(&connected);
        self.shown = None;
        if let (Some(running), Some(payload)) = (running, payload) {
            bytes.extend_from_slice(&sse::encode("drain", &payload));
            self.next_heartbeat = self.heartbeat_after(Some(&running));
            self.show(running);
        }
        bytes.freeze()
    }

    fn session_ended(&mut self, closed: CloseReason) -> Option<Bytes> {
        self.stage = Stage::Ended;
        if closed == CloseReason::Moved
            && let Some(connection) = &self.connection
        {
            // Reopened on this connection, the stream would come back here, and not to the session's pod.
            connection.close_when_done();
        }
        let reason = closed.reason()?;
        Some(sse::encode("session-ended", &SessionEnded { reason, server_time: self.session.state.clock.now() }))
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
            Some(left) => left.saturating_sub(FINAL_PHASE).max(FINAL_HEARTBEAT_INTERVAL),
            None => Duration::MAX,
        };
        Instant::now() + pause.min(state.config.heartbeat_interval)
    }
}
