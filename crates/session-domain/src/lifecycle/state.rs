//! The states of the machine.

use super::handoff::Handoff;
use super::notice::Notice;
use crate::time::Timestamp;

/// A state of the machine. Each variant holds only its own data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The pod admits all sessions.
    Serving,
    /// Maintenance is on and the countdown runs. The pod admits sessions of other pods only, and counts them down, too.
    MaintenanceCountdown {
        /// The notice that runs.
        notice: Notice,
        /// Whether no session was present at some time since the countdown began. Stays true, so that readiness does not
        /// flap.
        was_empty: bool,
    },
    /// Maintenance is on, the countdown is over, and protected work is waited for. The pod admits no session.
    MaintenanceFinishing {
        /// The notice that runs.
        notice: Notice,
        /// When the wait ends.
        until: Timestamp,
    },
    /// Maintenance is on and the countdown is over. The pod admits no session.
    MaintenanceClosed,
    /// The pod shuts down and waits for its users.
    Draining {
        /// The notice that runs.
        notice: Notice,
        /// When the number of remaining users is logged next.
        next_progress: Timestamp,
        /// Whether `/ready` still answers 200.
        ready: bool,
        /// How far sessions have moved to other pods; `None` where they do not.
        handoff: Option<Handoff>,
    },
    /// The pod shuts down and waits for protected work only: the deadline has passed, or no session is present.
    Finishing {
        /// The notice that runs.
        notice: Notice,
        /// When the wait ends.
        until: Timestamp,
        /// When the remaining work is logged next.
        next_progress: Timestamp,
        /// Whether `/ready` still answers 200.
        ready: bool,
    },
    /// The pod shuts down and gives load balancers time to remove its endpoint.
    Propagating {
        /// When the drain began.
        since: Timestamp,
        /// When the process exits.
        until: Timestamp,
    },
    /// The drain is over, and no signal has come yet: the pod admits no session and goes on serving requests without one.
    Drained {
        /// When the drain began.
        since: Timestamp,
    },
    /// The pod closes its resources.
    Closing {
        /// When the drain began.
        since: Timestamp,
        /// When the process exits even if a resource is not closed.
        until: Timestamp,
    },
    /// The pod has stopped.
    Stopped {
        /// When the drain began.
        since: Timestamp,
    },
}
