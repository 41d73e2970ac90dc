//! What happens to the watch of a pod, as values. The watch makes them; the fleet applies them.

use std::time::Duration;

use session_domain::{Departure, PodReport, SessionId, SessionView};

/// An event of the watch of a pod. A watch sends `WatchStarted`, a report, the parts of the snapshot, then changes and
/// reports.
#[derive(Clone, Debug, PartialEq)]
pub enum PodEvent {
    /// A watch has started, and a new snapshot follows. The known sessions stay until it is complete.
    WatchStarted,
    /// The pod reported its phase, deadlines and counters.
    Report(PodReport),
    /// A part of the snapshot.
    Snapshot {
        /// The sessions of this part.
        sessions: Vec<SessionView>,
        /// Whether this is the last part.
        end: bool,
    },
    /// Sessions changed. Removals apply after upserts.
    Changes {
        /// Sessions that are new or different.
        upserts: Vec<SessionView>,
        /// Sessions that left, and how.
        removals: Vec<(SessionId, Departure)>,
    },
    /// A message was invalid for this reason and was left out.
    InvalidMessage(String),
    /// The pod had been silent and answered a probe.
    ProbeAnswered {
        /// How long the answer took.
        took: Duration,
    },
    /// The address refused a connection: the process has ended and is not merely frozen.
    ConnectionRefused,
    /// The pod cannot be reached, for this reason.
    Unreachable(String),
}
