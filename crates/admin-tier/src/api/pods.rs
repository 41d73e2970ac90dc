//! `GET /admin/api/v1/pods`: every pod, and whether an upgrade would disturb a user.

use axum::extract::State;
use axum::response::Response;
use fleet::{FleetView, PodHealth, PodState, PodView};
use serde::Serialize;
use session_domain::Timestamp;

use super::response::{json, unreachable_pods};
use crate::state::AppState;

#[derive(Debug, Serialize)]
struct PodsBody<'a> {
    pods: Vec<PodBody<'a>>,
    total_sessions: u64,
    present_sessions: u64,
    complete: bool,
    unreachable_pods: Vec<&'a str>,
    safe_to_upgrade: bool,
    discovery_error: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct PodBody<'a> {
    pod: &'a str,
    address: &'a str,
    phase: Option<&'static str>,
    active_sessions: Option<u64>,
    present_sessions: Option<u64>,
    protected: Option<u64>,
    websockets: Option<u64>,
    notified: Option<u64>,
    asked_to_move: Option<u64>,
    moved: Option<u64>,
    /// Present sessions that were asked to move.
    asked_and_present: u64,
    moved_to: Vec<DestinationBody<'a>>,
    forced_logout_at: Option<Timestamp>,
    reachable: bool,
    last_seen: Option<Timestamp>,
    revision: Option<&'a str>,
    error: Option<String>,
    listed: bool,
    ready: Option<bool>,
    serving: Option<bool>,
    terminating: Option<bool>,
}

/// A pod that holds sessions now that left another one.
#[derive(Debug, Serialize)]
struct DestinationBody<'a> {
    pod: &'a str,
    sessions: u64,
}

/// `GET /admin/api/v1/pods`.
pub(crate) async fn get_pods(State(app): State<AppState>) -> Response {
    let view = app.view();
    json(PodsBody {
        pods: view.pods().iter().map(|pod| PodBody::new(pod, &view)).collect(),
        total_sessions: view.total_sessions(),
        present_sessions: view.present_sessions(),
        complete: view.is_complete(),
        unreachable_pods: unreachable_pods(&view),
        safe_to_upgrade: view.is_safe_to_upgrade(),
        discovery_error: view.discovery_error(),
    })
}

impl<'a> PodBody<'a> {
    fn new(pod: &'a PodView, view: &'a FleetView) -> Self {
        let (work, handoff) = (view.work(pod), view.handoff(pod).unwrap_or_default());
        let counters = pod.report.as_ref().map(|report| report.counters);
        let is_finished = pod.state == PodState::Finished;
        let phase = pod.report.as_ref().map(|report| report.phase.as_str());
        Self {
            pod: pod.label(),
            address: pod.address.as_str(),
            phase: if is_finished { Some("finished") } else { phase },
            active_sessions: pod.active_sessions(),
            present_sessions: pod.present_sessions(),
            protected: work.map(|work| work.protected),
            websockets: work.map(|work| work.websockets),
            notified: counters.map(|counters| counters.drain_notifications_sent),
            asked_to_move: counters.map(|counters| counters.asked_to_move),
            moved: counters.map(|counters| counters.moved),
            asked_and_present: handoff.remaining_asked,
            moved_to: handoff.moved_to.into_iter().map(|(pod, sessions)| DestinationBody { pod, sessions }).collect(),
            forced_logout_at: pod.report.as_ref().filter(|_| !is_finished).and_then(|report| report.forced_logout_at),
            reachable: pod.is_reachable(),
            last_seen: pod.last_seen,
            revision: pod.revision(),
            error: match pod.health() {
                PodHealth::Inconsistent(reason) | PodHealth::Unreachable(reason) => Some(reason),
                PodHealth::Waiting | PodHealth::Live | PodHealth::Finished => None,
            },
            listed: pod.is_discovered(),
            ready: pod.is_ready(),
            serving: pod.conditions.serving,
            terminating: pod.conditions.terminating,
        }
    }
}
