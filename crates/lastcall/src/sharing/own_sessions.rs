//! The pod's own sessions and lifecycle, as the store and the other pods see them.

use std::collections::HashMap;
use std::sync::Arc;

use session_domain::registry::{OutdatedMark, OwnershipMark};
use session_domain::shared::{Adopts, OwnerNotice, SharedSession};
use session_domain::{Phase, SessionId};

use super::Sharing;
use crate::config::ForcedEnd;
use crate::notice::Terms;
use crate::sessions::live::{self, LiveSession};
use crate::store::Epoch;

impl Sharing {
    /// Whether the pod adopts sessions now.
    pub(super) fn adopts(&self) -> Adopts {
        if self.registry.admits_adoptions() {
            return Adopts::Yes;
        }
        if self.lifecycle.borrow().phase() == Phase::Maintenance && !self.registry.is_full() {
            Adopts::Closed
        } else {
            Adopts::No
        }
    }

    /// The notice that runs here, for the pods that serve guests of this pod.
    pub(super) fn notice(&self) -> Option<OwnerNotice> {
        let lifecycle = *self.lifecycle.borrow();
        // During a handoff that of the sessions that stay is not one of all.
        let notice = lifecycle.notice_for_all()?;
        let terms = Terms::of(&self.config, notice.reason, notice.is_handoff, Some(self.health()));
        Some(OwnerNotice {
            reason: notice.reason,
            remaining: notice.remaining(self.clock.now()),
            auto_logout: terms.auto_logout,
            stays_signed_in: terms.stays_signed_in,
            moves: terms.moves,
            task_grace: self.config.policy.task_grace,
        })
    }

    /// The session as the store keeps it.
    pub(super) fn shared_session(&self, session: &LiveSession) -> SharedSession {
        let is_notified = self.registry.is_notified(session);
        let view = session.view(&self.config.pod, is_notified, false);
        let notice = self.lifecycle.borrow().notice();
        SharedSession {
            id: view.id,
            user: view.user,
            login_time: view.login_time,
            last_activity: view.last_activity,
            pod: view.pod,
            protected: session.is_protected(),
            pinned: session.is_pinned() || session.attachment().is_expected(self.clock.now()),
            notified: notice.filter(|_| is_notified).map(|notice| notice.reason),
        }
    }

    /// The contents of the store under which the session was written last; `None` where that is not known.
    pub(super) fn stored_epoch_of(&self, session: &LiveSession) -> Option<Epoch> {
        let epoch = self.health.stored_epoch();
        epoch.filter(|_| session.is_stored())
    }

    pub(super) fn record_missing(&self, session: &LiveSession) {
        self.missing.lock().insert(session.id(), Arc::clone(session));
    }

    pub(super) fn take_missing(&self) -> HashMap<SessionId, LiveSession> {
        std::mem::take(&mut *self.missing.lock())
    }

    /// Writes a session again that the store has lost, and its tasks.
    pub(super) fn rewrite_lost(&self, session: &LiveSession) {
        session.mark_lost();
        self.registry.queue_write(session);
        self.rewrite_tasks_of(session);
    }

    /// Ends a session here that another pod has adopted, as the store said after `mark` was taken. It counts neither as a logout
    /// nor as forced. Fails where this pod reclaims the session, or has reclaimed it since: ask the store again.
    pub(super) fn end_as_moved(&self, session: &LiveSession, mark: Option<OwnershipMark>) -> Result<(), OutdatedMark> {
        let ended = live::end_as_moved(&self.registry, session, mark.ok_or(OutdatedMark)?)?;
        if ended && session.attachment().any_open() {
            self.moved.lock().push(Arc::clone(session));
        }
        Ok(())
    }

    /// The sessions that live on at another pod while this one holds streams or WebSockets of them.
    pub(super) fn moved_with_streams(&self) -> Vec<LiveSession> {
        let mut moved = self.moved.lock();
        moved.retain(|session| session.attachment().any_open() && session.attachment().has_moved());
        moved.clone()
    }

    /// Whether sessions that end now are released to other pods, whether or not the store acknowledges it.
    pub(super) fn releases_at_shutdown(&self) -> bool {
        let phase = self.lifecycle.borrow().phase();
        self.config.forced_end == ForcedEnd::Release && phase.is_shutting_down()
    }
}
