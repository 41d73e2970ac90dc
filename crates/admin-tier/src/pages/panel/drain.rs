//! How far a pod has drained.

use fleet::{PodState, PodView};
use session_domain::{Phase, Timestamp};

/// A drain, or a maintenance countdown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drain {
    /// Sessions that were present when it began, as far as that was heard.
    pub(super) from: u64,
    /// Sessions that are present.
    pub(super) left: u64,
    pub(super) gone: u64,
    /// When the countdown ends.
    pub(super) deadline: Option<Timestamp>,
}

impl Drain {
    /// The drain of a pod, where one runs or has just run.
    pub(super) fn of(pod: &PodView) -> Option<Self> {
        let report = pod.report.as_ref().filter(|_| pod.state != PodState::Finished)?;
        let left = report.present_or_held();
        let from = pod.present_at_drain_start?.max(left);
        Some(Self { from, left, gone: from - left, deadline: report.forced_logout_at })
    }
}

/// Whether people are asked to leave it.
pub(super) fn is_emptying(pod: &PodView) -> bool {
    let counts_down = pod.report.as_ref().is_some_and(|report| report.forced_logout_at.is_some());
    pod.is_reachable() && (counts_down || is_leaving(pod))
}

/// Whether a pod is on its way out.
fn is_leaving(pod: &PodView) -> bool {
    let phase = pod.report.as_ref().map(|report| report.phase);
    pod.is_reachable() && matches!(phase, Some(Phase::Draining | Phase::Propagating))
}
