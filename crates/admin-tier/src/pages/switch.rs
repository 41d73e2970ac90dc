//! The maintenance switch on the panel: where it stands, which pods have followed, and what would happen if it were moved.

use std::time::Duration;

use askama::Template;
use fleet::{FleetView, PodState, PodView};
use maintenance_switch::SwitchHealth;
use session_domain::{Phase, Timestamp};

use super::words::{self, Moment, Words};
use crate::live::Switched;

/// A switch that was moved so short a while ago is being followed.
const UNDER_WAY: Duration = Duration::from_secs(60);

/// The switch, as the panel shows it.
#[derive(Debug)]
pub(super) struct SwitchView {
    pub(super) name: String,
    pub(super) is_on: bool,
    /// Since when, where it was seen to be moved.
    pub(super) since: Option<Moment>,
    moved: Option<Timestamp>,
    /// Why it may stand elsewhere.
    pub(super) doubt: Option<String>,
    /// Pods that do what it says.
    pub(super) followed: usize,
    /// Pods that are up. One that shuts down follows no switch to on, and takes nobody in where it is off.
    pub(super) all: usize,
    /// Pods that have not followed yet, and what is known of that.
    pub(super) behind: Vec<Behind>,
    /// Whether an upgrade would disturb nobody.
    pub(super) is_safe: bool,
    /// Sessions that are held all the same, nobody being there, where there are any.
    pub(super) idle: Option<String>,
    /// Pods that left in silence and may run still.
    pub(super) released: Vec<String>,
    /// Sessions that would be told, and the pods that they are on, in words.
    pub(super) people: String,
    pub(super) pods: String,
}

/// A pod that has not followed yet.
#[derive(Debug)]
pub(super) struct Behind {
    pub(super) pod: String,
    /// What it does instead.
    pub(super) what: &'static str,
    /// For how long, and since what.
    pub(super) lasting: Option<(Moment, &'static str)>,
}

/// The switch as a part of the panel; that there is none is said as well.
#[derive(Template)]
#[template(path = "switch.html")]
pub(super) struct SwitchPart {
    pub(super) switch: Option<SwitchView>,
}

impl SwitchView {
    pub(super) fn new(switched: &Switched, view: &FleetView, words: Words) -> Self {
        let Switched { name, stand } = switched;
        let is_on = stand.report.state.is_on();
        let (mut followed, mut behind) = (0, Vec::new());
        for pod in view.pods().iter().filter(|pod| has_to_follow(pod)) {
            match behind_by(pod, is_on, stand.since, words) {
                None => followed += 1,
                Some(behind_by) => behind.push(behind_by),
            }
        }
        let up = view.running().count();
        Self {
            is_on,
            since: stand.since.map(words::clock),
            moved: stand.since,
            doubt: match &stand.report.health {
                SwitchHealth::Failing(doubt) => Some(format!("{name} {doubt}")),
                SwitchHealth::Unknown => Some(format!("{name} was not read yet")),
                SwitchHealth::Healthy => None,
            },
            name: name.clone(),
            followed,
            all: if is_on { followed + behind.len() } else { up },
            behind,
            is_safe: is_on && view.is_safe_to_upgrade(),
            idle: words::some(view.idle_sessions()),
            released: if is_on { view.released_pods().map(str::to_owned).collect() } else { Vec::new() },
            people: words::counted(view.present_sessions(), "session"),
            pods: words::counted(up as u64, "pod"),
        }
    }
}

impl SwitchView {
    /// Whether somebody is waiting to see pods follow.
    pub(super) fn is_under_way(&self, now: Timestamp) -> bool {
        !self.behind.is_empty() && self.moved.is_some_and(|since| now.since(since) < UNDER_WAY)
    }
}

/// A pod that stops, or has stopped, follows no switch.
fn has_to_follow(pod: &PodView) -> bool {
    let phase = pod.report.as_ref().map(|report| report.phase);
    pod.state != PodState::Finished && !matches!(phase, Some(Phase::Draining | Phase::Propagating))
}

/// What is known of a pod that does not do what the switch says; nothing of one that does.
fn behind_by(pod: &PodView, is_on: bool, since: Option<Timestamp>, words: Words) -> Option<Behind> {
    let phase = pod.report.as_ref().map(|report| report.phase);
    let does = match phase {
        Some(phase) => (phase == Phase::Maintenance) == is_on,
        None => false,
    };
    let (what, lasting) = match &pod.state {
        PodState::Live if does => return None,
        PodState::Unreachable { since, .. } => ("cannot be heard", Some((words.lasting(*since), ""))),
        PodState::Waiting => ("was not heard yet", None),
        PodState::Live | PodState::Finished => {
            let what = if is_on { "still serves" } else { "is still in maintenance" };
            (what, since.map(|since| (words.lasting(since), "after the switch")))
        }
    };
    Some(Behind { pod: pod.label().to_owned(), what, lasting })
}
