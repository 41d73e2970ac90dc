//! How far the handoff of a pod has come: its sessions move to other pods while it shuts down.

use session_domain::HandoffState;

use super::FleetView;
use crate::pod::PodView;

/// The handoff of one pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandoffProgress<'a> {
    /// The sessions that the pod has asked to move.
    pub asked: u64,
    /// The sessions that have moved, asked or not.
    pub moved: u64,
    /// Of the moved sessions, those that moved by a request of their own before they were asked: at least so many.
    pub moved_unasked: u64,
    /// The asked sessions that neither moved nor are present: they signed out, or their pages were closed. At least so many.
    pub gone: u64,
    /// Whether it has begun, and how far it has come, as far as the pod reports it.
    pub state: Option<HandoffState>,
    /// The sessions that are still present on the pod.
    pub remaining: u64,
    /// Those of them that were asked.
    pub remaining_asked: u64,
    /// The pods that hold the sessions now that left this one, most sessions first: name and number.
    pub moved_to: Vec<(&'a str, u64)>,
    /// The sessions that left this pod and that no pod holds now: they have ended, or their users have not come back yet.
    pub not_held: u64,
}

impl FleetView {
    /// How far the handoff of a pod has come; `None` if none runs and the pod has asked no session to move.
    pub fn handoff(&self, pod: &PodView) -> Option<HandoffProgress<'_>> {
        let report = pod.report.as_ref()?;
        let (counters, state) = (report.counters, report.handoff);
        if counters.asked_to_move == 0 && state.is_none() {
            return None;
        }
        let (asked, moved) = (counters.asked_to_move, counters.moved);
        let remaining = pod.present_or_held().unwrap_or(0);
        let remaining_asked = self.tally(&pod.address).asked_to_move;
        let accounted = moved.saturating_add(remaining_asked.min(remaining));
        let mut progress = HandoffProgress {
            asked,
            moved,
            moved_unasked: accounted.saturating_sub(asked).min(moved),
            gone: asked.saturating_sub(accounted),
            state,
            remaining,
            remaining_asked,
            ..HandoffProgress::default()
        };
        if let Some(destinations) = self.destinations.get(&pod.address) {
            let name = |address| self.pod(address).map(PodView::label);
            let held = destinations.held.iter();
            progress.moved_to = held.filter_map(|(address, count)| Some((name(address)?, *count))).collect();
            progress.moved_to.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
            progress.not_held = destinations.not_held;
        }
        Some(progress)
    }

    /// The present sessions that were asked to move and are still where they were asked.
    pub fn asked_to_move(&self) -> u64 {
        self.tallies.iter().map(|tally| tally.asked_to_move).sum()
    }
}

#[cfg(test)]
mod tests;
