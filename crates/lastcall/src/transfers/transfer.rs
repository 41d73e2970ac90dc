//! One metered request: how fast its bodies move, the protection of its session, and whether it was cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use session_domain::Outcome;
use session_domain::registry::Protection;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::window::{Samples, Window};
use crate::clock::Clock;
use crate::event_streams::EventStreams;
use crate::service_state::ServiceState;
use crate::sessions::{ServedSession, SessionRegistry};

/// Where a body goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the client: a request body.
    Up,
    /// To the client: a response body.
    Down,
}

/// A request in flight with a large body.
#[derive(Debug)]
pub(crate) struct Transfer {
    registry: Arc<SessionRegistry>,
    clock: Clock,
    session: ServedSession,
    windows: [Window; 2],
    is_moving: AtomicBool,
    /// Whether the request body has ended and no response body has begun: there is nothing to cut.
    is_between: AtomicBool,
    measured: Mutex<Measured>,
    cut: CancellationToken,
}

#[derive(Debug, Default)]
struct Measured {
    samples: [Samples; 2],
    /// Kept while a body moves.
    protection: Option<Protection<EventStreams>>,
}

impl Transfer {
    pub(super) fn new(state: &ServiceState, session: ServedSession) -> Self {
        Self {
            registry: Arc::clone(&state.registry),
            clock: state.clock,
            session,
            windows: [Window::default(), Window::default()],
            is_moving: AtomicBool::new(false),
            is_between: AtomicBool::new(false),
            measured: Mutex::default(),
            cut: CancellationToken::new(),
        }
    }

    /// Counts bytes of a body.
    pub(crate) fn record(&self, direction: Direction, bytes: u64) {
        if self.windows[direction as usize].record(bytes) && !self.is_moving.load(Ordering::Relaxed) {
            self.protect(&mut self.measured.lock());
        }
    }

    /// Measures how fast the bodies moved in the last seconds.
    pub(super) fn sample(&self) {
        let mut measured = self.measured.lock();
        let [up, down] = &mut measured.samples;
        // Both are sampled, whatever the first one gives.
        let is_moving = self.windows[0].sample(up) | self.windows[1].sample(down);
        if is_moving {
            self.protect(&mut measured);
        } else if let Some(protection) = measured.protection.take() {
            self.is_moving.store(false, Ordering::Relaxed);
            protection.end(self.clock.now());
        }
    }

    fn protect(&self, measured: &mut Measured) {
        if measured.protection.is_none() && !self.was_cut() {
            self.is_moving.store(true, Ordering::Relaxed);
            measured.protection = Some(match &self.session {
                ServedSession::Own(live) => Protection::begin(&self.registry, live),
                ServedSession::Guest(guest) => Protection::begin_elsewhere(&self.registry, guest.id()),
            });
        }
    }

    pub(super) fn is_of_forced_session(&self) -> bool {
        match &self.session {
            ServedSession::Own(live) => live.outcome() == Some(Outcome::Forced),
            ServedSession::Guest(_) => false,
        }
    }

    /// Records that nothing of the request body follows. The app works on its response.
    pub(super) fn record_upload_end(&self) {
        self.is_between.store(true, Ordering::Relaxed);
    }

    /// Records that the response body begins.
    pub(super) fn record_download(&self) {
        self.is_between.store(false, Ordering::Relaxed);
    }

    /// Cuts the request: its bodies fail from now on. Returns whether there was anything to cut: a request whose body has arrived is
    /// answered as ever.
    pub(super) fn cut(&self) -> bool {
        self.measured.lock().protection = None;
        if self.was_cut() || self.is_between.load(Ordering::Relaxed) {
            return false;
        }
        self.cut.cancel();
        true
    }

    /// Whether the request was cut.
    pub(crate) fn was_cut(&self) -> bool {
        self.cut.is_cancelled()
    }

    /// Completes when the request is cut.
    pub(super) fn until_cut(&self) -> WaitForCancellationFutureOwned {
        self.cut.clone().cancelled_owned()
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        if let Some(protection) = self.measured.get_mut().protection.take() {
            protection.end(self.clock.now());
        }
    }
}
