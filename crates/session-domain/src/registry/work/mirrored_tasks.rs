//! Tasks that other pods run for sessions of this pod. They protect their session here, so that it is not force-closed, and count
//! nowhere else: the pod that runs them counts them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::SessionWork;
use super::running_tasks::RunningTask;
use super::tasks::{End, LeaseKey};
use crate::ids::{PodName, TaskId};
use crate::registry::Registry;
use crate::registry::live_session::LiveSession;
use crate::session::TaskView;
use crate::shared_task::SharedTask;
use crate::task::{TaskOutcome, TaskProgress};
use crate::time::Timestamp;

/// How much longer than its lease such a task protects its session: what other pods say of it takes its time.
const MIRROR_SLACK: Duration = Duration::from_secs(2);

impl<X> Registry<X> {
    /// Records that another pod runs a task of the session, or runs it longer. Does nothing if the session has ended here.
    pub fn mirror_task(&self, session: &LiveSession<X>, task: &SharedTask, now: Timestamp) {
        let until = now.plus(task.remaining).plus(MIRROR_SLACK);
        let protected = self.protect(session);
        let id = task.id;
        let is_same = |known: &RunningTask| known.view.id == id && known.holder.is_some();
        let (work, mut tasks) = protected.lock_tasks();
        let known = tasks.iter_mut().find(|known| is_same(known));
        let is_new = known.is_none();
        let progress = task.progress.map(TaskProgress::get);
        if let Some(known) = known {
            self.work.tasks.remove_lease(known);
            (known.view.lease_until, known.holder) = (Some(until), Some(task.holder.clone()));
            known.view.progress = progress;
        } else {
            let (kind, label) = (Arc::clone(task.name.kind()), Arc::clone(task.name.label()));
            let view = TaskView { id, kind, label, progress, lease_until: Some(until) };
            tasks.push(RunningTask { view, lease: task.lease, holder: Some(task.holder.clone()) });
            work.mirrored.fetch_add(1, Ordering::AcqRel);
        }
        self.add_lease(LeaseKey { until, task: id, is_mirrored: true }, work);
        drop(tasks);
        if !is_new {
            self.unprotect(work, None);
        } else if session.has_ended() {
            self.end_mirrored(work, now, |task| is_same(task));
        }
    }

    /// Records that a task has ended on the pod that ran it.
    pub fn end_mirrored_task(&self, work: &Arc<SessionWork>, id: TaskId, now: Timestamp) {
        self.end_mirrored(work, now, |task| task.view.id == id);
    }

    fn end_mirrored(&self, work: &Arc<SessionWork>, now: Timestamp, predicate: impl Fn(&RunningTask) -> bool) {
        self.end_tasks(work, End::of(TaskOutcome::Done, Some(now)), |task| task.holder.is_some() && predicate(task));
    }

    /// The tasks that other pods run for the session.
    pub fn mirrored_tasks(&self, session: &LiveSession<X>, now: Timestamp) -> Vec<SharedTask> {
        let Some(work) = session.known_work().filter(|work| work.is_protected()) else { return Vec::new() };
        let shared = |task: &RunningTask| task.shared(task.holder.clone()?, now);
        work.current().tasks.lock().iter().filter_map(shared).collect()
    }

    /// The tasks that this pod runs, each with the work that it is part of: those of sessions that other pods own, and those without
    /// a lease. Other pods hear of these again and again.
    pub fn tasks_to_repeat(&self) -> Vec<(TaskId, Arc<SessionWork>)> {
        let all: Vec<_> = self.work.sessions.lock().values().cloned().collect();
        let mut tasks = Vec::new();
        for work in all {
            let is_own = self.session_of(&work).is_some();
            let repeats = |task: &&RunningTask| task.holder.is_none() && (!is_own || task.lease.is_none());
            let ids: Vec<_> = work.current().tasks.lock().iter().filter(repeats).map(|task| task.view.id).collect();
            tasks.extend(ids.into_iter().map(|id| (id, Arc::clone(&work))));
        }
        tasks
    }

    /// All tasks that this pod runs, each with the work that it is part of.
    pub fn all_tasks(&self) -> Vec<(TaskId, Arc<SessionWork>)> {
        let all: Vec<_> = self.work.sessions.lock().values().cloned().collect();
        let ids = |work: Arc<SessionWork>| {
            let ids: Vec<_> = work.tasks().iter().map(|task| task.id).collect();
            ids.into_iter().map(move |id| (id, Arc::clone(&work)))
        };
        all.into_iter().flat_map(ids).collect()
    }
}

impl SessionWork {
    /// The task with this id as other pods know it; `None` if this pod does not run it.
    pub fn shared_task(&self, id: TaskId, holder: &PodName, now: Timestamp) -> Option<SharedTask> {
        let tasks = self.current().tasks.lock();
        let task = tasks.iter().find(|task| task.view.id == id && task.holder.is_none())?;
        task.shared(holder.clone(), now)
    }
}
