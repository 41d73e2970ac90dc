//! The fleet at one moment: cheap to share, never changing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::history::{DrainRecord, History};
use super::ledger::Ledger;
use super::lost::LostPod;
use super::pod::{Address, Inconsistency, PodState, PodView};
use super::query::{PageAnchor, Query};
use super::retention::{DepartedPod, Memory};
use super::rows::{Row, Shards};
use super::trend::{Trend, TrendPoint};
use session_domain::paging::{Page, page, page_before};
use session_domain::{Counters, PodName, SessionId, Timestamp};

/// All pods and sessions, as known at one moment.
#[derive(Clone, Debug, Default)]
pub struct FleetView {
    pods: Vec<Arc<PodView>>,
    rows: Shards,
    /// When the oldest session at each address began, beside its pod.
    oldest: Vec<Option<Timestamp>>,
    history: History,
    trend: Trend,
    memory: Memory,
    trouble: Option<Arc<str>>,
}

impl FleetView {
    /// Costs a walk over the pods and 256 counts, not a walk over the sessions.
    pub(super) fn new(
        pods: impl Iterator<Item = Arc<PodView>>,
        ledger: &Ledger,
        memory: Memory,
        trouble: Option<Arc<str>>,
    ) -> Self {
        let mut pods: Vec<_> = pods.collect();
        let mut names: BTreeMap<PodName, Vec<Address>> = BTreeMap::new();
        for pod in &pods {
            if let (PodState::Live, Some(report)) = (&pod.state, &pod.report) {
                names.entry(report.pod.clone()).or_default().push(pod.address.clone());
            }
        }
        for pod in &mut pods {
            let shared = ledger.claims.shared(&pod.address);
            if shared != pod.shared {
                Arc::make_mut(pod).shared = shared;
            }
            let namesakes = pod.report.as_ref().and_then(|report| names.get(&report.pod));
            let other = namesakes.and_then(|all| all.iter().find(|address| **address != pod.address));
            if let (PodState::Live, Some(other)) = (&pod.state, other) {
                Arc::make_mut(pod).inconsistencies.insert(Inconsistency::SameName(other.clone()));
            }
        }
        let oldest = pods.iter().map(|pod| ledger.claims.rows.oldest(&pod.address)).collect();
        Self {
            pods,
            rows: ledger.claims.rows.shards().clone(),
            oldest,
            history: ledger.drains.history().clone(),
            trend: ledger.trend.clone(),
            memory,
            trouble,
        }
    }

    /// The pods, ordered by address.
    pub fn pods(&self) -> &[Arc<PodView>] {
        &self.pods
    }

    /// The pods that have not said their last word: those that are up, as far as is known.
    pub fn running(&self) -> impl Iterator<Item = &PodView> {
        self.pods.iter().map(Arc::as_ref).filter(|pod| pod.state != PodState::Finished)
    }

    /// The pod at an address.
    pub fn pod(&self, address: &Address) -> Option<&PodView> {
        let index = self.pods.binary_search_by(|pod| pod.address.cmp(address)).ok()?;
        Some(&self.pods[index])
    }

    /// When the oldest session began that is believed to be at an address.
    pub fn oldest_session_start(&self, address: &Address) -> Option<Timestamp> {
        let index = self.pods.binary_search_by(|pod| pod.address.cmp(address)).ok()?;
        self.oldest[index]
    }

    /// Pods that have left and whose counters are remembered, ordered by name; not those that are back.
    pub fn departed_pods(&self) -> impl Iterator<Item = &DepartedPod> {
        let back: BTreeSet<_> = self.pods.iter().filter_map(|pod| Some(&pod.report.as_ref()?.pod)).collect();
        self.memory.gone.values().filter(move |gone| !back.contains(&gone.pod))
    }

    /// Pods that have left without a last word, the newest first.
    pub fn lost_pods(&self) -> impl ExactSizeIterator<Item = &LostPod> {
        self.memory.lost.iter()
    }

    /// What all pods have counted since this fleet was first watched, those that have left included.
    pub fn counters(&self) -> Counters {
        let mut sum = self.memory.forgotten;
        self.pods.iter().filter_map(|pod| pod.report.as_ref()).for_each(|report| sum.add(&report.counters));
        self.departed_pods().for_each(|gone| sum.add(&gone.counters));
        sum
    }

    /// The drains: those that run first, then the newest.
    pub fn drains(&self) -> impl Iterator<Item = &DrainRecord> {
        self.history.iter()
    }

