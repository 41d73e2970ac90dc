//! Eviction: when the pod is full, sessions that no browser has confirmed make room for newcomers.
//!
//! A session whose cookie came back, or that has an open connection, is never evicted.

use std::sync::Arc;

use super::Registry;
use super::live_session::LiveSession;

impl<X> Registry<X> {
    /// Takes the oldest sessions that may be evicted, at most `limit`; each is returned once. The caller ends them by
    /// [`Registry::end_all`] if [`LiveSession::may_be_evicted`] still holds.
    pub fn take_evictable(&self, limit: usize) -> Vec<Arc<LiveSession<X>>> {
        self.unconfirmed.take_evictable(limit)
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

    fn take(sessions: &Sessions, limit: usize) -> Vec<u128> {
        sessions.take_evictable(limit).iter().map(|session| session.id().as_uuid().as_u128()).collect()
    }

    #[test]
    fn the_oldest_unconfirmed_and_unconnected_sessions_are_evicted_first() {
        let sessions = registry(6);
        let all: Vec<_> = (0..6).map(|n| start(&sessions, n)).collect();
        assert!(sessions.is_full());
        sessions.touch(&all[0], NOW);
        let open = Presence::open(&sessions, &all[1], PresenceKind::Request);
        sessions.end(&all[2], Outcome::Logout);
        all[3].record_activity(Timestamp::from_millis(1_001));
        assert_eq!(take(&sessions, 1), [4]);
        assert_eq!(take(&sessions, 9), [5], "sessions 0, 2 and 3 are confirmed, ended, and active on another pod");
        open.close(NOW);
        assert_eq!(take(&sessions, 9), [1], "it was passed over, and not forgotten");
        assert_eq!(take(&sessions, 9), [0; 0], "each session is returned once");
    }

    #[test]
    fn a_flood_makes_room_for_each_newcomer_and_the_ledger_balances() {
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
    fn the_queue_holds_no_more_than_the_sessions_that_may_be_evicted() {
        let sessions = registry(1_000);
        for n in 0..1_000 {
            let session = start(&sessions, n);
            if n % 2 == 0 {
                sessions.touch(&session, NOW);
            }
        }
        assert!(sessions.expired(NOW).is_empty());
        assert_eq!(sessions.unconfirmed.len(), 500);
        let passed_over: Vec<_> = sessions
            .take_evictable(500)
            .iter()
            .map(|session| Presence::open(&sessions, session, PresenceKind::Request))
            .collect();
        assert_eq!(passed_over.len(), 500);
    }
}
