//! The maintenance switch on the panel: its position, the pods that have followed it, and what moving it would do.

use std::time::Duration;

use askama::Template;
use fleet::{FleetView, PodState, PodView};
use maintenance_switch::SwitchHealth;
use session_domain::{Phase, Timestamp};

use crate::format;
use crate::live::SwitchData;
use crate::pages::relative_time::{RelativeTime, TimeRendering};

/// How long after a move an operator is assumed to watch the pods follow.
const FOLLOWING_TIME: Duration = Duration::from_secs(60);

/// The switch as a section of the panel; `None` where no switch is configured.
#[derive(Template)]
#[template(path = "panel/switch.html")]
pub(super) struct SwitchSection {
    pub(super) switch: Option<SwitchView>,
}

/// The switch, as the panel shows it.
#[derive(Debug)]
pub(super) struct SwitchView {
    name: String,
    is_on: bool,
    /// The time of the last move, where it was seen.
    since: Option<RelativeTime>,
    moved_at: Option<Timestamp>,
    /// Why the position shown may be out of date.
    doubt: Option<String>,
    /// How many pods have followed the switch.
    followed: usize,
    /// How many pods are expected to: while maintenance is on, those that are not shutting down.
    expected: usize,
    /// The pods that have not followed yet.
    behind: Vec<PodBehind>,
    /// Whether an upgrade would disturb no user.
    is_safe: bool,
    /// The number of idle sessions that remain, where there are any.
    idle: Option<String>,
    /// Pods that fell silent without a final report and may still run.
    released: Vec<String>,
    /// The number of sessions that would be notified, and of pods.
    sessions: String,
    pods: String,
}

/// A pod that has not followed the switch yet.
#[derive(Debug)]
struct PodBehind {
    pod: String,
    /// What the pod does instead.
    status: &'static str,
    /// For how long, and since when: empty, or "after the switch".
    duration: Option<(RelativeTime, &'static str)>,
}

impl SwitchView {
    pub(super) fn new(switch: &SwitchData, view: &FleetView, times: TimeRendering) -> Self {
        let SwitchData { name, state } = switch;
        let is_on = state.report.state.is_on();
        let (mut followed, mut behind) = (0, Vec::new());
        for pod in view.pods().iter().filter(|pod| has_to_follow(pod)) {
            match pod_behind(pod, is_on, state.since, times) {
                None => followed += 1,
                Some(pod) => behind.push(pod),
            }
        }
        let running = view.running().count();
        Self {
            is_on,
            since: state.since.map(RelativeTime::clock),
            moved_at: state.since,
            doubt: match &state.report.health {
                SwitchHealth::Failing(doubt) => Some(format!("{name} {doubt}")),
                SwitchHealth::Unknown => Some(format!("{name} has not been read yet")),
                SwitchHealth::Healthy => None,
            },
            name: name.clone(),
            followed,
            expected: if is_on { followed + behind.len() } else { running },
            behind,
            is_safe: is_on && view.is_safe_to_upgrade(),
            idle: format::nonzero_count(view.idle_sessions()),
            released: if is_on { view.released_pods().map(str::to_owned).collect() } else { Vec::new() },
            sessions: format::counted(view.present_sessions(), "session"),
            pods: format::counted(running as u64, "pod"),
        }
    }

    /// Returns whether the switch was moved recently and some pods have not followed it.
    pub(super) fn is_being_followed(&self, now: Timestamp) -> bool {
        !self.behind.is_empty() && self.moved_at.is_some_and(|moved_at| now.since(moved_at) < FOLLOWING_TIME)
    }
}

/// Returns whether the pod follows the switch: not while it shuts down.
fn has_to_follow(pod: &PodView) -> bool {
    let phase = pod.report.as_ref().map(|report| report.phase);
    pod.state != PodState::Finished && !phase.is_some_and(Phase::is_shutting_down)
}

/// Returns what is known of a pod that has not followed the switch; `None` for one that has.
fn pod_behind(pod: &PodView, is_on: bool, moved_at: Option<Timestamp>, times: TimeRendering) -> Option<PodBehind> {
    let phase = pod.report.as_ref().map(|report| report.phase);
    let has_followed = phase.is_some_and(|phase| (phase == Phase::Maintenance) == is_on);
    let (status, duration) = match &pod.state {
        PodState::Live if has_followed => return None,
        PodState::Unreachable { since, .. } => ("cannot be reached", Some((times.lasting(*since), ""))),
        PodState::Waiting => ("has not reported yet", None),
        PodState::Live | PodState::Finished => {
            let status = if is_on { "still serves" } else { "is still in maintenance" };
            (status, moved_at.map(|moved_at| (times.lasting(moved_at), "after the switch")))
        }
    };
    Some(PodBehind { pod: pod.label().to_owned(), status, duration })
}
