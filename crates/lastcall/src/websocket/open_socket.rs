//! What an open WebSocket counts as: kept from the request that opens it until the socket is really closed.

use session_domain::registry::PresenceKind;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::metrics::OpenStream;
use crate::presence::PresenceGuard;
use crate::session::Session;

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
        let state = &session.state;
        Some(Self {
            _count: state.metrics.open_websocket(state.config.max_streams)?,
            _presence: PresenceGuard::of(state, &session.served, PresenceKind::WebSocket),
            _tracked: state.websockets.token(),
        })
    }
}
