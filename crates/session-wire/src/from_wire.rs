//! Conversions from the wire to the domain. They refuse what is not valid.

use std::sync::Arc;

use prost_types::Timestamp as WireTime;
use session_domain::{
    Counters, Departure, HandoffState, MAX_TASK_KIND_CHARS, MAX_TASK_LABEL_CHARS, MAX_TASKS_PER_SESSION, Outcome,
    Phase, PodName, PodReport, SessionId, SessionView, TaskView, Timestamp, UserName, visible_line,
};

use crate::error::InvalidMessage;
use crate::to_wire::outcome_to_wire;
use crate::v1;

/// The greatest length of a version or a revision, in characters. The rest is cut off.
const MAX_TEXT_CHARS: usize = 100;

/// Converts how a session left a pod. An outcome of a newer version is [`Departure::Unknown`], not an error.
pub fn departure_from_wire(outcome: Option<i32>) -> Departure {
    let Some(Ok(outcome)) = outcome.map(v1::Outcome::try_from) else { return Departure::Unknown };
    let known = Outcome::ALL.into_iter().find(|known| outcome_to_wire(Some(*known)) == outcome);
    known.map_or(Departure::Renamed, Departure::Ended)
}

impl TryFrom<v1::Session> for SessionView {
    type Error = InvalidMessage;

    /// Converts a session.
    ///
    /// # Errors
    /// If an id, a name, a time or a task is not valid, or there are too many tasks. Times in the future are valid, since clocks differ.
    fn try_from(session: v1::Session) -> Result<Self, InvalidMessage> {
        let login_time = required_time(session.login_time, "login_time")?;
        let last_activity = required_time(session.last_activity, "last_activity")?;
        if last_activity < login_time {
            return Err(InvalidMessage::ActivityBeforeLogin);
        }
        Ok(Self {
            id: session_id(&session.session_id)?,
            user: user_name(&session.user)?,
            login_time,
            last_activity,
            pod: pod_name(&session.pod)?,
            event_streams: session.event_streams,
            websockets: session.websockets,
            tasks: tasks(session.tasks)?,
            in_flight_requests: session.in_flight_requests,
            notified: session.notified,
            asked_to_move: session.asked_to_move,
            present: session.present,
            protected: session.protected,
        })
    }
}

impl TryFrom<v1::Pod> for PodReport {
    type Error = InvalidMessage;

    /// Converts the report of a pod.
    ///
    /// # Errors
    /// If its name, its phase or a time is not valid, or its counters are missing.
    fn try_from(pod: v1::Pod) -> Result<Self, InvalidMessage> {
        let counters = pod.counters.ok_or(InvalidMessage::Missing("counters"))?;
        Ok(Self {
            pod: pod_name(&pod.pod)?,
            phase: phase(pod.phase)?,
            started_at: required_time(pod.started_at, "started_at")?,
            drain_started_at: pod.drain_started_at.map(|t| time(t, "drain_started_at")).transpose()?,
            forced_logout_at: pod.forced_logout_at.map(|t| time(t, "forced_logout_at")).transpose()?,
            active_sessions: pod.active_sessions,
            present_sessions: pod.present_sessions,
            protected_sessions: pod.protected_sessions,
            handoff: handoff(pod.handoff),
            ready: pod.ready,
            revision: short_text(&pod.revision).into(),
            version: short_text(&pod.version),
            counters: Counters {
                drain_notifications_sent: counters.drain_notifications_sent,
                graceful_logouts: counters.graceful_logouts,
                auto_logouts: counters.auto_logouts,
                forced_logouts: counters.forced_logouts,
                asked_to_move: counters.asked_to_move,
                moved: counters.moved,
                logins: counters.logins,
                websocket_connections: counters.websocket_connections,
            },
            is_final: pod.is_final,
        })
    }
}

fn tasks(tasks: Vec<v1::Task>) -> Result<Vec<TaskView>, InvalidMessage> {
    if tasks.len() > MAX_TASKS_PER_SESSION {
        return Err(InvalidMessage::TooManyTasks);
    }
    tasks.into_iter().map(TaskView::try_from).collect()
}

