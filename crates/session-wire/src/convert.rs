//! Conversions between wire and domain. Towards the wire they cannot fail; from it they refuse what is [`InvalidMessage`].

use prost_types::Timestamp as WireTime;
use session_domain::{
    Counters, Departure, Outcome, Phase, PodName, PodReport, SessionId, SessionView, Timestamp, UserName,
};

use crate::error::InvalidMessage;
use crate::v1;

/// Characters that are kept of a version or a revision.
const MAX_TEXT_CHARS: usize = 100;

/// Writes a time.
pub fn timestamp_to_wire(time: Timestamp) -> WireTime {
    let millis = time.as_millis();
    let nanos = i32::try_from(millis.rem_euclid(1000) * 1_000_000).unwrap_or(0);
    WireTime { seconds: millis.div_euclid(1000), nanos }
}

/// Writes a phase.
pub fn phase_to_wire(phase: Phase) -> v1::Phase {
    match phase {
        Phase::Serving => v1::Phase::Serving,
        Phase::Maintenance => v1::Phase::Maintenance,
        Phase::Draining => v1::Phase::Draining,
        Phase::Propagating => v1::Phase::Propagating,
    }
}

/// Writes how a session ended; one that was given another id did not.
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

/// Reads how a session went. What a newer pod calls it is not known here, and no reason to doubt the pod.
pub fn departure_from_wire(outcome: Option<i32>) -> Departure {
    let Some(Ok(outcome)) = outcome.map(v1::Outcome::try_from) else { return Departure::Unknown };
    let known = Outcome::ALL.into_iter().find(|known| outcome_to_wire(Some(*known)) == outcome);
    known.map_or(Departure::Renamed, Departure::Ended)
}

/// Writes a session.
pub fn session_to_wire(session: &SessionView) -> v1::Session {
    v1::Session {
        session_id: session.id.to_string(),
        user: session.user.to_string(),
        login_time: Some(timestamp_to_wire(session.login_time)),
        last_activity: Some(timestamp_to_wire(session.last_activity)),
        pod: session.pod.to_string(),
        event_streams: session.event_streams,
        websockets: session.websockets,
        active_tasks: session.active_tasks,
        in_flight_requests: session.in_flight_requests,
        notified: session.notified,
        present: session.present,
    }
}

/// Writes what a pod says of itself.
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
            asked_to_move: 0,
            moved: counters.moved,
        }),
        is_final: report.is_final,
        present_sessions: report.present_sessions,
        revision: report.revision.to_string(),
        ready: report.ready,
    }
}

impl TryFrom<v1::Session> for SessionView {
    type Error = InvalidMessage;

    /// Reads a session.
    ///
    /// # Errors
    /// Where an id, a name or a time makes no sense. A time in the future does make sense: clocks differ.
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
            active_tasks: session.active_tasks,
            in_flight_requests: session.in_flight_requests,
            notified: session.notified,
            present: session.present,
        })
    }
}

impl TryFrom<v1::Pod> for PodReport {
    type Error = InvalidMessage;

    /// Reads what a pod says of itself.
    ///
    /// # Errors
    /// Where its name, its phase or a time makes no sense.
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
            ready: pod.ready,
            revision: short_text(&pod.revision).into(),
            version: short_text(&pod.version),
            counters: Counters {
                drain_notifications_sent: counters.drain_notifications_sent,
                graceful_logouts: counters.graceful_logouts,
                auto_logouts: counters.auto_logouts,
                forced_logouts: counters.forced_logouts,
                moved: counters.moved,
                logins: counters.logins,
                websocket_connections: counters.websocket_connections,
            },
            is_final: pod.is_final,
        })
    }
}

/// A version or a revision as a page can show it, however long it was sent.
fn short_text(text: &str) -> String {
    text.chars().take(MAX_TEXT_CHARS).filter(|c| !c.is_control()).collect()
}

fn session_id(text: &str) -> Result<SessionId, InvalidMessage> {
    text.parse().map_err(|_| InvalidMessage::SessionId)
}

fn pod_name(text: &str) -> Result<PodName, InvalidMessage> {
    PodName::new(text).ok_or(InvalidMessage::PodName)
}

