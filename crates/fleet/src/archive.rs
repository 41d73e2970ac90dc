//! What is remembered of pods that have left the fleet.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use session_domain::{Counters, PodName, PodReport, Timestamp};

use crate::address::Address;

/// How long the counters of a departed pod are remembered after it was last seen. Rates over them then fall to zero
/// instead of vanishing.
pub const COUNTERS_RETENTION: Duration = Duration::from_secs(10 * 60);

/// The greatest number of pods whose counters are remembered; beyond it, the pod that was last seen first is dropped.
pub(crate) const MAX_DEPARTED_PODS: usize = 1_000;

/// The greatest number of lost pods that are remembered; the newest are kept.
const MAX_LOST_PODS: usize = 100;

/// The counters of a pod that has left the fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepartedPod {
    /// The pod's name.
    pub pod: PodName,
    /// Its counters, as last reported.
    pub counters: Counters,
    /// When it was last seen.
    pub last_seen: Timestamp,
}

/// A pod that left the fleet without a final report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostPod {
    /// The pod's name, else its address.
    pub pod: String,
    /// Where it was watched.
    pub address: Address,
    /// When it was last seen; absent if it never was.
    pub last_seen: Option<Timestamp>,
    /// When it left the list of pods.
    pub left_at: Timestamp,
    /// The sessions that it was known to hold.
    pub sessions: u64,
    /// The sessions that it last reported as present; absent if it did not report them.
    pub present: Option<u64>,
    /// Why it left.
    pub reason: LeaveReason,
}

/// Why a silent pod left the list of pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaveReason {
    /// It was silent for longer than `FORGET_AFTER`.
    Silent,
    /// The shared store accounts for all its sessions.
    Released,
    /// An operator removed it.
    Forgotten,
}

impl LeaveReason {
    /// The reason in one word, as the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Released => "released",
            Self::Forgotten => "forgotten",
        }
    }
}

/// A pod that left because the store accounts for its sessions, while its address never refused a connection. Its process
/// may only be frozen: until `until`, the time at which it would have left without a store, it may come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReleasedPod {
    pub(crate) pod: String,
    pub(crate) address: Address,
    /// The revision that it reported; empty if it reported none.
    pub(crate) revision: Arc<str>,
    pub(crate) until: Timestamp,
}

/// The pods that have left. Views share it until it changes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Archive {
    /// The counters of departed pods, by name.
    pub(crate) departed: Arc<BTreeMap<PodName, DepartedPod>>,
    /// The sum of the counters that are no longer remembered by pod: totals must not decrease.
    pub(crate) forgotten: Counters,
    /// The pods that left without a final report, newest first.
    pub(crate) lost: Arc<VecDeque<LostPod>>,
    /// Those of them that may still run.
    pub(crate) released: Vec<ReleasedPod>,
}

impl Archive {
    /// Remembers the counters of a pod.
    pub(crate) fn keep_counters(&mut self, report: &PodReport, last_seen: Timestamp) {
        let departed = Arc::make_mut(&mut self.departed);
        // Open connections are a gauge: a departed pod has none.
        let counters = Counters { websocket_connections: 0, ..report.counters };
        departed.insert(report.pod.clone(), DepartedPod { pod: report.pod.clone(), counters, last_seen });
        if departed.len() > MAX_DEPARTED_PODS {
            let oldest = departed.values().min_by_key(|pod| pod.last_seen).map(|pod| pod.pod.clone());
            if let Some(dropped) = oldest.and_then(|pod| departed.remove(&pod)) {
                self.forgotten.add(&dropped.counters);
            }
        }
    }

    pub(crate) fn add_lost(&mut self, pod: LostPod) {
        let lost = Arc::make_mut(&mut self.lost);
        lost.push_front(pod);
        lost.truncate(MAX_LOST_PODS);
    }

    /// Drops what is remembered for long enough. Returns whether there was anything.
    pub(crate) fn expire(&mut self, now: Timestamp) -> bool {
        let released = self.released.len();
        self.released.retain(|released| released.until > now);
        let is_over = |pod: &DepartedPod| now.since(pod.last_seen) > COUNTERS_RETENTION;
        let over: Vec<_> = self.departed.values().filter(|pod| is_over(pod)).cloned().collect();
        for pod in &over {
            Arc::make_mut(&mut self.departed).remove(&pod.pod);
            self.forgotten.add(&pod.counters);
        }
        !over.is_empty() || released != self.released.len()
    }

    /// Records that the released pods of this name, or at this address, do not run any more. Returns the newest of them.
    pub(crate) fn forget_released(&mut self, name: &str) -> Vec<LostPod> {
        let is_meant = |pod: &str, address: &Address| pod == name || address.as_str() == name;
        let known = self.released.len();
        self.released.retain(|released| !is_meant(&released.pod, &released.address));
        let is_any = self.released.len() < known;
        self.lost.iter().filter(|lost| is_any && is_meant(&lost.pod, &lost.address)).take(1).cloned().collect()
    }
}
