//! Pods that answer, contradict themselves, become unreachable, exit and come back.

use std::collections::HashSet;

use proptest::prelude::*;
use session_domain::{Phase, PodReport};

use crate::test_fleet::{at, discovered, fleet, health, pod_event, report, session, watch};
use crate::{Address, CursorParams, DiscoveredPod, Filter, Fleet, PodEvent, PodHealth, Query};

mod counts;

#[test]
fn a_pod_that_has_not_answered_makes_the_view_incomplete() {
    let mut fleet = fleet(&[("a:1", "user-1", vec![session(1, "user-1", 90)])]);
    assert!(fleet.view().is_complete());
    fleet.apply_discovery(&discovered(&["a:1", "b:1"]), at(100));
    assert!(!fleet.view().is_complete());
    assert_eq!(fleet.view().total_sessions(), 1);
}

#[test]
fn the_sessions_of_an_unreachable_pod_stay_and_are_stale_until_it_is_back() {
    let mut fleet = fleet(&[("a:1", "user-1", vec![session(1, "user-1", 90)])]);
    let address = Address::new("a:1");
    fleet.apply(&address, PodEvent::Unreachable("refused".into()), at(110));
    let view = fleet.view();
    assert_eq!((view.total_sessions(), view.is_complete(), view.unreachable().count()), (1, false, 1));
    let query = Query::parse(Filter::default(), None, None, CursorParams::default(), 10).unwrap();
    assert!(view.is_stale(view.sessions(&query).rows[0]));

    watch(&mut fleet, &address, "user-1", vec![]);
    assert_eq!((fleet.view().total_sessions(), fleet.view().is_complete()), (0, true));
    assert_eq!(view.total_sessions(), 1, "an older view stays as it was");
}

#[test]
fn a_pod_whose_last_report_was_final_has_finished_and_is_not_unreachable() {
    let mut fleet = fleet(&[("a:1", "user-1", vec![session(1, "user-1", 90)])]);
    let address = Address::new("a:1");
    let last = PodReport { is_final: true, ..report("user-1", Phase::Propagating, 0) };
    fleet.apply(&address, PodEvent::Report(last), at(120));
    fleet.apply(&address, PodEvent::Unreachable("refused".into()), at(121));
    assert_eq!(health(&fleet, "a:1"), PodHealth::Finished);
    assert_eq!(fleet.view().total_sessions(), 0);
    watch(&mut fleet, &address, "user-1", vec![session(2, "user-1", 90)]);
    assert_eq!(health(&fleet, "a:1"), PodHealth::Live, "another process took its place");
}

#[test]
fn a_session_claimed_twice_is_counted_once_where_it_was_active_last() {
    let fleet = fleet(&[
        ("a:1", "user-1", vec![session(1, "user-1", 90)]),
        ("b:1", "user-2", vec![session(1, "user-2", 95), session(2, "user-2", 90)]),
    ]);
    let view = fleet.view();
    assert_eq!(view.total_sessions(), 2);
    let query = Query::parse(Filter::new("user-2", "", ""), None, None, CursorParams::default(), 10).unwrap();
    assert_eq!(view.sessions(&query).total, 2);
    assert_eq!(view.pod(&Address::new("a:1")).unwrap().disputed, 1);
}

#[test]
fn inconsistent_data_is_reported_and_does_not_affect_other_pods() {
    let far = session(3, "user-1", 10_000_000);
    let mut fleet = fleet(&[
        ("a:1", "user-1", vec![session(1, "user-1", 90), session(2, "user-9", 90), far]),
        ("b:1", "user-2", vec![session(4, "user-2", 90)]),
        ("c:1", "user-2", vec![]),
    ]);
    let PodHealth::Inconsistent(reason) = health(&fleet, "a:1") else { panic!("it counts as consistent") };
    assert!(reason.contains("user-9") && reason.contains("clock"), "{reason}");
    let PodHealth::Inconsistent(reason) = health(&fleet, "b:1") else { panic!("it counts as consistent") };
    assert!(reason.contains("c:1"), "{reason}");
    assert_eq!(fleet.view().total_sessions(), 3);
    assert!(!fleet.view().is_complete());
    fleet.apply_discovery(&discovered(&["a:1", "b:1"]), at(100));
    fleet.apply(&Address::new("c:1"), PodEvent::Unreachable("refused".into()), at(100));
    fleet.expire(at(100));
    assert_eq!(health(&fleet, "b:1"), PodHealth::Live);
}

#[test]
fn the_progress_of_a_drain_is_measured_from_the_sessions_present_at_its_start() {
    let mut fleet = fleet(&[("a:1", "user-1", (1..=4).map(|n| session(n, "user-1", 90)).collect())]);
    let address = Address::new("a:1");
    for left in [4, 2] {
        fleet.apply(&address, PodEvent::Report(report("user-1", Phase::Draining, left)), at(100));
        assert_eq!(fleet.view().pod(&address).unwrap().present_at_drain_start, Some(4));
    }
}

#[test]
fn an_upgrade_is_safe_when_the_view_is_complete_no_session_is_present_and_every_pod_is_in_maintenance() {
    let mut fleet = fleet(&[("a:1", "user-1", vec![])]);
    assert!(!fleet.view().is_safe_to_upgrade(), "the pod serves");
    let address = Address::new("a:1");
    fleet.apply(&address, PodEvent::Report(report("user-1", Phase::Maintenance, 0)), at(100));
    assert!(fleet.view().is_safe_to_upgrade());
    fleet.set_discovery_error(Some("no such name"));
    assert!(!fleet.view().is_safe_to_upgrade(), "unknown pods may run");
    fleet.set_discovery_error(None);
    assert!(fleet.view().is_safe_to_upgrade());
    fleet.apply(&address, PodEvent::Unreachable("gone".into()), at(101));
    assert!(!fleet.view().is_safe_to_upgrade(), "the pod is unreachable");
}

proptest! {
    #[test]
    fn each_session_is_counted_once_whatever_pods_send(history in prop::collection::vec((0..3_u8, pod_event()), 0..60)) {
        let mut fleet = Fleet::new();
        let addresses: Vec<_> = (0..3).map(|n| Address::new(&format!("{n}:1"))).collect();
        fleet.apply_discovery(&addresses.iter().cloned().map(DiscoveredPod::at).collect::<Vec<_>>(), at(1));
        for (pod, event) in history {
            fleet.apply(&addresses[usize::from(pod)], event, at(150));
            let view = fleet.view();
            let query = Query::parse(Filter::default(), None, Some("1000"), CursorParams::default(), 10).unwrap();
            let ids: Vec<_> = view.sessions(&query).rows.iter().map(|row| row.session.id).collect();
            let distinct: HashSet<_> = ids.iter().collect();
            prop_assert_eq!(distinct.len(), ids.len());
            prop_assert_eq!(view.total_sessions(), ids.len() as u64);
        }
        addresses.iter().for_each(|address| fleet.remove(address));
        prop_assert_eq!(fleet.view().total_sessions(), 0);
        prop_assert!(fleet.ledger.claims.disputed(&addresses[0]) == 0);
    }
}
