//! The notice that runs for one session: this pod's, or that of the pod that owns the session.

use std::sync::Arc;
use std::time::Duration;

use session_domain::Timestamp;
use session_domain::lifecycle::{Notice, NoticeId, NoticeScope, Reason};

use crate::notice::{DrainNotice, Terms, is_same_deadline};
use crate::service_state::ServiceState;
use crate::sessions::ServedSession;

/// The notice that runs for a session now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunningNotice {
    pub(crate) reason: Reason,
    pub(crate) deadline: Timestamp,
    pub(crate) terms: Terms,
    /// How long after the pod's deadline the session's work in progress is waited for. The time is part of the deadline.
    pub(crate) protected: Option<Duration>,
    source: NoticeSource,
}

/// Where a notice runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NoticeSource {
    /// Here.
    Here(NoticeId),
    /// On the pod that owns the session.
    Owner,
}

impl RunningNotice {
    /// The notice of the pod that owns the session. A maintenance is one of every pod.
    pub(crate) fn of(state: &ServiceState, session: &ServedSession) -> Option<Self> {
        let broadcast = Arc::clone(&state.broadcast.borrow());
        let is_shown = |scope| scope == NoticeScope::All || session.streams().is_staying();
        let running = broadcast.running_notice().filter(|(_, scope, _)| is_shown(*scope));
        let here = running.map(|(notice, _, terms)| {
            let protected = session.streams().is_protected().then_some(state.config.policy.task_grace);
            Self {
                reason: notice.reason,
                deadline: notice.deadline.plus(protected.unwrap_or_default()),
                terms,
                protected,
                source: NoticeSource::Here(notice.id),
            }
        });
        let ServedSession::Guest(guest) = session else { return here };
        let of_owner = guest.streams().owner_notice().map(|notice| {
            // Work here is cut with the session, at the end of the owner's time.
            let protected = session.streams().is_protected().then_some(notice.task_grace);
            Self {
                reason: notice.reason,
                deadline: notice.deadline.plus(protected.unwrap_or_default()),
                terms: notice.terms,
                protected,
                source: NoticeSource::Owner,
            }
        });
        of_owner.or_else(|| here.filter(|notice| notice.reason == Reason::Maintenance))
    }

    pub(crate) fn payload(&self, now: Timestamp) -> DrainNotice {
        let notice = DrainNotice::new(self.reason, self.deadline, self.terms, now);
        match self.protected {
            Some(grace) => notice.protected(grace),
            None => notice,
        }
    }

    /// Whether a page that shows the one has nothing new to show for the other.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        is_same_deadline(self.deadline, other.deadline)
            && (self.reason, self.terms, self.protected) == (other.reason, other.terms, other.protected)
    }

    /// Whether it is this notice of this pod, with the session's own deadline or not.
    pub(crate) fn is_of(&self, notice: &Notice) -> bool {
        let deadline = notice.deadline.plus(self.protected.unwrap_or_default());
        self.reason == notice.reason && self.deadline == deadline
    }

    /// Counts the notice as shown to the user of the session, at the pod that owns it.
    pub(crate) fn mark_notified(&self, state: &ServiceState, session: &ServedSession) {
        match (session, self.source, state.sessions.sharing()) {
            (ServedSession::Own(live), NoticeSource::Here(id), _) => _ = state.registry.mark_notified(live, id),
            (ServedSession::Guest(guest), _, Some(sharing)) => sharing.mark_guest_notified(guest, self.reason),
            (ServedSession::Own(_), NoticeSource::Owner, _) | (ServedSession::Guest(_), _, None) => {}
        }
    }
}
