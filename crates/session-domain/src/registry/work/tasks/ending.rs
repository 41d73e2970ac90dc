//! Tasks end: by their client or code, with their lease, with their session, or because the time for work in progress is over.
//!
//! - A session that moves to another pod leaves its tasks here. A login takes them along under the new id.
//! - A session that is force-closed cuts all of its tasks. A logout and an expiry cut those with a lease: their client is gone. A
//!   task of the pod's own code goes on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::SessionWork;
use super::super::running_tasks::RunningTask;
use super::LeaseKey;
use crate::ids::{PodName, SessionId, TaskId};
use crate::outcome::Outcome;
use crate::registry::Registry;
use crate::registry::live_session::LiveSession;
use crate::session::TaskView;
use crate::task::TaskOutcome;
use crate::time::Timestamp;

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
    /// Whether it was cut because its time was over, or with a session that was force-closed. A logout and an expiry cut tasks, too.
    pub is_out_of_time: bool,
    /// The pod that runs it on, where that is another: its session has ended here for good, and its holder has to cut it.
    pub holder: Option<&'a PodName>,
}

/// How tasks end, and when.
#[derive(Clone, Copy, Debug)]
pub(in crate::registry::work) struct End {
    outcome: TaskOutcome,
    is_out_of_time: bool,
    at: Option<Timestamp>,
}

impl End {
    pub(in crate::registry::work) const fn of(outcome: TaskOutcome, at: Option<Timestamp>) -> Self {
        Self { outcome, is_out_of_time: false, at }
    }

    /// Their session has ended, by a logout or an expiry.
    pub(super) const fn cut_with_session(at: Option<Timestamp>) -> Self {
        Self::of(TaskOutcome::Cut, at)
    }

    /// The time for work in progress is over, or their session is force-closed.
    const fn out_of_time(at: Option<Timestamp>) -> Self {
        Self { is_out_of_time: true, ..Self::of(TaskOutcome::Cut, at) }
    }
}

impl<X> Registry<X> {
    /// Ends a task that its client renews. Returns `false` if the session has no such task with a lease.
    pub fn end_leased_task(&self, work: &Arc<SessionWork>, id: TaskId, now: Timestamp) -> bool {
        self.end_own_tasks(work, End::of(TaskOutcome::Done, Some(now)), |task| {
            task.view.id == id && task.lease.is_some()
        }) > 0
    }

    /// Cuts a task that began after the time for work in progress was over.
    pub fn cut_task(&self, work: &Arc<SessionWork>, id: TaskId, now: Timestamp) {
        self.end_own_tasks(work, End::out_of_time(Some(now)), |task| task.view.id == id);
    }

    /// Ends a task of the pod's own code. Returns `false` if it had ended.
    pub fn end_task(&self, work: &Arc<SessionWork>, id: TaskId, now: Timestamp) -> bool {
        self.end_own_tasks(work, End::of(TaskOutcome::Done, Some(now)), |task| task.view.id == id) > 0
    }

    /// When the next lease ends; `None` if no task has one.
    pub fn next_lease_end(&self) -> Option<Timestamp> {
        self.work.tasks.leases.lock().first_key_value().map(|(first, _)| first.until)
    }

    /// Ends the tasks whose lease has run out.
    pub fn lapse_tasks(&self, now: Timestamp) {
        while let Some((id, is_mirrored, work)) = self.lapsed(now) {
            let is_over = |task: &RunningTask| task.view.lease_until.is_some_and(|until| until <= now);
            self.end_tasks(&work, End::of(TaskOutcome::Lapsed, Some(now)), |task| {
                task.view.id == id && task.holder.is_some() == is_mirrored && is_over(task)
            });
        }
    }

    /// Takes out a lease that has run out.
    fn lapsed(&self, now: Timestamp) -> Option<(TaskId, bool, Arc<SessionWork>)> {
        let mut leases = self.work.tasks.leases.lock();
        let first = leases.first_entry().filter(|first| first.key().until <= now)?;
        let (LeaseKey { task, is_mirrored, .. }, work) = first.remove_entry();
        Some((task, is_mirrored, work))
    }

    /// Cuts all tasks: the time for work in progress is over.
    pub fn cut_tasks(&self, now: Timestamp) {
        let all: Vec<_> = self.work.sessions.lock().values().cloned().collect();
        for work in all {
            self.end_own_tasks(&work, End::out_of_time(Some(now)), |_| true);
        }
    }

    /// Cuts the tasks of a session that has ended on another pod, as far as they have a lease.
    pub fn cut_leased_tasks(&self, work: &Arc<SessionWork>, now: Timestamp) {
        self.end_own_tasks(work, End::cut_with_session(Some(now)), |task| task.lease.is_some());
    }

    /// Ends the tasks that do not outlive the session.
    pub(in crate::registry) fn end_tasks_of(&self, session: &LiveSession<X>, outcome: Outcome) {
        let Some(work) = session.known_work() else { return };
        match outcome {
            // Its new owner protects it for the sake of other pods.
            Outcome::Moved => _ = self.end_tasks(&work, End::of(TaskOutcome::Done, None), |task| task.holder.is_some()),
            Outcome::Forced => _ = self.end_tasks(&work, End::out_of_time(None), |_| true),
            Outcome::Logout | Outcome::AutoLogout | Outcome::Expired => {
                self.end_tasks(&work, End::cut_with_session(None), |task| {
                    task.lease.is_some() || task.holder.is_some()
                });
            }
        }
    }

    /// Ends the tasks of this pod that satisfy `predicate`. Returns how many there were.
    fn end_own_tasks(&self, work: &Arc<SessionWork>, end: End, predicate: impl Fn(&RunningTask) -> bool) -> usize {
        self.end_tasks(work, end, |task| task.holder.is_none() && predicate(task))
    }

    /// Ends the tasks that satisfy `predicate`. Returns how many there were.
    pub(in crate::registry::work) fn end_tasks(
        &self,
        work: &Arc<SessionWork>,
        end: End,
        predicate: impl FnMut(&RunningTask) -> bool,
    ) -> usize {
        let (work, mut tasks) = work.lock_tasks();
        let End { outcome, is_out_of_time, at } = end;
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
                let (task, holder) = (&task.view, task.holder.as_ref());
                observe(EndedTask { session, task, is_leased, outcome, is_out_of_time, holder });
            }
            self.unprotect(work, at);
        }
        if !ended.is_empty() {
            self.queue_tasks_changed(work);
        }
        ended.len()
    }
}
