//! The tasks that run for one session.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use super::SessionWork;
use super::tasks::TaskError;
use crate::ids::{PodName, TaskId};
use crate::session::{MAX_TASKS_PER_SESSION, TaskView};
use crate::shared_task::SharedTask;
use crate::task::{TaskLease, TaskName, TaskProgress};
use crate::time::Timestamp;

/// How long other pods count a task without a lease as running after they last heard of it.
const UNLEASED_REMAINING: Duration = Duration::from_secs(30);

/// A task that runs. One without a lease belongs to the pod's own code.
#[derive(Clone, Debug)]
pub(super) struct RunningTask {
    pub(super) view: TaskView,
    pub(super) lease: Option<TaskLease>,
    /// The pod that runs it, where that is another.
    pub(super) holder: Option<PodName>,
}

impl RunningTask {
    /// The task as other pods know it.
    pub(super) fn shared(&self, holder: PodName, now: Timestamp) -> Option<SharedTask> {
        Some(SharedTask {
            id: self.view.id,
            holder,
            name: TaskName::new(&self.view.kind, &self.view.label).ok()?,
            progress: self.view.progress.and_then(|progress| TaskProgress::new(progress).ok()),
            lease: self.lease,
            remaining: self.view.lease_until.map_or(UNLEASED_REMAINING, |until| until.since(now)),
        })
    }
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

    /// Adds a task and calls `added`, unless there are as many as a session may have. The caller has locked the tasks.
    pub(super) fn add(
        &self,
        tasks: &mut Vec<RunningTask>,
        task: RunningTask,
        added: impl FnOnce(),
    ) -> Result<(), TaskError> {
        // Those that other pods run count too, except one that goes on here, and except requests there whose bodies move.
        let counts =
            |known: &&RunningTask| known.view.id != task.view.id && (known.holder.is_none() || known.lease.is_some());
        if tasks.iter().filter(counts).count() >= MAX_TASKS_PER_SESSION {
            return Err(TaskError::TooManyOfSession);
        }
        tasks.push(task);
        self.any.store(true, Ordering::Release);
        added();
        Ok(())
    }

    /// Moves all tasks of another work, which the caller has locked like these.
    pub(super) fn append(&self, tasks: &mut Vec<RunningTask>, others: &mut Vec<RunningTask>) {
        tasks.append(others);
        self.any.store(!tasks.is_empty(), Ordering::Release);
    }

    /// Takes out the tasks that satisfy `predicate`. The caller has locked them.
    pub(super) fn take(
        &self,
        tasks: &mut Vec<RunningTask>,
        mut predicate: impl FnMut(&RunningTask) -> bool,
    ) -> Vec<RunningTask> {
        let taken = tasks.extract_if(.., |task| predicate(task)).collect();
        self.any.store(!tasks.is_empty(), Ordering::Release);
        taken
    }

    fn views(&self) -> Vec<TaskView> {
        // Requests whose bodies move are work without a task.
        if !self.any.load(Ordering::Acquire) {
            return Vec::new();
        }
        self.lock().iter().filter(|task| task.holder.is_none()).map(|task| task.view.clone()).collect()
    }
}

impl SessionWork {
    /// The tasks that run for the session on this pod, oldest first.
    pub fn tasks(&self) -> Vec<TaskView> {
        self.current().tasks.views()
    }

    /// The task with this id.
    pub fn task(&self, id: TaskId) -> Option<TaskView> {
        let tasks = self.current().tasks.lock();
        tasks.iter().find(|task| task.view.id == id && task.holder.is_none()).map(|task| task.view.clone())
    }
}
