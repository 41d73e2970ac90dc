//! What users are in the middle of on a pod: work in progress and open WebSockets.

use session_domain::{Phase, Timestamp};

use super::FleetView;
use crate::address::Address;
use crate::pod::{PodState, PodView};

/// What users are in the middle of on one pod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PodWork {
    /// Sessions with work in progress that a drain waits for. Includes sessions that another pod has adopted.
    pub protected: u64,
    /// Open WebSockets.
    pub websockets: u64,
}

impl PodWork {
    /// The sum of two pods' work.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { protected: self.protected + other.protected, websockets: self.websockets + other.websockets }
    }
}

/// Work in progress that a pod waits for beyond its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AwaitedWork {
    /// The sessions that have it.
    pub sessions: u64,
    /// From when on the pod waits for them alone; absent if it does so already.
    pub from: Option<Timestamp>,
}

impl FleetView {
    /// What users are in the middle of on a pod, as it reported last; nothing once it has finished. `None` if the pod has never
    /// reported.
    ///
    /// Two numbers are known of each: the pod's own, and the sum over its sessions, which may be a moment older or newer. The
    /// greater one counts, so that nothing is overlooked.
    pub fn work(&self, pod: &PodView) -> Option<PodWork> {
        let report = pod.report.as_ref()?;
        if pod.state == PodState::Finished {
            return Some(PodWork::default());
        }
        let tally = self.tally(&pod.address);
        Some(PodWork {
            protected: report.protected_sessions.unwrap_or(0).max(tally.protected),
            websockets: report.counters.websocket_connections.max(tally.websockets),
        })
    }

    /// The work that a pod waits for beyond its deadline; `None` if it would wait for none. Before the deadline it waits for all
    /// of its users.
    pub fn awaited_work(&self, pod: &PodView) -> Option<AwaitedWork> {
        let report = pod.report.as_ref().filter(|_| pod.is_reachable())?;
        let from = match (report.phase, report.forced_logout_at) {
            (Phase::Maintenance | Phase::Draining, Some(deadline)) => Some(deadline),
            // The countdown has ended, and the pod has not gone on to the propagation.
            (Phase::Draining, None) => None,
            (Phase::Serving | Phase::Propagating | Phase::Closing, _) | (Phase::Maintenance, None) => return None,
        };
        let sessions = self.work(pod)?.protected;
        (sessions > 0).then_some(AwaitedWork { sessions, from })
    }

    pub(super) fn tally(&self, address: &Address) -> crate::SessionTally {
        self.index(address).map(|index| self.tallies[index]).unwrap_or_default()
    }
}
