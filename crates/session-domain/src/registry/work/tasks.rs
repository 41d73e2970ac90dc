//! Tasks begin and are renewed. A task protects its session on the pod that runs it, whatever becomes of the session there.

mod ending;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) use ending::End;
pub use ending::EndedTask;
use parking_lot::Mutex;
use thiserror::Error;

use super::SessionWork;
use super::running_tasks::RunningTask;
use crate::ids::{SessionId, TaskId};
use crate::outcome::Outcome;
use crate::registry::Registry;
use crate::registry::live_session::LiveSession;
use crate::session::TaskView;
use crate::task::{TaskLease, TaskName, TaskProgress, TaskTotals};
use crate::time::Timestamp;

/// The most tasks that run on a pod at the same time, of all sessions together.
pub const MAX_TASKS: u64 = 100_000;

/// Why a task did not begin.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TaskError {
    /// The session has as many tasks as it may. One of them has to end first.
    #[error("the session has as many tasks as it may")]
    TooManyOfSession,
    /// The pod runs as many tasks as it may. Try again later.
    #[error("the pod runs as many tasks as it may")]
    TooManyOfPod,
    /// The session has ended.
    #[error("the session has ended")]
    SessionEnded,
}

/// A task that is to begin.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// A new id.
    pub id: TaskId,
    /// What it is.
    pub name: TaskName,
    /// How long it runs without being renewed; `None` for a task of the pod's own code.
    pub lease: Option<TaskLease>,
}

/// A lease, in the order of the ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LeaseKey {
    pub(super) until: Timestamp,
    pub(super) task: TaskId,
    /// Whether another pod runs the task.
    pub(super) is_mirrored: bool,
}

/// All tasks of the pod: how many, and when their leases end.
#[derive(Debug, Default)]
pub(crate) struct TaskTable {
    running: AtomicU64,
    ended: [AtomicU64; 3],
    leases: Mutex<BTreeMap<LeaseKey, Arc<SessionWork>>>,
}

impl TaskTable {
    fn reserve(&self) -> Result<(), TaskError> {
        let next = |running| (running < MAX_TASKS).then_some(running + 1);
        let reserved = self.running.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        reserved.map(|_| ()).map_err(|_| TaskError::TooManyOfPod)
    }

    /// Adds the end of a lease. Returns whether it is the earliest.
    fn add_lease(&self, key: LeaseKey, work: &Arc<SessionWork>) -> bool {
        let mut leases = self.leases.lock();
        leases.insert(key, Arc::clone(work));
        leases.first_key_value().is_some_and(|(first, _)| *first == key)
    }

    pub(super) fn remove_lease(&self, task: &RunningTask) {
        if let Some(until) = task.view.lease_until {
            let key = LeaseKey { until, task: task.view.id, is_mirrored: task.holder.is_some() };
            self.leases.lock().remove(&key);
        }
    }
}

impl<X> Registry<X> {
    /// Begins a task of a session that this pod holds or held.
    ///
    /// # Errors
    /// If there are too many, or the session has ended. Nothing has changed then.
    pub fn begin_task(
        &self,
        session: &LiveSession<X>,
        task: NewTask,
        now: Timestamp,
    ) -> Result<(TaskView, Arc<SessionWork>), TaskError> {
        self.work.tasks.reserve()?;
        let begun = self.run_task(self.protect(session), task, now)?;
        // Checked afterwards: either the end of the session finds the task, or this finds the end.
        if session.outcome().is_some_and(|outcome| outcome != Outcome::Moved) {
            self.end_tasks(&begun.1, End::cut_with_session(None), |task| task.view.id == begun.0.id);
            return Err(TaskError::SessionEnded);
        }
        Ok(begun)
    }

