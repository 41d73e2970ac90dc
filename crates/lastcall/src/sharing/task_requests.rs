//! Requests about tasks that another pod runs, and the messages that follow from them.
//!
//! What the store has acknowledged is the answer. The pod that runs the task follows by a message. Where that pod is gone, the pod
//! that was asked runs the task from then on.

use std::sync::Arc;

use session_domain::registry::{MAX_TASKS, NewTask, SessionWork, TaskError};
use session_domain::shared::SharedTask;
use session_domain::{MAX_TASKS_PER_SESSION, SessionId, TaskId, TaskLease, TaskProgress, TaskView};

use super::Sharing;
use crate::sessions::live::LiveSession;
use crate::store::{Message, ReadOutcome, SessionEntry, Write, WriteOutcome};

/// Why a request about a task that another pod runs fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskLookupError {
    /// There is none.
    NotFound,
    /// It cannot be looked up, or not be changed, now.
    Unavailable,
    /// Nothing runs it any more, and this pod has no room for it.
    NoRoom(TaskError),
    /// Nothing runs it any more, and this pod is about to stop.
    Stopping,
}

impl Sharing {
    /// Whether a session that another pod owns has room for one more task, as far as the store knows.
    pub(crate) async fn has_room_for_task(&self, session: SessionId) -> bool {
        let read = self.health.record_read(self.store.read(session).await, self.clock.now());
        let Some(ReadOutcome::Found(entry)) = read else { return true };
        let runs_elsewhere = |task: &&SharedTask| task.holder != self.config.pod && !task.remaining.is_zero();
        let elsewhere = entry.tasks.iter().filter(runs_elsewhere).count();
        let here = self.registry.work_of(session).map_or(0, |work| work.tasks().len());
        here + elsewhere < MAX_TASKS_PER_SESSION
    }

    /// Renews a task of the session that another pod runs.
    pub(crate) async fn renew_task_elsewhere(
        &self,
        session: SessionId,
        id: TaskId,
        lease: Option<TaskLease>,
        progress: Option<TaskProgress>,
    ) -> Result<TaskView, TaskLookupError> {
        let (entry, mut task) = self.find_task(session, id).await?;
        let lease = lease.or(task.lease).unwrap_or_default();
        (task.lease, task.remaining, task.progress) = (Some(lease), lease.duration(), progress.or(task.progress));
        if self.is_gone(&task).await? {
            self.check_room()?;
            task.holder = self.config.pod.clone();
        }
        self.write_task(Write::PutTask { id: session, task: task.clone(), new: false }).await?;
        if task.holder == self.config.pod {
            self.run_task(session, &task).map_err(TaskLookupError::NoRoom)?;
        }
        self.notify_holder(&entry, &task, &Message::Task(session, task.clone())).await;
        self.mirror(session, &task);
        Ok(TaskView {
            id,
            kind: Arc::clone(task.name.kind()),
            label: Arc::clone(task.name.label()),
            progress: task.progress.map(TaskProgress::get),
            lease_until: Some(self.clock.now().plus(task.remaining)),
        })
    }

    /// Ends a task of the session that another pod runs.
    pub(crate) async fn end_task_elsewhere(&self, session: SessionId, id: TaskId) -> Result<(), TaskLookupError> {
        let (entry, task) = self.find_task(session, id).await?;
        self.write_task(Write::EndTask { id: session, task: id }).await?;
        self.notify_holder(&entry, &task, &Message::TaskEnded(session, id)).await;
        self.end_mirrored(session, id);
        Ok(())
    }

    async fn find_task(&self, session: SessionId, id: TaskId) -> Result<(SessionEntry, SharedTask), TaskLookupError> {
        let read = self.health.record_read(self.store.read(session).await, self.clock.now());
        match read.ok_or(TaskLookupError::Unavailable)? {
            ReadOutcome::Found(entry) => {
                let task = entry.tasks.iter().find(|task| task.id == id && task.is_renewable()).cloned();
                match task {
                    Some(task) => Ok((*entry, task)),
                    // The pod that runs it may not have written it again yet.
                    None if !self.health.believes_leases(self.clock.now()) => Err(TaskLookupError::Unavailable),
                    None => Err(TaskLookupError::NotFound),
                }
            }
            ReadOutcome::Absent(contents) if !self.health.believes_absence(contents, self.clock.now()) => {
                Err(TaskLookupError::Unavailable)
            }
            ReadOutcome::Absent(_) | ReadOutcome::Replaced => Err(TaskLookupError::NotFound),
        }
    }

    /// Whether this pod can run one more task.
    fn check_room(&self) -> Result<(), TaskLookupError> {
        if self.lifecycle.borrow().phase().is_past_work() {
            return Err(TaskLookupError::Stopping);
        }
        if self.registry.task_totals().running >= MAX_TASKS {
            return Err(TaskLookupError::NoRoom(TaskError::TooManyOfPod));
        }
        Ok(())
    }

    /// Whether no pod runs the task.
    async fn is_gone(&self, task: &SharedTask) -> Result<bool, TaskLookupError> {
        if task.holder == self.config.pod {
            return Ok(true);
        }
        let holder = self.owner(&task.holder).await.ok_or(TaskLookupError::Unavailable)?;
        Ok(holder.is_gone())
    }

