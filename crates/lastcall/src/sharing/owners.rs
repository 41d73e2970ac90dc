//! What other pods say of themselves in their leases, cached for a moment.

use std::time::Duration;

use session_domain::shared::Owner;
use session_domain::{PodName, Timestamp};

use super::Sharing;

/// How long an answer is used again: the guests of one owner cost the store one question a request, not two.
const OWNER_CACHE_TTL: Duration = Duration::from_millis(500);

/// What other pods said of themselves, and when they were asked.
#[derive(Debug, Default)]
pub(super) struct OwnerCache(papaya::HashMap<PodName, (Owner, Timestamp)>);

impl OwnerCache {
    fn get(&self, pod: &PodName, now: Timestamp) -> Option<Owner> {
        let owners = self.0.pin();
        let (owner, asked) = owners.get(pod)?;
        (now < asked.plus(OWNER_CACHE_TTL)).then(|| owner.aged(now.since(*asked)))
    }

    fn insert(&self, pod: &PodName, owner: Owner, now: Timestamp) {
        self.0.pin().insert(pod.clone(), (owner, now));
    }

    fn remove(&self, pod: &PodName) {
        self.0.pin().remove(pod);
    }
}

impl Sharing {
    /// What a pod says of itself; `None` where the store does not answer. A missing lease is not believed while its pod may
    /// not have been able to renew it.
    pub(super) async fn owner(&self, pod: &PodName) -> Option<Owner> {
        let now = self.clock.now();
        if let Some(owner) = self.owners.get(pod, now) {
            return Some(owner);
        }
        let owner = self.health.record_read(self.store.owner(pod).await, now)?;
        if owner.is_gone() {
            self.owners.remove(pod);
            return Some(if self.health.believes_leases(now) { owner } else { Owner::Unknown });
        }
        self.owners.insert(pod, owner, now);
        Some(owner)
    }
}
