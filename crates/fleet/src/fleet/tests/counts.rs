//! Pods that count other sessions than they list, list too many, and say whether they are ready.

use session_domain::{Departure, Phase, PodReport, SessionView, TaskId, TaskView};
use uuid::Uuid;

use crate::test_fleet::{at, fleet, health, report, session};
use crate::{Address, Conditions, DiscoveredPod, Fleet, MAX_SESSIONS_PER_POD, MAX_TASKS_PER_POD, PodEvent, PodHealth};

/// A pod in maintenance that has listed session 1 and counts `counted` sessions.
fn counting(counted: u64) -> (Fleet, Address) {
    let mut fleet = fleet(&[("a:1", "user-1", vec![session(1, "user-1", 90)])]);
    let address = Address::new("a:1");
    fleet.apply(&address, PodEvent::Report(report("user-1", Phase::Maintenance, counted)), at(100));
    (fleet, address)
}

#[test]
fn a_lasting_miscount_makes_the_view_incomplete_and_requests_the_list_again() {
    let (mut fleet, address) = counting(2);
    fleet.expire(at(102));
    assert!(fleet.view().is_complete() && fleet.take_relists(at(102)).is_empty(), "a short difference does not count");
    let found = (103..110).find(|now| fleet.expire(at(*now)));
    assert_eq!(found, Some(106), "it counts by time alone");
    let PodHealth::Inconsistent(reason) = health(&fleet, "a:1") else { panic!("it counts as consistent") };
    assert_eq!(reason, "counts 2 sessions and has listed 1; its list is asked for again");
    assert!(!fleet.view().is_complete());
    assert_eq!(fleet.take_relists(at(106)), std::slice::from_ref(&address));
    assert!(fleet.take_relists(at(106)).is_empty(), "once an interval");

    // The miscount stays until the new snapshot is complete.
    fleet.apply(&address, PodEvent::WatchStarted, at(107));
    assert!(!fleet.view().is_complete() && fleet.take_relists(at(200)).is_empty());
    fleet.apply(&address, PodEvent::Report(report("user-1", Phase::Maintenance, 2)), at(107));
    let both = vec![session(1, "user-1", 90), session(2, "user-1", 90)];
    fleet.apply(&address, PodEvent::Snapshot { sessions: both, end: true }, at(107));
    assert_eq!((health(&fleet, "a:1"), fleet.view().total_sessions()), (PodHealth::Live, 2));
}

#[test]
fn an_upgrade_is_never_safe_while_a_pod_counts_a_session_that_it_has_not_listed() {
    let (mut fleet, address) = counting(1);
    let gone = vec![(session(1, "user-1", 90).id, Departure::Unknown)];
    fleet.apply(&address, PodEvent::Changes { upserts: vec![], removals: gone }, at(100));
    assert_eq!(fleet.view().total_sessions(), 0);
    assert!(!fleet.view().is_safe_to_upgrade(), "from the first moment on");
    fleet.apply(&address, PodEvent::Report(report("user-1", Phase::Maintenance, 0)), at(101));
    assert!(fleet.view().is_safe_to_upgrade());
}

#[test]
fn a_pod_that_lists_too_many_sessions_is_limited_and_marked_and_takes_no_room_from_others() {
    let mut fleet = fleet(&[("a:1", "user-1", vec![]), ("b:1", "user-2", vec![])]);
    let (faulty, sound) = (Address::new("a:1"), Address::new("b:1"));
    let part = |from: usize, pod: &str| (from..from + 1_000).map(|n| session(n as u128 + 1, pod, 90)).collect();
    for from in (0..MAX_SESSIONS_PER_POD + 2_000).step_by(1_000) {
        fleet.apply(&faulty, PodEvent::Changes { upserts: part(from, "user-1"), removals: vec![] }, at(100));
    }
    assert_eq!(fleet.view().total_sessions(), MAX_SESSIONS_PER_POD as u64);
    let PodHealth::Inconsistent(reason) = health(&fleet, "a:1") else { panic!("it counts as consistent") };
    assert!(reason.contains("lists more than 200000 sessions, the others are left out"), "{reason}");
    assert!(!fleet.view().is_complete());
    fleet.apply(&sound, PodEvent::Changes { upserts: part(900_000, "user-2"), removals: vec![] }, at(100));
    assert_eq!(fleet.view().total_sessions(), MAX_SESSIONS_PER_POD as u64 + 1_000);
    fleet.apply(&faulty, PodEvent::WatchStarted, at(101));
    fleet.apply(&faulty, PodEvent::Report(report("user-1", Phase::Serving, 0)), at(101));
    assert!(!fleet.view().is_complete(), "it stays inconsistent until its new list is complete");
    fleet.apply(&faulty, PodEvent::Snapshot { sessions: vec![], end: true }, at(101));
    assert_eq!((health(&fleet, "a:1"), fleet.view().total_sessions()), (PodHealth::Live, 1_000));
    assert_eq!(fleet.ledger.claims.count(), 1_000);
}

