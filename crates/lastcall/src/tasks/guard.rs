//! A task of the pod's own code.

use std::sync::Arc;

use session_domain::registry::SessionWork;
use session_domain::{TaskId, TaskName, TaskOutcome, TaskProgress};
use tokio_util::sync::CancellationToken;

use super::new_task;
use crate::refusal::Reason;
use crate::service_state::ServiceState;
use crate::sessions::ServedSession;

/// A task that runs for a session: a drain waits for it. Made by [`Session::task`](crate::Session::task); it ends when it is dropped,
/// also where the code that holds it panics.
///
/// The task goes on where its user logs out or its session moves to another pod: only its own code ends it, and a drain whose time is
/// over.
#[must_use = "dropping the task ends it"]
pub struct Task {
    state: Arc<ServiceState>,
    work: Arc<SessionWork>,
    id: TaskId,
    cut: CancellationToken,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Task {
    pub(super) fn begin(state: &Arc<ServiceState>, session: &ServedSession, name: TaskName) -> Result<Self, Reason> {
        let task = new_task(name, None);
        let (id, cut) = (task.id, CancellationToken::new());
        // Before it begins: it may be cut at once.
        state.task_ends.watch(id, cut.clone());
        match state.begin_task(session, task) {
            Ok((_, work)) => Ok(Self { state: Arc::clone(state), work, id, cut }),
            Err(reason) => {
                state.task_ends.remove(id);
                Err(reason)
            }
        }
    }

    /// The task's id, as operators see it.
    pub const fn id(&self) -> TaskId {
        self.id
    }

    /// Sets how much of the task is done, from 0 to 1. A number outside of that range counts as its nearest end; NaN changes nothing.
    pub fn set_progress(&self, progress: f64) {
        if let Ok(progress) = TaskProgress::new(progress.clamp(0.0, 1.0))
            && self.state.registry.set_task_progress(&self.work, self.id, progress)
        {
            self.state.task_changed(self.id, &self.work);
        }
    }

    /// Completes when the task is cut: the time for work in progress is over, the operator hurries, or the session was force-closed.
    /// The pod waits for the task no longer, and the process may exit at any moment. Stop, and leave everything in a state from which
    /// the work can begin again.
    pub fn cut(&self) -> impl Future<Output = ()> + Send + 'static {
        self.cut.clone().cancelled_owned()
    }

    /// Whether the task was cut: see [`Task::cut`].
    pub fn is_cut(&self) -> bool {
        self.cut.is_cancelled()
    }

    /// Ends the task, as dropping it does. Returns [`TaskOutcome::Done`], or [`TaskOutcome::Cut`] where it was cut before.
    pub fn finish(self) -> TaskOutcome {
        if self.end() { TaskOutcome::Done } else { TaskOutcome::Cut }
    }

    fn end(&self) -> bool {
        self.state.registry.end_task(&self.work, self.id, self.state.clock.now())
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.end();
    }
}
