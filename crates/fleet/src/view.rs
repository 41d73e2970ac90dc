//! The fleet at one moment: cheap to share, never changing.

mod handoff;
mod pods;
mod revisions;
mod sessions;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;

use session_domain::{PodName, Timestamp};

use crate::address::Address;
use crate::archive::Archive;
use crate::history::{DrainRecord, History};
use crate::ledger::Ledger;
use crate::moves::DestinationsByPod;
use crate::pod::{Inconsistency, PodState, PodView};
use crate::rows::Shards;
use crate::session_tally::SessionTally;
use crate::trend::{Trend, TrendPoint};

pub use handoff::HandoffProgress;
pub use revisions::{Removal, RevisionView};
pub use work::{AwaitedWork, PodWork};

/// All pods and sessions, as known at one moment. A clone is cheap, and a view never changes.
#[derive(Clone, Debug, Default)]
pub struct FleetView {
    pods: Vec<Arc<PodView>>,
    rows: Shards,
    /// When the oldest session of each pod began, in the order of `pods`.
    oldest: Vec<Option<Timestamp>>,
    /// The counts of the sessions of each pod, in the order of `pods`.
    tallies: Vec<SessionTally>,
    history: History,
    /// Where the sessions of pods that shut down went.
    destinations: DestinationsByPod,
    trend: Trend,
    archive: Archive,
    discovery_error: Option<Arc<str>>,
}

impl FleetView {
    /// Costs a walk over the pods and 256 reference counts, not a walk over the sessions.
    pub(crate) fn new(
        pods: impl Iterator<Item = Arc<PodView>>,
        ledger: &Ledger,
        archive: Archive,
        discovery_error: Option<Arc<str>>,
    ) -> Self {
        let mut pods: Vec<_> = pods.collect();
        let mut names: BTreeMap<PodName, Vec<Address>> = BTreeMap::new();
        for pod in &pods {
            if let (PodState::Live, Some(report)) = (&pod.state, &pod.report) {
                names.entry(report.pod.clone()).or_default().push(pod.address.clone());
            }
        }
        for pod in &mut pods {
            let disputed = ledger.claims.disputed(&pod.address);
            if disputed != pod.disputed {
                Arc::make_mut(pod).disputed = disputed;
            }
            let namesakes = pod.report.as_ref().and_then(|report| names.get(&report.pod));
            let other = namesakes.and_then(|all| all.iter().find(|address| **address != pod.address));
            if let (PodState::Live, Some(other)) = (&pod.state, other) {
                Arc::make_mut(pod).inconsistencies.insert(Inconsistency::SameName(other.clone()));
            }
        }
        let tallies = pods.iter().map(|pod| ledger.claims.rows.tally(&pod.address)).collect();
        let oldest = pods.iter().map(|pod| ledger.claims.rows.oldest(&pod.address)).collect();
        Self {
            pods,
            rows: ledger.claims.rows.shards().clone(),
            oldest,
            tallies,
            history: ledger.drains.history().clone(),
            destinations: ledger.moves.destinations().clone(),
            trend: ledger.trend.clone(),
            archive,
            discovery_error,
        }
    }

    /// The drains: those that run first, then the newest.
    pub fn drains(&self) -> impl Iterator<Item = &DrainRecord> {
        self.history.iter()
    }

    /// The recent trend, oldest point first.
    pub fn trend(&self) -> impl ExactSizeIterator<Item = &TrendPoint> {
        self.trend.points()
    }
}
