//! What changes by time alone: when a pod leaves the fleet, and when its snapshot is requested again.

use std::collections::HashMap;
use std::time::Duration;

use session_domain::{PodName, Timestamp};

use super::Fleet;
use super::tracked_pod::TrackedPod;
use crate::address::Address;
use crate::archive::LeaveReason;
use crate::pod::{PodState, PodView};

/// How long a silent pod stays by default (`FORGET_AFTER`), if it had sessions or is at a fixed address.
pub const FORGET_AFTER: Duration = Duration::from_secs(10 * 60);

/// The longest time that a pod stays which is no longer discovered and leaves no session behind.
pub const FINISHED_RETENTION: Duration = Duration::from_secs(60);

impl Fleet {
    /// Removes the pods whose time is over. Returns whether anything changed.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let successors = self.successors();
        let is_over =
            |pod: &&TrackedPod| !pod.is_hidden && leaves_at(&pod.view, self.forget_after).is_some_and(|at| at <= now);
        let over: Vec<_> = self.pods.values().filter(is_over).map(|pod| pod.view.address.clone()).collect();
        let succeeded = self.pods.iter().filter(|(_, pod)| is_succeeded(&pod.view, &successors));
        let succeeded: Vec<_> = succeeded.map(|(address, _)| address.clone()).collect();
        for address in &succeeded {
            self.remove(address);
        }
        for address in &over {
            self.leave(address, LeaveReason::Silent, now);
        }
        let archive_changed = self.archive.expire(now);
        let miscounts_changed = self.pods.values_mut().fold(false, |changed, pod| pod.check_count(now) | changed);
        archive_changed || miscounts_changed || !(over.is_empty() && succeeded.is_empty())
    }

    /// The pods whose snapshot must be requested again, because they list another number of sessions than they count. Each
    /// is returned at growing intervals.
    pub fn take_relists(&mut self, now: Timestamp) -> Vec<Address> {
        let due = self.pods.values_mut().filter_map(|pod| {
            let is_due = pod.view.miscount.is_some() && pod.incoming.is_none() && pod.count_check.take_relist(now);
            is_due.then(|| pod.view.address.clone())
        });
        due.collect()
    }

    /// The start times of the pods that are discovered and reachable, by name. Empty if all pods are discovered, since no
    /// pod can have a successor then.
    fn successors(&self) -> HashMap<PodName, Timestamp> {
        if self.pods.values().all(|pod| pod.view.is_discovered()) {
            return HashMap::new();
        }
        let reports = self.pods.values().filter(|pod| pod.view.is_discovered() && pod.view.is_reachable());
        reports.filter_map(|pod| pod.view.report.as_ref()).map(|r| (r.pod.clone(), r.started_at)).collect()
    }
}

/// When the pod leaves the fleet if nothing changes. A reachable pod never does; of the discovered pods, only those at
/// fixed addresses do.
fn leaves_at(pod: &PodView, forget_after: Duration) -> Option<Timestamp> {
    let finished_retention = FINISHED_RETENTION.min(forget_after);
    let (since, stay) = match (&pod.state, pod.delisted_at) {
        (PodState::Live, _) | (PodState::Waiting, None) => return None,
        (_, None) if !pod.is_fixed => return None,
        (PodState::Unreachable { since, .. }, None) => (*since, forget_after),
        (PodState::Finished, None) => (pod.last_seen?, forget_after),
        (PodState::Waiting, Some(delisted)) => (delisted, finished_retention),
        (PodState::Finished, Some(delisted)) => (pod.last_seen.unwrap_or(delisted).max(delisted), finished_retention),
        (PodState::Unreachable { since, .. }, Some(delisted)) => {
            ((*since).max(delisted), if pod.sessions > 0 { forget_after } else { finished_retention })
        }
    };
    Some(since.plus(stay))
}

/// Whether a pod of the same name is discovered and reachable at another address: the same process, or its successor.
fn is_succeeded(pod: &PodView, successors: &HashMap<PodName, Timestamp>) -> bool {
    let Some(report) = pod.report.as_ref().filter(|_| !pod.is_discovered()) else { return false };
    let is_same = |started: &Timestamp| *started == report.started_at;
    successors.get(&report.pod).is_some_and(|started| is_same(started) || !pod.is_reachable())
}

#[cfg(test)]
mod tests;