/// Pods of another version may write a name in another normal form.
fn user_name(text: &str) -> Result<UserName, InvalidMessage> {
    UserName::from_peer(text).ok_or(InvalidMessage::UserName)
}

fn phase(number: i32) -> Result<Phase, InvalidMessage> {
    match v1::Phase::try_from(number) {
        Ok(v1::Phase::Serving) => Ok(Phase::Serving),
        Ok(v1::Phase::Maintenance) => Ok(Phase::Maintenance),
        Ok(v1::Phase::Draining) => Ok(Phase::Draining),
        Ok(v1::Phase::Propagating) => Ok(Phase::Propagating),
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
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn session() -> SessionView {
        SessionView {
            id: SessionId::from_uuid(Uuid::from_u128(7)),
            user: UserName::from_input("ada"),
            login_time: Timestamp::from_millis(1_000),
            last_activity: Timestamp::from_millis(2_500),
            pod: PodName::new("user-1").unwrap(),
            event_streams: 1,
            websockets: 0,
            active_tasks: 0,
            in_flight_requests: 2,
            notified: true,
            present: Some(true),
        }
    }

    #[test]
    fn a_session_survives_the_way_there_and_back() {
        assert_eq!(SessionView::try_from(session_to_wire(&session())), Ok(session()));
    }

    #[test]
    fn a_pod_survives_the_way_there_and_back() {
        let report = PodReport {
            pod: PodName::new("user-1").unwrap(),
            phase: Phase::Draining,
            started_at: Timestamp::from_millis(1),
            drain_started_at: Some(Timestamp::from_millis(2)),
            forced_logout_at: Some(Timestamp::from_millis(60_002)),
            active_sessions: 3,
            present_sessions: Some(2),
            ready: Some(false),
            revision: "7d9f".into(),
            version: "0.1.0 (abc)".into(),
            counters: Counters {
                drain_notifications_sent: 1,
                graceful_logouts: 2,
                auto_logouts: 3,
                forced_logouts: 4,
                moved: 5,
                logins: 6,
                websocket_connections: 7,
            },
            is_final: true,
        };
        assert_eq!(PodReport::try_from(pod_to_wire(&report)), Ok(report));
    }

    #[test]
    fn an_outcome_survives_the_way_there_and_back() {
        let there_and_back = |outcome| departure_from_wire(Some(outcome_to_wire(outcome).into()));
        for outcome in Outcome::ALL {
            assert_eq!(there_and_back(Some(outcome)), Departure::Ended(outcome));
        }
        assert_eq!(there_and_back(None), Departure::Renamed);
        assert_eq!(
            (departure_from_wire(Some(99)), departure_from_wire(None)),
            (Departure::Unknown, Departure::Unknown)
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        type Spoil = fn(&mut v1::Session);
        let cases: [(Spoil, InvalidMessage); 7] = [
            (|s| s.session_id = "7".into(), InvalidMessage::SessionId),
            (|s| s.pod.clear(), InvalidMessage::PodName),
            (|s| s.user = "x".repeat(65), InvalidMessage::UserName),
            (|s| s.user = "a\u{202E}b".into(), InvalidMessage::UserName),
            (|s| s.login_time = None, InvalidMessage::Missing("login_time")),
            (|s| s.login_time = Some(WireTime { seconds: 1, nanos: -1 }), InvalidMessage::Time("login_time")),
            (|s| s.last_activity = Some(WireTime::default()), InvalidMessage::ActivityBeforeLogin),
        ];
        for (spoil, expected) in cases {
            let mut wire = session_to_wire(&session());
            spoil(&mut wire);
            assert_eq!(SessionView::try_from(wire), Err(expected));
        }
    }

    #[test]
    fn an_unknown_phase_is_refused() {
        for number in [0, 5, -1] {
            assert_eq!(phase(number), Err(InvalidMessage::Phase(number)));
        }
    }

    proptest! {
        #[test]
        fn no_time_on_the_wire_panics(seconds: i64, nanos: i32) {
            let _ = time(WireTime { seconds, nanos }, "t");
        }

        #[test]
        fn every_writable_time_survives(millis in -62_135_596_800_000..=Timestamp::MAX.as_millis()) {
            let there = Timestamp::from_millis(millis);
            prop_assert_eq!(time(timestamp_to_wire(there), "t"), Ok(there));
        }
    }
}
