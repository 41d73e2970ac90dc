//! Presence: what a session has open, and how long it counts as present after the last connection closed.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

use super::limits::{Limits, UNCONFIRMED_LINGER};
use crate::time::Timestamp;

/// What keeps a session present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresenceKind {
    /// A request that is being served.
    Request,
    /// An event stream.
    EventStream,
    /// A WebSocket.
    WebSocket,
}

/// Whether a session is present, and until when if nothing happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PresenceStatus {
    pub(super) is_present: bool,
    /// Set if the session is present and stops being so by time alone.
    pub(super) until: Option<Timestamp>,
}

impl PresenceStatus {
    pub(super) fn until(until: Timestamp, now: Timestamp) -> Self {
        Self { is_present: now < until, until: (now < until).then_some(until) }
    }
}

/// The requests of a session, at this pod and at others.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestHistory {
    pub(super) last_activity: Timestamp,
    pub(super) cookie_came_back: bool,
}

/// The time at which presence is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct PresenceClock {
    pub(super) now: Timestamp,
    /// When the running countdown began. A client that never had a stream, and whose cookie came back, cannot be notified:
    /// if it was present then, it counts as present until the countdown ends.
    pub(super) countdown_started_at: Option<Timestamp>,
}

/// Counts what a session has open.
#[derive(Debug)]
pub(super) struct Connections {
    by_kind: [AtomicU32; 3],
    all: AtomicU32,
    ever_streamed: AtomicBool,
    last_closed: AtomicI64,
    /// When the last event stream or WebSocket closed, in milliseconds; 0 before.
    last_stream_closed: AtomicI64,
}

impl Connections {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            by_kind: std::array::from_fn(|_| AtomicU32::new(0)),
            all: AtomicU32::new(0),
            ever_streamed: AtomicBool::new(false),
            last_closed: AtomicI64::new(now.as_millis()),
            last_stream_closed: AtomicI64::new(0),
        }
    }

    /// Counts one more. Returns `true` if nothing was open before.
    pub(super) fn open(&self, kind: PresenceKind) -> bool {
        if kind == PresenceKind::EventStream {
            self.ever_streamed.store(true, Ordering::Relaxed);
        }
        self.by_kind[kind as usize].fetch_add(1, Ordering::SeqCst);
        self.all.fetch_add(1, Ordering::AcqRel) == 0
    }

    /// Counts one less. Returns `true` if nothing is open any more.
    pub(super) fn close(&self, kind: PresenceKind, now: Timestamp) -> bool {
        self.record_closed(now);
        if kind != PresenceKind::Request {
            self.last_stream_closed.fetch_max(now.as_millis(), Ordering::Relaxed);
        }
        self.by_kind[kind as usize].fetch_sub(1, Ordering::Relaxed);
        self.all.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Records that something of the session, such as a task, ended at `now`.
    pub(super) fn record_closed(&self, now: Timestamp) {
        self.last_closed.fetch_max(now.as_millis(), Ordering::Relaxed);
    }

    pub(super) fn count(&self, kind: PresenceKind) -> u32 {
        self.by_kind[kind as usize].load(Ordering::SeqCst)
    }

    pub(super) fn any_open(&self) -> bool {
        self.all.load(Ordering::Acquire) > 0
    }

    /// When the last event stream or WebSocket closed; `None` where none ever did.
    pub(super) fn last_stream_closed(&self) -> Option<Timestamp> {
        match self.last_stream_closed.load(Ordering::Relaxed) {
            0 => None,
            millis => Some(Timestamp::from_millis(millis)),
        }
    }

    pub(super) fn last_closed(&self) -> Timestamp {
        Timestamp::from_millis(self.last_closed.load(Ordering::Relaxed))
    }

    pub(super) fn presence(&self, requests: RequestHistory, limits: &Limits, clock: PresenceClock) -> PresenceStatus {
        if self.any_open() {
            return PresenceStatus { is_present: true, until: None };
        }
        let last_closed = self.last_closed();
        let last_request = last_closed.max(requests.last_activity);
        let linger = limits.streamless_linger;
        if self.ever_streamed.load(Ordering::Relaxed) {
            PresenceStatus::until(last_closed.plus(limits.presence_linger), clock.now)
        } else if !requests.cookie_came_back {
            // Usually a load balancer's health check, which no drain should wait for.
            PresenceStatus::until(last_request.plus(linger.min(UNCONFIRMED_LINGER)), clock.now)
        } else if let Some(started_at) = clock.countdown_started_at {
            PresenceStatus { is_present: started_at < last_request.plus(linger), until: None }
        } else {
            PresenceStatus::until(last_request.plus(linger), clock.now)
        }
    }
}
