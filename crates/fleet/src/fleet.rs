//! The owner of the fleet's state.

mod discovery;
mod expiry;
mod removal;
mod store;
#[cfg(test)]
pub(crate) mod tests;
mod tracked_pod;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use session_domain::Timestamp;
use tracked_pod::TrackedPod;

pub use expiry::{FINISHED_RETENTION, FORGET_AFTER};
pub use removal::ForgetError;
pub use store::StoreRecord;

use crate::address::Address;
use crate::archive::Archive;
use crate::ledger::Ledger;
use crate::pod::{Inconsistency, PodState};
use crate::pod_event::PodEvent;
use crate::view::FleetView;

/// The state of all pods, as far as it is known. It has one owner; all others read a [`FleetView`].
#[derive(Debug)]
pub struct Fleet {
    /// How long a silent pod stays.
    forget_after: Duration,
    pods: BTreeMap<Address, TrackedPod>,
    ledger: Ledger,
    archive: Archive,
    /// Why discovery fails at the moment.
    discovery_error: Option<Arc<str>>,
}

impl Default for Fleet {
    fn default() -> Self {
        Self::new()
    }
}

impl Fleet {
    /// Makes a fleet without pods that removes silent ones after [`FORGET_AFTER`].
    pub fn new() -> Self {
        Self::with_forget_after(FORGET_AFTER)
    }

    /// Makes a fleet without pods that removes silent ones after `forget_after`.
    pub fn with_forget_after(forget_after: Duration) -> Self {
        Self {
            forget_after,
            pods: BTreeMap::new(),
            ledger: Ledger::default(),
            archive: Archive::default(),
            discovery_error: None,
        }
    }

    /// Applies an event of the watch at an address. Ignores it if no pod is watched there.
    pub fn apply(&mut self, address: &Address, event: PodEvent, now: Timestamp) {
        let Self { pods, ledger, archive, .. } = self;
        let pod_count = pods.len();
        let Some(pod) = pods.get_mut(address).filter(|pod| !pod.is_replaced) else { return };
        match &event {
            PodEvent::Unreachable(_) if pod.is_hidden => return,
            PodEvent::Report(_) => pod.is_hidden = false,
            _ => {}
        }
        match event {
            PodEvent::WatchStarted => pod.start_watch(),
            PodEvent::Report(report) => {
                if let Some(other) = pod.view.report.as_ref().filter(|known| known.pod != report.pod) {
                    // Once discovery has dropped an address, Kubernetes may give it to any pod.
                    if !pod.view.is_discovered() {
                        pod.is_replaced = true;
                        pod.view_mut().mark_unreachable("another pod answers at its address".to_owned(), now);
                        return;
                    }
                    archive.keep_counters(other, pod.view.last_seen.unwrap_or(now));
                }
                archive.released.retain(|released| released.pod != report.pod.as_str());
                pod.apply_report(report, ledger, now);
            }
            PodEvent::Snapshot { sessions, end } => pod.apply_snapshot(sessions, end, ledger, pod_count, now),
            // After its final report a pod has nothing more to say.
            PodEvent::Changes { .. } if pod.view.state == PodState::Finished => {}
            PodEvent::Changes { upserts, removals } => pod.apply_changes(upserts, removals, ledger, pod_count, now),
            PodEvent::InvalidMessage(reason) => {
                pod.view_mut().inconsistencies.insert(Inconsistency::InvalidMessage(reason));
                pod.view_mut().last_seen = Some(now);
            }
            PodEvent::ConnectionRefused => {
                pod.is_refused = true;
                archive.released.retain(|released| released.address != *address);
            }
            PodEvent::ProbeAnswered { took } => pod.view_mut().record_answer(took, now),
            PodEvent::Unreachable(reason) => pod.lose(reason, ledger, now),
        }
    }

    /// Records a point of the trend if one is due. Returns whether it was.
    pub fn record_trend(&mut self, now: Timestamp) -> bool {
        let rows = self.ledger.claims.rows.shards();
        let (sessions, present) = (rows.len(), rows.present());
        self.ledger.trend.record(sessions, present, now)
    }

    /// Returns what is known now. The view never changes.
    pub fn view(&self) -> FleetView {
        let pods = self.pods.values().filter(|pod| !pod.is_hidden).map(|pod| pod.view.clone());
        FleetView::new(pods, &self.ledger, self.archive.clone(), self.discovery_error.clone())
    }
}
