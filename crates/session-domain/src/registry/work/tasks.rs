//! Tasks begin, are renewed, and end. A task protects its session on the pod that runs it, whatever becomes of the session there.
//!
//! - A session that moves to another pod leaves its tasks here. A login takes them along under the new id.
//! - A session that is force-closed cuts all of its tasks. A logout and an expiry cut those with a lease: their client is gone. A
//!   task of the pod's own code goes on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use thiserror::Error;

use super::SessionWork;
use super::running_tasks::RunningTask;
use crate::ids::{PodName, SessionId, TaskId};
use crate::outcome::Outcome;
use crate::registry::Registry;
use crate::registry::live_session::LiveSession;
use crate::session::TaskView;
use crate::task::{TaskLease, TaskName, TaskOutcome, TaskProgress, TaskTotals};
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

/// A task that has ended, as [`Registry::with_task_observer`] is told.
#[derive(Clone, Copy, Debug)]
pub struct EndedTask<'a> {
    /// Its session.
    pub session: SessionId,
    /// The task.
    pub task: &'a TaskView,
    /// Whether it belonged to the pod's own code.
    pub is_leased: bool,
    /// How it ended.
    pub outcome: TaskOutcome,
    /// The pod that runs it on, where that is another: its session has ended here for good, and its holder has to cut it.
    pub holder: Option<&'a PodName>,
}

/// When a lease ends; of which task; whether another pod runs it.
pub(super) type LeaseKey = (Timestamp, TaskId, bool);

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
            self.leases.lock().remove(&(until, task.view.id, task.holder.is_some()));
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
            self.end_tasks(&begun.1, TaskOutcome::Cut, None, |task| task.view.id == begun.0.id);
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
        let add_lease = || lease_until.into_iter().for_each(|until| self.add_lease((until, id, false), &work));
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
        self.add_lease((until, id, false), work);
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

    /// Ends a task that its client renews. Returns `false` if the session has no such task with a lease.
    pub fn end_leased_task(&self, work: &Arc<SessionWork>, id: TaskId, now: Timestamp) -> bool {
        self.end_own_tasks(work, TaskOutcome::Done, now, |task| task.view.id == id && task.lease.is_some()) > 0
    }

    /// Ends a task of the pod's own code. Returns `false` if it had ended.
    pub fn end_task(&self, work: &Arc<SessionWork>, id: TaskId, now: Timestamp) -> bool {
        self.end_own_tasks(work, TaskOutcome::Done, now, |task| task.view.id == id) > 0
    }

    /// When the next lease ends; `None` if no task has one.
    pub fn next_lease_end(&self) -> Option<Timestamp> {
        self.work.tasks.leases.lock().first_key_value().map(|((until, ..), _)| *until)
    }

    /// Ends the tasks whose lease has run out.
    pub fn lapse_tasks(&self, now: Timestamp) {
        while let Some((id, is_mirrored, work)) = self.lapsed(now) {
            let is_over = |task: &RunningTask| task.view.lease_until.is_some_and(|until| until <= now);
            self.end_tasks(&work, TaskOutcome::Lapsed, Some(now), |task| {
                task.view.id == id && task.holder.is_some() == is_mirrored && is_over(task)
            });
        }
    }

    /// Takes out a lease that has run out.
    fn lapsed(&self, now: Timestamp) -> Option<(TaskId, bool, Arc<SessionWork>)> {
        let mut leases = self.work.tasks.leases.lock();
        let first = leases.first_entry().filter(|first| first.key().0 <= now)?;
        let ((_, id, is_mirrored), work) = first.remove_entry();
        Some((id, is_mirrored, work))
    }

    /// Cuts all tasks: the time for work in progress is over.
    pub fn cut_tasks(&self, now: Timestamp) {
        let all: Vec<_> = self.work.sessions.lock().values().cloned().collect();
        for work in all {
            self.end_own_tasks(&work, TaskOutcome::Cut, now, |_| true);
        }
    }

    /// Cuts the tasks of a session that has ended on another pod, as far as they have a lease.
    pub fn cut_leased_tasks(&self, work: &Arc<SessionWork>, now: Timestamp) {
        self.end_own_tasks(work, TaskOutcome::Cut, now, |task| task.lease.is_some());
    }

    /// Ends the tasks that do not outlive the session.
    pub(in crate::registry) fn end_tasks_of(&self, session: &LiveSession<X>, outcome: Outcome) {
        let Some(work) = session.known_work() else { return };
        match outcome {
            // Its new owner protects it for the sake of other pods.
            Outcome::Moved => _ = self.end_tasks(&work, TaskOutcome::Done, None, |task| task.holder.is_some()),
            Outcome::Forced => _ = self.end_tasks(&work, TaskOutcome::Cut, None, |_| true),
            Outcome::Logout | Outcome::AutoLogout | Outcome::Expired => {
                self.end_tasks(&work, TaskOutcome::Cut, None, |task| task.lease.is_some() || task.holder.is_some());
            }
        }
    }

    /// What has been counted of tasks.
    pub fn task_totals(&self) -> TaskTotals {
        let tasks = &self.work.tasks;
        TaskTotals {
            running: tasks.running.load(Ordering::Relaxed),
            ended: std::array::from_fn(|i| tasks.ended[i].load(Ordering::Relaxed)),
        }
    }

    /// Ends the tasks of this pod that satisfy `predicate`. Returns how many there were.
    fn end_own_tasks(
        &self,
        work: &Arc<SessionWork>,
        outcome: TaskOutcome,
        now: Timestamp,
        predicate: impl Fn(&RunningTask) -> bool,
    ) -> usize {
        self.end_tasks(work, outcome, Some(now), |task| task.holder.is_none() && predicate(task))
    }

    /// Ends the tasks that satisfy `predicate`. Returns how many there were.
    pub(super) fn end_tasks(
        &self,
        work: &Arc<SessionWork>,
        outcome: TaskOutcome,
        now: Option<Timestamp>,
        predicate: impl FnMut(&RunningTask) -> bool,
    ) -> usize {
        let (work, mut tasks) = work.lock_tasks();
        let ended = work.tasks.take(&mut tasks, predicate);
        let mirrored = ended.iter().filter(|task| task.holder.is_some()).count();
        work.mirrored.fetch_sub(u32::try_from(mirrored).unwrap_or(u32::MAX), Ordering::AcqRel);
        drop(tasks);
        for task in &ended {
            self.work.tasks.remove_lease(task);
            if task.holder.is_none() {
                self.work.tasks.running.fetch_sub(1, Ordering::Relaxed);
                self.work.tasks.ended[outcome as usize].fetch_add(1, Ordering::Relaxed);
            }
            if let Some(observe) = &self.task_ended
                && (task.holder.is_none() || outcome == TaskOutcome::Cut)
            {
                let (session, is_leased) = (work.session_id(), task.lease.is_some());
                observe(EndedTask { session, task: &task.view, is_leased, outcome, holder: task.holder.as_ref() });
            }
            self.unprotect(work, now);
        }
        if !ended.is_empty() {
            self.queue_tasks_changed(work);
        }
        ended.len()
    }

    pub(super) fn add_lease(&self, key: LeaseKey, work: &Arc<SessionWork>) {
        if self.work.tasks.add_lease(key, work)
            && let Some(advanced) = &self.lease_advanced
        {
            advanced();
        }
    }

    /// Queues the session for the watchers: its tasks have changed.
    fn queue_tasks_changed(&self, work: &Arc<SessionWork>) {
        if let Some(session) = self.session_of(work) {
            self.changes.push_updated(&session);
        }
    }
}

#[cfg(test)]
mod tests;