#[test]
fn a_pod_is_ready_as_it_reports_unless_discovery_says_that_it_is_not() {
    let ready = |reported: Option<bool>, discovered: Option<bool>, lost: bool| {
        let mut fleet = Fleet::new();
        let address = Address::new("a:1");
        let conditions = Conditions { ready: discovered, ..Conditions::default() };
        fleet.apply_discovery(&[DiscoveredPod { conditions, ..DiscoveredPod::at(address.clone()) }], at(90));
        fleet.apply(&address, PodEvent::WatchStarted, at(100));
        fleet.apply(
            &address,
            PodEvent::Report(PodReport { ready: reported, ..report("user-1", Phase::Serving, 0) }),
            at(100),
        );
        fleet.apply(&address, PodEvent::Snapshot { sessions: vec![], end: true }, at(100));
        if lost {
            fleet.apply(&address, PodEvent::Unreachable("refused".into()), at(101));
        }
        fleet.view().pods()[0].is_ready()
    };
    let (yes, no) = (Some(true), Some(false));
    for (reported, discovered, lost, is) in [
        (yes, yes, false, yes),
        (no, yes, false, no),
        (yes, no, false, no),
        (yes, None, false, yes),
        (None, yes, false, yes),
        (None, None, false, None),
        (yes, yes, true, None),
        (yes, no, true, no),
    ] {
        assert_eq!(ready(reported, discovered, lost), is, "{reported:?} {discovered:?} {lost}");
    }
}

#[test]
fn the_tasks_of_a_pod_with_too_many_are_left_out_and_its_sessions_stay() {
    let task = |n: u128| TaskView {
        id: TaskId::from_uuid(Uuid::from_u128(n)),
        kind: "export".into(),
        label: "".into(),
        progress: None,
        lease_until: None,
    };
    let busy = |n: u128| SessionView { tasks: vec![task(n); 100], protected: Some(true), ..session(n, "user-1", 90) };
    let sessions: Vec<_> = (1..=MAX_TASKS_PER_POD as u128 / 100 + 1).map(busy).collect();
    let mut fleet = fleet(&[("a", "user-1", sessions.clone())]);
    let tasks = |fleet: &Fleet| -> usize {
        sessions.iter().map(|session| fleet.view().row(session.id).unwrap().session.tasks.len()).sum()
    };
    let pod = |fleet: &Fleet| fleet.view().pods()[0].clone();
    assert_eq!((tasks(&fleet), pod(&fleet).has_tasks_left_out), (MAX_TASKS_PER_POD, true));
    assert_eq!(health(&fleet, "a"), PodHealth::Live);
    assert_eq!(
        fleet.view().work(&pod(&fleet)).unwrap().protected,
        sessions.len() as u64,
        "they are counted all the same"
    );
    // Where tasks end, others are shown again.
    let done = SessionView { tasks: Vec::new(), ..sessions[0].clone() };
    let upserts = vec![done, sessions.last().unwrap().clone()];
    fleet.apply(&Address::new("a"), PodEvent::Changes { upserts, removals: Vec::new() }, at(101));
    assert_eq!(tasks(&fleet), MAX_TASKS_PER_POD);
    fleet.apply(
        &Address::new("a"),
        PodEvent::Changes { upserts: Vec::new(), removals: vec![(sessions[1].id, Departure::Unknown)] },
        at(102),
    );
    fleet.apply(
        &Address::new("a"),
        PodEvent::Changes { upserts: vec![sessions[0].clone()], removals: Vec::new() },
        at(103),
    );
    assert_eq!(fleet.view().row(sessions[0].id).unwrap().session.tasks.len(), 100);
}
