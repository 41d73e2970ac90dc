//! One pod on the panel: its last report, the age of that report, and what is wrong with the pod.

use askama::Template;
use fleet::{Conditions, FleetView, PodHealth, PodState, PodView, PodWork};
use session_domain::Phase;

use super::drain_progress::{Deadline, DrainProgress};
use super::handoff::HandoffSection;
use crate::format;
use crate::pages::relative_time::{RelativeTime, TimeRendering};

/// A pod's card.
#[derive(Template)]
#[template(path = "panel/card.html")]
pub(super) struct PodCard {
    pub(super) id: String,
    pub(super) name: String,
    /// The place in the list: pods that need attention have low ranks.
    pub(super) rank: u8,
    address: String,
    state: State,
    /// How long the pod has been in this state, where the change was seen.
    lasting: Option<RelativeTime>,
    /// What is wrong with the pod.
    trouble: Option<String>,
    /// The last report; `None` where the pod has never reported.
    report: Option<LastReport>,
    /// The pod's readiness, and the conditions of its endpoint.
    conditions: Vec<&'static str>,
    /// Whether an operator can forget the pod.
    is_silent: bool,
}

/// A state: its text, CSS class and icon.
#[derive(Clone, Copy)]
struct State {
    text: &'static str,
    class: &'static str,
    icon: &'static str,
}

/// A pod's last report.
struct LastReport {
    /// When it was made, where it is out of date.
    as_of: Option<RelativeTime>,
    /// Whether the pod has exited, so that an old report is expected.
    is_finished: bool,
    /// The number of present sessions; of all sessions where the pod does not report presence.
    present: String,
    is_one: bool,
    /// The number of idle sessions, where there are any.
    idle: Option<String>,
    /// Whether the pod reports which sessions are present.
    reports_presence: bool,
    oldest: Option<RelativeTime>,
    /// The sessions with work in progress and the open WebSockets, where there are any.
    work: Vec<String>,
    /// Whether tasks of its sessions are not shown because they are too many.
    has_tasks_left_out: bool,
    drain: Option<DrainProgress>,
    /// How far its sessions have moved to other pods, where it has asked any to.
    handoff: Option<HandoffSection>,
    deadline: Option<Deadline>,
    /// The sessions with work in progress that the pod waits for once its countdown is over: `2 sessions`.
    waiting_for: Option<String>,
    /// Whether the pod closes its resources.
    is_closing: bool,
    notified: String,
    own_logouts: String,
    by_page: u64,
    forced: u64,
    moved: Option<String>,
    up_for: Option<RelativeTime>,
    /// How long the last answer took, where that was too long.
    slow: Option<String>,
    version: String,
    /// The revision, where it differs from the version.
    revision: Option<String>,
}

impl PodCard {
    pub(super) fn new(pod: &PodView, view: &FleetView, times: TimeRendering) -> Self {
        let is_live = pod.is_reachable();
        let lasting = match &pod.state {
            PodState::Unreachable { since, .. } => Some(*since),
            PodState::Finished => None,
            PodState::Live | PodState::Waiting => pod.phase_since.filter(|_| is_live),
        };
        let trouble = match pod.health() {
            PodHealth::Inconsistent(reason) | PodHealth::Unreachable(reason) => Some(reason),
            PodHealth::Waiting | PodHealth::Live | PodHealth::Finished => None,
        };
        Self {
            id: format!("pod-{}", pod.address),
            name: pod.label().to_owned(),
            rank: rank(pod, trouble.is_some()),
            address: pod.address.to_string(),
            state: state(pod),
            lasting: lasting.map(|since| times.lasting(since)),
            trouble,
            report: LastReport::new(pod, view, times),
            conditions: conditions(pod),
            is_silent: matches!(pod.state, PodState::Unreachable { .. }),
        }
    }
}

