//! One session on the dashboard.

use askama::Template;
use fleet::{FleetView, Row};

use super::task::TaskItem;
use crate::format;
use crate::pages::relative_time::{RelativeTime, TimeRendering};
use crate::session_query::SessionQuery;

/// A row.
#[derive(Template)]
#[template(path = "users/row.html")]
pub(super) struct UserRow {
    /// The element's id.
    pub(super) id: String,
    session: String,
    user: String,
    /// The link to all sessions of the same user.
    of_user: String,
    pod: String,
    login_time: RelativeTime,
    last_activity: RelativeTime,
    duration: RelativeTime,
    /// Whether the pod cannot be reached, so that the row is out of date.
    is_stale: bool,
    /// Whether the times contradict each other.
    is_doubtful: bool,
    /// Whether several pods claim the session.
    is_shared: bool,
    is_notified: bool,
    /// Whether it was asked to move to another pod.
    is_asked_to_move: bool,
    /// Whether no page of the session is open.
    is_idle: bool,
    /// Whether it has work in progress that a drain waits for.
    is_protected: bool,
    /// Its open WebSockets, where there are any: `2 WebSockets`.
    websockets: Option<String>,
    tasks: Vec<TaskItem>,
    /// The number of tasks that are not shown, where there are any.
    more_tasks: Option<String>,
}

/// The most tasks that are shown of a session.
const MAX_TASKS_SHOWN: usize = 5;

impl UserRow {
    pub(super) fn new(row: &Row, view: &FleetView, asked: &SessionQuery, times: TimeRendering) -> Self {
        let (session, is_stale) = (&row.session, view.is_stale(row));
        let user = session.user.to_string();
        let of_user = SessionQuery { user: user.clone(), sort: asked.sort.clone(), ..SessionQuery::default() };
        Self {
            id: format!("s-{}", session.id),
            session: session.id.to_string(),
            of_user: of_user.href("/admin/users"),
            user,
            pod: session.pod.to_string(),
            login_time: RelativeTime::clock(session.login_time),
            last_activity: times.ago(session.last_activity),
            duration: match view.pod(&row.address).and_then(|pod| pod.last_seen) {
                Some(seen) if is_stale => RelativeTime::lasted(session.login_time, seen),
                Some(_) | None => times.lasting(session.login_time),
            },
            is_stale,
            is_doubtful: row.doubtful,
            is_shared: !row.also_at.is_empty(),
            is_notified: session.notified,
            is_asked_to_move: session.asked_to_move,
            // Not known of a pod that cannot be reached.
            is_idle: !session.is_present() && !is_stale,
            is_protected: session.is_protected(),
            websockets: Some(session.websockets)
                .filter(|open| *open > 0)
                .map(|open| format::counted(open.into(), "WebSocket")),
            tasks: session
                .tasks
                .iter()
                .take(MAX_TASKS_SHOWN)
                .map(|task| TaskItem::new(task, is_stale, times))
                .collect(),
            more_tasks: format::nonzero_count(session.tasks.len().saturating_sub(MAX_TASKS_SHOWN) as u64),
        }
    }
}
