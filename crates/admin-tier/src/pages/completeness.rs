//! What the totals leave out, as text.

use askama::Template;
use fleet::{FleetView, PodHealth, PodView};

use crate::format;
use crate::live::PageData;

/// How many pods of each kind are named; the others are only counted.
const MAX_NAMED: usize = 6;

/// Which pods are known, and what is wrong with the others.
#[derive(Debug)]
pub(super) struct Completeness {
    /// How many running pods report consistent data, and how many are running.
    pub(super) known: usize,
    pub(super) all: usize,
    /// Pods and reasons.
    pub(super) unreachable: Vec<(String, String)>,
    pub(super) inconsistent: Vec<(String, String)>,
    pub(super) waiting: Vec<String>,
    /// Why pods may be missing altogether.
    pub(super) discovery_error: Option<String>,
    /// Why orphans are out of date.
    pub(super) store_error: Option<String>,
}

impl Completeness {
    pub(super) fn new(page_data: &PageData) -> Self {
        let store_error = page_data.orphans.as_ref().and_then(|orphans| orphans.error.clone());
        Self { store_error, ..Self::of_view(&page_data.view) }
    }

    fn of_view(view: &FleetView) -> Self {
        let mut completeness = Self {
            known: view.running().filter(|pod| pod.is_reliable()).count(),
            all: view.running().count(),
            unreachable: Vec::new(),
            inconsistent: Vec::new(),
            waiting: Vec::new(),
            discovery_error: view.discovery_error().map(str::to_owned),
            store_error: None,
        };
        for pod in view.pods() {
            let name = PodView::label(pod).to_owned();
            match pod.health() {
                PodHealth::Unreachable(reason) => completeness.unreachable.push((name, reason)),
                PodHealth::Inconsistent(reason) => completeness.inconsistent.push((name, reason)),
                PodHealth::Waiting => completeness.waiting.push(name),
                PodHealth::Live | PodHealth::Finished => {}
            }
        }
        completeness
    }

    /// Returns the number of pods: `3 pods`, or `4 of 5 pods` where some are not known.
    pub(super) fn pods(&self) -> String {
        match (self.known, self.all) {
            (known, all) if known == all => format::counted(all as u64, "pod"),
            (known, all) => format!("{known} of {all} pods"),
        }
    }

    /// Returns how many pods of a kind are not named.
    fn unnamed(count: usize) -> usize {
        count.saturating_sub(MAX_NAMED)
    }
}

/// The notice on a page.
#[derive(Template)]
#[template(path = "completeness.html")]
pub(super) struct CompletenessNotice<'a> {
    pub(super) completeness: &'a Completeness,
}