impl LastReport {
    fn new(pod: &PodView, view: &FleetView, times: TimeRendering) -> Option<Self> {
        let (report, is_live) = (pod.report.as_ref()?, pod.is_reachable());
        let sessions = pod.active_sessions().unwrap_or(report.active_sessions);
        let present = pod.present_or_held().unwrap_or(sessions);
        let drain = DrainProgress::new(pod);
        let work = view.work(pod).unwrap_or_default();
        let waits_for = view.awaited_work(pod).map(|work| format::counted(work.sessions, "session"));
        let deadline = drain.and_then(|drain| drain.deadline);
        Some(Self {
            as_of: pod.last_seen.filter(|_| !is_live).map(|seen| times.ago(seen)),
            is_finished: pod.state == PodState::Finished,
            present: format::count(present),
            is_one: present == 1,
            idle: format::nonzero_count(sessions.saturating_sub(present)),
            reports_presence: pod.present_sessions().is_some(),
            oldest: view.oldest_session_start(&pod.address).filter(|_| sessions > 0).map(|began| match pod.last_seen {
                Some(seen) if !is_live => RelativeTime::lasted(began, seen),
                Some(_) | None => times.lasting(began),
            }),
            drain,
            handoff: HandoffSection::new(pod, view),
            deadline: deadline.map(|at| Deadline::new(at, times)),
            waiting_for: waits_for,
            is_closing: is_live && report.phase == Phase::Closing,
            work: work_in_words(work),
            has_tasks_left_out: pod.has_tasks_left_out,
            notified: format::count(report.counters.drain_notifications_sent),
            own_logouts: format::count(report.counters.own_logouts()),
            by_page: report.counters.auto_logouts,
            forced: report.counters.forced_logouts,
            moved: format::nonzero_count(report.counters.moved),
            up_for: Some(report.started_at).filter(|_| is_live).map(|started| times.lasting(started)),
            slow: pod.slow_response.map(format::duration),
            version: report.version.clone(),
            revision: pod.revision().filter(|revision| *revision != report.version).map(str::to_owned),
        })
    }
}

/// Names what users are in the middle of.
pub(super) fn work_in_words(work: PodWork) -> Vec<String> {
    let protected = format::counted(work.protected, "session") + " with work in progress";
    let websockets = format::counted(work.websockets, "WebSocket") + " open";
    [(work.protected, protected), (work.websockets, websockets)]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(_, text)| text)
        .collect()
}

/// Ranks draining pods first, then pods in trouble, pods that have not reported, all others, and finished pods last.
fn rank(pod: &PodView, is_in_trouble: bool) -> u8 {
    let phase = pod.report.as_ref().map(|report| report.phase);
    match (&pod.state, phase) {
        (PodState::Finished, _) => 5,
        (PodState::Live, Some(Phase::Draining | Phase::Propagating | Phase::Closing)) => 0,
        _ if is_in_trouble => 1,
        (PodState::Waiting | PodState::Unreachable { .. }, _) | (PodState::Live, None) => 2,
        (PodState::Live, Some(Phase::Maintenance)) => 3,
        (PodState::Live, Some(Phase::Serving)) => 4,
    }
}

fn state(pod: &PodView) -> State {
    let state = |text, class, icon| State { text, class, icon };
    match (&pod.state, pod.report.as_ref().map(|report| report.phase)) {
        (PodState::Finished, _) => state("finished", "finished", "done"),
        (PodState::Unreachable { .. }, _) => state("unreachable", "unreachable", "lost"),
        (PodState::Waiting, _) | (PodState::Live, None) => state("not reported yet", "waiting", "wait"),
        (PodState::Live, Some(Phase::Serving)) => state("serving", "serving", "serve"),
        (PodState::Live, Some(Phase::Maintenance)) => state("maintenance", "maintenance", "hold"),
        (PodState::Live, Some(Phase::Draining)) => state("draining", "draining", "drain"),
        (PodState::Live, Some(Phase::Propagating)) => state("leaving rotation", "propagating", "drain"),
        (PodState::Live, Some(Phase::Closing)) => state("closing", "closing", "drain"),
    }
}

/// Returns the pod's readiness and the conditions of its endpoint, in Kubernetes' terms.
fn conditions(pod: &PodView) -> Vec<&'static str> {
    let text = |condition: Option<bool>, yes, no| condition.map(|is| if is { yes } else { no });
    let Conditions { ready: _, serving, terminating } = pod.conditions;
    let unlisted = (!pod.is_discovered()).then_some("no longer listed");
    let leaving = terminating.filter(|is| *is).map(|_| "terminating");
    [unlisted, leaving, text(pod.is_ready(), "ready", "not ready"), text(serving, "serving", "not serving")]
        .into_iter()
        .flatten()
        .collect()
}
