//! One pod on the panel: what it said last, how old that is, and nothing that is not known.

use askama::Template;
use fleet::{Conditions, FleetView, PodHealth, PodState, PodView};
use session_domain::Phase;

use super::super::words::{self, Moment, Words};
use super::drain::Drain;

/// A pod.
#[derive(Template)]
#[template(path = "panel/card.html")]
pub(super) struct Card {
    pub(super) id: String,
    pub(super) name: String,
    /// Where it stands among the others: what needs somebody first.
    pub(super) rank: u8,
    address: String,
    state: State,
    /// How long it has been so, where that was seen.
    lasting: Option<Moment>,
    /// What is wrong, if anything.
    trouble: Option<String>,
    /// What it said last; none where it was never heard.
    known: Option<Known>,
    /// What it says of its readiness, and discovery of its endpoint.
    conditions: Vec<&'static str>,
    /// Whether it is silent, so that an operator can have it leave.
    is_silent: bool,
}

/// A state, in words, colours and shapes.
#[derive(Clone, Copy)]
struct State {
    word: &'static str,
    class: &'static str,
    icon: &'static str,
}

/// What a pod said last.
struct Known {
    /// When that was, where it is not now.
    as_of: Option<Moment>,
    /// Whether it has exited: nothing of it is now, and that is as it should be.
    is_finished: bool,
    /// Sessions that are present. Of a pod that does not say, all that it holds.
    present: String,
    is_one: bool,
    /// Sessions that are not, where there are any.
    idle: Option<String>,
    /// Whether it says which are present.
    tells_presence: bool,
    oldest: Option<Moment>,
    drain: Option<Drain>,
    deadline: Option<(Moment, Moment)>,
    told: String,
    own_logouts: String,
    by_page: u64,
    forced: u64,
    moved: Option<String>,
    up_for: Option<Moment>,
    /// How long its last answer took, where that was too long.
    slow: Option<String>,
    version: String,
    /// Its revision, where that is not its version.
    revision: Option<String>,
}

impl Card {
    pub(super) fn new(pod: &PodView, view: &FleetView, words: Words) -> Self {
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
            lasting: lasting.map(|since| words.lasting(since)),
            trouble,
            known: Known::of(pod, view, words),
            conditions: conditions(pod),
            is_silent: matches!(pod.state, PodState::Unreachable { .. }),
        }
    }
}

impl Known {
    fn of(pod: &PodView, view: &FleetView, words: Words) -> Option<Self> {
        let (report, is_live) = (pod.report.as_ref()?, pod.is_reachable());
        let sessions = pod.active_sessions().unwrap_or(report.active_sessions);
        let present = pod.present_or_held().unwrap_or(sessions);
        let drain = Drain::of(pod);
        let deadline = drain.and_then(|drain| drain.deadline);
        Some(Self {
            as_of: pod.last_seen.filter(|_| !is_live).map(|seen| words.ago(seen)),
            is_finished: pod.state == PodState::Finished,
            present: words::count(present),
            is_one: present == 1,
            idle: words::some(sessions.saturating_sub(present)),
            tells_presence: pod.present_sessions().is_some(),
            oldest: view.oldest_session_start(&pod.address).filter(|_| sessions > 0).map(|began| match pod.last_seen {
                Some(seen) if !is_live => words::lasted(began, seen),
                Some(_) | None => words.lasting(began),
            }),
            drain,
            deadline: deadline.map(|at| (words::clock(at), words.left(at))),
            told: words::count(report.counters.drain_notifications_sent),
            own_logouts: words::count(report.counters.own_logouts()),
            by_page: report.counters.auto_logouts,
            forced: report.counters.forced_logouts,
            moved: words::some(report.counters.moved),
            up_for: Some(report.started_at).filter(|_| is_live).map(|started| words.lasting(started)),
            slow: pod.slow_response.map(words::duration),
            version: report.version.clone(),
            revision: pod.revision().filter(|revision| *revision != report.version).map(str::to_owned),
        })
    }
}

/// Who is being drained, who is in trouble, who was not heard, then the others; the finished last.
fn rank(pod: &PodView, is_in_trouble: bool) -> u8 {
    let phase = pod.report.as_ref().map(|report| report.phase);
    match (&pod.state, phase) {
        (PodState::Finished, _) => 5,
        (PodState::Live, Some(Phase::Draining | Phase::Propagating)) => 0,
        _ if is_in_trouble => 1,
        (PodState::Waiting | PodState::Unreachable { .. }, _) | (PodState::Live, None) => 2,
        (PodState::Live, Some(Phase::Maintenance)) => 3,
        (PodState::Live, Some(Phase::Serving)) => 4,
    }
}

fn state(pod: &PodView) -> State {
    let state = |word, class, icon| State { word, class, icon };
    match (&pod.state, pod.report.as_ref().map(|report| report.phase)) {
        (PodState::Finished, _) => state("finished", "finished", "done"),
        (PodState::Unreachable { .. }, _) => state("unreachable", "unreachable", "lost"),
        (PodState::Waiting, _) | (PodState::Live, None) => state("not heard yet", "waiting", "wait"),
        (PodState::Live, Some(Phase::Serving)) => state("serving", "serving", "serve"),
        (PodState::Live, Some(Phase::Maintenance)) => state("maintenance", "maintenance", "hold"),
        (PodState::Live, Some(Phase::Draining)) => state("draining", "draining", "drain"),
        (PodState::Live, Some(Phase::Propagating)) => state("leaving rotation", "propagating", "drain"),
    }
}

/// What a pod says of its readiness, and discovery of its endpoint, in Kubernetes' words.
fn conditions(pod: &PodView) -> Vec<&'static str> {
    let said = |condition: Option<bool>, yes, no| condition.map(|is| if is { yes } else { no });
    let Conditions { ready: _, serving, terminating } = pod.conditions;
    let unlisted = (!pod.is_discovered()).then_some("no longer listed");
    let leaving = terminating.filter(|is| *is).map(|_| "terminating");
    [unlisted, leaving, said(pod.is_ready(), "ready", "not ready"), said(serving, "serving", "not serving")]
        .into_iter()
        .flatten()
        .collect()
}
