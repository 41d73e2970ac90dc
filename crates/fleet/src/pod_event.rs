//! What is heard of a pod, as values: the link makes them, the fleet takes them in.

use std::time::Duration;

use session_domain::{Departure, PodReport, SessionId, SessionView};

/// One thing heard at an address. A watch is `Watching`, a report, the snapshot in parts, then changes and reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PodEvent {
    /// A watch has begun: a new snapshot follows. What was known stays until it is whole.
    WatchStarted,
    /// The pod told of itself.
    Report(PodReport),
    /// A part of the snapshot.
    Snapshot {
        /// Sessions of the part.
        sessions: Vec<SessionView>,
        /// Whether it was the last part.
        end: bool,
    },
    /// What has changed. Changes apply one after the other; where one of them names a session twice, removals apply after
    /// upserts.
    Changes {
        /// Sessions that are new or different.
        upserts: Vec<SessionView>,
        /// Sessions that are gone, and how.
        removals: Vec<(SessionId, Departure)>,
    },
    /// Something made no sense and was left out, for this reason.
    InvalidMessage(String),
    /// The pod had been silent, was asked, and answered.
    ProbeAnswered {
        /// How long the answer took.
        took: Duration,
    },
    /// Nothing listens at the address: the pod that was there has ended, and is not only silent.
    ConnectionRefused,
    /// The pod cannot be heard any more, or still not, for this reason.
    Unreachable(String),
}
