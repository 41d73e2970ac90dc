//! The state of the watch of a pod, and the health that follows from it.

use session_domain::Timestamp;

/// The state of the watch of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodState {
    /// Neither a complete snapshot nor a failure has arrived yet.
    Waiting,
    /// The known sessions are the current ones.
    Live,
    /// The watch has failed. The known sessions are the last known ones.
    Unreachable {
        /// Why the watch failed.
        reason: String,
        /// Since when the pod cannot be reached.
        since: Timestamp,
    },
    /// The pod has sent its final report and exited.
    Finished,
}

/// The health of a pod, with a reason for operators where something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodHealth {
    /// The pod has not answered yet.
    Waiting,
    /// The pod answers, and its data is consistent.
    Live,
    /// The pod answers, but its data contradicts itself or another pod's, or exceeds a limit.
    Inconsistent(String),
    /// The pod does not answer.
    Unreachable(String),
    /// The pod has exited, as its final report announced.
    Finished,
}
