//! A pod's lease: what it says of itself, for as long as it lives.

use std::time::Duration;

use session_domain::PodName;
use session_domain::shared::OwnerNotice;

use super::entry::Epoch;

/// What a pod says of itself for `duration`, unless it renews the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The pod.
    pub pod: PodName,
    /// Whether it drains: other pods may adopt its sessions.
    pub draining: bool,
    /// Whether it adopts the sessions of pods that stop: it serves, was found ready, and is not nearly full.
    pub adopter: bool,
    /// The notice that runs there.
    pub notice: Option<OwnerNotice>,
    /// How long the lease lasts.
    pub duration: Duration,
}

/// The result of [`SessionStore::renew_lease`](super::SessionStore::renew_lease).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseRenewal {
    /// The name of the contents.
    pub epoch: Epoch,
    /// Whether this call has named them: the store was empty.
    pub is_new: bool,
    /// Whether the pod had no lease before: other pods may have adopted its sessions.
    pub had_lapsed: bool,
}
