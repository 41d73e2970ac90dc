//! Pods that have left the fleet without a last word: what is remembered of them, and how an operator or the shared store
//! has them leave sooner.

use std::collections::HashSet;
use std::time::Duration;

use thiserror::Error;

use super::pod::{Address, PodState};
use super::retention::Memory;
use super::{Fleet, Held};
use session_domain::{PodName, SessionId, Timestamp};

/// Lost pods that are remembered; the newest are kept.
pub(super) const LOST_PODS_KEPT: usize = 100;

/// A store that came back empty is given so long until the pods that live have written what they hold.
const STORE_SETTLES: Duration = Duration::from_secs(10);

/// A pod that was lost and has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostPod {
    /// Its name, else its address.
    pub pod: String,
    /// Where it was asked.
    pub address: Address,
    /// When it was last heard; absent where it never was.
    pub last_seen: Option<Timestamp>,
    /// When it left the list of pods.
    pub left_at: Timestamp,
    /// Sessions that it was known to hold.
    pub sessions: u64,
    /// How many of them were present, as it said last; absent where it did not say.
    pub present: Option<u64>,
    /// Why it left.
    pub reason: LeaveReason,
}

/// Why a silent pod left the list of pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaveReason {
    /// It was silent for too long.
    Silent,
    /// The shared store knows that it holds nothing any more.
    Released,
    /// An operator has forgotten it.
    Forgotten,
}

impl LeaveReason {
    /// The reason in one word, as the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Released => "released",
            Self::Forgotten => "forgotten",
        }
    }
}

impl Memory {
    /// Pods of this name, or at this address, that have left by themselves and may run still: they may not any more.
    fn forget_released(&mut self, name: &str) -> Vec<LostPod> {
        let is_meant = |pod: &str, address: &Address| pod == name || address.as_str() == name;
        let known = self.released.len();
        self.released.retain(|released| !is_meant(&released.pod, &released.address));
        let is_any = self.released.len() < known;
        self.lost.iter().filter(|lost| is_any && is_meant(&lost.pod, &lost.address)).take(1).cloned().collect()
    }
}

/// Why a pod cannot be forgotten.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum ForgetError {
    /// There is none of that name or address.
    #[error("there is no such pod")]
    Unknown,
    /// It can be heard.
    #[error("the pod is heard: only a silent pod can be forgotten")]
    Reachable,
    /// It is being asked for the first time.
    #[error("the pod was not heard yet: wait some seconds until it answers or cannot be reached")]
    Waiting,
}

/// What the shared store knows of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreRecord {
    /// Whether the pod's lease runs.
    pub has_lease: bool,
    /// Sessions that the store has under the pod's name; asked for only where there is no lease.
    pub orphans: HashSet<SessionId>,
}

/// A pod that left because the store accounts for its sessions, and whose address has not refused a connection. Its process
/// may only be frozen: it counts as one that may come back for as long as it would have stayed without a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Released {
    pub(super) pod: String,
    pub(super) address: Address,
    pub(super) until: Timestamp,
}

impl Fleet {
    /// Drops the silent pods of this name, or at this address, into the history; gives what they were.
    ///
    /// # Errors
    /// Where there is none that is silent.
    pub fn forget(&mut self, name: &str, now: Timestamp) -> Result<Vec<LostPod>, ForgetError> {
        let is_meant = |held: &&Held| held.view.label() == name || held.view.address.as_str() == name;
        let meant: Vec<_> = self.pods.values().filter(|held| !held.is_hidden).filter(is_meant).collect();
        let silent = |held: &&&Held| matches!(held.view.state, PodState::Unreachable { .. } | PodState::Finished);
        let addresses: Vec<Address> = meant.iter().filter(silent).map(|held| held.view.address.clone()).collect();
        if addresses.is_empty() {
            let released = self.memory.forget_released(name);
            if !released.is_empty() {
                return Ok(released);
            }
            let is_heard = meant.iter().any(|held| held.view.is_reachable());
            return Err(match meant.is_empty() {
                true => ForgetError::Unknown,
                false if is_heard => ForgetError::Reachable,
                false => ForgetError::Waiting,
            });
        }
        Ok(addresses.iter().filter_map(|address| self.leave(address, LeaveReason::Forgotten, now)).collect())
    }

    /// The names of all pods, to be looked for in the shared store, and whether their sessions there are asked for.
    pub fn store_query(&self) -> Vec<(PodName, bool)> {
        let names = self.pods.values().filter_map(|held| {
            let report = held.view.report.as_ref()?;
            Some((report.pod.clone(), held.may_be_released()))
        });
        names.collect()
    }

    /// Takes in what the shared store knows of pods, by their names, as of a look that began at `began`; whether a pod has
    /// left for that. A silent pod without a lease leaves as soon as each of its sessions is at a pod that is heard or is
    /// listed as an orphan; the others have ended, which is believed after `STORE_SETTLES` of a pod that had a lease.
    pub fn apply_store_records(
        &mut self,
        record: impl Fn(&PodName) -> Option<StoreRecord>,
        began: Timestamp,
        now: Timestamp,
    ) -> bool {
        let live = |held: &&Held| held.view.is_reachable();
        let live: HashSet<_> = self.pods.values().filter(live).map(|held| held.view.address.clone()).collect();
        let mut released = Vec::new();
        for (address, held) in &mut self.pods {
            let Some(record) = held.view.report.as_ref().and_then(|report| record(&report.pod)) else { continue };
            if record.has_lease {
                held.was_leased = true;
                held.unleased_since = None;
                continue;
            }
            let PodState::Unreachable { since, .. } = held.view.state else { continue };
            if !held.may_be_released() || began < since {
                continue;
            }
            let unleased_since = *held.unleased_since.get_or_insert(began);
            let claims = &self.ledger.claims;
            let is_settled =
                |id: &SessionId| record.orphans.contains(id) || claims.claimants(*id).any(|at| live.contains(at));
            let all_settled = held.ids.iter().all(is_settled) && (held.was_leased || !held.ids.is_empty());
            if all_settled || (held.was_leased && unleased_since.plus(STORE_SETTLES) <= began) {
                released.push(address.clone());
            }
        }
        for address in &released {
            self.leave(address, LeaveReason::Released, now);
        }
        !released.is_empty()
    }

    /// The pod at an address leaves; what it was is remembered where it had not said its last word.
    pub(super) fn leave(&mut self, address: &Address, reason: LeaveReason, now: Timestamp) -> Option<LostPod> {
        let held = self.pods.get(address)?;
        let view = &held.view;
        let lost = LostPod {
            pod: view.label().to_owned(),
            address: address.clone(),
            last_seen: view.last_seen,
            left_at: now,
            sessions: view.sessions,
            present: view.present_sessions(),
            reason,
        };
        if reason == LeaveReason::Released && !held.is_refused {
            let until = view.last_seen.unwrap_or(now).plus(self.forget_after);
            self.memory.released.push(Released { pod: lost.pod.clone(), address: address.clone(), until });
        }
        if matches!(view.state, PodState::Unreachable { .. }) {
            self.memory.remember_lost(lost.clone());
        }
        self.remove(address);
        Some(lost)
    }
}

impl Held {
    /// Whether the shared store may have it leave: silent, and not named by a discovery that would know that it is gone.
    fn may_be_released(&self) -> bool {
        let is_silent = matches!(self.view.state, PodState::Unreachable { .. });
        is_silent && !self.is_hidden && (!self.view.is_discovered() || self.view.is_fixed)
    }
}

#[cfg(test)]
mod tests;
