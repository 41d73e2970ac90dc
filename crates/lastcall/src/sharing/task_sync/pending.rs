//! The changes of tasks that the store does not have yet.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use session_domain::registry::SessionWork;
use session_domain::shared::SharedTask;
use session_domain::{SessionId, TaskId};

/// What the store does not have yet. Bounded by the tasks that run, and those that ran when the store went away.
#[derive(Debug, Default)]
pub(super) struct Pending {
    changed: HashMap<TaskId, Changed>,
    /// The tasks that the store may have: a write of each was sent. The end of any other is not worth a write.
    sent: HashSet<TaskId>,
}

/// What has changed.
#[derive(Clone, Debug)]
pub(super) enum Changed {
    /// This pod runs the task.
    Running(Arc<SessionWork>),
    /// Another pod runs the task of this session, whose id has changed.
    Elsewhere(SessionId, SharedTask),
    /// The task of this session has ended.
    Ended(SessionId),
}

impl Changed {
    pub(super) fn session(&self) -> SessionId {
        match self {
            Self::Running(work) => work.session_id(),
            Self::Elsewhere(session, _) | Self::Ended(session) => *session,
        }
    }
}

impl Pending {
    pub(super) fn record(&mut self, id: TaskId, changed: Changed) {
        self.changed.insert(id, changed);
    }

    /// A task has ended. One that the store cannot have is forgotten.
    pub(super) fn record_ended(&mut self, session: SessionId, id: TaskId) {
        if self.sent.contains(&id) {
            self.changed.insert(id, Changed::Ended(session));
        } else {
            self.changed.remove(&id);
        }
    }

    /// The store may have this task.
    pub(super) fn record_stored(&mut self, id: TaskId) {
        self.sent.insert(id);
    }

    /// The store has this task no longer.
    pub(super) fn forget(&mut self, id: TaskId) {
        self.sent.remove(&id);
    }

    /// The session of each change.
    pub(super) fn sessions(&self) -> Vec<SessionId> {
        self.changed.values().map(Changed::session).collect()
    }

    /// Takes all changes, to be written.
    pub(super) fn take(&mut self) -> Vec<(TaskId, Changed)> {
        let changed = std::mem::take(&mut self.changed);
        let running = |(id, changed): (&TaskId, &Changed)| matches!(changed, Changed::Running(_)).then_some(*id);
        self.sent.extend(changed.iter().filter_map(running));
        changed.into_iter().collect()
    }

    /// Keeps a change that was not written, unless there is a newer one.
    pub(super) fn restore(&mut self, (id, changed): &(TaskId, Changed)) {
        self.changed.entry(*id).or_insert_with(|| changed.clone());
    }
}
