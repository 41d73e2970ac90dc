//! The tasks that run for one session.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Mutex, MutexGuard};

use super::SessionWork;
use super::tasks::TaskError;
use crate::ids::TaskId;
use crate::session::{MAX_TASKS_PER_SESSION, TaskView};
use crate::task::TaskLease;

/// A task that runs. One without a lease belongs to the pod's own code.
#[derive(Clone, Debug)]
pub(super) struct RunningTask {
    pub(super) view: TaskView,
    pub(super) lease: Option<TaskLease>,
}

/// The tasks of one session, oldest first.
#[derive(Debug, Default)]
pub(super) struct RunningTasks {
    tasks: Mutex<Vec<RunningTask>>,
    any: AtomicBool,
}

impl RunningTasks {
    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<RunningTask>> {
        self.tasks.lock()
    }

    /// Adds a task and calls `added` under the lock, unless there are as many as a session may have.
    pub(super) fn add(&self, task: RunningTask, added: impl FnOnce()) -> Result<(), TaskError> {
        let mut tasks = self.lock();
        if tasks.len() >= MAX_TASKS_PER_SESSION {
            return Err(TaskError::TooManyOfSession);
        }
        tasks.push(task);
        self.any.store(true, Ordering::Release);
        added();
        Ok(())
    }

    /// Takes out the tasks that satisfy `predicate`.
    pub(super) fn take(&self, mut predicate: impl FnMut(&RunningTask) -> bool) -> Vec<RunningTask> {
        let mut tasks = self.lock();
        let taken = tasks.extract_if(.., |task| predicate(task)).collect();
        self.any.store(!tasks.is_empty(), Ordering::Release);
        taken
    }

    fn views(&self) -> Vec<TaskView> {
        // Requests whose bodies move are work without a task.
        if !self.any.load(Ordering::Acquire) {
            return Vec::new();
        }
        self.lock().iter().map(|task| task.view.clone()).collect()
    }
}

impl SessionWork {
    /// The tasks that run for the session on this pod, oldest first.
    pub fn tasks(&self) -> Vec<TaskView> {
        self.tasks.views()
    }

    /// The task with this id.
    pub fn task(&self, id: TaskId) -> Option<TaskView> {
        self.tasks.lock().iter().find(|task| task.view.id == id).map(|task| task.view.clone())
    }
}
