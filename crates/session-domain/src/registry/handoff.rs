//! Handoff: which sessions had their turn to move to another pod, which were asked, and which stay for the notice.
//!
//! The lifecycle machine says how many sessions get their turn, and when. A session with an open stream is asked when its turn comes; the
//! caller sends it the event. Without one there is nothing to wait for: the session is not present from then on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use super::Registry;
use super::limits::Limits;
use super::live_session::LiveSession;
use super::presence::{PresenceKind, PresenceStatus};
use crate::time::Timestamp;

/// How long a session stays present after its last stream closed, once it had its turn: the time that a page takes to open its stream
/// again.
pub const REOPEN_TIME: Duration = Duration::from_secs(3);

/// How far the handoff has come with one session.
#[derive(Debug, Default)]
pub(super) struct HandoffState {
    /// When its turn came, in milliseconds; 0 before.
    turn: AtomicI64,
    /// When it was asked for the first time, in milliseconds; 0 before.
    first_ask: AtomicI64,
    /// Whether it is to be shown the notice before all others are.
    stays: AtomicBool,
}

impl HandoffState {
    /// When the session's turn came.
    pub(super) fn turn(&self) -> Option<Timestamp> {
        // In one order with the counts of streams: either the turn sees a stream that opens now, or the stream sees the turn.
        time(self.turn.load(Ordering::SeqCst))
    }

    fn first_ask(&self) -> Option<Timestamp> {
        time(self.first_ask.load(Ordering::Relaxed))
    }

    /// Whether it was asked to move.
    pub(super) fn is_asked(&self) -> bool {
        self.first_ask().is_some()
    }

    pub(super) fn stays(&self) -> bool {
        self.stays.load(Ordering::Relaxed)
    }
}

fn time(millis: i64) -> Option<Timestamp> {
    (millis != 0).then(|| Timestamp::from_millis(millis))
}

/// The presence of a session that had its turn and has nothing open.
pub(super) fn absence(
    turn: Timestamp,
    last_stream_closed: Option<Timestamp>,
    limits: &Limits,
    now: Timestamp,
) -> PresenceStatus {
    match last_stream_closed {
        Some(closed) if closed >= turn => {
            PresenceStatus::until(closed.plus(REOPEN_TIME.min(limits.presence_linger)), now)
        }
        Some(_) | None => PresenceStatus { is_present: false, until: None },
    }
}

/// The sessions of a handoff at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandoffCensus {
    /// Present sessions whose turn is still to come.
    pub waiting: u64,
    /// Present sessions that had their turn.
    pub asked: u64,
    /// The earliest time at which one of those was asked that are not to be shown the notice yet.
    pub first_ask: Option<Timestamp>,
}

impl HandoffCensus {
    pub(super) fn count<X>(&mut self, session: &LiveSession<X>) {
        if session.handoff.turn().is_none() {
            self.waiting += 1;
            return;
        }
        self.asked += 1;
        if let Some(asked) = session.handoff.first_ask().filter(|_| !session.handoff.stays()) {
            self.first_ask = Some(self.first_ask.map_or(asked, |first| first.min(asked)));
        }
    }
}

impl<X> Registry<X> {
    /// Gives up to `count` present sessions their turn, sessions without protected work first, and returns them. Walks the sessions
    /// until it has found enough.
    pub fn take_turns(&self, count: u64, now: Timestamp) -> Vec<Arc<LiveSession<X>>> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let countdown = self.countdown_started_at();
        let (mut chosen, mut protected) = (Vec::new(), Vec::new());
        for session in self.sessions.pin().values() {
            if chosen.len() == count {
                break;
            }
            // During a rename the map holds the session under both ids: it gets one turn.
            let waits = session.handoff.turn().is_none()
                && session.presence(&self.limits, now, countdown).is_present
                && !protected.iter().any(|other| Arc::ptr_eq(other, session));
            match session.is_protected() {
                false if waits => {
                    session.handoff.turn.store(now.as_millis().max(1), Ordering::SeqCst);
                    chosen.push(Arc::clone(session));
                }
                true if waits && protected.len() < count => protected.push(Arc::clone(session)),
                _ => {}
            }
        }
        protected.truncate(count - chosen.len());
        for session in &protected {
            session.handoff.turn.store(now.as_millis().max(1), Ordering::SeqCst);
        }
        chosen.append(&mut protected);
        chosen
    }

    /// Records that the session is asked to move at `now`, and counts it the first time. Returns whether it is the first time.
    pub fn mark_asked(&self, session: &Arc<LiveSession<X>>, now: Timestamp) -> bool {
        let first_ask = &session.handoff.first_ask;
        let is_new = first_ask.compare_exchange(0, now.as_millis().max(1), Ordering::AcqRel, Ordering::Relaxed).is_ok();
        let is_first = is_new && !session.has_ended();
        if is_first {
            self.ledger.asked_to_move.fetch_add(1, Ordering::Relaxed);
            self.queue_change(session);
        }
        is_first
    }

    /// The present sessions that were asked at or before `until` for the first time, and are to be shown the notice from now on. Returns
    /// each once.
    pub fn take_staying(&self, until: Timestamp, now: Timestamp) -> Vec<Arc<LiveSession<X>>> {
        let countdown = self.countdown_started_at();
        let mut staying = self.select(|session| {
            session.handoff.first_ask().is_some_and(|asked| asked <= until)
                && session.presence(&self.limits, now, countdown).is_present
        });
        staying.retain(|session| !session.handoff.stays.swap(true, Ordering::AcqRel));
        staying
    }
}

impl<X> LiveSession<X> {
    /// Whether the session had its turn to move to another pod.
    pub fn had_turn(&self) -> bool {
        self.handoff.turn().is_some()
    }

    /// Whether the session has an event stream or a WebSocket here, on which it can be asked to move.
    pub fn has_open_stream(&self) -> bool {
        let count = |kind| self.connections.count(kind);
        count(PresenceKind::EventStream) > 0 || count(PresenceKind::WebSocket) > 0
    }
}
