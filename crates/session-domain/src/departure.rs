//! How a session left a pod, as the pod tells its watchers.

use crate::outcome::Outcome;

/// How a session left a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It ended with this outcome.
    Ended(Outcome),
    /// It lives on under another id, because a login has named its user.
    Renamed,
    /// The pod did not say how.
    Unknown,
}
