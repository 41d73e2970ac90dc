//! One task of a session on the dashboard.

use session_domain::TaskView;

use crate::format;
use crate::pages::relative_time::{RelativeTime, TimeRendering};

/// A task: what it is, how far it is, and when its lease ends.
pub(super) struct TaskItem {
    pub(super) id: String,
    /// What it is called: its label, else its kind, else `task`.
    pub(super) name: String,
    /// Its kind, where the name is the label.
    pub(super) kind: Option<String>,
    pub(super) percent: Option<u8>,
    pub(super) lease: Option<Lease>,
}

/// When a lease ends: the time, and the time left unless the pod cannot be reached.
pub(super) struct Lease {
    pub(super) at: RelativeTime,
    pub(super) left: Option<RelativeTime>,
}

impl TaskItem {
    pub(super) fn new(task: &TaskView, is_stale: bool, times: TimeRendering) -> Self {
        let (kind, label) = (&*task.kind, &*task.label);
        let name = [label, kind, "task"].into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        Self {
            id: format!("t-{}", task.id),
            name: name.to_owned(),
            kind: Some(kind).filter(|kind| !kind.is_empty() && !label.is_empty()).map(str::to_owned),
            percent: task.progress.map(format::percent),
            lease: task
                .lease_until
                .map(|until| Lease { at: RelativeTime::clock(until), left: (!is_stale).then(|| times.left(until)) }),
        }
    }
}
