//! What the shared store knows of silent pods: whether their sessions are accounted for.

use std::collections::HashSet;
use std::time::Duration;

use session_domain::{PodName, SessionId, Timestamp};

use super::Fleet;
use super::tracked_pod::TrackedPod;
use crate::archive::LeaveReason;
use crate::pod::PodState;

/// How long the live pods have to write their sessions into a store that came back empty.
const STORE_SETTLES_AFTER: Duration = Duration::from_secs(10);

/// What the shared store knows of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreRecord {
    /// Whether the pod has a lease.
    pub has_lease: bool,
    /// The sessions that the store holds under the pod's name. Queried only if the pod has no lease.
    pub orphans: HashSet<SessionId>,
}

impl Fleet {
    /// The pods to look up in the shared store, each with whether its sessions there are needed, too.
    pub fn store_query(&self) -> Vec<(PodName, bool)> {
        let names = self.pods.values().filter_map(|pod| {
            let report = pod.view.report.as_ref()?;
            Some((report.pod.clone(), may_be_released(pod)))
        });
        names.collect()
    }

    /// Applies the records of the shared store, from a lookup that began at `began`. Returns whether a pod has left because
    /// of them.
    ///
    /// A silent pod without a lease leaves as soon as each of its sessions is claimed by a reachable pod or listed as an
    /// orphan. A session that is neither has ended; that counts only after some seconds, and only if the pod once had a
    /// lease.
    pub fn apply_store_records(
        &mut self,
        record: impl Fn(&PodName) -> Option<StoreRecord>,
        began: Timestamp,
        now: Timestamp,
    ) -> bool {
        let reachable = self.pods.values().filter(|pod| pod.view.is_reachable());
        let reachable: HashSet<_> = reachable.map(|pod| pod.view.address.clone()).collect();
        let mut released = Vec::new();
        for (address, pod) in &mut self.pods {
            let Some(record) = pod.view.report.as_ref().and_then(|report| record(&report.pod)) else { continue };
            if record.has_lease {
                pod.had_lease = true;
                pod.unleased_since = None;
                continue;
            }
            let PodState::Unreachable { since, .. } = pod.view.state else { continue };
            if !may_be_released(pod) || began < since {
                continue;
            }
            let unleased_since = *pod.unleased_since.get_or_insert(began);
            let claims = &self.ledger.claims;
            let is_settled =
                |id: &SessionId| record.orphans.contains(id) || claims.claimants(*id).any(|at| reachable.contains(at));
            let all_settled = pod.ids.iter().all(is_settled) && (pod.had_lease || !pod.ids.is_empty());
            if all_settled || (pod.had_lease && unleased_since.plus(STORE_SETTLES_AFTER) <= began) {
                released.push(address.clone());
            }
        }
        for address in &released {
            self.leave(address, LeaveReason::Released, now);
        }
        !released.is_empty()
    }
}

/// Whether the store's records may remove the pod: it is silent, and no discovery lists it that would know that it is gone.
fn may_be_released(pod: &TrackedPod) -> bool {
    let is_silent = matches!(pod.view.state, PodState::Unreachable { .. });
    is_silent && !pod.is_hidden && (!pod.view.is_discovered() || pod.view.is_fixed)
}
