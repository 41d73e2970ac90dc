//! How a pod is removed: by an operator, by time, or because the shared store accounts for its sessions.

use std::sync::Arc;

use session_domain::{Departure, Timestamp};
use thiserror::Error;

use super::Fleet;
use super::tracked_pod::TrackedPod;
use crate::address::Address;
use crate::archive::{LeaveReason, LostPod, ReleasedPod};
use crate::history::DrainEnd;
use crate::pod::PodState;

/// Explains why a pod cannot be forgotten.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ForgetError {
    /// No pod has this name or address.
    #[error("there is no such pod")]
    Unknown,
    /// The pod is reachable.
    #[error("the pod is reachable: only a silent pod can be forgotten")]
    Reachable,
    /// The first watch of the pod has neither succeeded nor failed yet.
    #[error("the pod has not answered yet: wait some seconds until it answers or cannot be reached")]
    Waiting,
}

impl Fleet {
    /// Removes the silent pods of this name, or at this address, and returns them. The history keeps them.
    ///
    /// # Errors
    /// If there is no such pod, or none that is silent.
    pub fn forget(&mut self, name: &str, now: Timestamp) -> Result<Vec<LostPod>, ForgetError> {
        let is_meant = |pod: &&TrackedPod| pod.view.label() == name || pod.view.address.as_str() == name;
        let meant: Vec<_> = self.pods.values().filter(|pod| !pod.is_hidden).filter(is_meant).collect();
        let is_silent =
            |pod: &&&TrackedPod| matches!(pod.view.state, PodState::Unreachable { .. } | PodState::Finished);
        let addresses: Vec<Address> = meant.iter().filter(is_silent).map(|pod| pod.view.address.clone()).collect();
        if addresses.is_empty() {
            let released = self.archive.forget_released(name);
            if !released.is_empty() {
                return Ok(released);
            }
            let is_reachable = meant.iter().any(|pod| pod.view.is_reachable());
            return Err(match meant.is_empty() {
                true => ForgetError::Unknown,
                false if is_reachable => ForgetError::Reachable,
                false => ForgetError::Waiting,
            });
        }
        Ok(addresses.iter().filter_map(|address| self.leave(address, LeaveReason::Forgotten, now)).collect())
    }

    /// Removes the pod at an address. Remembers it as lost if it did not send a final report.
    pub(super) fn leave(&mut self, address: &Address, reason: LeaveReason, now: Timestamp) -> Option<LostPod> {
        let pod = self.pods.get(address)?;
        let view = &pod.view;
        let lost = LostPod {
            pod: view.label().to_owned(),
            address: address.clone(),
            last_seen: view.last_seen,
            left_at: now,
            sessions: view.sessions,
            present: view.present_sessions(),
            reason,
        };
        if reason == LeaveReason::Released && !pod.is_refused {
            let until = view.last_seen.unwrap_or(now).plus(self.forget_after);
            let revision = view.report.as_ref().map(|report| Arc::clone(&report.revision)).unwrap_or_default();
            let address = address.clone();
            self.archive.released.push(ReleasedPod { pod: lost.pod.clone(), address, revision, until });
        }
        if matches!(view.state, PodState::Unreachable { .. }) {
            self.archive.add_lost(lost.clone());
        }
        self.remove(address);
        Some(lost)
    }

    /// Removes an address and the sessions that only it claims, but keeps the counters of its pod. If discovery still lists
    /// the address, the pod is hidden until it reports again.
    pub(super) fn remove(&mut self, address: &Address) {
        let Some(pod) = self.pods.remove(address) else { return };
        if pod.view.is_discovered() {
            let mut hidden = TrackedPod::new(address.clone());
            hidden.is_hidden = true;
            let view = hidden.view_mut();
            view.discovered_name.clone_from(&pod.view.discovered_name);
            view.conditions = pod.view.conditions;
            view.is_fixed = pod.view.is_fixed;
            self.pods.insert(address.clone(), hidden);
        }
        let last_seen = pod.view.last_seen.unwrap_or_default();
        if let Some(report) = &pod.view.report {
            self.archive.keep_counters(report, last_seen);
        }
        self.ledger.drains.end(address, DrainEnd::Lost(last_seen));
        for id in pod.ids {
            self.ledger.withdraw(address, id, Departure::Unknown, last_seen);
        }
        self.ledger.moves.forget(address);
    }
}

#[cfg(test)]
mod tests;
