//! A session as everybody but its owner sees it: a value, true at the moment it was taken.

use crate::ids::{PodName, SessionId, UserName};
use crate::time::Timestamp;

/// What is known of one session at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The session's id.
    pub id: SessionId,
    /// Who it belongs to.
    pub user: UserName,
    /// When the session began; naming the user does not change it.
    pub login_time: Timestamp,
    /// When the last request of the session came in.
    pub last_activity: Timestamp,
    /// The pod that owns it.
    pub pod: PodName,
    /// Open event streams.
    pub event_streams: u32,
    /// Open WebSockets.
    pub websockets: u32,
    /// Tasks that run on behalf of the session.
    pub active_tasks: u32,
    /// Requests being served right now.
    pub in_flight_requests: u32,
    /// Whether the session was told of the notice that runs now.
    pub notified: bool,
    /// Whether it counts as present; absent where its pod does not say.
    pub present: Option<bool>,
}

impl SessionView {
    /// Whether something of it is open now: a stream, a WebSocket, a request, a task.
    pub fn has_anything_open(&self) -> bool {
        [self.event_streams, self.websockets, self.in_flight_requests, self.active_tasks] != [0; 4]
    }

    /// Whether it counts as present: as its pod says. Where the pod does not say, whether something of it is open.
    pub fn is_present(&self) -> bool {
        self.present.unwrap_or_else(|| self.has_anything_open())
    }
}