    /// How it went of late, the oldest step first.
    pub fn trend(&self) -> impl ExactSizeIterator<Item = &TrendPoint> {
        self.trend.points()
    }

    /// Why pods cannot be found just now, so that new ones may be missing here; says nothing of those that are here.
    pub fn discovery_error(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Sessions known, each id once, those of lost pods included.
    pub fn total_sessions(&self) -> u64 {
        self.rows.len()
    }

    /// Of the sessions known, those that are present: as their pods say, or said last.
    pub fn present_sessions(&self) -> u64 {
        self.rows.present()
    }

    /// Of the sessions known, those that are held and not present.
    pub fn idle_sessions(&self) -> u64 {
        self.rows.len() - self.rows.present()
    }

    /// Whether the totals leave nothing out and nothing of them is in doubt.
    pub fn is_complete(&self) -> bool {
        !self.pods.is_empty() && self.pods.iter().all(|pod| pod.is_reliable())
    }

    /// Pods that cannot be heard.
    pub fn unreachable(&self) -> impl Iterator<Item = &PodView> {
        self.pods.iter().map(Arc::as_ref).filter(|pod| matches!(pod.state, PodState::Unreachable { .. }))
    }

    /// Whether all is known, nobody is present, and every pod that runs is in maintenance (and one does run). Idle sessions
    /// hold no upgrade up, as they hold no drain open. While discovery fails it never is: there may be pods that nobody knows
    /// of. Nor is it while a pod that fell silent may come back, though its sessions are accounted for.
    pub fn is_safe_to_upgrade(&self) -> bool {
        let mut running = self.running().peekable();
        let nobody = self.rows.present() == 0 && self.pods.iter().all(|pod| pod.present_or_held() == Some(0));
        self.trouble.is_none()
            && self.memory.released.is_empty()
            && self.is_complete()
            && nobody
            && running.peek().is_some()
            && running.all(|pod| pod.is_in_maintenance())
    }

    /// Pods that fell silent, have left because the shared store accounts for their sessions, and may run still.
    pub fn released_pods(&self) -> impl Iterator<Item = &str> {
        self.memory.released.iter().map(|released| &*released.pod)
    }

    /// Whether the row is a last known one: its pod cannot be heard.
    pub fn is_stale(&self, row: &Row) -> bool {
        self.pod(&row.address).is_none_or(|pod| !pod.is_reachable())
    }

    /// One page of the sessions that match. Walks all sessions, keeps those of the page.
    pub fn sessions(&self, query: &Query) -> Page<&Row> {
        let rows = self.matching(query);
        let position = |row: &&Row| query.sort.position(&row.session);
        let descending = query.sort.descending;
        match &query.anchor {
            PageAnchor::Start => page(rows, position, descending, None, query.limit),
            PageAnchor::After(cursor) => page(rows, position, descending, Some(cursor), query.limit),
            PageAnchor::Before(cursor) => page_before(rows, position, descending, Some(cursor), query.limit),
            PageAnchor::End => page_before(rows, position, descending, None, query.limit),
        }
    }

    /// All sessions that match, in order, wherever the query would begin. Costs a reference each, not a copy.
    pub fn all_sessions(&self, query: &Query) -> Vec<Row> {
        let mut rows: Vec<_> = self.matching(query).cloned().collect();
        rows.sort_by_cached_key(|row| query.sort.position(&row.session));
        if query.sort.descending {
            rows.reverse();
        }
        rows
    }

    /// What has changed in the sessions since an earlier view: each as it was then and as it is.
    pub(super) fn changes<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = (Option<&'a Row>, Option<&'a Row>)> {
        self.rows.changes(&before.rows)
    }

    /// A session by its id.
    pub(super) fn row(&self, id: SessionId) -> Option<&Row> {
        self.rows.get(id)
    }

    /// Whether the same pods can be heard as in another view.
    pub(super) fn hears_the_same(&self, other: &Self) -> bool {
        let hears = |view: &Self| view.pods.iter().map(|pod| pod.is_reachable()).collect::<Vec<_>>();
        let addresses = self.pods.iter().map(|pod| &pod.address).eq(other.pods.iter().map(|pod| &pod.address));
        addresses && hears(self) == hears(other)
    }

    fn matching<'a>(&'a self, query: &Query) -> impl Iterator<Item = &'a Row> + Clone {
        self.rows.iter().filter(|row| query.filter.matches(row, self))
    }
}
