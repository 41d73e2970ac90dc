//! What discovery says of a pod, as values: discovery makes them, the fleet takes them in.

use super::pod::Address;
use session_domain::PodName;

/// A pod that discovery names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveredPod {
    /// Where it is asked.
    pub address: Address,
    /// Its name, where discovery knows it.
    pub pod: Option<PodName>,
    /// What discovery says of its state.
    pub conditions: Conditions,
    /// Whether the address is a fixed one: it is named for good, whether there is a pod or not.
    pub is_fixed: bool,
}

impl DiscoveredPod {
    /// A pod at an address that stands in the options.
    pub fn fixed(address: Address) -> Self {
        Self { is_fixed: true, ..Self::at(address) }
    }

    /// A pod of which nothing but the address is known.
    pub fn at(address: Address) -> Self {
        Self { address, pod: None, conditions: Conditions::default(), is_fixed: false }
    }
}

/// What Kubernetes says of an endpoint; each is unknown where it says nothing, or where nobody asks it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Whether it gets newcomers.
    pub ready: Option<bool>,
    /// Whether its readiness probe succeeds, on its way out, too.
    pub serving: Option<bool>,
    /// Whether it has been told to stop.
    pub terminating: Option<bool>,
}

impl Conditions {
    /// What two descriptions of one endpoint say together: in doubt what an operator should rather know.
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
