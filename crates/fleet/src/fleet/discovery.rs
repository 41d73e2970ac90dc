//! What discovery says: which pods there are.

use std::collections::BTreeSet;
use std::sync::Arc;

use session_domain::Timestamp;

use super::Fleet;
use super::tracked_pod::TrackedPod;
use crate::address::Address;
use crate::discovered_pod::DiscoveredPod;
use crate::pod::PodState;

impl Fleet {
    /// Applies the list of pods that discovery returns now.
    ///
    /// A pod that is no longer listed stays as long as it is reachable, since a draining pod may vanish from DNS long
    /// before it exits.
    pub fn apply_discovery(&mut self, found: &[DiscoveredPod], now: Timestamp) {
        let listed: BTreeSet<_> = found.iter().map(|found| &found.address).collect();
        self.pods.retain(|address, pod| !pod.is_hidden || listed.contains(address));
        for (address, pod) in &mut self.pods {
            if pod.view.is_discovered() && !listed.contains(address) {
                pod.view_mut().mark_delisted(now);
            }
        }
        for found in found {
            let pod = self.pods.entry(found.address.clone()).or_insert_with(|| TrackedPod::new(found.address.clone()));
            pod.is_replaced = false;
            if !pod.view.matches(found) {
                pod.view_mut().apply_discovery(found);
            }
        }
    }

    /// Records why discovery fails, or with `None` that it succeeds again.
    pub fn set_discovery_error(&mut self, reason: Option<&str>) {
        self.discovery_error = reason.map(Arc::from);
    }

    /// The addresses to be watched: all that discovery lists, and those whose pod may still send something.
    pub fn watched_addresses(&self) -> impl Iterator<Item = &Address> {
        let is_needed =
            |pod: &TrackedPod| pod.view.is_discovered() || !(pod.is_replaced || pod.view.state == PodState::Finished);
        self.pods.iter().filter(move |(_, pod)| is_needed(pod)).map(|(address, _)| address)
    }
}
