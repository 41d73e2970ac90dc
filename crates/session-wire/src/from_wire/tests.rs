//! Round trips, and what is refused.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::to_wire::{pod_to_wire, session_to_wire, timestamp_to_wire};

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
fn a_session_survives_a_round_trip() {
    assert_eq!(SessionView::try_from(session_to_wire(&session())), Ok(session()));
}

#[test]
fn a_pod_survives_a_round_trip() {
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
fn an_outcome_survives_a_round_trip() {
    let round_trip = |outcome| departure_from_wire(Some(outcome_to_wire(outcome).into()));
    for outcome in Outcome::ALL {
        assert_eq!(round_trip(Some(outcome)), Departure::Ended(outcome));
    }
    assert_eq!(round_trip(None), Departure::Renamed);
    assert_eq!((departure_from_wire(Some(99)), departure_from_wire(None)), (Departure::Unknown, Departure::Unknown));
}

#[test]
fn each_invalid_field_is_refused_by_name() {
    type Corrupt = fn(&mut v1::Session);
    let cases: [(Corrupt, InvalidMessage); 7] = [
        (|s| s.session_id = "7".into(), InvalidMessage::SessionId),
        (|s| s.pod.clear(), InvalidMessage::PodName),
        (|s| s.user = "x".repeat(65), InvalidMessage::UserName),
        (|s| s.user = "a\u{202E}b".into(), InvalidMessage::UserName),
        (|s| s.login_time = None, InvalidMessage::Missing("login_time")),
        (|s| s.login_time = Some(WireTime { seconds: 1, nanos: -1 }), InvalidMessage::Time("login_time")),
        (|s| s.last_activity = Some(WireTime::default()), InvalidMessage::ActivityBeforeLogin),
    ];
    for (corrupt, expected) in cases {
        let mut wire = session_to_wire(&session());
        corrupt(&mut wire);
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
    fn every_valid_time_survives_a_round_trip(millis in -62_135_596_800_000..=Timestamp::MAX.as_millis()) {
        let time_sent = Timestamp::from_millis(millis);
        prop_assert_eq!(time(timestamp_to_wire(time_sent), "t"), Ok(time_sent));
    }
}