    async fn write_task(&self, write: Write) -> Result<(), TaskLookupError> {
        match self.write_now(write).await {
            Some(WriteOutcome::Done) => Ok(()),
            Some(WriteOutcome::Missing) => Err(TaskLookupError::NotFound),
            Some(
                WriteOutcome::NotOwner
                | WriteOutcome::Requested(_)
                | WriteOutcome::Unavailable
                | WriteOutcome::Refused(_),
            )
            | None => Err(TaskLookupError::Unavailable),
        }
    }

    /// Notifies the pod that runs the task, and the owner of its session.
    async fn notify_holder(&self, entry: &SessionEntry, task: &SharedTask, message: &Message) {
        self.send(&task.holder, message).await;
        if entry.session.pod != task.holder {
            self.send(&entry.session.pod, message).await;
        }
    }

    /// Runs a task here that no pod runs.
    fn run_task(&self, session: SessionId, task: &SharedTask) -> Result<(), TaskError> {
        let new = NewTask { id: task.id, name: task.name.clone(), lease: task.lease };
        let now = self.clock.now();
        let begun = match self.registry.get(session) {
            Some(live) => self.registry.begin_task(&live, new, now),
            None => self.registry.begin_task_elsewhere(session, new, now),
        };
        let (view, work) = begun?;
        if let Some(progress) = task.progress {
            self.registry.set_task_progress(&work, view.id, progress);
        }
        self.registry.end_mirrored_task(&work, view.id, now);
        self.task_changed(view.id, &work);
        Ok(())
    }

    /// Protects the session of a task that another pod runs, where this pod owns the session.
    pub(super) fn mirror(&self, session: SessionId, task: &SharedTask) {
        if task.holder != self.config.pod
            && !task.remaining.is_zero()
            && let Some(live) = self.registry.get(session)
        {
            self.registry.mirror_task(&live, task, self.clock.now());
        }
    }

    fn end_mirrored(&self, session: SessionId, id: TaskId) {
        if let Some(work) = self.registry.work_of(session) {
            self.registry.end_mirrored_task(&work, id, self.clock.now());
        }
    }

    /// Acts on a message about tasks.
    pub(super) async fn apply_task_message(&self, message: &Message) {
        let now = self.clock.now();
        match message {
            Message::Task(session, task) if task.holder == self.config.pod => self.renew_own(*session, task).await,
            Message::Task(session, task) => self.mirror(*session, task),
            Message::TaskEnded(session, id) => {
                if let Some(work) = self.registry.work_of(*session) {
                    self.registry.end_leased_task(&work, *id, now);
                    self.registry.end_mirrored_task(&work, *id, now);
                }
            }
            Message::TasksCut(session) => {
                if let Some(work) = self.registry.work_of(*session) {
                    self.registry.cut_leased_tasks(&work, now);
                }
            }
            Message::Renamed(old, new) => self.rename_work(*old, *new),
            Message::Adopted(_) | Message::Requested(..) | Message::Notified(..) | Message::Active(_) => {}
        }
    }

    /// Another pod has renewed a task of this pod. One whose lease has run out meanwhile goes on: its client was told so.
    async fn renew_own(&self, session: SessionId, task: &SharedTask) {
        let work = self.registry.work_of(session);
        let renew = |work: &Arc<SessionWork>| {
            self.registry.renew_task(work, task.id, task.lease, task.progress, self.clock.now())
        };
        match work.as_ref().and_then(|work| Some((work, renew(work)?))) {
            Some((work, _)) => self.task_changed(task.id, work),
            None => {
                // Skips tasks that have ended since.
                let found = self.find_task(session, task.id).await;
                if let Ok((_, found)) = found
                    && found.holder == self.config.pod
                {
                    // Where there is no room for it, its client hears of it at the next renewal.
                    let _ = self.check_room().is_ok() && self.run_task(session, &found).is_ok();
                }
            }
        }
    }

    /// The session of this id, which another pod owns, goes on under another: so does its work here.
    pub(super) fn rename_work(&self, old: SessionId, new: SessionId) {
        self.registry.rename_work(old, new);
        if let Some(work) = self.registry.work_of(new) {
            work.tasks().iter().for_each(|task| self.task_changed(task.id, &work));
        }
    }

    /// A session of this pod has another id: the pods that run its tasks hear of it, and its tasks are written under the new id.
    pub(super) fn tasks_renamed(&self, session: &LiveSession, old: SessionId) {
        let new = session.id();
        for task in self.registry.mirrored_tasks(session, self.clock.now()) {
            self.outbox.queue(&task.holder, Message::Renamed(old, new));
            self.task_moved(new, task);
        }
        if let Some(work) = self.registry.work_of(new) {
            work.tasks().iter().for_each(|task| self.task_changed(task.id, &work));
        }
    }

    /// A session of this pod has ended for good: the pod that runs this task of it cuts it.
    pub(crate) fn cut_elsewhere(&self, session: SessionId, holder: &session_domain::PodName) {
        self.outbox.queue(holder, Message::TasksCut(session));
    }
}
