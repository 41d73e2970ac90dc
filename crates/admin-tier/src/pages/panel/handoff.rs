//! The handoff of a draining pod: how many sessions were asked to move, and where they went.

use fleet::{FleetView, HandoffProgress, PodView};
use session_domain::HandoffState;

use crate::format;

/// The most pods that are named.
const MAX_PODS_SHOWN: usize = 6;

/// How far the handoff of a pod has come.
pub(super) struct HandoffSection {
    pub(super) asked: String,
    pub(super) moved: String,
    /// Why the numbers do not add up otherwise: sessions that moved before they were asked, or asked ones that left.
    pub(super) difference: Option<String>,
    /// What the handoff does now.
    pub(super) state: Option<HandoffState>,
    pub(super) remaining: String,
    /// Of the sessions that are still here, those that were asked, where there are any.
    pub(super) remaining_asked: Option<String>,
    /// The pods that hold the moved sessions now, and how many each.
    pub(super) moved_to: Vec<(String, String)>,
    /// The number of further pods, where there are any.
    pub(super) more_pods: Option<String>,
    /// The number of moved sessions that no pod holds now, where there are any.
    pub(super) not_held: Option<String>,
}

impl HandoffSection {
    /// Whether the pod waits before it asks the first session.
    pub(super) fn is_delayed(&self) -> bool {
        self.state == Some(HandoffState::Delayed)
    }

    /// Whether asking waits.
    pub(super) fn is_stalled(&self) -> bool {
        self.state == Some(HandoffState::Stalled)
    }

    /// Returns the handoff of a pod; `None` if none runs and it has asked no session to move.
    pub(super) fn new(pod: &PodView, view: &FleetView) -> Option<Self> {
        let HandoffProgress {
            asked,
            moved,
            moved_unasked,
            gone,
            state,
            remaining,
            remaining_asked,
            moved_to,
            not_held,
        } = view.handoff(pod)?;
        let shown = moved_to.iter().take(MAX_PODS_SHOWN);
        Some(Self {
            asked: format::count(asked),
            moved: format::count(moved),
            difference: difference(moved_unasked, gone),
            state: state.filter(|_| pod.is_reachable()),
            remaining: format::count(remaining),
            remaining_asked: format::nonzero_count(remaining_asked.min(remaining)),
            moved_to: shown.map(|(pod, sessions)| ((*pod).to_owned(), format::count(*sessions))).collect(),
            more_pods: (moved_to.len() > MAX_PODS_SHOWN)
                .then(|| format::counted((moved_to.len() - MAX_PODS_SHOWN) as u64, "more pod")),
            not_held: format::nonzero_count(not_held),
        })
    }
}

/// What the numbers of a handoff leave out.
fn difference(moved_unasked: u64, gone: u64) -> Option<String> {
    match (moved_unasked, gone) {
        (0, 0) => None,
        (0, gone) => Some(format!("{} of those asked signed out or closed the page", format::count(gone))),
        (moved, _) => Some(format!(
            "{} of those that moved were not asked: a request of theirs reached another pod",
            format::count(moved)
        )),
    }
}
