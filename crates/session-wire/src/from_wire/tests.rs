//! Round trips, and what is refused.

use proptest::prelude::*;
use session_domain::TaskId;
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
        tasks: vec![task()],
        in_flight_requests: 2,
        notified: true,
        asked_to_move: true,
        present: Some(true),
        protected: Some(true),
    }
}

fn task() -> TaskView {
    TaskView {
        id: TaskId::from_uuid(Uuid::from_u128(8)),
        kind: "export".into(),
        label: "Report of July".into(),
        progress: Some(0.25),
        lease_until: Some(Timestamp::from_millis(60_500)),
    }
}

#[test]
fn a_session_survives_a_round_trip() {
    assert_eq!(SessionView::try_from(session_to_wire(&session())), Ok(session()));
}

#[test]
fn a_session_of_a_pod_that_knows_no_tasks_is_read() {
    let mut wire = session_to_wire(&session());
    (wire.tasks, wire.protected, wire.active_tasks) = (Vec::new(), None, 0);
    let view = SessionView::try_from(wire).unwrap();
    assert_eq!((view.tasks, view.protected), (Vec::new(), None));
}

#[test]
fn what_an_app_calls_its_own_task_is_never_refused() {
    let odd = |progress| TaskView {
        kind: "é".repeat(65).into(),
        label: "a\u{202E}\n b".repeat(99).into(),
        progress: Some(progress),
        lease_until: None,
        ..task()
    };
    let tasks = vec![odd(f64::NAN), odd(f64::INFINITY), odd(7.0), odd(-1.0)];
    let sent = session_to_wire(&SessionView { tasks: [tasks, vec![task(); 200]].concat(), ..session() });
    let read = SessionView::try_from(sent).unwrap().tasks;
    assert_eq!(read.len(), MAX_TASKS_PER_SESSION);
    assert_eq!(read[..4].iter().map(|task| task.progress).collect::<Vec<_>>(), [None, None, Some(1.0), Some(0.0)]);
    assert!(*read[0].kind == "é".repeat(64) && read[0].label.starts_with("a ba ba b"), "{:?}", read[0]);
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
        protected_sessions: Some(1),
        handoff: Some(HandoffState::Stalled),
        ready: Some(false),
        revision: "7d9f".into(),
        version: "0.1.0 (abc)".into(),
        counters: Counters {
            drain_notifications_sent: 1,
            graceful_logouts: 2,
            auto_logouts: 3,
            forced_logouts: 4,
            moved: 5,
            asked_to_move: 8,
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
    let cases: [(Corrupt, InvalidMessage); 15] = [
        (|s| s.session_id = "7".into(), InvalidMessage::SessionId),
        (|s| s.pod.clear(), InvalidMessage::PodName),
        (|s| s.user = "x".repeat(65), InvalidMessage::UserName),
        (|s| s.user = "a\u{202E}b".into(), InvalidMessage::UserName),
        (|s| s.login_time = None, InvalidMessage::Missing("login_time")),
        (|s| s.login_time = Some(WireTime { seconds: 1, nanos: -1 }), InvalidMessage::Time("login_time")),
        (|s| s.last_activity = Some(WireTime::default()), InvalidMessage::ActivityBeforeLogin),
        (|s| s.tasks[0].task_id = "8".into(), InvalidMessage::TaskId),
        (|s| s.tasks[0].progress = Some(1.01), InvalidMessage::TaskProgress),
        (|s| s.tasks[0].progress = Some(-0.01), InvalidMessage::TaskProgress),
        (|s| s.tasks[0].progress = Some(f64::NAN), InvalidMessage::TaskProgress),
        (|s| s.tasks[0].kind = "é".repeat(65), InvalidMessage::TooLong("task kind")),
        (|s| s.tasks[0].label = "é".repeat(201), InvalidMessage::TooLong("task label")),
        (|s| s.tasks[0].lease_until = Some(WireTime { seconds: 1, nanos: -1 }), InvalidMessage::Time("lease_until")),
        (|s| s.tasks = vec![s.tasks[0].clone(); 101], InvalidMessage::TooManyTasks),
    ];
    for (corrupt, expected) in cases {
        let mut wire = session_to_wire(&session());
        corrupt(&mut wire);
        assert_eq!(SessionView::try_from(wire), Err(expected));
    }
}

#[test]
fn every_phase_survives_a_round_trip() {
    for known in Phase::ALL {
        assert_eq!(phase(crate::to_wire::phase_to_wire(known).into()), Ok(known));
    }
}

#[test]
fn an_unknown_phase_is_refused() {
    for number in [0, 6, -1] {
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
