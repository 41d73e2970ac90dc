//! Ids that a login has replaced. Requests that were on their way with the old cookie still carry them: such a request must not
//! be taken for a newcomer's, whose new cookie would take the place of the signed-in one.
//!
//! Asking takes no lock. The list is bounded by the sessions that the pod may hold, and by age.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Registry;
use crate::ids::SessionId;
use crate::time::Timestamp;

/// How long a replaced id is known as such.
pub const REPLACED_TTL: Duration = Duration::from_secs(60);

/// Replaced ids that are known at the most, where the pod may hold fewer sessions than that.
const MIN_CAPACITY: u64 = 1_000;

#[derive(Debug)]
pub(super) struct ReplacedIds {
    until: papaya::HashMap<SessionId, Timestamp>,
    /// The same ids, the oldest first.
    order: Mutex<VecDeque<(Timestamp, SessionId)>>,
    capacity: usize,
}

impl ReplacedIds {
    pub(super) fn new(max_sessions: u64) -> Self {
        let capacity = usize::try_from(max_sessions.max(MIN_CAPACITY)).unwrap_or(usize::MAX);
        Self { until: papaya::HashMap::new(), order: Mutex::default(), capacity }
    }

    pub(super) fn add(&self, id: SessionId, now: Timestamp) {
        let until = now.plus(REPLACED_TTL);
        self.until.pin().insert(id, until);
        self.with_order(|order| {
            order.push_back((until, id));
            self.drop_oldest(order, |order| order.len() > self.capacity);
        });
        self.prune(now);
    }

    /// Drops what is known for long enough.
    pub(super) fn prune(&self, now: Timestamp) {
        self.with_order(|order| {
            self.drop_oldest(order, |order| order.front().is_some_and(|(until, _)| *until <= now));
        });
    }

    fn remaining(&self, id: SessionId, now: Timestamp) -> Option<Duration> {
        let until = *self.until.pin().get(&id)?;
        (now < until).then(|| until.since(now))
    }

    fn drop_oldest(
        &self,
        order: &mut VecDeque<(Timestamp, SessionId)>,
        is_due: impl Fn(&VecDeque<(Timestamp, SessionId)>) -> bool,
    ) {
        let known = self.until.pin();
        while is_due(order) {
            let Some((until, id)) = order.pop_front() else { return };
            // One that was noted once more stays as long as that says.
            let _ = known.remove_if(&id, |_, newest| *newest <= until);
        }
    }

    /// A poisoned lock is safe to reuse: the worst is an id that is known for longer.
    fn with_order<T>(&self, change: impl FnOnce(&mut VecDeque<(Timestamp, SessionId)>) -> T) -> T {
        change(&mut self.order.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<X> Registry<X> {
    /// Whether a login has replaced this id within the last [`REPLACED_TTL`], as far as this pod knows.
    pub fn is_replaced(&self, id: SessionId, now: Timestamp) -> bool {
        self.remaining_replaced_ttl(id, now).is_some()
    }

    /// How long the id is still known as replaced.
    pub fn remaining_replaced_ttl(&self, id: SessionId, now: Timestamp) -> Option<Duration> {
        self.replaced.remaining(id, now)
    }

    /// Notes that a login has replaced the id of a session that another pod holds.
    pub fn record_replaced(&self, id: SessionId, now: Timestamp) {
        self.replaced.add(id, now);
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
    fn a_replaced_id_is_known_for_a_minute_and_not_kept_longer() {
        let replaced = ReplacedIds::new(10);
        replaced.add(id(1), at(0));
        replaced.add(id(2), at(30));
        assert_eq!(replaced.remaining(id(1), at(59)), Some(Duration::from_secs(1)));
        assert_eq!(replaced.remaining(id(1), at(60)), None);
        replaced.add(id(1), at(50));
        replaced.prune(at(60));
        assert!(replaced.remaining(id(1), at(100)).is_some(), "noted once more");
        replaced.prune(at(200));
        assert_eq!((replaced.until.pin().len(), replaced.with_order(|order| order.len())), (0, 0));
    }

    #[test]
    fn a_flood_of_logins_makes_the_list_no_longer_than_the_pod_has_sessions() {
        let replaced = ReplacedIds::new(2_000);
        for n in 0..5_000 {
            replaced.add(id(n), at(0));
        }
        assert_eq!((replaced.until.pin().len(), replaced.with_order(|order| order.len())), (2_000, 2_000));
        assert!(replaced.remaining(id(4_999), at(1)).is_some() && replaced.remaining(id(2_999), at(1)).is_none());
    }
}
