//! The running notice, and which sessions were notified of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use super::Registry;
use super::live_session::LiveSession;
use crate::lifecycle::{Notice, NoticeId};
use crate::time::Timestamp;

/// The notice that runs, if any.
#[derive(Debug, Default)]
pub(super) struct RunningNotice {
    /// Its id, 0 for none.
    id: AtomicU64,
    /// When its countdown began, in milliseconds. Valid only while a notice runs.
    started_at: AtomicI64,
    /// Whether sessions move to other pods. Valid only while a notice runs.
    is_handoff: AtomicBool,
}

impl RunningNotice {
    fn id(&self) -> u64 {
        self.id.load(Ordering::Acquire)
    }
}

impl<X> Registry<X> {
    /// Starts a notice in place of any other. If the same notice runs already, and only its deadline or reason has
    /// changed, its countdown keeps the time at which it began.
    pub fn begin_notice(&self, notice: &Notice) {
        let id = notice.id.0.get();
        if self.notice.id() != id {
            self.notice.started_at.store(notice.started_at.as_millis(), Ordering::Relaxed);
            self.notice.is_handoff.store(notice.is_handoff, Ordering::Relaxed);
            self.notice.id.store(id, Ordering::Release);
        }
    }

    /// Ends the running notice, cancelled or not. No session counts as notified from now on.
    pub fn end_notice(&self) {
        self.notice.id.store(0, Ordering::Release);
        self.walk(|session| self.queue_change(session));
    }

    /// Records that the session was notified of the notice `id`. Returns whether this is the first time, and counts it
    /// then. Does nothing once that notice has ended.
    pub fn mark_notified(&self, session: &Arc<LiveSession<X>>, id: NoticeId) -> bool {
        let runs = self.notice.id() == id.0.get();
        let is_first = runs && session.notified() != id.0.get() && !session.has_ended() && session.mark_notified(id);
        if is_first {
            self.ledger.notified.fetch_add(1, Ordering::Relaxed);
            self.queue_change(session);
        }
        is_first
    }

    /// Whether the session was notified of the running notice.
    pub fn is_notified(&self, session: &LiveSession<X>) -> bool {
        let running = self.notice.id();
        running != 0 && session.notified() == running
    }

    /// When the running countdown began; `None` under handoff, where no session waits for its end.
    pub(super) fn countdown_started_at(&self) -> Option<Timestamp> {
        let is_running = self.notice.id() != 0 && !self.notice.is_handoff.load(Ordering::Relaxed);
        is_running.then(|| Timestamp::from_millis(self.notice.started_at.load(Ordering::Relaxed)))
    }
}
