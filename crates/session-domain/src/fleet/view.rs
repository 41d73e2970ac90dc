//! The fleet at one moment: cheap to share, never changing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::books::Books;
use super::history::{DrainRecord, History};
use super::leaving::{Gone, Memory};
use super::pod::{Address, Lie, PodState, PodView};
use super::query::Query;
use super::rows::{Row, Rows};
use super::trend::{Step, Trend};
use crate::ids::PodName;
use crate::paging::{Page, page};

/// All pods and sessions, as known at one moment.
#[derive(Clone, Debug, Default)]
pub struct FleetView {
    pods: Vec<Arc<PodView>>,
    rows: Rows,
    history: History,
    trend: Trend,
    memory: Memory,
    trouble: Option<Arc<str>>,
}

impl FleetView {
    /// Costs a walk over the pods and 256 counts, not a walk over the sessions.
    pub(super) fn new(
        pods: impl Iterator<Item = Arc<PodView>>,
        books: &Books,
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
            let shared = books.claims.shared(&pod.address);
            if shared != pod.shared {
                Arc::make_mut(pod).shared = shared;
            }
            let namesakes = pod.report.as_ref().and_then(|report| names.get(&report.pod));
            let other = namesakes.and_then(|all| all.iter().find(|address| **address != pod.address));
            if let (PodState::Live, Some(other)) = (&pod.state, other) {
                Arc::make_mut(pod).lies.insert(Lie::SameName(other.clone()));
            }
        }
        Self {
            pods,
            rows: books.claims.rows.clone(),
            history: books.history.clone(),
            trend: books.trend.clone(),
            memory,
            trouble,
        }
    }

    /// The pods, ordered by address.
    pub fn pods(&self) -> &[Arc<PodView>] {
        &self.pods
    }

    /// The pod at an address.
    pub fn pod(&self, address: &Address) -> Option<&PodView> {
        let index = self.pods.binary_search_by(|pod| pod.address.cmp(address)).ok()?;
        Some(&self.pods[index])
    }

    /// Pods that have left and whose counters are remembered, ordered by name; not those that are back.
    pub fn gone(&self) -> impl Iterator<Item = &Gone> {
        let back: BTreeSet<_> = self.pods.iter().filter_map(|pod| Some(&pod.report.as_ref()?.pod)).collect();
        self.memory.0.values().filter(move |gone| !back.contains(&gone.pod))
    }

    /// The drains: those that run first, then the newest.
    pub fn drains(&self) -> impl Iterator<Item = &DrainRecord> {
        self.history.iter()
    }

    /// How it went of late, the oldest step first.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = &Step> {
        self.trend.steps()
    }

    /// Why pods cannot be found just now, so that new ones may be missing here; says nothing of those that are here.
    pub fn discovery_trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Sessions known, each id once, those of lost pods included.
    pub fn total_sessions(&self) -> u64 {
        self.rows.len()
    }

    /// Whether the totals leave nothing out and nothing of them is in doubt.
    pub fn is_complete(&self) -> bool {
        !self.pods.is_empty() && self.pods.iter().all(|pod| pod.is_known())
    }

    /// Pods that cannot be heard.
    pub fn unreachable(&self) -> impl Iterator<Item = &PodView> {
        self.pods.iter().map(Arc::as_ref).filter(|pod| matches!(pod.state, PodState::Unreachable { .. }))
    }

    /// Whether all is known, nobody is there, and every pod that runs is in maintenance (and one does run). While discovery
    /// fails it never is: there may be pods that nobody knows of.
    pub fn is_safe_to_upgrade(&self) -> bool {
        let mut running = self.pods.iter().filter(|pod| pod.state != PodState::Finished).peekable();
        let nobody = self.rows.len() == 0 && self.pods.iter().all(|pod| pod.active_sessions() == Some(0));
        self.trouble.is_none()
            && self.is_complete()
            && nobody
            && running.peek().is_some()
            && running.all(|pod| pod.is_in_maintenance())
    }

    /// Whether the row is a last known one: its pod cannot be heard.
    pub fn is_stale(&self, row: &Row) -> bool {
        self.pod(&row.address).is_none_or(|pod| !pod.is_reachable())
    }

    /// One page of the sessions that match. Walks all sessions, keeps those of the page.
    pub fn sessions(&self, query: &Query) -> Page<&Row> {
        page(
            self.rows.iter().filter(|row| query.filter.matches(&row.session)),
            |row| query.sort.position(&row.session),
            query.sort.descending,
            query.after.as_ref(),
            query.limit,
        )
    }
}
