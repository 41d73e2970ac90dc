//! Who is really there: what a session has open, and how long it counts as present after the last of it closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

use super::{Limits, LiveSession, Registry, UNCONFIRMED_LINGER};
use crate::time::Timestamp;

/// What a session can have open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresenceKind {
    /// A request being served.
    Request,
    /// An event stream.
    EventStream,
    /// A WebSocket.
    WebSocket,
    /// A task on the session's behalf.
    Task,
}

/// Something open, counted until it is closed. Dropped without [`Presence::close`] it is counted down all the
/// same, as if it had closed at the session's last activity.
#[derive(Debug)]
#[must_use = "what is open closes when this is dropped"]
pub struct Presence<X> {
    registry: Arc<Registry<X>>,
    session: Arc<LiveSession<X>>,
    kind: PresenceKind,
    closed_at: Option<Timestamp>,
}

impl<X> Presence<X> {
    /// Opens something for the session.
    pub fn open(registry: &Arc<Registry<X>>, session: &Arc<LiveSession<X>>, kind: PresenceKind) -> Self {
        if session.connections.opened(kind) {
            (registry.population_changed)();
        }
        registry.changed(session);
        Self { registry: Arc::clone(registry), session: Arc::clone(session), kind, closed_at: None }
    }

    /// Closes it.
    pub fn close(mut self, now: Timestamp) {
        self.closed_at = Some(now);
    }

    /// The session it belongs to.
    pub const fn session(&self) -> &Arc<LiveSession<X>> {
        &self.session
    }
}

impl<X> Drop for Presence<X> {
    fn drop(&mut self) {
        let at = self.closed_at.unwrap_or_else(|| self.session.last_activity());
        if self.session.connections.closed(self.kind, at) {
            (self.registry.population_changed)();
        }
        self.registry.changed(&self.session);
    }
}

/// Whether a session is present, and until when if nothing happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attendance {
    pub(super) present: bool,
    /// Set where it is present and stops being so by itself.
    pub(super) until: Option<Timestamp>,
}

impl Attendance {
    fn until(until: Timestamp, now: Timestamp) -> Self {
        Self { present: now < until, until: (now < until).then_some(until) }
    }
}

/// What is known of a session's requests, at this pod and at others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) last_activity: Timestamp,
    pub(super) cookie_came_back: bool,
}

/// When presence is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) now: Timestamp,
    /// When the running countdown began. It stops the clock of a session that never had a stream and whose cookie came back:
    /// such a client cannot be told anything, and is waited for.
    pub(super) countdown: Option<Timestamp>,
}

/// What a session has open, counted.
#[derive(Debug)]
pub(super) struct Connections {
    open: [AtomicU32; 4],
    all: AtomicU32,
    ever_streamed: AtomicBool,
    last_closed: AtomicI64,
}

impl Connections {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            open: std::array::from_fn(|_| AtomicU32::new(0)),
            all: AtomicU32::new(0),
            ever_streamed: AtomicBool::new(false),
            last_closed: AtomicI64::new(now.as_millis()),
        }
    }

    /// `true` where nothing was open before.
    fn opened(&self, kind: PresenceKind) -> bool {
        if kind == PresenceKind::EventStream {
            self.ever_streamed.store(true, Ordering::Relaxed);
        }
        self.open[kind as usize].fetch_add(1, Ordering::Relaxed);
        self.all.fetch_add(1, Ordering::AcqRel) == 0
    }

    /// `true` where nothing is open any more.
    fn closed(&self, kind: PresenceKind, now: Timestamp) -> bool {
        self.last_closed.fetch_max(now.as_millis(), Ordering::Relaxed);
        self.open[kind as usize].fetch_sub(1, Ordering::Relaxed);
        self.all.fetch_sub(1, Ordering::AcqRel) == 1
    }

    pub(super) fn open(&self, kind: PresenceKind) -> u32 {
        self.open[kind as usize].load(Ordering::Relaxed)
    }

    pub(super) fn any_open(&self) -> bool {
        self.all.load(Ordering::Acquire) > 0
    }

    pub(super) fn last_closed(&self) -> Timestamp {
        Timestamp::from_millis(self.last_closed.load(Ordering::Relaxed))
    }

    pub(super) fn attendance(&self, seen: Seen, limits: &Limits, times: Times) -> Attendance {
        if self.any_open() {
            return Attendance { present: true, until: None };
        }
        let (last_closed, last_request) = (self.last_closed(), self.last_closed().max(seen.last_activity));
        let linger = limits.streamless_linger;
        if self.ever_streamed.load(Ordering::Relaxed) {
            Attendance::until(last_closed.plus(limits.presence_linger), times.now)
        } else if !seen.cookie_came_back {
            // A balancer's check, as a rule: nobody is waited for.
            Attendance::until(last_request.plus(linger.min(UNCONFIRMED_LINGER)), times.now)
        } else if let Some(began) = times.countdown {
            Attendance { present: began < last_request.plus(linger), until: None }
        } else {
            Attendance::until(last_request.plus(linger), times.now)
        }
    }
}

#[cfg(test)]
mod tests;
