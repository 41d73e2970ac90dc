//! Requests that are still in flight here of sessions that live at another pod by now. A shutdown waits for them: the pod that has adopted
//! the session does not know of them.

use std::sync::Arc;

use parking_lot::Mutex;

use super::Registry;
use super::live_session::LiveSession;
use super::presence::PresenceKind;

/// The sessions that moved while requests of them were in flight.
#[derive(Debug)]
pub(super) struct LeftRequests<X>(Mutex<Vec<Arc<LiveSession<X>>>>);

impl<X> Default for LeftRequests<X> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<X> LiveSession<X> {
    fn has_requests(&self) -> bool {
        self.connections.count(PresenceKind::Request) > 0
    }
}

impl<X> Registry<X> {
    /// Records that the session moved to another pod.
    pub(super) fn keep_left_requests(&self, session: &Arc<LiveSession<X>>) {
        session.mark_moved();
        if session.has_requests() {
            self.keep_left_request(session);
        }
    }

    /// Waits for the requests of a session that moved.
    pub(super) fn keep_left_request(&self, session: &Arc<LiveSession<X>>) {
        let mut left = self.left_requests.0.lock();
        left.retain(|other| other.has_requests() && !Arc::ptr_eq(other, session));
        left.push(Arc::clone(session));
    }

    /// The number of sessions that live at another pod and have requests in flight here, those with protected work left out.
    pub(super) fn moved_with_requests(&self) -> u64 {
        let mut left = self.left_requests.0.lock();
        left.retain(|session| session.has_requests());
        left.iter().filter(|session| !session.is_protected()).count() as u64
    }
}
