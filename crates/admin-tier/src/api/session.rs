//! One session in JSON, as the API and the exports show it.

use fleet::{FleetView, Row};
use serde::Serialize;
use session_domain::{SessionId, TaskId, TaskView, Timestamp};

/// A session.
#[derive(Debug, Serialize)]
pub(crate) struct SessionBody<'a> {
    pub(crate) session_id: SessionId,
    pub(crate) user: &'a str,
    pub(crate) pod: &'a str,
    pub(crate) login_time: Timestamp,
    pub(crate) last_activity: Timestamp,
    pub(crate) duration_seconds: u64,
    /// Whether the session is present; null where its pod cannot be reached.
    pub(crate) connected: Option<bool>,
    pub(crate) websockets: u32,
    /// Whether a drain waits for work in progress of the session; null where its pod does not report it.
    pub(crate) protected: Option<bool>,
    pub(crate) asked_to_move: bool,
    pub(crate) tasks: Vec<TaskBody<'a>>,
}

/// A task of a session.
#[derive(Debug, Serialize)]
pub(crate) struct TaskBody<'a> {
    task_id: TaskId,
    kind: &'a str,
    label: &'a str,
    progress: Option<f64>,
    lease_until: Option<Timestamp>,
}

impl<'a> SessionBody<'a> {
    pub(crate) fn new(row: &'a Row, view: &FleetView, now: Timestamp) -> Self {
        Self {
            session_id: row.session.id,
            user: row.session.user.as_str(),
            pod: row.session.pod.as_str(),
            login_time: row.session.login_time,
            last_activity: row.session.last_activity,
            duration_seconds: now.since(row.session.login_time).as_secs(),
            connected: (!view.is_stale(row)).then(|| row.session.is_present()),
            websockets: row.session.websockets,
            protected: row.session.protected,
            asked_to_move: row.session.asked_to_move,
            tasks: row.session.tasks.iter().map(TaskBody::new).collect(),
        }
    }
}

impl<'a> TaskBody<'a> {
    fn new(task: &'a TaskView) -> Self {
        let TaskView { id, kind, label, progress, lease_until } = task;
        Self { task_id: *id, kind, label, progress: *progress, lease_until: *lease_until }
    }
}
