//! Tells the store, and through it the other pods, of the tasks that this pod runs.
//!
//! A task is a field of its session's entry, so that it goes where the entry goes. The owner of the session, where that is another
//! pod, also gets a message: it must not force-close the session. Both are repeated
//! every 5 s for tasks whose entry other pods may have lost.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use session_domain::registry::SessionWork;
use session_domain::shared::SharedTask;
use session_domain::{SessionId, TaskId};
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::Sharing;
use crate::store::{Message, ReadOutcome, Write, WriteOutcome};

/// Changes of tasks are collected for this long.
const DEBOUNCE: Duration = Duration::from_millis(50);

/// What could not be written is tried again this often.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Tasks that others could forget are written again after so many retries.
const RETRIES_PER_REPEAT: u32 = 5;

/// Writes that are sent together.
const BATCH: usize = 500;

/// The tasks whose change the store does not have yet.
#[derive(Debug, Default)]
pub(super) struct TaskSync {
    changed: Mutex<HashMap<TaskId, Changed>>,
    wake: Notify,
    /// Held while changes are written: they are written in order.
    turn: tokio::sync::Mutex<()>,
}

/// What has changed.
#[derive(Clone, Debug)]
enum Changed {
    /// This pod runs the task.
    Running(Arc<SessionWork>),
    /// Another pod runs the task of this session, whose id has changed.
    Elsewhere(SessionId, SharedTask),
    /// The task of this session has ended.
    Ended(SessionId),
}

impl Changed {
    fn session(&self) -> SessionId {
        match self {
            Self::Running(work) => work.session_id(),
            Self::Elsewhere(session, _) | Self::Ended(session) => *session,
        }
    }
}

/// Writes changes until `stop` is cancelled, then once more.
pub(super) async fn run(sharing: Arc<Sharing>, stop: CancellationToken) {
    let mut ticks = interval(RETRY_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut retries = 0_u32;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = sharing.tasks.wake.notified() => sleep(DEBOUNCE).await,
            _ = ticks.tick() => {
                retries = retries.wrapping_add(1);
                if retries.is_multiple_of(RETRIES_PER_REPEAT) {
                    sharing.registry.tasks_to_repeat().iter().for_each(|(id, work)| sharing.task_changed(*id, work));
                }
            }
        }
        sharing.sync_tasks().await;
    }
    sharing.sync_tasks().await;
}

impl Sharing {
    /// A task of this pod has begun or changed.
    pub(crate) fn task_changed(&self, id: TaskId, work: &Arc<SessionWork>) {
        self.record_changed(id, Changed::Running(Arc::clone(work)));
    }

    /// A task of this pod has ended.
    pub(crate) fn task_ended(&self, session: SessionId, id: TaskId) {
        self.record_changed(id, Changed::Ended(session));
    }

    /// A task of the session that another pod runs goes on under the session's new id.
    pub(super) fn task_moved(&self, session: SessionId, task: SharedTask) {
        self.record_changed(task.id, Changed::Elsewhere(session, task));
    }

    fn record_changed(&self, id: TaskId, changed: Changed) {
        self.tasks.changed.lock().insert(id, changed);
        self.tasks.wake.notify_one();
    }

    /// The store has lost its data: writes all tasks again.
    pub(super) fn rewrite_tasks(&self) {
        self.registry.all_tasks().iter().for_each(|(id, work)| self.task_changed(*id, work));
    }

    /// The streams of a session's guests show whether its work is in progress here.
    pub(super) fn update_protected_guests(&self, session: SessionId) {
        for guest in self.guests.of(session) {
            guest.streams().update_protected(|| self.registry.work_of(session).is_some());
        }
    }

    /// Writes what has changed, where the store takes writes. What it does not take is kept.
    pub(crate) async fn sync_tasks(&self) {
        let _turn = self.tasks.turn.lock().await;
        let sessions: Vec<_> = self.tasks.changed.lock().values().map(Changed::session).collect();
        sessions.into_iter().for_each(|session| self.update_protected_guests(session));
        if !self.health().is_writable() {
            return;
        }
        let changed: Vec<_> = std::mem::take(&mut *self.tasks.changed.lock()).into_iter().collect();
        for batch in changed.chunks(BATCH) {
            self.sync_batch(batch).await;
        }
    }

    async fn sync_batch(&self, batch: &[(TaskId, Changed)]) {
        let now = self.clock.now();
        let write = |(id, changed): &(TaskId, Changed)| match changed {
            Changed::Running(work) => {
                let task = work.shared_task(*id, &self.config.pod, now)?;
                Some(Write::PutTask { id: work.session_id(), task, new: true })
            }
            Changed::Elsewhere(session, task) => Some(Write::PutTask { id: *session, task: task.clone(), new: true }),
            Changed::Ended(session) => Some(Write::EndTask { id: *session, task: *id }),
        };
        let (batch, writes): (Vec<_>, Vec<_>) =
            batch.iter().filter_map(|change| Some((change, write(change)?))).unzip();
        if writes.is_empty() {
            return;
        }
        let Some(outcomes) = self.health.record_write(self.store.write(writes.clone()).await, now) else {
            batch.into_iter().for_each(|change| self.restore(change));
            return;
        };
        let mut elsewhere: HashMap<SessionId, Vec<Message>> = HashMap::new();
        for ((change, write), outcome) in batch.into_iter().zip(writes).zip(outcomes) {
            let session = write.session_id();
            let is_own = self.registry.get(session).is_some();
            match (outcome, write) {
                (WriteOutcome::Unavailable, _) => self.restore(change),
                // Its entry is about to be written.
                (WriteOutcome::Missing, Write::PutTask { .. }) if is_own => self.restore(change),
                (WriteOutcome::Done | WriteOutcome::Missing, Write::PutTask { task, .. }) if !is_own => {
                    elsewhere.entry(session).or_default().push(Message::Task(session, task));
                }
                (WriteOutcome::Done, Write::EndTask { task, .. }) if !is_own => {
                    elsewhere.entry(session).or_default().push(Message::TaskEnded(session, task));
                }
                _ => {}
            }
        }
        for (session, messages) in elsewhere {
            self.notify_owner(session, &messages).await;
        }
    }

    /// Kept for the next time, unless there is newer.
    fn restore(&self, (id, changed): &(TaskId, Changed)) {
        self.tasks.changed.lock().entry(*id).or_insert_with(|| changed.clone());
    }

    /// Sends these messages to the pod that owns the session. Where the session has ended there, its tasks end.
    async fn notify_owner(&self, session: SessionId, messages: &[Message]) {
        let now = self.clock.now();
        match self.health.record_read(self.store.read(session).await, now) {
            Some(ReadOutcome::Found(entry)) => {
                for message in messages {
                    self.send(&entry.session.pod, message).await;
                }
            }
            Some(ReadOutcome::Absent(contents)) if self.health.believes_absence(contents, now) => {
                if let Some(work) = self.registry.work_of(session) {
                    self.registry.cut_leased_tasks(&work, now);
                }
            }
            Some(ReadOutcome::Absent(_) | ReadOutcome::Replaced) | None => {}
        }
    }
}
