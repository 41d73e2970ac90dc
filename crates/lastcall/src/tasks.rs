//! Tasks: work that runs for a session longer than a request, begun over HTTP or by the pod's own code.
//!
//! The registry holds the tasks and the rules. This module gives it the time: leases lapse as soon as they end.

mod ends;
mod guard;
mod input;
mod leased;
mod refusal;
mod routes;

use std::sync::Arc;

pub(crate) use ends::TaskEnds;
pub use guard::Task;
pub(crate) use input::Input as TaskInput;
pub(crate) use refusal::TaskRefusal;
pub(crate) use routes::{answer, begin, end, renew, task_id};
use session_domain::registry::{NewTask, SessionWork};
use session_domain::{SessionId, TaskId, TaskLease, TaskName, TaskView};
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::refusal::Reason;
use crate::service_state::ServiceState;
use crate::session::Session;
use crate::sessions::ServedSession;

impl ServiceState {
    /// Begins a task of a session, wherever it lives.
    pub(crate) fn begin_task(
        &self,
        session: &ServedSession,
        task: NewTask,
    ) -> Result<(TaskView, Arc<SessionWork>), Reason> {
        // A task that begins now would be cut before its first renewal. The client must ask another pod.
        let is_stopping = || self.lifecycle.borrow().phase().is_past_work();
        if is_stopping() {
            return Err(Reason::Stopping);
        }
        let now = self.clock.now();
        let begun = match session {
            ServedSession::Own(live) => self.registry.begin_task(live, task, now),
            ServedSession::Guest(guest) => self.registry.begin_task_elsewhere(guest.id(), task, now),
        };
        let (view, work) = begun?;
        // Checked again: either the end of the time for work finds the task, or this finds that end.
        if is_stopping() {
            self.registry.cut_task(&work, view.id, now);
            return Err(Reason::Stopping);
        }
        self.task_changed(view.id, &work);
        Ok((view, work))
    }

    /// Other pods have to know of a task that has begun or changed.
    fn task_changed(&self, id: TaskId, work: &Arc<SessionWork>) {
        if let Some(sharing) = self.sessions.sharing() {
            sharing.task_changed(id, work);
        }
    }

    /// Waits until other pods can know of all earlier changes of tasks, as long as the store takes writes.
    pub(crate) async fn flush_tasks(&self) {
        if let Some(sharing) = self.sessions.sharing() {
            sharing.flush_tasks().await;
        }
    }

    /// The work in progress here of the session with this id.
    fn work_of(&self, id: SessionId) -> Option<Arc<SessionWork>> {
        self.registry.work_of(id)
    }

    /// The time for work in progress is over.
    pub(crate) fn cut_work(&self) {
        self.transfers.cut_all();
        self.registry.cut_tasks(self.clock.now());
    }
}

impl Session {
    /// Begins a task: work of the pod's own code that a drain waits for, such as an export. The session is protected until the task
    /// is dropped, which may be in a spawned task long after the response, and on a pod that does not own the session too. `kind`
    /// (at most 64 characters) and `label` (at most 200) are shown to operators.
    ///
    /// After the deadline of a drain it is waited for up to [`Policy::task_grace`](crate::Policy::task_grace): see [`Task::cut`].
    ///
    /// # Errors
    /// The response to give instead, with nothing begun: 422 where a text is too long, 429 where the session has 100 tasks or the
    /// pod has no room for more, 409 where the session has just ended, 503 where the pod is about to stop.
    pub fn task(&self, kind: &str, label: &str) -> Result<Task, crate::Refusal> {
        let name =
            TaskName::new(kind, label).map_err(|error| self.refuse(Reason::Task(TaskRefusal::Invalid(error))))?;
        Task::begin(&self.state, &self.served, name).map_err(|reason| self.refuse(reason))
    }
}

/// A task that is to begin, with a new id.
pub(crate) fn new_task(name: TaskName, lease: Option<TaskLease>) -> NewTask {
    NewTask { id: TaskId::from_uuid(Uuid::new_v4()), name, lease }
}

/// Ends each task at the moment at which its lease does, until `stop` is cancelled.
pub(crate) async fn lapse(state: Arc<ServiceState>, stop: CancellationToken) {
    loop {
        // Before the time is read: a lease that begins meanwhile wakes the next wait.
        let earlier = state.task_ends.lease_advanced.notified();
        let next = state.registry.next_lease_end().map(|until| state.clock.instant_of(until));
        let wait = async {
            match next {
                Some(next) => tokio::select! { () = sleep_until(next) => {}, () = earlier => {} },
                None => earlier.await,
            }
        };
        if stop.run_until_cancelled(wait).await.is_none() {
            return;
        }
        state.registry.lapse_tasks(state.clock.now());
    }
}

#[cfg(test)]
mod tests;
