//! Tasks that browsers or the pod's own processes begin, renew and end over HTTP. Each has a lease.

use std::sync::Arc;

use session_domain::registry::SessionWork;
use session_domain::{SessionId, TaskId, TaskView};

use super::input::Input;
use super::new_task;
use super::refusal::TaskRefusal;
use crate::refusal::Reason;
use crate::service_state::ServiceState;
use crate::sessions::ServedSession;
use crate::sharing::TaskLookupError;

impl ServiceState {
    /// Begins a task of the session, and waits until other pods can know of it.
    ///
    /// # Errors
    /// Where a value is faulty, there is no room, or the pod is about to stop.
    pub(crate) async fn begin_leased_task(&self, session: &ServedSession, input: &Input) -> Result<TaskView, Reason> {
        let (name, lease) = (input.name().map_err(Reason::Task)?, input.lease().map_err(Reason::Task)?);
        let task = new_task(name, Some(lease.unwrap_or_default()));
        // Other pods run tasks of the session, too. Its owner knows of them.
        if let (ServedSession::Guest(guest), Some(sharing)) = (session, self.sessions.sharing())
            && !sharing.has_room_for_task(guest.id()).await
        {
            return Err(Reason::Task(TaskRefusal::TooManyOfSession));
        }
        let (task, _) = self.begin_task(session, task)?;
        self.sessions.flush().await;
        self.flush_tasks().await;
        Ok(task)
    }

    /// Renews a task of the session with this id, on this pod or on another. Without the `id` of a task there is none.
    ///
    /// # Errors
    /// Where a value is faulty, the session has no such task, or its pod cannot be found now.
    pub(crate) async fn renew_leased_task(
        &self,
        session: SessionId,
        id: Option<TaskId>,
        input: &Input,
    ) -> Result<TaskView, Reason> {
        let (lease, progress) = (input.lease().map_err(Reason::Task)?, input.progress().map_err(Reason::Task)?);
        let id = id.ok_or(Reason::Task(TaskRefusal::NotFound))?;
        let renew = |work: Arc<SessionWork>| {
            let renewed = self.registry.renew_task(&work, id, lease, progress, self.clock.now())?;
            self.task_changed(id, &work);
            Some(renewed)
        };
        match (self.work_of(session).and_then(renew), self.sessions.sharing()) {
            (Some(task), _) => {
                self.flush_tasks().await;
                Ok(task)
            }
            (None, Some(sharing)) => Ok(sharing.renew_task_elsewhere(session, id, lease, progress).await?),
            (None, None) => Err(Reason::Task(TaskRefusal::NotFound)),
        }
    }

    /// Ends a task of the session with this id, on this pod or on another. Where there is none, there is nothing to end.
    ///
    /// # Errors
    /// Where its pod cannot be found now.
    pub(crate) async fn end_leased_task(&self, session: SessionId, id: TaskId) -> Result<(), Reason> {
        let end = |work| self.registry.end_leased_task(&work, id, self.clock.now());
        match (self.work_of(session).is_some_and(end), self.sessions.sharing()) {
            (true, _) => self.flush_tasks().await,
            (false, Some(sharing)) => match sharing.end_task_elsewhere(session, id).await {
                Ok(()) | Err(TaskLookupError::NotFound) => {}
                Err(error) => return Err(error.into()),
            },
            (false, None) => {}
        }
        Ok(())
    }
}
