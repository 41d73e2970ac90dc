//! Requests that are still in flight here of sessions that live at another pod by now. A shutdown waits for them: the pod that has adopted
//! the session does not know of them.

use std::sync::Arc;

use parking_lot::Mutex;

use super::Registry;
use super::live_session::LiveSession;
use super::presence::PresenceKind;

/// The sessions that moved while requests of them were in flight.
#[derive(Debug)]
pub(super) struct MovedRequests<X>(Mutex<Kept<X>>);

#[derive(Debug)]
struct Kept<X> {
    sessions: Vec<Arc<LiveSession<X>>>,
    /// From this number on, those without requests are dropped before one is added.
    prune_from: usize,
}

/// So many sessions are kept without a look at their requests.
const MIN_PRUNE_FROM: usize = 64;

impl<X> Default for MovedRequests<X> {
    fn default() -> Self {
        Self(Mutex::new(Kept { sessions: Vec::new(), prune_from: MIN_PRUNE_FROM }))
    }
}

impl<X> Kept<X> {
    fn prune(&mut self) {
        self.sessions.retain(|session| {
            let has_requests = session.has_requests();
            session.set_kept_for_requests(has_requests);
            has_requests
        });
        self.prune_from = MIN_PRUNE_FROM.max(self.sessions.len() * 2);
    }
}

impl<X> LiveSession<X> {
    fn has_requests(&self) -> bool {
        self.connections.count(PresenceKind::Request) > 0
    }
}

impl<X> Registry<X> {
    /// Records that the session moved to another pod.
    pub(super) fn keep_moved_requests(&self, session: &Arc<LiveSession<X>>) {
        session.mark_moved();
        if session.has_requests() {
            self.keep_moved_request(session);
        }
    }

    /// Waits for the requests of a session that moved.
    pub(super) fn keep_moved_request(&self, session: &Arc<LiveSession<X>>) {
        let mut kept = self.moved_requests.0.lock();
        if session.set_kept_for_requests(true) {
            return;
        }
        if kept.sessions.len() >= kept.prune_from {
            kept.prune();
        }
        kept.sessions.push(Arc::clone(session));
    }

    /// The number of sessions that live at another pod and have requests in flight here, those with protected work left out.
    pub(super) fn moved_with_requests(&self) -> u64 {
        let mut kept = self.moved_requests.0.lock();
        kept.prune();
        kept.sessions.iter().filter(|session| !session.is_protected()).count() as u64
    }
}
