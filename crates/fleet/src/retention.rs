//! How pods come and go. Discovery names the pods; one that it no longer names stays as long as it is heard (a pod
//! that drains may be out of DNS long before it is done), and a while after that, so that an operator sees what was
//! lost. What a pod has counted outlives it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::discovered_pod::DiscoveredPod;
use super::lost::{LOST_PODS_KEPT, LeaveReason, LostPod, Released};
use super::pod::{Address, PodState, PodView};
use super::{DrainEnd, Fleet, Held};
use session_domain::{Counters, Departure, PodName, PodReport, Timestamp};

/// A silent pod stays for so long by default (`FORGET_AFTER`): one that is gone and was lost with people on it, and one
/// at a fixed address.
pub const FORGET_AFTER: Duration = Duration::from_secs(10 * 60);

/// A pod that is gone and leaves nobody behind stays for so long, at most.
pub const FINISHED_RETENTION: Duration = Duration::from_secs(60);

/// What a pod has counted is remembered for so long after it was last heard, so that rates over it end rather than
/// vanish.
pub const COUNTERS_RETENTION: Duration = Duration::from_secs(10 * 60);

/// Pods that are remembered by their counters; beyond that the longest unheard is forgotten.
const MAX_GONE: usize = 1_000;

/// What is remembered of a pod that has left the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepartedPod {
    /// Its name.
    pub pod: PodName,
    /// What it had counted, as it said last.
    pub counters: Counters,
    /// When it was last heard.
    pub last_seen: Timestamp,
}

/// Pods that have left. Shared with the views until it changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    /// By name.
    pub(super) gone: Arc<BTreeMap<PodName, DepartedPod>>,
    /// What those had counted that are forgotten: sums must not fall.
    pub(super) forgotten: Counters,
    /// Those that left without a last word, the newest first.
    pub(super) lost: Arc<VecDeque<LostPod>>,
    /// Those of them that may run still.
    pub(super) released: Vec<Released>,
}

impl Memory {
    pub(super) fn keep(&mut self, report: &PodReport, last_seen: Timestamp) {
        let gone = Arc::make_mut(&mut self.gone);
        // What was open is open no more; what was counted stays counted.
        let counters = Counters { websocket_connections: 0, ..report.counters };
        gone.insert(report.pod.clone(), DepartedPod { pod: report.pod.clone(), counters, last_seen });
        if gone.len() > MAX_GONE {
            let oldest = gone.values().min_by_key(|gone| gone.last_seen).map(|gone| gone.pod.clone());
            if let Some(gone) = oldest.and_then(|pod| gone.remove(&pod)) {
                self.forgotten.add(&gone.counters);
            }
        }
    }

    pub(super) fn remember_lost(&mut self, pod: LostPod) {
        let lost = Arc::make_mut(&mut self.lost);
        lost.push_front(pod);
        lost.truncate(LOST_PODS_KEPT);
    }

    /// Whether something was forgotten.
    fn forget(&mut self, now: Timestamp) -> bool {
        let is_over = |gone: &DepartedPod| now.since(gone.last_seen) > COUNTERS_RETENTION;
        let over: Vec<_> = self.gone.values().filter(|gone| is_over(gone)).cloned().collect();
        for gone in &over {
            Arc::make_mut(&mut self.gone).remove(&gone.pod);
            self.forgotten.add(&gone.counters);
        }
        !over.is_empty()
    }
}

impl Fleet {
    /// Takes in which pods discovery names now; all others are on their way out.
    pub fn apply_discovery(&mut self, found: &[DiscoveredPod], now: Timestamp) {
        let named: BTreeSet<_> = found.iter().map(|found| &found.address).collect();
        self.pods.retain(|address, held| !held.is_hidden || named.contains(address));
        for (address, held) in &mut self.pods {
            if held.view.delisted_at.is_none() && !named.contains(address) {
                held.pod().vanish(now);
            }
        }
        for found in found {
            let held = self.pods.entry(found.address.clone()).or_insert_with(|| Held::new(found.address.clone()));
            held.replaced = false;
            if !held.view.is_as(found) {
                held.pod().list(found);
            }
        }
    }

    /// Takes in that pods cannot be found, for this reason, or that they can again.
    pub fn set_discovery_error(&mut self, reason: Option<&str>) {
        self.trouble = reason.map(Arc::from);
    }

    /// Where a link is needed now: to every pod that is named, and to those that may still have something to say.
    pub fn watched_addresses(&self) -> impl Iterator<Item = &Address> {
        let needed =
            |held: &Held| held.view.is_discovered() || !(held.replaced || held.view.state == PodState::Finished);
        self.pods.iter().filter(move |(_, held)| needed(held)).map(|(address, _)| address)
    }

