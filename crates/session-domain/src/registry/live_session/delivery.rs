//! What the shared store and the watchers have been given of a session, and which changes wait for them.

use std::sync::atomic::Ordering;

use super::{ChangeConsumer, LiveSession};
use crate::ids::SessionId;

impl<X> LiveSession<X> {
    /// Whether the shared store has the session, as far as is known. If it is missing there then, another pod removed it.
    pub fn is_stored(&self) -> bool {
        self.is_stored.load(Ordering::Acquire)
    }

    /// Records that the shared store has the session under `id`. Does nothing if the session has another id by now.
    pub fn mark_stored(&self, id: SessionId) {
        let identity = self.lock();
        if identity.id == id {
            self.is_stored.store(true, Ordering::Release);
        }
    }

    /// Records that the shared store has lost the session, so that it may be written once more.
    pub fn mark_lost(&self) {
        self.is_stored.store(false, Ordering::Release);
    }

    /// Records the presence that watchers are sent.
    pub fn mark_reported_present(&self, present: bool) {
        self.reported_present.store(present, Ordering::Relaxed);
    }

    pub(in crate::registry) fn is_reported_present(&self) -> bool {
        self.reported_present.load(Ordering::Relaxed)
    }

    /// Marks the session as queued. Returns `false` if it was queued already.
    pub(in crate::registry) fn mark_queued(&self, consumer: ChangeConsumer) -> bool {
        let queued = &self.queued[consumer as usize];
        !queued.load(Ordering::Relaxed) && !queued.swap(true, Ordering::AcqRel)
    }

    pub(in crate::registry) fn clear_queued(&self, consumer: ChangeConsumer) {
        self.queued[consumer as usize].store(false, Ordering::Release);
    }
}
