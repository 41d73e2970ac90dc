//! A pod whose list of sessions disagrees with its own count.

use std::fmt;

/// The difference between the sessions that a pod counts and those that it has listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Miscount {
    /// The sessions that the pod's report counts.
    pub counted: u64,
    /// The sessions that the pod has listed.
    pub listed: u64,
}

impl fmt::Display for Miscount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { counted, listed } = self;
        write!(f, "counts {counted} sessions and has listed {listed}; its list is asked for again")
    }
}