    /// Lets go of whose time is over; whether there was anything. What changes by time alone changes here.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let successors = self.successors();
        let is_over =
            |held: &&Held| !held.is_hidden && held.view.leaves_at(self.forget_after).is_some_and(|at| at <= now);
        let over: Vec<_> = self.pods.values().filter(is_over).map(|held| held.view.address.clone()).collect();
        let succeeded = self.pods.iter().filter(|(_, held)| held.view.is_succeeded(&successors));
        let succeeded: Vec<_> = succeeded.map(|(address, _)| address.clone()).collect();
        for address in &succeeded {
            self.remove(address);
        }
        for address in &over {
            self.leave(address, LeaveReason::Silent, now);
        }
        let released = self.memory.released.len();
        self.memory.released.retain(|released| released.until > now);
        let forgotten = self.memory.forget(now) || released != self.memory.released.len();
        let miscounts = self.pods.values_mut().fold(false, |changed, held| held.check_count(now) | changed);
        forgotten || miscounts || !(over.is_empty() && succeeded.is_empty())
    }

    /// The pods whose snapshot is to be asked for anew, because they have listed other than they count.
    pub fn take_relists(&mut self, now: Timestamp) -> Vec<Address> {
        let due = self.pods.values_mut().filter_map(|held| {
            let is_due = held.view.miscount.is_some() && held.incoming.is_none() && held.check.relist(now);
            is_due.then(|| held.view.address.clone())
        });
        due.collect()
    }

    /// The pods that are named and heard, where any that is not named might be one of them.
    fn successors(&self) -> HashMap<PodName, Timestamp> {
        if self.pods.values().all(|held| held.view.is_discovered()) {
            return HashMap::new();
        }
        let reports = self.pods.values().filter(|held| held.view.is_discovered() && held.view.is_reachable());
        reports.filter_map(|held| held.view.report.as_ref()).map(|r| (r.pod.clone(), r.started_at)).collect()
    }

    /// Forgets an address and the sessions that only it claims; not what its pod has counted. Where discovery names the
    /// address still, it is in sight again as soon as somebody is heard there.
    pub(super) fn remove(&mut self, address: &Address) {
        let Some(held) = self.pods.remove(address) else { return };
        if held.view.is_discovered() {
            let mut hidden = Held::new(address.clone());
            hidden.is_hidden = true;
            let view = hidden.pod();
            view.discovered_name.clone_from(&held.view.discovered_name);
            view.conditions = held.view.conditions;
            view.is_fixed = held.view.is_fixed;
            self.pods.insert(address.clone(), hidden);
        }
        let last_seen = held.view.last_seen.unwrap_or_default();
        if let Some(report) = &held.view.report {
            self.memory.keep(report, last_seen);
        }
        self.ledger.drains.end(address, DrainEnd::Lost(last_seen));
        for id in held.ids {
            self.ledger.withdraw(address, id, Departure::Unknown, last_seen);
        }
    }
}

impl PodView {
    /// Whether discovery names it.
    pub fn is_discovered(&self) -> bool {
        self.delisted_at.is_none()
    }

    fn is_as(&self, found: &DiscoveredPod) -> bool {
        let is_same = self.conditions == found.conditions && self.is_fixed == found.is_fixed;
        self.is_discovered() && is_same && self.discovered_name == found.pod
    }

    fn list(&mut self, found: &DiscoveredPod) {
        self.delisted_at = None;
        self.conditions = found.conditions;
        self.is_fixed = found.is_fixed;
        self.discovered_name.clone_from(&found.pod);
    }

    /// Its name stays; what else discovery said of it holds no more.
    fn vanish(&mut self, now: Timestamp) {
        self.delisted_at = Some(now);
        self.conditions = super::Conditions::default();
    }

    /// When it leaves the fleet, as things stand. A pod that is heard does not, and of those that are named only the silent
    /// ones at fixed addresses do.
    fn leaves_at(&self, forget_after: Duration) -> Option<Timestamp> {
        let done = FINISHED_RETENTION.min(forget_after);
        let (since, stay) = match (&self.state, self.delisted_at) {
            (PodState::Live, _) | (PodState::Waiting, None) => return None,
            (_, None) if !self.is_fixed => return None,
            (PodState::Unreachable { since, .. }, None) => (*since, forget_after),
            (PodState::Finished, None) => (self.last_seen?, forget_after),
            (PodState::Waiting, Some(delisted_at)) => (delisted_at, done),
            (PodState::Finished, Some(delisted_at)) => (self.last_seen.unwrap_or(delisted_at).max(delisted_at), done),
            (PodState::Unreachable { since, .. }, Some(delisted_at)) => {
                ((*since).max(delisted_at), if self.sessions > 0 { forget_after } else { done })
            }
        };
        Some(since.plus(stay))
    }

    /// Whether its pod is named and heard at another address: as the same process, or after its end.
    fn is_succeeded(&self, successors: &HashMap<PodName, Timestamp>) -> bool {
        let Some(report) = self.report.as_ref().filter(|_| !self.is_discovered()) else { return false };
        let is_same = |started: &Timestamp| *started == report.started_at;
        successors.get(&report.pod).is_some_and(|started| is_same(started) || !self.is_reachable())
    }
}

#[cfg(test)]
mod tests;
