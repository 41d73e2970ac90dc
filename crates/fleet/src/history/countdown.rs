//! The countdown in a pod's report.

use session_domain::lifecycle::Reason;
use session_domain::{Phase, PodReport, Timestamp};

/// A countdown: its reason, and when it began by the pod's clock.
pub(super) struct Countdown {
    pub(super) reason: Reason,
    pub(super) started_at: Timestamp,
}

impl Countdown {
    /// The countdown that runs, if any.
    pub(super) fn of(report: &PodReport) -> Option<Self> {
        let reason = match report.phase {
            Phase::Serving => return None,
            Phase::Maintenance => Reason::Maintenance,
            Phase::Draining | Phase::Propagating | Phase::Closing => Reason::Shutdown,
        };
        report.drain_started_at.map(|started_at| Self { reason, started_at })
    }
}
