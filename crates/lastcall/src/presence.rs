//! Presence that closes by itself at the right time: the domain's guard, with the clock that it may not read.

use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use session_domain::registry::{Presence, PresenceKind};

use crate::clock::Clock;
use crate::event_streams::EventStreams;
use crate::service_state::ServiceState;
use crate::sessions::{LiveSession, ServedSession};

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

/// A response body during which the session's request counts as in flight: a download holds a drain open.
#[derive(Debug)]
pub(crate) struct PresentBody {
    body: axum::body::Body,
    _guard: PresenceGuard,
}

impl PresentBody {
    pub(crate) const fn new(body: axum::body::Body, guard: PresenceGuard) -> Self {
        Self { body, _guard: guard }
    }
}

impl Body for PresentBody {
    type Data = bytes::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
