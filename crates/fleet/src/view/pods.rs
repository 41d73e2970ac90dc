//! The pods of a view: those that are watched, those that have left, and what they have counted.

use std::collections::BTreeSet;
use std::sync::Arc;

use session_domain::{Counters, Timestamp};

use super::FleetView;
use crate::address::Address;
use crate::archive::{DepartedPod, LostPod};
use crate::pod::{PodState, PodView};

impl FleetView {
    /// The pods, ordered by address.
    pub fn pods(&self) -> &[Arc<PodView>] {
        &self.pods
    }

    /// The pods that have not sent a final report.
    pub fn running(&self) -> impl Iterator<Item = &PodView> {
        self.pods.iter().map(Arc::as_ref).filter(|pod| pod.state != PodState::Finished)
    }

    /// The pods that cannot be reached.
    pub fn unreachable(&self) -> impl Iterator<Item = &PodView> {
        self.pods.iter().map(Arc::as_ref).filter(|pod| matches!(pod.state, PodState::Unreachable { .. }))
    }

    /// The pod at an address.
    pub fn pod(&self, address: &Address) -> Option<&PodView> {
        Some(&self.pods[self.index(address)?])
    }

    /// When the oldest session at an address began, without doubtful sessions.
    pub fn oldest_session_start(&self, address: &Address) -> Option<Timestamp> {
        self.oldest[self.index(address)?]
    }

    /// The pods that have left and whose counters are remembered, ordered by name. Pods that are back are left out.
    pub fn departed_pods(&self) -> impl Iterator<Item = &DepartedPod> {
        let back: BTreeSet<_> = self.pods.iter().filter_map(|pod| Some(&pod.report.as_ref()?.pod)).collect();
        self.archive.departed.values().filter(move |departed| !back.contains(&departed.pod))
    }

    /// The pods that have left without a final report, newest first.
    pub fn lost_pods(&self) -> impl ExactSizeIterator<Item = &LostPod> {
        self.archive.lost.iter()
    }

    /// The names of the silent pods that have left because the shared store accounts for their sessions, and that may still
    /// run.
    pub fn released_pods(&self) -> impl Iterator<Item = &str> {
        self.archive.released.iter().map(|released| &*released.pod)
    }

    /// The sum of the counters of all pods since the fleet was made, departed pods included. Never decreases.
    pub fn counters(&self) -> Counters {
        let mut sum = self.archive.forgotten;
        self.pods.iter().filter_map(|pod| pod.report.as_ref()).for_each(|report| sum.add(&report.counters));
        self.departed_pods().for_each(|departed| sum.add(&departed.counters));
        sum
    }

    /// Why discovery fails at the moment. New pods may be missing then; the known ones are not affected.
    pub fn discovery_error(&self) -> Option<&str> {
        self.discovery_error.as_deref()
    }

    /// Whether all sessions of all pods are known and no data is in doubt.
    pub fn is_complete(&self) -> bool {
        !self.pods.is_empty() && self.pods.iter().all(|pod| pod.is_reliable())
    }

    /// Whether an upgrade cuts off no user: the view is complete, no session is present, and at least one pod runs and all
    /// that run are in maintenance.
    ///
    /// Idle sessions do not count, as they do not hold a drain open. It is never safe while discovery fails, since unknown
    /// pods may run, nor while a [released pod](Self::released_pods) may come back.
    pub fn is_safe_to_upgrade(&self) -> bool {
        let mut running = self.running().peekable();
        let is_empty = self.rows.present() == 0 && self.pods.iter().all(|pod| pod.present_or_held() == Some(0));
        self.discovery_error.is_none()
            && self.archive.released.is_empty()
            && self.is_complete()
            && is_empty
            && running.peek().is_some()
            && running.all(|pod| pod.is_in_maintenance())
    }

    /// Whether the same pods are reachable as in another view.
    pub(crate) fn has_same_reachability(&self, other: &Self) -> bool {
        let reachability = |view: &Self| view.pods.iter().map(|pod| pod.is_reachable()).collect::<Vec<_>>();
        let addresses = self.pods.iter().map(|pod| &pod.address).eq(other.pods.iter().map(|pod| &pod.address));
        addresses && reachability(self) == reachability(other)
    }

    pub(super) fn index(&self, address: &Address) -> Option<usize> {
        self.pods.binary_search_by(|pod| pod.address.cmp(address)).ok()
    }
}
