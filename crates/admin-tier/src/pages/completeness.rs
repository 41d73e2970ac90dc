//! What the totals leave out, in words.

use askama::Template;
use fleet::{FleetView, PodHealth, PodView};

use crate::live::Scene;

/// Pods of each kind that are named; what is more is counted.
const NAMED: usize = 6;

/// What is known, and what is not.
#[derive(Debug)]
pub(super) struct Completeness {
    /// Pods of which all is known, and all that are up.
    pub(super) known: usize,
    pub(super) all: usize,
    pub(super) unreachable: Vec<(String, String)>,
    pub(super) lying: Vec<(String, String)>,
    pub(super) waiting: Vec<String>,
    /// Why there may be pods that are not shown at all.
    pub(super) discovery: Option<String>,
    /// Why nobody knows who was left behind.
    pub(super) store: Option<String>,
}

impl Completeness {
    pub(super) fn of(view: &FleetView) -> Self {
        let mut whole = Self {
            known: view.running().filter(|pod| pod.is_reliable()).count(),
            all: view.running().count(),
            unreachable: Vec::new(),
            lying: Vec::new(),
            waiting: Vec::new(),
            discovery: view.discovery_error().map(str::to_owned),
            store: None,
        };
        for pod in view.pods() {
            let name = PodView::label(pod).to_owned();
            match pod.health() {
                PodHealth::Unreachable(reason) => whole.unreachable.push((name, reason)),
                PodHealth::Inconsistent(reason) => whole.lying.push((name, reason)),
                PodHealth::Waiting => whole.waiting.push(name),
                PodHealth::Live | PodHealth::Finished => {}
            }
        }
        whole
    }

    /// The same, with the store.
    pub(super) fn of_scene(scene: &Scene) -> Self {
        let store = scene.orphans.as_ref().and_then(|orphans| orphans.error.clone());
        Self { store, ..Self::of(&scene.view) }
    }

    /// `3 pods`, or `4 of 5 pods`.
    pub(super) fn pods(&self) -> String {
        match (self.known, self.all) {
            (known, all) if known == all => super::words::counted(all as u64, "pod"),
            (known, all) => format!("{known} of {all} pods"),
        }
    }

    /// How many of a kind are not named.
    fn unnamed(kind: usize) -> usize {
        kind.saturating_sub(NAMED)
    }
}

/// The part of a page that says it.
#[derive(Template)]
#[template(path = "completeness.html")]
pub(super) struct Notice<'a> {
    pub(super) completeness: &'a Completeness,
}
