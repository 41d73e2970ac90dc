//! Ids that a login has replaced. A request that was sent with the old cookie must not be taken for a newcomer's: the
//! cookie of a new session would replace the cookie of the signed-in one.
//!
//! A lookup takes no lock. The list is bounded by age and by the number of sessions that the pod may hold.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::Mutex;

use crate::ids::SessionId;
use crate::time::Timestamp;

/// How long a replaced id is remembered.
pub const REPLACED_TTL: Duration = Duration::from_secs(60);

/// The capacity of the list on a pod that may hold fewer sessions than this.
const MIN_CAPACITY: u64 = 1_000;

#[derive(Debug)]
pub(super) struct ReplacedIds {
    expires_at: papaya::HashMap<SessionId, Timestamp>,
    /// The same ids, oldest first.
    order: Mutex<VecDeque<(Timestamp, SessionId)>>,
    capacity: usize,
}

impl ReplacedIds {
    pub(super) fn new(max_sessions: u64) -> Self {
        let capacity = usize::try_from(max_sessions.max(MIN_CAPACITY)).unwrap_or(usize::MAX);
        Self { expires_at: papaya::HashMap::new(), order: Mutex::default(), capacity }
    }

    pub(super) fn add(&self, id: SessionId, now: Timestamp) {
        let expires_at = now.plus(REPLACED_TTL);
        self.expires_at.pin().insert(id, expires_at);
        let mut order = self.order.lock();
        order.push_back((expires_at, id));
        self.drop_oldest(&mut order, |order| order.len() > self.capacity);
        drop(order);
        self.prune(now);
    }

    /// Forgets the ids whose time is over.
    pub(super) fn prune(&self, now: Timestamp) {
        self.drop_oldest(&mut self.order.lock(), |order| order.front().is_some_and(|(until, _)| *until <= now));
    }

    /// How long the id will still be remembered.
    pub(super) fn remaining(&self, id: SessionId, now: Timestamp) -> Option<Duration> {
        let expires_at = *self.expires_at.pin().get(&id)?;
        (now < expires_at).then(|| expires_at.since(now))
    }

    fn drop_oldest(
        &self,
        order: &mut VecDeque<(Timestamp, SessionId)>,
        is_due: impl Fn(&VecDeque<(Timestamp, SessionId)>) -> bool,
    ) {
        let ids = self.expires_at.pin();
        while is_due(order) {
            let Some((expires_at, id)) = order.pop_front() else { return };
            // An id that was recorded again keeps its later time.
            let _ = ids.remove_if(&id, |_, newest| *newest <= expires_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    const fn id(n: u128) -> SessionId {
        SessionId::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn a_replaced_id_is_remembered_for_a_minute_and_not_longer() {
        let replaced = ReplacedIds::new(10);
        replaced.add(id(1), at(0));
        replaced.add(id(2), at(30));
        assert_eq!(replaced.remaining(id(1), at(59)), Some(Duration::from_secs(1)));
        assert_eq!(replaced.remaining(id(1), at(60)), None);
        replaced.add(id(1), at(50));
        replaced.prune(at(60));
        assert!(replaced.remaining(id(1), at(100)).is_some(), "it was recorded once more");
        replaced.prune(at(200));
        assert_eq!((replaced.expires_at.pin().len(), replaced.order.lock().len()), (0, 0));
    }

    #[test]
    fn a_flood_of_logins_makes_the_list_no_longer_than_the_pod_has_sessions() {
        let replaced = ReplacedIds::new(2_000);
        for n in 0..5_000 {
            replaced.add(id(n), at(0));
        }
        assert_eq!((replaced.expires_at.pin().len(), replaced.order.lock().len()), (2_000, 2_000));
        assert!(replaced.remaining(id(4_999), at(1)).is_some() && replaced.remaining(id(2_999), at(1)).is_none());
    }
}
