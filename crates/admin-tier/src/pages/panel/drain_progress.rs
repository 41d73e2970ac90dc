//! How far a pod has drained.

use fleet::{PodState, PodView};
use session_domain::{Phase, Timestamp};

use crate::pages::relative_time::{RelativeTime, TimeRendering};

/// The progress of a drain or a maintenance countdown.
#[derive(Clone, Copy, Debug)]
pub(super) struct DrainProgress {
    /// How many sessions were present at the start, as far as is known.
    pub(super) initial: u64,
    /// How many sessions are present now.
    pub(super) remaining: u64,
    pub(super) gone: u64,
    /// When the countdown ends.
    pub(super) deadline: Option<Timestamp>,
}

impl DrainProgress {
    /// Returns the progress of a pod's drain, where one runs or has just ended.
    pub(super) fn new(pod: &PodView) -> Option<Self> {
        let report = pod.report.as_ref().filter(|_| pod.state != PodState::Finished)?;
        let remaining = report.present_or_held();
        let initial = pod.present_at_drain_start?.max(remaining);
        Some(Self { initial, remaining, gone: initial - remaining, deadline: report.forced_logout_at })
    }
}

/// The end of a countdown.
pub(super) struct Deadline {
    pub(super) at: RelativeTime,
    pub(super) left: RelativeTime,
    /// The time for the script, which shows and hides what holds until then and from then on.
    pub(super) time: Timestamp,
    /// Whether it was over when the page was rendered.
    pub(super) is_over: bool,
}

impl Deadline {
    pub(super) fn new(at: Timestamp, times: TimeRendering) -> Self {
        Self { at: RelativeTime::clock(at), left: times.left(at), time: at, is_over: times.is_over(at) }
    }
}

/// Returns whether the pod's users are being asked to leave it.
pub(super) fn is_draining(pod: &PodView) -> bool {
    let has_countdown = pod.report.as_ref().is_some_and(|report| report.forced_logout_at.is_some());
    let phase = pod.report.as_ref().map(|report| report.phase);
    pod.is_reachable() && (has_countdown || phase.is_some_and(Phase::is_shutting_down))
}
