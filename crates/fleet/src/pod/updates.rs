//! How the view of a pod changes when its watch or discovery says something new.

use std::time::Duration;

use session_domain::{PodReport, Timestamp};

use super::health::PodState;
use super::inconsistency::Inconsistency;
use super::view::PodView;
use crate::bounds::CLOCK_TOLERANCE;
use crate::discovered_pod::{Conditions, DiscoveredPod};

/// An answer that takes longer makes a pod slow.
const SLOW_AFTER: Duration = Duration::from_secs(1);

impl PodView {
    pub(crate) fn apply_report(&mut self, report: PodReport, now: Timestamp) {
        let before = self.report.as_ref();
        self.present_at_drain_start = report.drain_started_at.map(|started| {
            let same = before.is_some_and(|b| b.drain_started_at == Some(started) && b.pod == report.pod);
            let known = if same { self.present_at_drain_start } else { before.map(PodReport::present_or_held) };
            known.unwrap_or(0).max(report.present_or_held())
        });
        let ahead = report.started_at.max(report.drain_started_at.unwrap_or_default()).since(now);
        if ahead > CLOCK_TOLERANCE {
            self.inconsistencies.insert(Inconsistency::ClockAhead(ahead));
        }
        self.state = match (&self.state, report.is_final) {
            (_, true) => PodState::Finished,
            (PodState::Finished, false) => PodState::Waiting,
            (state, false) => state.clone(),
        };
        // The first report of a pod does not say how long its phase has lasted.
        if before.is_some_and(|before| before.phase != report.phase) {
            self.phase_since = Some(now);
        }
        let is_same_process = |before: &PodReport| before.started_at == report.started_at && before.pod == report.pod;
        match before.filter(|before| is_same_process(before)) {
            Some(before) if report.counters.logins > before.counters.logins => self.last_login_at = Some(now),
            Some(_) => {}
            None => self.last_login_at = None,
        }
        self.last_seen = Some(now);
        self.report = Some(report);
    }

    pub(crate) fn record_answer(&mut self, took: Duration, now: Timestamp) {
        self.last_seen = Some(now);
        self.slow_response = Some(took).filter(|took| *took > SLOW_AFTER);
    }

    /// Marks the pod as unreachable unless it has finished.
    pub(crate) fn mark_unreachable(&mut self, reason: String, now: Timestamp) {
        let since = match &self.state {
            PodState::Finished => return,
            PodState::Unreachable { since, .. } => *since,
            PodState::Waiting | PodState::Live => now,
        };
        self.slow_response = None;
        self.miscount = None;
        self.state = PodState::Unreachable { reason, since };
    }

    /// Whether `found` says nothing new about the pod.
    pub(crate) fn matches(&self, found: &DiscoveredPod) -> bool {
        let is_same = self.conditions == found.conditions && self.is_fixed == found.is_fixed;
        self.is_discovered() && is_same && self.discovered_name == found.pod
    }

    pub(crate) fn apply_discovery(&mut self, found: &DiscoveredPod) {
        self.delisted_at = None;
        self.conditions = found.conditions;
        self.is_fixed = found.is_fixed;
        self.discovered_name.clone_from(&found.pod);
    }

    /// Records that discovery no longer lists the pod. The name stays, the conditions do not.
    pub(crate) fn mark_delisted(&mut self, now: Timestamp) {
        self.delisted_at = Some(now);
        self.conditions = Conditions::default();
    }
}
