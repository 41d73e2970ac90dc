//! Sessions whose cookie has not come back yet, oldest first. Where the pod is full they make room for newcomers: a client
//! that keeps no cookie starts a session with every request, and must not keep out those that do.
//!
//! A session that was confirmed once, or that has something open, is never given up here.

use std::sync::{Arc, Weak};
use std::time::Duration;

use crossbeam_queue::SegQueue;

use super::{LiveSession, Registry};

/// Sessions with something open that are passed over at a time. More are not worth the search.
const MAX_PASSED_OVER: usize = 64;

/// A shared store tells the last activity from the time when the session was written there, which is a little later than its
/// first request.
const FIRST_ACTIVITY: Duration = Duration::from_secs(1);

/// The queue. It also holds sessions that were confirmed or have ended since: they are dropped when they are met.
#[derive(Debug)]
pub(super) struct Unconfirmed<X>(SegQueue<Weak<LiveSession<X>>>);

impl<X> Unconfirmed<X> {
    pub(super) const fn new() -> Self {
        Self(SegQueue::new())
    }

    pub(super) fn push(&self, session: &Arc<LiveSession<X>>) {
        self.0.push(Arc::downgrade(session));
    }

    /// Drops what has no business here any more, so that the queue holds no more than the sessions that exist.
    pub(super) fn prune(&self) {
        for _ in 0..self.0.len() {
            let Some(session) = self.0.pop() else { return };
            if session.upgrade().is_some_and(|session| session.is_unconfirmed()) {
                self.0.push(session);
            }
        }
    }
}

impl<X> Registry<X> {
    /// The oldest sessions that may go where the pod is full, at most `most`. Each is given once. To be ended by
    /// [`Registry::end_all`], for those of which [`LiveSession::may_be_evicted`] still holds.
    pub fn take_evictable(&self, most: usize) -> Vec<Arc<LiveSession<X>>> {
        let mut taken = Vec::new();
        let mut passed_over = 0;
        while taken.len() < most && passed_over < MAX_PASSED_OVER {
            let Some(entry) = self.unconfirmed.0.pop() else { break };
            let Some(session) = entry.upgrade() else { continue };
            if session.may_be_evicted() {
                taken.push(session);
            } else if session.is_unconfirmed() {
                self.unconfirmed.0.push(entry);
                passed_over += 1;
            }
        }
        taken
    }
}

impl<X> LiveSession<X> {
    /// Whether its cookie never came back, and nothing of it is open.
    pub fn may_be_evicted(&self) -> bool {
        self.is_unconfirmed() && !self.is_connected()
    }

    /// Whether it lives and its cookie never came back.
    fn is_unconfirmed(&self) -> bool {
        !self.cookie_came_back() && !self.has_ended()
    }

    /// Whether its cookie came back, to this pod or, as far as is known, to another.
    pub(super) fn cookie_came_back(&self) -> bool {
        self.is_confirmed() || self.last_activity() > self.login_time().plus(FIRST_ACTIVITY)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::outcome::Outcome;
    use crate::registry::{Limits, Presence, PresenceKind};
    use crate::{PodName, SessionId, Timestamp, UserName};

    type Sessions = Arc<Registry<()>>;

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn registry(max_sessions: u64) -> Sessions {
        let limits = Limits { max_sessions, ..Limits::default() };
        Arc::new(Registry::new(PodName::new("user-1").unwrap(), limits, || {}))
    }

    fn start(sessions: &Sessions, n: u128) -> Arc<LiveSession<()>> {
        sessions.start(SessionId::from_uuid(Uuid::from_u128(n)), UserName::anonymous(), (), NOW).unwrap()
    }

    fn take(sessions: &Sessions, most: usize) -> Vec<u128> {
        sessions.take_evictable(most).iter().map(|session| session.id().as_uuid().as_u128()).collect()
    }

    #[test]
    fn the_oldest_that_never_came_back_and_have_nothing_open_go_first() {
        let sessions = registry(6);
        let all: Vec<_> = (0..6).map(|n| start(&sessions, n)).collect();
        assert!(sessions.is_full());
        sessions.touch(&all[0], NOW);
        let open = Presence::open(&sessions, &all[1], PresenceKind::Request);
        sessions.end(&all[2], Outcome::Logout);
        all[3].record_activity(Timestamp::from_millis(1_001));
        assert_eq!(take(&sessions, 1), [4]);
        assert_eq!(take(&sessions, 9), [5], "confirmed, ended, and active on another pod: none of them");
        open.close(NOW);
        assert_eq!(take(&sessions, 9), [1], "it was passed over, and not forgotten");
        assert_eq!(take(&sessions, 9), [0; 0], "each is given once");
    }

    #[test]
    fn a_flood_makes_room_for_each_newcomer_and_the_books_hold() {
        let sessions = registry(100);
        let confirmed: Vec<_> = (0..10).map(|n| start(&sessions, n)).collect();
        confirmed.iter().for_each(|session| sessions.touch(session, NOW));
        for n in 10..5_000 {
            if sessions.is_full() {
                let evicted = sessions.end_all(sessions.take_evictable(1), Outcome::Expired);
                assert_eq!(evicted.len(), 1);
            }
            start(&sessions, n);
        }
        assert!(confirmed.iter().all(|session| !session.has_ended()));
        let totals = sessions.totals();
        assert_eq!((sessions.active(), totals.logins, totals.ended(Outcome::Expired)), (100, 5_000, 4_900));
        assert_eq!(totals.total_ended(), 4_900);
    }

    #[test]
    fn the_queue_holds_no_more_than_the_sessions_that_may_go() {
        let sessions = registry(1_000);
        for n in 0..1_000 {
            let session = start(&sessions, n);
            if n % 2 == 0 {
                sessions.touch(&session, NOW);
            }
        }
        let expired = sessions.expired(NOW);
        assert!(expired.is_empty());
        assert_eq!(sessions.unconfirmed.0.len(), 500);
        let passed_over: Vec<_> = sessions
            .take_evictable(500)
            .iter()
            .map(|session| Presence::open(&sessions, session, PresenceKind::Request))
            .collect();
        assert_eq!(passed_over.len(), 500);
    }
}
