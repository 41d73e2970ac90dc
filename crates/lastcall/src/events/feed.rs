//! The events of one session, for one of its event streams or WebSockets: which event comes when, and when the last one has come.
//! Knows nothing of how they are encoded and sent.

mod asking;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::server_event::{Connected, Heartbeat, ServerEvent, SessionEnded, StreamEnded};
use crate::clock::millis;
use crate::event_streams::{CloseReason, StreamKind, StreamState};
use crate::handoff::{ASK_INTERVAL, Opening};
use crate::notice::{Broadcast, DrainCancelled};
use crate::running_notice::RunningNotice;
use crate::session::Session;

/// The heartbeat interval in the last seconds of a countdown. Browsers run the timers of hidden pages once a minute, but deliver events
/// of a stream at once, so that the page can sign out in time.
const FINAL_HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// How long before the end of a countdown that interval begins.
const FINAL_PHASE: Duration = Duration::from_secs(5);

/// What a feed gives.
#[derive(Debug)]
pub(crate) enum Next {
    /// The next event.
    Event(ServerEvent),
    /// No event follows. Given again whenever it is asked.
    End(FeedEnd),
}

/// Why a feed has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FeedEnd {
    /// The session is closed here.
    Session(CloseReason),
    /// The session has opened too many of this kind since.
    Evicted,
    /// The client is to open it again, at another pod.
    Moves,
    /// The service stops.
    ServiceStops,
}

/// The events of one session.
pub(crate) struct EventFeed {
    session: Session,
    kind: StreamKind,
    number: u64,
    state: watch::Receiver<StreamState>,
    broadcast: watch::Receiver<Arc<Broadcast>>,
    /// The notice whose banner the client shows.
    shown: Option<RunningNotice>,
    logins: u32,
    asks: u32,
    /// When the client is asked again to move to another pod.
    next_ask: Option<Instant>,
    /// Whether it was opened here again too soon after the ask.
    ends_at_once: bool,
    next_heartbeat: Instant,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// `connected` comes next.
    Opening,
    /// `drain` follows `connected` where a notice runs.
    Connected,
    Open,
    /// `move` comes next, and then the end: the client is to open it again, at another pod.
    Leaving,
    Ended(FeedEnd),
}

impl Drop for EventFeed {
    fn drop(&mut self) {
        self.session.served.streams().record_closed(self.kind, self.number);
    }
}

impl EventFeed {
    /// Begins with `connected`. The feed counts as an open stream of its kind until it is dropped.
    pub(crate) fn new(session: Session, kind: StreamKind) -> Self {
        let service = Arc::clone(&session.state);
        let (number, state) = session.served.streams().open(kind, service.config.max_streams_per_session);
        let StreamState { logins, asks, .. } = *state.borrow();
        // A WebSocket that is opened after its session was asked stays.
        let opening = match kind {
            StreamKind::EventStream => service.opening(&session.served),
            StreamKind::WebSocket | StreamKind::Tunnel => Opening::Ordinary,
        };
        Self {
            number,
            asks,
            next_ask: (opening == Opening::AskedAgain).then(|| Instant::now() + ASK_INTERVAL),
            kind,
            state,
            broadcast: service.broadcast.subscribe(),
            shown: None,
            logins,
            next_heartbeat: Instant::now() + service.config.heartbeat_interval,
            ends_at_once: opening == Opening::Ends,
            stage: Stage::Opening,
            session,
        }
    }

    /// Waits for the next event. Each has to be sent: a notice counts as shown to the user.
    ///
    /// # Cancel safety
    /// Cancel safe: no event is lost.
    pub(crate) async fn next(&mut self) -> Next {
        match self.stage {
            Stage::Ended(end) => return Next::End(end),
            Stage::Opening => {
                self.stage = Stage::Connected;
                return Next::Event(self.connected());
            }
            Stage::Connected => {
                self.stage = if self.ends_at_once { Stage::Leaving } else { Stage::Open };
                if let Some(event) = self.drain_after_connected() {
                    return Next::Event(event);
                }
            }
            Stage::Open | Stage::Leaving => {}
        }
        if self.stage == Stage::Leaving {
            return self.leave();
        }
        let closed = self.state.borrow().closed(self.kind, self.session.state.is_stopping());
        if let Some(reason) = closed {
            return self.session_ended(reason);
        }
        let service = Arc::clone(&self.session.state);
        loop {
            // In this order: `session-ended` is sent even where the pod stops in the same moment.
            tokio::select! {
                biased;
                _ = self.state.changed() => {
                    if let Some(next) = self.on_session_change() {
                        return next;
                    }
                }
                changed = self.broadcast.changed() => {
                    if changed.is_err() {
                        return self.end(FeedEnd::ServiceStops);
                    }
                    if let Some(event) = self.on_broadcast() {
                        return Next::Event(event);
                    }
                }
                () = service.streams_end.cancelled() => return self.end(FeedEnd::ServiceStops),
                () = asking::at(self.next_ask) => {
                    if let Some(next) = self.on_next_ask() {
                        return next;
                    }
                }
                () = sleep_until(self.next_heartbeat) => return Next::Event(self.heartbeat()),
            }
        }
    }

