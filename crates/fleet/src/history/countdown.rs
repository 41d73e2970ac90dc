//! The countdown that a pod's report tells of.

use super::record::DrainRecord;
use session_domain::lifecycle::Reason;
use session_domain::{Phase, PodReport, Timestamp};

/// A countdown: its reason, and its beginning by the pod's clock.
pub(super) struct Countdown {
    pub(super) reason: Reason,
    pub(super) started_at: Timestamp,
}

impl Countdown {
    pub(super) fn of(report: &PodReport) -> Option<Self> {
        let reason = match report.phase {
            Phase::Serving => return None,
            Phase::Maintenance => Reason::Maintenance,
            Phase::Draining | Phase::Propagating => Reason::Shutdown,
        };
        report.drain_started_at.map(|started_at| Self { reason, started_at })
    }

    /// Whether it is the one that is recorded: itself, or the shutdown that has overtaken a maintenance.
    pub(super) fn continues(&self, record: &DrainRecord) -> bool {
        let overtakes = (record.reason, self.reason) == (Reason::Maintenance, Reason::Shutdown);
        record.countdown_started_at == self.started_at || overtakes
    }
}
