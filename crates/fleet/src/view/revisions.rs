//! The pods by the revision of their Deployment, and which revision can be removed.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use session_domain::{Phase, Timestamp};

use super::FleetView;
use crate::pod::{PodState, PodView};

/// The pods of one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionView {
    /// The revision; empty for pods that report none.
    pub revision: String,
    /// Its pods that have not finished.
    pub pods: u64,
    /// The sessions on them, each id once.
    pub sessions: u64,
    /// The sessions that are present.
    pub present_sessions: u64,
    /// Open WebSockets.
    pub websockets: u64,
    /// Sessions with work in progress that a drain waits for.
    pub protected: u64,
    /// Whether every pod that may belong to the revision is reachable and reports consistent data.
    pub is_complete: bool,
    /// Whether it is the newest revision: the one whose first pod started last.
    pub is_newest: bool,
    /// Whether its removal cuts off no user and takes no traffic away, or why not.
    pub removal: Removal,
    /// When the first of its known pods started.
    started_at: Timestamp,
    /// When a session was last seen to start on it.
    last_login_at: Option<Timestamp>,
    /// Whether a pod of it admits newcomers now.
    admits: bool,
}

/// Whether a revision can be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Its removal cuts off no user and takes no traffic away.
    Safe,
    /// Not all of its pods are known: one is silent or inconsistent, has not reported yet, or discovery may miss one.
    Incomplete,
    /// A session is present there, a WebSocket is open, or work is in progress.
    InUse,
    /// New users go there, as far as is known.
    TakesNewcomers,
}

impl RevisionView {
    fn new(revision: &str) -> Self {
        Self {
            revision: revision.to_owned(),
            pods: 0,
            sessions: 0,
            present_sessions: 0,
            websockets: 0,
            protected: 0,
            is_complete: true,
            is_newest: false,
            removal: Removal::Incomplete,
            started_at: Timestamp::MAX,
            last_login_at: None,
            admits: false,
        }
    }

    /// Whether no user would notice the end of its pods.
    fn is_unused(&self) -> bool {
        [self.present_sessions, self.websockets, self.protected] == [0; 3]
    }
}

impl FleetView {
    /// The revisions, newest first. One whose pods have all finished is listed until the last of them leaves the view.
    ///
    /// A revision is safe to remove if all of this holds:
    /// - Every pod that may belong to it is reachable and reports consistent data. A pod that has never reported, or a silent
    ///   one that was [released](Self::released_pods), may belong to it; and while discovery fails, so may an unknown one.
    /// - No session on it is present, no WebSocket is open, and no work is in progress. Idle sessions do not count, as they do
    ///   not hold a drain open.
    /// - Newcomers do not go there. Which revision the Service selects is not known here, so two revisions are never safe: the
    ///   newest of those that admit newcomers, which is where the traffic goes or will go; and the one on which a session
    ///   started after the last one on the newest, as after traffic was moved back. Without a revision that admits newcomers
    ///   none is safe, and so the only one never is.
    pub fn revisions(&self) -> Vec<RevisionView> {
        let mut revisions: BTreeMap<&str, RevisionView> = BTreeMap::new();
        for pod in self.pods.iter().filter(|pod| pod.report.is_some()) {
            let name = pod.revision().unwrap_or_default();
            let revision = revisions.entry(name).or_insert_with(|| RevisionView::new(name));
            self.add(revision, pod);
        }
        // A pod that has never reported may be of any revision.
        let is_any_unknown = self.running().any(|pod| pod.report.is_none());
        let released: Vec<_> = self.archive.released.iter().map(|released| &*released.revision).collect();
        let mut revisions: Vec<_> = revisions.into_values().collect();
        for revision in &mut revisions {
            revision.is_complete &= !is_any_unknown && !released.contains(&&*revision.revision);
        }
        revisions.sort_by_key(|revision| Reverse((revision.started_at, revision.revision.clone())));
        if let Some(newest) = revisions.first_mut() {
            newest.is_newest = true;
        }
        let newest = revisions.iter().find(|revision| revision.admits).cloned();
        for revision in &mut revisions {
            let takes_newcomers = newest.as_ref().is_none_or(|newest| {
                let is_used_again = newest.last_login_at.is_some() && revision.last_login_at > newest.last_login_at;
                revision.revision == newest.revision || is_used_again
            });
            revision.removal = if !revision.is_complete || self.discovery_error.is_some() {
                Removal::Incomplete
            } else if !revision.is_unused() {
                Removal::InUse
            } else if takes_newcomers {
                Removal::TakesNewcomers
            } else {
                Removal::Safe
            };
        }
        revisions
    }

    fn add(&self, revision: &mut RevisionView, pod: &PodView) {
        let Some(report) = &pod.report else { return };
        let (tally, work) = (self.tally(&pod.address), self.work(pod).unwrap_or_default());
        revision.pods += u64::from(pod.state != PodState::Finished);
        revision.sessions += tally.sessions;
        revision.present_sessions += tally.present.max(pod.present_or_held().unwrap_or(0));
        revision.websockets += work.websockets;
        revision.protected += work.protected;
        revision.is_complete &= pod.is_reliable();
        revision.started_at = revision.started_at.min(report.started_at);
        revision.last_login_at = revision.last_login_at.max(pod.last_login_at);
        revision.admits |= pod.is_reachable() && report.phase == Phase::Serving && pod.is_ready() != Some(false);
    }
}

#[cfg(test)]
mod tests;
