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

/// How long a session stays present after its last connection closed, once it had its turn: the time that a page takes to open its
/// stream again.
pub const REOPEN_TIME: Duration = Duration::from_secs(3);

/// How far the handoff has come with one session.
#[derive(Debug, Default)]
pub(super) struct HandoffState {
    /// When its turn came, in milliseconds; 0 before.
    turn: AtomicI64,
    is_asked: AtomicBool,
    /// Whether it is to be shown the notice before all others are.
    stays: AtomicBool,
}

impl HandoffState {
    /// When the session's turn came.
    pub(super) fn turn(&self) -> Option<Timestamp> {
        match self.turn.load(Ordering::Acquire) {
            0 => None,
            turn => Some(Timestamp::from_millis(turn)),
        }
    }

    /// Whether it was asked to move.
    pub(super) fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::Relaxed)
    }

    pub(super) fn stays(&self) -> bool {
        self.stays.load(Ordering::Relaxed)
    }
}

/// The presence of a session that had its turn and has nothing open.
pub(super) fn absence(turn: Timestamp, last_closed: Timestamp, limits: &Limits, now: Timestamp) -> PresenceStatus {
    if last_closed <= turn {
        return PresenceStatus { is_present: false, until: None };
    }
    PresenceStatus::until(last_closed.plus(REOPEN_TIME.min(limits.presence_linger)), now)
}

/// The sessions of a handoff at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HandoffCensus {
    /// Present sessions whose turn is still to come.
    pub waiting: u64,
    /// Present sessions that had their turn.
    pub asked: u64,
    /// The earliest turn of those that had one and are not to be shown the notice yet.
    pub first_turn: Option<Timestamp>,
}

impl HandoffCensus {
    pub(super) fn count<X>(&mut self, session: &LiveSession<X>) {
        let Some(turn) = session.handoff.turn() else {
            self.waiting += 1;
            return;
        };
        self.asked += 1;
        if !session.handoff.stays() {
            self.first_turn = Some(self.first_turn.map_or(turn, |first| first.min(turn)));
        }
    }
}

impl<X> Registry<X> {
    /// Gives up to `count` present sessions their turn, sessions without protected work first, and returns them. Walks all sessions.
    pub fn take_turns(&self, count: u64, now: Timestamp) -> Vec<Arc<LiveSession<X>>> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let countdown = self.countdown_started_at();
        let mut waiting = self.select(|session| {
            session.handoff.turn().is_none() && session.presence(&self.limits, now, countdown).is_present
        });
        if waiting.len() > count {
            waiting.sort_by_key(|session| session.is_protected());
            waiting.truncate(count);
        }
        for session in &waiting {
            session.handoff.turn.store(now.as_millis().max(1), Ordering::Release);
        }
        waiting
    }

    /// Records that the session is asked to move, and counts it the first time. Returns whether it is the first time.
    pub fn mark_asked(&self, session: &Arc<LiveSession<X>>) -> bool {
        let is_first = !session.handoff.is_asked.swap(true, Ordering::AcqRel) && !session.has_ended();
        if is_first {
            self.ledger.asked_to_move.fetch_add(1, Ordering::Relaxed);
            self.queue_change(session);
        }
        is_first
    }

    /// The present sessions whose turn came at or before `until` and that are to be shown the notice from now on. Returns each once.
    pub fn take_staying(&self, until: Timestamp, now: Timestamp) -> Vec<Arc<LiveSession<X>>> {
        let countdown = self.countdown_started_at();
        let mut staying = self.select(|session| {
            session.handoff.turn().is_some_and(|turn| turn <= until)
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
