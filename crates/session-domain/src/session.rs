//! What a pod reports of a session and of its tasks: values, true at the moment at which they were taken.

use std::sync::Arc;

use crate::ids::{PodName, SessionId, TaskId, UserName};
use crate::time::Timestamp;

/// The most tasks that run for a session at the same time.
pub const MAX_TASKS_PER_SESSION: usize = 100;
/// The greatest length of a task's kind, in characters (Unicode scalar values, not bytes).
pub const MAX_TASK_KIND_CHARS: usize = 64;
/// The greatest length of a task's label, in characters (Unicode scalar values, not bytes).
pub const MAX_TASK_LABEL_CHARS: usize = 200;

/// What a pod reports of one task: work that runs for a session longer than a request.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskView {
    /// The task's id.
    pub id: TaskId,
    /// What kind of work it is, not escaped; may be empty.
    pub kind: Arc<str>,
    /// What the user calls it, not escaped; may be empty.
    pub label: Arc<str>,
    /// How much of it is done, from 0 to 1; absent until it was reported.
    pub progress: Option<f64>,
    /// When it ends unless its lease is renewed; absent for a task of the pod's own code, which has no lease.
    pub lease_until: Option<Timestamp>,
}

/// What a pod reports of one session.
#[derive(Clone, Debug, PartialEq)]
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
    /// Tasks that run for the session on this pod, oldest first.
    pub tasks: Vec<TaskView>,
    /// Requests being served right now.
    pub in_flight_requests: u32,
    /// Whether it was notified of the notice that runs now.
    pub notified: bool,
    /// Whether it was asked to move to another pod.
    pub asked_to_move: bool,
    /// Whether it is present; absent if its pod does not report it.
    pub present: Option<bool>,
    /// Whether it has work in progress that a drain waits for; absent if its pod does not report it.
    pub protected: Option<bool>,
}

impl SessionView {
    /// Whether a stream, a WebSocket, a request or a task of it is open now.
    fn has_anything_open(&self) -> bool {
        [self.event_streams, self.websockets, self.in_flight_requests] != [0; 3] || !self.tasks.is_empty()
    }

    /// Whether it has work in progress that a drain waits for. If its pod does not report that, whether a request or a task of
    /// it is open.
    pub fn is_protected(&self) -> bool {
        self.protected.unwrap_or(self.in_flight_requests > 0 || !self.tasks.is_empty())
    }

    /// Whether it is present. If its pod does not report that, whether something of it is open.
    pub fn is_present(&self) -> bool {
        self.present.unwrap_or_else(|| self.has_anything_open())
    }
}