impl TryFrom<v1::Task> for TaskView {
    type Error = InvalidMessage;

    /// Converts a task. Its kind and label become one line of visible text: they come from users.
    ///
    /// # Errors
    /// If its id or its time is not valid, its kind or label too long, or its progress not between 0 and 1.
    fn try_from(task: v1::Task) -> Result<Self, InvalidMessage> {
        // NaN is in no range.
        if task.progress.is_some_and(|progress| !(0.0..=1.0).contains(&progress)) {
            return Err(InvalidMessage::TaskProgress);
        }
        Ok(Self {
            id: task.task_id.parse().map_err(|_| InvalidMessage::TaskId)?,
            kind: task_text(&task.kind, MAX_TASK_KIND_CHARS, "task kind")?,
            label: task_text(&task.label, MAX_TASK_LABEL_CHARS, "task label")?,
            progress: task.progress,
            lease_until: task.lease_until.map(|t| time(t, "lease_until")).transpose()?,
        })
    }
}

fn task_text(text: &str, max_chars: usize, field: &'static str) -> Result<Arc<str>, InvalidMessage> {
    if text.chars().nth(max_chars).is_some() {
        return Err(InvalidMessage::TooLong(field));
    }
    Ok(visible_line(text).into())
}

/// Makes a version or a revision printable, whatever the pod sent.
fn short_text(text: &str) -> String {
    text.chars().take(MAX_TEXT_CHARS).filter(|c| !c.is_control()).collect()
}

fn session_id(text: &str) -> Result<SessionId, InvalidMessage> {
    text.parse().map_err(|_| InvalidMessage::SessionId)
}

fn pod_name(text: &str) -> Result<PodName, InvalidMessage> {
    PodName::new(text).ok_or(InvalidMessage::PodName)
}

/// Normalizes the name, since pods of another version may use another normal form.
fn user_name(text: &str) -> Result<UserName, InvalidMessage> {
    UserName::from_peer(text).ok_or(InvalidMessage::UserName)
}

/// A state that a later release adds is not known, and nothing depends on it.
fn handoff(number: i32) -> Option<HandoffState> {
    match v1::HandoffState::try_from(number) {
        Ok(v1::HandoffState::Delayed) => Some(HandoffState::Delayed),
        Ok(v1::HandoffState::Moving) => Some(HandoffState::Moving),
        Ok(v1::HandoffState::Stalled) => Some(HandoffState::Stalled),
        Ok(v1::HandoffState::Unspecified) | Err(_) => None,
    }
}

fn phase(number: i32) -> Result<Phase, InvalidMessage> {
    match v1::Phase::try_from(number) {
        Ok(v1::Phase::Serving) => Ok(Phase::Serving),
        Ok(v1::Phase::Maintenance) => Ok(Phase::Maintenance),
        Ok(v1::Phase::Draining) => Ok(Phase::Draining),
        Ok(v1::Phase::Propagating) => Ok(Phase::Propagating),
        Ok(v1::Phase::Closing) => Ok(Phase::Closing),
        Ok(v1::Phase::Unspecified) | Err(_) => Err(InvalidMessage::Phase(number)),
    }
}

fn required_time(wire: Option<WireTime>, field: &'static str) -> Result<Timestamp, InvalidMessage> {
    time(wire.ok_or(InvalidMessage::Missing(field))?, field)
}

fn time(wire: WireTime, field: &'static str) -> Result<Timestamp, InvalidMessage> {
    const FIRST_SECOND: i64 = -62_135_596_800; // 0001-01-01T00:00:00Z, where the protobuf type begins
    let last_second = Timestamp::MAX.as_millis() / 1000;
    let in_range = (FIRST_SECOND..=last_second).contains(&wire.seconds) && (0..1_000_000_000).contains(&wire.nanos);
    if !in_range {
        return Err(InvalidMessage::Time(field));
    }
    Ok(Timestamp::from_millis(wire.seconds * 1000 + i64::from(wire.nanos / 1_000_000)))
}

#[cfg(test)]
mod tests;
