//! A session gets another id: its work here goes on under that, together with the work that began under the new id already.
//!
//! The cookie with the new id may reach this pod before the message that names it. Both works are one from then on. What holds the
//! one that was merged reaches the other through it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::MutexGuard;

use super::running_tasks::RunningTask;
use super::{SessionWork, WorkTable};
use crate::ids::SessionId;
use crate::registry::Registry;
use crate::registry::live_session::LiveSession;

/// The works by the id of their session.
type Works = HashMap<SessionId, Arc<SessionWork>>;

impl SessionWork {
    /// This work, or the one that has taken it in.
    pub(super) fn current(&self) -> &Self {
        let mut work = self;
        while let Some(into) = work.merged_into.get() {
            work = into;
        }
        work
    }

    /// This work, or the one that has taken it in.
    pub(in crate::registry) fn current_arc(self: &Arc<Self>) -> &Arc<Self> {
        let mut work = self;
        while let Some(into) = work.merged_into.get() {
            work = into;
        }
        work
    }

    /// The current work with its tasks, which no merger takes away as long as they are locked.
    pub(super) fn lock_tasks(self: &Arc<Self>) -> (&Arc<Self>, MutexGuard<'_, Vec<RunningTask>>) {
        loop {
            let work = self.current_arc();
            let tasks = work.tasks.lock();
            if work.merged_into.get().is_none() {
                return (work, tasks);
            }
        }
    }

    /// Takes in all of `other`. The caller holds the lock of the table.
    fn take_in(self: &Arc<Self>, other: &Self) {
        let (mut from, mut to) = (other.tasks.lock(), self.tasks.lock());
        self.tasks.append(&mut to, &mut from);
        for (counter, others) in [(&self.mirrored, &other.mirrored), (&self.in_progress, &other.in_progress)] {
            counter.fetch_add(others.swap(0, Ordering::AcqRel), Ordering::AcqRel);
        }
        // It was current until now: nothing has set this.
        let _ = other.merged_into.set(Arc::clone(self));
    }
}

impl WorkTable {
    /// Takes out the work, and no other that has the same id.
    pub(super) fn remove(works: &mut Works, work: &Arc<SessionWork>) {
        if let Entry::Occupied(known) = works.entry(*work.id.lock())
            && Arc::ptr_eq(known.get(), work)
        {
            known.remove();
        }
    }

    /// Gives `work` the id `id`, and takes in the work that has that id.
    fn rename(works: &mut Works, work: &Arc<SessionWork>, id: SessionId) {
        Self::remove(works, work);
        *work.id.lock() = id;
        if let Some(other) = works.remove(&id).filter(|other| !Arc::ptr_eq(other, work)) {
            work.take_in(&other);
        }
        if work.in_progress.load(Ordering::Acquire) > 0 {
            works.insert(id, Arc::clone(work));
        }
    }
}

impl<X> Registry<X> {
    /// A login has given a session of this pod another id: its work goes on under that.
    pub(in crate::registry) fn rename_own_work(&self, session: &LiveSession<X>, new: SessionId) {
        let mut works = self.work.sessions.lock();
        let was_protected = session.is_protected();
        match session.known_work() {
            Some(work) => WorkTable::rename(&mut works, work.current_arc(), new),
            None => works.get(&new).into_iter().for_each(|work| session.set_work(Arc::clone(work))),
        }
        drop(works);
        if !was_protected && let Some(work) = session.known_work().filter(|work| work.is_protected()) {
            self.work_changed(&work, None);
        }
    }

    /// Another pod has given a session that it owns another id: its work here goes on under that.
    pub fn rename_work(&self, old: SessionId, new: SessionId) {
        let mut works = self.work.sessions.lock();
        let Some(work) = works.get(&old).filter(|work| self.session_of(work).is_none() && old != new).cloned() else {
            return;
        };
        // This pod may own the session under its new id by now: the session keeps the work that it has.
        let own = self.get(new).map(|session| Arc::clone(session.work().current_arc()));
        match own {
            // A login here is about to rename it.
            Some(own) if Arc::ptr_eq(&own, &work) => return,
            Some(own) => {
                WorkTable::remove(&mut works, &work);
                own.take_in(&work);
                works.insert(new, own);
            }
            None => WorkTable::rename(&mut works, &work, new),
        }
        drop(works);
        // Counted as one session from now on, which may have become protected.
        self.work_changed(work.current_arc(), None);
    }
}
