//! What discovery says of a pod, as values. Discovery makes them; the fleet applies them.

use session_domain::PodName;

use crate::address::Address;

/// A pod that discovery lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveredPod {
    /// Where the pod is watched.
    pub address: Address,
    /// The pod's name; absent if discovery does not know it.
    pub pod: Option<PodName>,
    /// The conditions that discovery reports.
    pub conditions: Conditions,
    /// Whether the address was configured: it is listed whether there is a pod or not.
    pub is_fixed: bool,
}

impl DiscoveredPod {
    /// Makes a pod at a configured address.
    pub fn fixed(address: Address) -> Self {
        Self { is_fixed: true, ..Self::at(address) }
    }

    /// Makes a pod of which only the address is known.
    pub fn at(address: Address) -> Self {
        Self { address, pod: None, conditions: Conditions::default(), is_fixed: false }
    }
}

/// The conditions of a Kubernetes endpoint. Each is absent if Kubernetes does not report it or is not used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Whether it receives new connections.
    pub ready: Option<bool>,
    /// Whether its readiness probe succeeds, even while it terminates.
    pub serving: Option<bool>,
    /// Whether it was told to stop.
    pub terminating: Option<bool>,
}

impl Conditions {
    /// Merges two descriptions of one endpoint. If they differ, the worse condition wins.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let either = |this: Option<bool>, that: Option<bool>, decide: fn(bool, bool) -> bool| match (this, that) {
            (Some(this), Some(that)) => Some(decide(this, that)),
            (this, that) => this.or(that),
        };
        Self {
            ready: either(self.ready, other.ready, |this, that| this && that),
            serving: either(self.serving, other.serving, |this, that| this && that),
            terminating: either(self.terminating, other.terminating, |this, that| this || that),
        }
    }
}