    /// Begins a task of the session with this id, which another pod owns.
    ///
    /// # Errors
    /// If there are too many. Nothing has changed then.
    pub fn begin_task_elsewhere(
        &self,
        id: SessionId,
        task: NewTask,
        now: Timestamp,
    ) -> Result<(TaskView, Arc<SessionWork>), TaskError> {
        self.work.tasks.reserve()?;
        self.run_task(self.protect_elsewhere(id), task, now)
    }

    fn run_task(
        &self,
        work: Arc<SessionWork>,
        task: NewTask,
        now: Timestamp,
    ) -> Result<(TaskView, Arc<SessionWork>), TaskError> {
        let NewTask { id, name, lease } = task;
        let lease_until = lease.map(|lease| now.plus(lease.duration()));
        let (kind, label) = (Arc::clone(name.kind()), Arc::clone(name.label()));
        let view = TaskView { id, kind, label, progress: None, lease_until };
        // Under the lock, here and below: a task that ends meanwhile takes its lease along.
        let add_lease = || {
            lease_until
                .into_iter()
                .for_each(|until| self.add_lease(LeaseKey { until, task: id, is_mirrored: false }, &work))
        };
        let (current, mut tasks) = work.lock_tasks();
        let added = current.tasks.add(&mut tasks, RunningTask { view: view.clone(), lease, holder: None }, add_lease);
        drop(tasks);
        if let Err(error) = added {
            self.work.tasks.running.fetch_sub(1, Ordering::Relaxed);
            self.unprotect(&work, None);
            return Err(error);
        }
        self.queue_tasks_changed(&work);
        Ok((view, work))
    }

    /// Renews the lease of a task, for `lease` or as long as before, and sets its progress where that is given. `None` if the session
    /// has no such task, or it has no lease.
    pub fn renew_task(
        &self,
        work: &Arc<SessionWork>,
        id: TaskId,
        lease: Option<TaskLease>,
        progress: Option<TaskProgress>,
        now: Timestamp,
    ) -> Option<TaskView> {
        let (work, mut tasks) = work.lock_tasks();
        let task = tasks.iter_mut().find(|task| task.view.id == id && task.holder.is_none())?;
        let lease = lease.or(task.lease).filter(|_| task.lease.is_some())?;
        self.work.tasks.remove_lease(task);
        let until = now.plus(lease.duration());
        (task.lease, task.view.lease_until) = (Some(lease), Some(until));
        task.view.progress = progress.map(TaskProgress::get).or(task.view.progress);
        let view = task.view.clone();
        self.add_lease(LeaseKey { until, task: id, is_mirrored: false }, work);
        drop(tasks);
        self.queue_tasks_changed(work);
        Some(view)
    }

    /// Sets the progress of a task. Returns `false` if it has ended.
    pub fn set_task_progress(&self, work: &Arc<SessionWork>, id: TaskId, progress: TaskProgress) -> bool {
        let (work, mut tasks) = work.lock_tasks();
        let Some(task) = tasks.iter_mut().find(|task| task.view.id == id && task.holder.is_none()) else {
            return false;
        };
        task.view.progress = Some(progress.get());
        drop(tasks);
        self.queue_tasks_changed(work);
        true
    }

    /// What has been counted of tasks.
    pub fn task_totals(&self) -> TaskTotals {
        let tasks = &self.work.tasks;
        TaskTotals {
            running: tasks.running.load(Ordering::Relaxed),
            ended: std::array::from_fn(|i| tasks.ended[i].load(Ordering::Relaxed)),
        }
    }

    pub(super) fn add_lease(&self, key: LeaseKey, work: &Arc<SessionWork>) {
        if self.work.tasks.add_lease(key, work)
            && let Some(advanced) = &self.lease_advanced
        {
            advanced();
        }
    }

    /// Queues the session for the watchers: its tasks have changed.
    pub(super) fn queue_tasks_changed(&self, work: &Arc<SessionWork>) {
        if let Some(session) = self.session_of(work) {
            self.changes.push_updated(&session);
        }
    }
}

#[cfg(test)]
mod tests;