    fn on_session_change(&mut self) -> Option<Next> {
        let state = *self.state.borrow_and_update();
        if let Some(reason) = state.closed(self.kind, self.session.state.is_stopping()) {
            return Some(self.session_ended(reason));
        }
        if state.is_evicted(self.kind, self.number) {
            self.stage = Stage::Ended(FeedEnd::Evicted);
            return Some(Next::Event(ServerEvent::StreamEnded(StreamEnded { reason: "too_many_streams" })));
        }
        if state.logins != self.logins {
            self.logins = state.logins;
            self.stage = Stage::Connected;
            return Some(Next::Event(self.connected()));
        }
        if state.asks != self.asks {
            self.asks = state.asks;
            return Some(match self.kind {
                StreamKind::EventStream => self.ask_to_move(),
                StreamKind::WebSocket | StreamKind::Tunnel => self.end(FeedEnd::Moves),
            });
        }
        self.on_notice_change().map(Next::Event)
    }

    /// Shows the notice that runs for this session where it has begun or changed, and hides it where it has ended: for what concerns
    /// this session alone, and for the notice of the pod that owns it.
    fn on_notice_change(&mut self) -> Option<ServerEvent> {
        let now = self.session.state.clock.now();
        match (self.session.running_notice(), self.shown) {
            (Some(notice), Some(shown)) if notice.is_same(&shown) => None,
            (Some(notice), _) => {
                self.show(notice);
                Some(ServerEvent::Drain(notice.payload(now)))
            }
            (None, Some(shown)) => {
                self.shown = None;
                Some(ServerEvent::DrainCancelled(DrainCancelled::new(shown.reason, now)))
            }
            (None, None) => None,
        }
    }

    fn on_broadcast(&mut self) -> Option<ServerEvent> {
        let broadcast = Arc::clone(&self.broadcast.borrow_and_update());
        match &*broadcast {
            Broadcast::Running { notice, event, .. } => {
                let running = self.session.running_notice()?;
                // Not for a session of another pod while only this pod stops.
                if !running.is_of(notice) || self.shown.is_some_and(|shown| shown.is_same(&running)) {
                    return None;
                }
                self.show(running);
                Some(match running.protected {
                    // Its deadline is its own.
                    Some(_) => ServerEvent::Drain(running.payload(self.session.state.clock.now())),
                    None => ServerEvent::Broadcast(event.clone()),
                })
            }
            Broadcast::Cancelled { event } if self.session.running_notice().is_none() => {
                self.shown.take().map(|_| ServerEvent::Broadcast(event.clone()))
            }
            Broadcast::Cancelled { .. } | Broadcast::Quiet => None,
        }
    }

    fn show(&mut self, notice: RunningNotice) {
        self.shown = Some(notice);
        self.next_heartbeat = self.next_heartbeat.min(self.heartbeat_after(Some(&notice)));
        self.session.mark_notified(&notice);
    }

    /// The `connected` event. `drain` follows at once where a notice runs.
    fn connected(&mut self) -> ServerEvent {
        let service = Arc::clone(&self.session.state);
        self.broadcast.mark_unchanged();
        let running = self.session.running_notice();
        self.shown = None;
        if let Some(running) = running {
            self.next_heartbeat = self.heartbeat_after(Some(&running));
            self.show(running);
        }
        let now = service.clock.now();
        ServerEvent::Connected(Connected {
            session_id: self.session.id(),
            pod: self.session.pod().clone(),
            server_time: now,
            heartbeat_ms: millis(service.config.heartbeat_interval),
            drain: running.map(|notice| notice.payload(now)),
        })
    }

    fn drain_after_connected(&mut self) -> Option<ServerEvent> {
        // One that has ended meanwhile is cancelled by the broadcast.
        let running = self.shown.and_then(|_| self.session.running_notice())?;
        self.shown = Some(running);
        Some(ServerEvent::Drain(running.payload(self.session.state.clock.now())))
    }

    fn session_ended(&mut self, closed: CloseReason) -> Next {
        let end = FeedEnd::Session(closed);
        self.stage = Stage::Ended(end);
        let Some(reason) = closed.reason() else { return Next::End(end) };
        let server_time = self.session.state.clock.now();
        Next::Event(ServerEvent::SessionEnded(SessionEnded { reason, server_time }))
    }

    fn end(&mut self, end: FeedEnd) -> Next {
        self.stage = Stage::Ended(end);
        Next::End(end)
    }

    fn heartbeat(&mut self) -> ServerEvent {
        let state = &self.session.state;
        let (now, notice) = (state.clock.now(), self.session.running_notice());
        let remaining_ms = notice.map(|notice| millis(notice.deadline.since(now)));
        self.next_heartbeat = self.heartbeat_after(notice.as_ref());
        ServerEvent::Heartbeat(Heartbeat { server_time: now, remaining_ms })
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
