//! What an open WebSocket counts as: kept from the request that opens it until the socket is really closed.

use std::sync::Arc;

use session_domain::registry::PresenceKind;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::metrics::OpenStream;
use crate::presence::PresenceGuard;
use crate::service_state::ServiceState;
use crate::session::Session;
use crate::sessions::ServedSession;

/// Counts an open WebSocket while it lives: in the metrics of the pod that holds it, as presence of the session where this pod owns
/// it, and as something that the end of the service waits for.
#[derive(Debug)]
pub(super) struct OpenSocket {
    _presence: Option<PresenceGuard>,
    _count: OpenStream,
    _tracked: TaskTrackerToken,
}

impl OpenSocket {
    /// `None` where this pod has as many streams and WebSockets open as it may.
    pub(super) fn new(session: &Session) -> Option<Self> {
        Self::of(&session.state, Some(&session.served))
    }

    /// The same for one that may belong to no session.
    pub(super) fn of(state: &Arc<ServiceState>, session: Option<&ServedSession>) -> Option<Self> {
        Some(Self {
            _count: state.metrics.open_websocket(state.config.max_streams)?,
            _presence: session.and_then(|session| PresenceGuard::of(state, session, PresenceKind::WebSocket)),
            _tracked: state.websockets.token(),
        })
    }
}
