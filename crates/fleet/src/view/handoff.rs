//! How far the handoff of a pod has come: its sessions move to other pods while it shuts down.

use super::FleetView;
use crate::pod::PodView;

/// The handoff of one pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandoffProgress<'a> {
    /// The sessions that the pod has asked to move.
    pub asked: u64,
    /// The sessions that have moved, asked or not.
    pub moved: u64,
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
    /// How far the handoff of a pod has come; `None` if the pod has asked no session to move.
    pub fn handoff(&self, pod: &PodView) -> Option<HandoffProgress<'_>> {
        let counters = pod.report.as_ref()?.counters;
        if counters.asked_to_move == 0 {
            return None;
        }
        let mut progress = HandoffProgress {
            asked: counters.asked_to_move,
            moved: counters.moved,
            remaining: pod.present_or_held().unwrap_or(0),
            remaining_asked: self.tally(&pod.address).asked_to_move,
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
