//! Presence that closes by itself at the right time: the domain's guard, with the clock that it may not read.

use std::sync::Arc;

use session_domain::registry::{Presence, PresenceKind};

use crate::clock::Clock;
use crate::event_streams::EventStreams;
use crate::service_state::ServiceState;
use crate::sessions::{LiveSession, ServedSession};

/// Marks the answer that is an event stream of ours: it counts as a stream, not as a request in flight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventStreamAnswer;

/// Keeps a session present while it lives.
#[derive(Debug)]
pub(crate) struct PresenceGuard {
    presence: Option<Presence<EventStreams>>,
    clock: Clock,
}

impl PresenceGuard {
    /// Opens something of a session. A session of another pod is present there, not here.
    pub(crate) fn of(state: &Arc<ServiceState>, session: &ServedSession, kind: PresenceKind) -> Option<Self> {
        match session {
            ServedSession::Own(live) => Some(Self::open(state, live, kind)),
            ServedSession::Guest(_) => None,
        }
    }

    pub(crate) fn open(state: &Arc<ServiceState>, session: &LiveSession, kind: PresenceKind) -> Self {
        Self { presence: Some(Presence::open(&state.registry, session, kind)), clock: state.clock }
    }
}

impl Drop for PresenceGuard {
    fn drop(&mut self) {
        if let Some(presence) = self.presence.take() {
            presence.close(self.clock.now());
        }
    }
}
