//! What is known of one pod.

use std::time::Duration;

use session_domain::{Phase, PodName, PodReport, Timestamp};

use super::health::{PodHealth, PodState};
use super::inconsistency::Inconsistencies;
use super::miscount::Miscount;
use crate::address::Address;
use crate::discovered_pod::Conditions;

/// A pod as the fleet knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodView {
    /// Where the pod is watched.
    pub address: Address,
    /// The name that discovery gives it.
    pub discovered_name: Option<PodName>,
    /// The conditions that discovery reports.
    pub conditions: Conditions,
    /// Since when discovery does not list it any more; absent while it does.
    pub delisted_at: Option<Timestamp>,
    /// What the pod last reported of itself.
    pub report: Option<PodReport>,
    /// Since when it has been in the phase that it last reported; absent if the change was not observed.
    pub phase_since: Option<Timestamp>,
    /// When a session was last seen to start on it; absent if none was since it is watched.
    pub last_login_at: Option<Timestamp>,
    /// The state of the watch.
    pub state: PodState,
    /// When the pod last sent something.
    pub last_seen: Option<Timestamp>,
    /// The number of its sessions that are known.
    pub sessions: u64,
    /// The number of its sessions that another pod claims, too. Normal for a moment while a session moves, else a fault.
    pub disputed: u64,
    /// Sessions that were present when the running countdown began, as far as is known. If the pod does not report which
    /// sessions are present, all that it held.
    pub present_at_drain_start: Option<u64>,
    /// How long its last answer took, if that was too long.
    pub slow_response: Option<Duration>,
    /// The sessions it counts and has listed, if the two have differed for some seconds.
    pub miscount: Option<Miscount>,
    /// Whether tasks of its sessions are left out because they are too many.
    pub has_tasks_left_out: bool,
    /// Whether its address was configured instead of discovered.
    pub is_fixed: bool,
    pub(crate) inconsistencies: Inconsistencies,
}

impl PodView {
    pub(crate) fn new(address: Address) -> Self {
        Self {
            address,
            discovered_name: None,
            conditions: Conditions::default(),
            delisted_at: None,
            report: None,
            phase_since: None,
            last_login_at: None,
            state: PodState::Waiting,
            last_seen: None,
            sessions: 0,
            disputed: 0,
            present_at_drain_start: None,
            slow_response: None,
            miscount: None,
            has_tasks_left_out: false,
            is_fixed: false,
            inconsistencies: Inconsistencies::default(),
        }
    }

    /// The name that the pod reports, else the discovered name, else the address.
    pub fn label(&self) -> &str {
        let name = self.report.as_ref().map(|report| &report.pod).or(self.discovered_name.as_ref());
        name.map_or(self.address.as_str(), PodName::as_str)
    }

    /// The pod's health.
    pub fn health(&self) -> PodHealth {
        match &self.state {
            PodState::Finished => PodHealth::Finished,
            PodState::Unreachable { reason, .. } => PodHealth::Unreachable(reason.clone()),
            PodState::Live | PodState::Waiting => {
                let inconsistencies = self.inconsistencies.iter().map(ToString::to_string);
                let reasons: Vec<_> =
                    inconsistencies.chain(self.miscount.map(|miscount| miscount.to_string())).collect();
                match (&self.state, reasons.is_empty()) {
                    (_, false) => PodHealth::Inconsistent(reasons.join("; ")),
                    (PodState::Waiting, true) => PodHealth::Waiting,
                    (_, true) => PodHealth::Live,
                }
            }
        }
    }

    /// Whether discovery lists the pod.
    pub fn is_discovered(&self) -> bool {
        self.delisted_at.is_none()
    }

    /// Whether the pod answers, with consistent data or not.
    pub fn is_reachable(&self) -> bool {
        self.state == PodState::Live
    }

    /// Whether all sessions of the pod are known and its data is consistent. True for a finished pod.
    pub fn is_reliable(&self) -> bool {
        matches!(self.health(), PodHealth::Live | PodHealth::Finished)
    }

    /// The sessions that the pod reports to hold; 0 once it has finished.
    pub fn active_sessions(&self) -> Option<u64> {
        match self.state {
            PodState::Finished => Some(0),
            _ => self.report.as_ref().map(|report| report.active_sessions),
        }
    }

    /// The sessions that the pod reports as present; 0 once it has finished, absent if it does not report them.
    pub fn present_sessions(&self) -> Option<u64> {
        match self.state {
            PodState::Finished => Some(0),
            _ => self.report.as_ref().and_then(|report| report.present_sessions),
        }
    }

    /// The sessions that hold a drain open: the present ones, or all if the pod does not report which are present. 0 once
    /// the pod has finished.
    pub fn present_or_held(&self) -> Option<u64> {
        self.present_sessions().or_else(|| self.active_sessions())
    }

    /// The sessions that the pod holds and that are not present; absent if it does not report them.
    pub fn idle_sessions(&self) -> Option<u64> {
        Some(self.active_sessions()?.saturating_sub(self.present_sessions()?))
    }

    /// Whether the pod is ready; absent if that is not known.
    ///
    /// The pod's own report counts, unless discovery says that the pod is not ready. That discovery calls it ready counts
    /// only if the pod does not report it: a Service with `publishNotReadyAddresses` lists all pods as ready.
    pub fn is_ready(&self) -> Option<bool> {
        let discovered = self.conditions.ready;
        match self.state {
            PodState::Finished => Some(false),
            PodState::Waiting | PodState::Unreachable { .. } => discovered.filter(|ready| !ready),
            PodState::Live => match (self.report.as_ref().and_then(|report| report.ready), discovered) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), _) => Some(true),
                (None, discovered) => discovered,
            },
        }
    }

    /// The Deployment's revision that the pod belongs to; absent if it does not report it.
    pub fn revision(&self) -> Option<&str> {
        self.report.as_ref().map(|report| &*report.revision).filter(|revision| !revision.is_empty())
    }

    /// Whether the pod reports maintenance.
    pub(crate) fn is_in_maintenance(&self) -> bool {
        self.report.as_ref().is_some_and(|report| report.phase == Phase::Maintenance)
    }
}
