//! Conversions from the domain to the wire. They cannot fail.

use prost_types::Timestamp as WireTime;
use session_domain::{
    HandoffState, MAX_TASK_KIND_CHARS, MAX_TASK_LABEL_CHARS, MAX_TASKS_PER_SESSION, Outcome, Phase, PodReport,
    SessionView, TaskView, Timestamp,
};

use crate::v1;

/// Converts a time.
pub(crate) fn timestamp_to_wire(time: Timestamp) -> WireTime {
    let millis = time.as_millis();
    let nanos = i32::try_from(millis.rem_euclid(1000) * 1_000_000).unwrap_or(0);
    WireTime { seconds: millis.div_euclid(1000), nanos }
}

/// Converts a phase.
fn handoff_to_wire(handoff: Option<HandoffState>) -> v1::HandoffState {
    match handoff {
        None => v1::HandoffState::Unspecified,
        Some(HandoffState::Delayed) => v1::HandoffState::Delayed,
        Some(HandoffState::Moving) => v1::HandoffState::Moving,
        Some(HandoffState::Stalled) => v1::HandoffState::Stalled,
    }
}

pub(crate) fn phase_to_wire(phase: Phase) -> v1::Phase {
    match phase {
        Phase::Serving => v1::Phase::Serving,
        Phase::Maintenance => v1::Phase::Maintenance,
        Phase::Draining => v1::Phase::Draining,
        Phase::Propagating => v1::Phase::Propagating,
        Phase::Closing => v1::Phase::Closing,
    }
}

/// Converts the outcome of a session; `None` for a session that lives on under another id.
pub fn outcome_to_wire(outcome: Option<Outcome>) -> v1::Outcome {
    match outcome {
        None => v1::Outcome::Unspecified,
        Some(Outcome::Logout) => v1::Outcome::Logout,
        Some(Outcome::AutoLogout) => v1::Outcome::AutoLogout,
        Some(Outcome::Forced) => v1::Outcome::Forced,
        Some(Outcome::Expired) => v1::Outcome::Expired,
        Some(Outcome::Moved) => v1::Outcome::Moved,
    }
}

/// Converts a session.
pub fn session_to_wire(session: &SessionView) -> v1::Session {
    v1::Session {
        session_id: session.id.to_string(),
        user: session.user.to_string(),
        login_time: Some(timestamp_to_wire(session.login_time)),
        last_activity: Some(timestamp_to_wire(session.last_activity)),
        pod: session.pod.to_string(),
        event_streams: session.event_streams,
        websockets: session.websockets,
        active_tasks: u32::try_from(session.tasks.len()).unwrap_or(u32::MAX),
        in_flight_requests: session.in_flight_requests,
        notified: session.notified,
        present: session.present,
        tasks: session.tasks.iter().take(MAX_TASKS_PER_SESSION).map(task_to_wire).collect(),
        asked_to_move: session.asked_to_move,
        protected: session.protected,
    }
}

/// Converts a task. Cuts what a reader would refuse: an app chooses the texts and the progress of its own tasks.
fn task_to_wire(task: &TaskView) -> v1::Task {
    v1::Task {
        task_id: task.id.to_string(),
        kind: cut(&task.kind, MAX_TASK_KIND_CHARS).to_owned(),
        label: cut(&task.label, MAX_TASK_LABEL_CHARS).to_owned(),
        progress: task.progress.filter(|progress| progress.is_finite()).map(|progress| progress.clamp(0.0, 1.0)),
        lease_until: task.lease_until.map(timestamp_to_wire),
    }
}

/// The first `max_chars` characters of a text.
fn cut(text: &str, max_chars: usize) -> &str {
    text.char_indices().nth(max_chars).map_or(text, |(end, _)| &text[..end])
}

/// Converts the report of a pod.
pub fn pod_to_wire(report: &PodReport) -> v1::Pod {
    let counters = report.counters;
    v1::Pod {
        pod: report.pod.to_string(),
        phase: phase_to_wire(report.phase).into(),
        started_at: Some(timestamp_to_wire(report.started_at)),
        drain_started_at: report.drain_started_at.map(timestamp_to_wire),
        forced_logout_at: report.forced_logout_at.map(timestamp_to_wire),
        active_sessions: report.active_sessions,
        version: report.version.clone(),
        counters: Some(v1::Counters {
            drain_notifications_sent: counters.drain_notifications_sent,
            graceful_logouts: counters.graceful_logouts,
            forced_logouts: counters.forced_logouts,
            logins: counters.logins,
            websocket_connections: counters.websocket_connections,
            auto_logouts: counters.auto_logouts,
            asked_to_move: counters.asked_to_move,
            moved: counters.moved,
        }),
        is_final: report.is_final,
        present_sessions: report.present_sessions,
        revision: report.revision.to_string(),
        ready: report.ready,
        protected_sessions: report.protected_sessions,
        handoff: handoff_to_wire(report.handoff).into(),
    }
}
