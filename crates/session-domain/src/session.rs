//! What a pod reports of a session: a value, true at the moment at which it was taken.

use crate::ids::{PodName, SessionId, UserName};
use crate::time::Timestamp;

/// What a pod reports of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The session's id.
    pub id: SessionId,
    /// The user that it belongs to.
    pub user: UserName,
    /// When the session began; naming the user does not change it.
    pub login_time: Timestamp,
    /// When its last request arrived.
    pub last_activity: Timestamp,
    /// The pod that owns it.
    pub pod: PodName,
    /// Open event streams.
    pub event_streams: u32,
    /// Open WebSockets.
    pub websockets: u32,
    /// Tasks that run for the session.
    pub active_tasks: u32,
    /// Requests being served right now.
    pub in_flight_requests: u32,
    /// Whether it was notified of the notice that runs now.
    pub notified: bool,
    /// Whether it is present; absent if its pod does not report it.
    pub present: Option<bool>,
}

impl SessionView {
    /// Whether a stream, a WebSocket, a request or a task of it is open now.
    pub fn has_anything_open(&self) -> bool {
        [self.event_streams, self.websockets, self.in_flight_requests, self.active_tasks] != [0; 4]
    }

    /// Whether it is present. If its pod does not report that, whether something of it is open.
    pub fn is_present(&self) -> bool {
        self.present.unwrap_or_else(|| self.has_anything_open())
    }
}
