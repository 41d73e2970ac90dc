//! How a session left a pod, as the pods that watch it learn.

use crate::outcome::Outcome;

/// How a session left a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It ended there.
    Ended(Outcome),
    /// It continues under another id.
    Renamed,
    /// The pod does not say.
    Unknown,
}
