//! Work in progress that a drain must not cut: tasks, and requests whose bodies are moving.
//!
//! Work belongs to the pod that it runs on, wherever its session lives: the session may move to another pod while the work
//! goes on here, and a pod serves requests of sessions that it does not hold.

mod merging;
mod mirrored_tasks;
mod running_tasks;
mod tasks;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use running_tasks::RunningTasks;
use tasks::TaskTable;
pub use tasks::{EndedTask, MAX_TASKS, NewTask, TaskError};

use super::Registry;
use super::live_session::LiveSession;
use crate::ids::SessionId;
use crate::time::Timestamp;

/// The work in progress on this pod for one session. The session is *protected* while there is any.
#[derive(Debug)]
pub struct SessionWork {
    id: Mutex<SessionId>,
    in_progress: AtomicU32,
    /// How much of it is tasks that other pods run.
    mirrored: AtomicU32,
    tasks: RunningTasks,
    /// The work that has taken this in. Set under the locks of the table and of the tasks; nothing is counted here from then on.
    merged_into: OnceLock<Arc<Self>>,
}

impl SessionWork {
    pub(super) fn new(id: SessionId) -> Arc<Self> {
        Arc::new(Self {
            id: Mutex::new(id),
            in_progress: AtomicU32::new(0),
            mirrored: AtomicU32::new(0),
            tasks: RunningTasks::default(),
            merged_into: OnceLock::new(),
        })
    }

    /// The id of the session.
    pub fn session_id(&self) -> SessionId {
        *self.current().id.lock()
    }

    /// Whether any work is in progress.
    pub fn is_protected(&self) -> bool {
        self.current().in_progress.load(Ordering::Acquire) > 0
    }

    /// Whether any work is in progress on this pod itself.
    pub(super) fn runs_here(&self) -> bool {
        let work = self.current();
        work.in_progress.load(Ordering::Acquire) > work.mirrored.load(Ordering::Acquire)
    }
}

/// The sessions with work in progress on this pod. Its lock is taken when work begins, ends, or its session gets another id.
#[derive(Debug, Default)]
pub(super) struct WorkTable {
    sessions: Mutex<HashMap<SessionId, Arc<SessionWork>>>,
    pub(super) tasks: TaskTable,
}

/// Keeps a session protected.
#[derive(Debug)]
#[must_use = "dropping the guard ends the protection"]
pub struct Protection<X> {
    registry: Arc<Registry<X>>,
    work: Arc<SessionWork>,
    ended_at: Option<Timestamp>,
}

impl<X> Protection<X> {
    /// Begins work of a session that this pod holds or held.
    pub fn begin(registry: &Arc<Registry<X>>, session: &LiveSession<X>) -> Self {
        Self { work: registry.protect(session), registry: Arc::clone(registry), ended_at: None }
    }

    /// Begins work of the session with this id, which another pod owns.
    pub fn begin_elsewhere(registry: &Arc<Registry<X>>, id: SessionId) -> Self {
        Self { work: registry.protect_elsewhere(id), registry: Arc::clone(registry), ended_at: None }
    }

    /// Ends the work.
    pub fn end(mut self, now: Timestamp) {
        self.ended_at = Some(now);
    }
}

impl<X> Drop for Protection<X> {
    fn drop(&mut self) {
        self.registry.unprotect(&self.work, self.ended_at);
    }
}

impl<X> Registry<X> {
    /// The sessions with protected work in progress on this pod, wherever they live.
    pub fn sessions_with_work(&self) -> u64 {
        self.work.sessions.lock().len() as u64
    }

    /// The work in progress on this pod of the session with this id.
    pub fn work_of(&self, id: SessionId) -> Option<Arc<SessionWork>> {
        self.work.sessions.lock().get(&id).cloned()
    }

    /// Begins work of a session that this pod holds or held.
    fn protect(&self, session: &LiveSession<X>) -> Arc<SessionWork> {
        self.add_work(|| session.work())
    }

    /// Begins work of the session with this id, which another pod owns.
    fn protect_elsewhere(&self, id: SessionId) -> Arc<SessionWork> {
        self.add_work(|| SessionWork::new(id))
    }

    /// Adds to the work that the session has here already: it may have moved away, or here, since `work` was made.
    fn add_work(&self, work: impl FnOnce() -> Arc<SessionWork>) -> Arc<SessionWork> {
        let mut sessions = self.work.sessions.lock();
        // Under the lock: a login that comes later renames it.
        let work = work();
        let work = Arc::clone(work.current_arc());
        let id = work.session_id();
        let own = || self.get(id).map(|session| session.work());
        let work = sessions.get(&id).cloned().or_else(own).unwrap_or(work);
        let work = Arc::clone(work.current_arc());
        let is_first = work.in_progress.fetch_add(1, Ordering::AcqRel) == 0;
        if is_first {
            sessions.insert(id, Arc::clone(&work));
        }
        drop(sessions);
        if is_first {
            self.work_changed(&work, None);
        }
        work
    }

    /// Ends work that [`Registry::protect`] or [`Registry::protect_elsewhere`] began.
    fn unprotect(&self, work: &Arc<SessionWork>, ended_at: Option<Timestamp>) {
        let mut sessions = self.work.sessions.lock();
        let work = work.current_arc();
        let is_last = work.in_progress.fetch_sub(1, Ordering::AcqRel) == 1;
        if is_last {
            WorkTable::remove(&mut sessions, work);
        }
        drop(sessions);
        if is_last {
            self.work_changed(work, ended_at);
        }
    }

    /// Records that a session has become protected, or has ceased to be at `ended_at`.
    fn work_changed(&self, work: &Arc<SessionWork>, ended_at: Option<Timestamp>) {
        if let Some(session) = self.session_of(work) {
            if let Some(at) = ended_at {
                session.connections.record_closed(at);
            }
            if let Some(changed) = &self.protection_changed {
                changed(&session);
            }
            self.queue_change(&session);
        }
        (self.population_changed)();
    }

    /// The session of `work`, if this pod holds it.
    fn session_of(&self, work: &Arc<SessionWork>) -> Option<Arc<LiveSession<X>>> {
        self.get(work.session_id()).filter(|session| session.has_work(work))
    }

    /// Puts an adopted session into the registry, with the work that it has here already.
    pub(super) fn insert_with_work(&self, session: &Arc<LiveSession<X>>) {
        let sessions = self.work.sessions.lock();
        let id = session.id();
        if let Some(work) = sessions.get(&id) {
            session.set_work(Arc::clone(work));
        }
        self.sessions.pin().insert(id, Arc::clone(session));
        drop(sessions);
        if session.is_protected()
            && let Some(changed) = &self.protection_changed
        {
            changed(session);
        }
    }
}
