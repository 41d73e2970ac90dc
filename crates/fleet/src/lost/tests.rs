//! Silent pods that leave: after their time, because the store says so, or because an operator does.

use super::super::tests::{at, fleet, listen, named, session};
use super::super::{DiscoveredPod, FORGET_AFTER, PodEvent, PodHealth};
use super::*;

const A: &str = "a:1";
const B: &str = "b:1";

/// Two pods with sessions 1 and 2 on the first, of which the first is lost at 110 s.
fn one_lost() -> Fleet {
    let mut fleet = fleet(&[
        (A, "user-1", vec![session(1, "user-1", 90), session(2, "user-1", 90)]),
        (B, "user-2", vec![session(3, "user-2", 90)]),
    ]);
    fleet.apply(&Address::new(A), PodEvent::Unreachable("refused".into()), at(110));
    fleet
}

fn addresses(fleet: &Fleet) -> Vec<String> {
    fleet.view().pods().iter().map(|pod| pod.address.to_string()).collect()
}

fn lost(fleet: &Fleet) -> Vec<(String, u64, LeaveReason)> {
    fleet.view().lost_pods().map(|lost| (lost.pod.clone(), lost.sessions, lost.reason)).collect()
}

/// A store that knows no lease of `user-1`, and these of its sessions.
fn store(orphans: &[u128]) -> impl Fn(&PodName) -> Option<StoreRecord> {
    let orphans = orphans.iter().map(|n| session(*n, "user-1", 1).id).collect();
    move |pod| match pod.as_str() {
        "user-1" => Some(StoreRecord { has_lease: false, orphans: HashSet::clone(&orphans) }),
        _ => Some(StoreRecord { has_lease: true, orphans: HashSet::new() }),
    }
}

fn leased(fleet: &mut Fleet, now: i64) {
    fleet.apply_store_records(|_| Some(StoreRecord { has_lease: true, ..StoreRecord::default() }), at(now), at(now));
}

#[test]
fn only_a_silent_pod_can_be_forgotten_by_its_name_or_its_address() {
    let mut fleet = one_lost();
    assert_eq!(fleet.forget("user-9", at(120)), Err(ForgetError::Unknown));
    assert_eq!(fleet.forget("user-2", at(120)), Err(ForgetError::Reachable));
    assert_eq!(fleet.forget(B, at(120)), Err(ForgetError::Reachable));
    fleet.apply_discovery(&named(&[A, B, "c:1"]), at(120));
    assert_eq!(fleet.forget("c:1", at(120)), Err(ForgetError::Waiting));
    let forgotten = fleet.forget("user-1", at(120)).unwrap();
    assert_eq!((forgotten[0].sessions, forgotten[0].last_seen), (2, Some(at(100))));
    assert_eq!(lost(&fleet), [("user-1".to_owned(), 2, LeaveReason::Forgotten)]);
    assert_eq!(fleet.forget("user-1", at(121)), Err(ForgetError::Unknown));
    assert_eq!(fleet.view().total_sessions(), 1);
}

#[test]
fn a_forgotten_pod_that_is_named_still_is_in_sight_again_when_it_is_heard() {
    let mut fleet = one_lost();
    fleet.forget(A, at(120)).unwrap();
    fleet.apply_discovery(&named(&[B, A]), at(121));
    fleet.apply(&Address::new(A), PodEvent::Unreachable("refused".into()), at(122));
    assert_eq!(addresses(&fleet), [B]);
    assert!(
        fleet.view().is_complete() && fleet.watched_addresses().any(|linked| linked.as_str() == A),
        "it is tried again"
    );
    listen(&mut fleet, &Address::new(A), "user-1", vec![session(1, "user-1", 90)]);
    assert_eq!((addresses(&fleet), fleet.view().total_sessions()), (vec![A.to_owned(), B.to_owned()], 2));
    fleet.apply(&Address::new(A), PodEvent::Unreachable("refused".into()), at(130));
    fleet.forget(A, at(131)).unwrap();
    fleet.apply_discovery(&named(&[B]), at(132));
    assert!(!fleet.watched_addresses().any(|linked| linked.as_str() == A), "nobody names it any more");
}

#[test]
fn a_fixed_address_that_stays_silent_leaves_after_its_time_and_a_named_pod_does_not() {
    for (is_fixed, leaves) in [(true, true), (false, false)] {
        let mut fleet = one_lost();
        let found: Vec<_> =
            [A, B].map(|address| DiscoveredPod { is_fixed, ..DiscoveredPod::at(Address::new(address)) }).into();
        fleet.apply_discovery(&found, at(110));
        fleet.expire(at(109).plus(FORGET_AFTER));
        assert_eq!(addresses(&fleet).len(), 2);
        fleet.expire(at(110).plus(FORGET_AFTER));
        assert_eq!(addresses(&fleet).len() == 1, leaves, "fixed: {is_fixed}");
        assert_eq!(!lost(&fleet).is_empty(), leaves);
    }
}

#[test]
fn how_long_a_silent_pod_stays_can_be_said() {
    let mut fleet = Fleet::with_forget_after(Duration::from_secs(30));
    fleet.apply_discovery(&[DiscoveredPod::fixed(Address::new(A))], at(0));
    fleet.apply(&Address::new(A), PodEvent::Unreachable("refused".into()), at(3));
    assert!(!fleet.expire(at(32)) && fleet.expire(at(33)));
    assert_eq!(lost(&fleet), [(A.to_owned(), 0, LeaveReason::Silent)]);
}

#[test]
fn with_a_store_a_gone_pod_leaves_when_its_sessions_are_elsewhere_or_orphans() {
    let mut fleet = one_lost();
    fleet.apply_discovery(&named(&[B]), at(111));
    assert!(!fleet.apply_store_records(store(&[1]), at(112), at(112)), "where the second is nobody knows");
    // It has come to the other pod.
    listen(&mut fleet, &Address::new(B), "user-2", vec![session(2, "user-2", 120), session(3, "user-2", 90)]);
    assert!(fleet.apply_store_records(store(&[1]), at(117), at(118)));
    assert_eq!((addresses(&fleet), fleet.view().total_sessions()), (vec![B.to_owned()], 2));
    assert_eq!(lost(&fleet), [("user-1".to_owned(), 2, LeaveReason::Released)]);
    assert!(fleet.view().is_complete());
}

#[test]
fn a_session_that_nobody_holds_has_ended_once_the_store_has_settled() {
    let mut fleet = one_lost();
    fleet.apply_discovery(&named(&[B]), at(111));
    assert!(!fleet.apply_store_records(store(&[]), at(112), at(112)));
    assert!(
        !fleet.apply_store_records(store(&[]), at(125), at(125)),
        "it never had a lease: the pods may not share this store"
    );
    leased(&mut fleet, 126);
    for (now, leaves) in [(130, false), (139, false), (140, true)] {
        assert_eq!(fleet.apply_store_records(store(&[]), at(now), at(now)), leaves, "{now}");
    }
}

#[test]
fn the_store_moves_no_pod_that_is_heard_or_named_or_was_lost_after_it_was_asked() {
    let mut fleet = one_lost();
    assert!(!fleet.apply_store_records(store(&[1, 2]), at(112), at(112)), "discovery names it");
    fleet.apply_discovery(&named(&[B]), at(113));
    assert!(!fleet.apply_store_records(store(&[1, 2]), at(109), at(114)), "it was heard when the look began");
    leased(&mut fleet, 115);
    assert_eq!(addresses(&fleet), [A, B], "it lives, and only we cannot hear it");
    listen(&mut fleet, &Address::new(A), "user-1", vec![session(1, "user-1", 90)]);
    assert!(!fleet.apply_store_records(store(&[1, 2]), at(116), at(116)), "it is heard");
    assert_eq!(fleet.view().pods()[0].health(), PodHealth::Live);
}

#[test]
fn a_store_is_asked_for_the_sessions_of_silent_pods_only() {
    let mut fleet = one_lost();
    let asked = |fleet: &Fleet| {
        fleet.store_query().iter().map(|(pod, for_sessions)| (pod.to_string(), *for_sessions)).collect::<Vec<_>>()
    };
    assert_eq!(asked(&fleet), [("user-1".to_owned(), false), ("user-2".to_owned(), false)]);
    fleet.apply_discovery(&named(&[B]), at(111));
    assert_eq!(asked(&fleet), [("user-1".to_owned(), true), ("user-2".to_owned(), false)]);
}

#[test]
fn a_pod_that_may_only_be_frozen_lets_no_upgrade_be_called_safe_though_it_has_left() {
    use super::super::tests::report;
    use session_domain::Phase;
    let released = || {
        let mut fleet = one_lost();
        fleet.apply_discovery(&named(&[B]), at(111));
        leased(&mut fleet, 112);
        assert!(fleet.apply_store_records(store(&[1, 2]), at(120), at(120)));
        assert_eq!((addresses(&fleet), lost(&fleet)[0].2), (vec![B.to_owned()], LeaveReason::Released));
        fleet.apply(&Address::new(B), PodEvent::Changes { upserts: vec![], removals: vec![] }, at(121));
        fleet.apply(&Address::new(B), PodEvent::Report(report("user-2", Phase::Maintenance, 0)), at(121));
        let gone = vec![(session(3, "user-2", 1).id, super::super::Departure::Unknown)];
        fleet.apply(&Address::new(B), PodEvent::Changes { upserts: vec![], removals: gone }, at(121));
        fleet
    };
    let mut fleet = released();
    assert!(!fleet.view().is_safe_to_upgrade(), "it has not been heard to end");
    assert_eq!(fleet.view().released_pods().collect::<Vec<_>>(), ["user-1"]);
    fleet.forget("user-1", at(130)).unwrap();
    assert!(fleet.view().is_safe_to_upgrade(), "an operator knows that it has");
    let mut fleet = released();
    fleet.expire(at(100).plus(FORGET_AFTER));
    assert!(fleet.view().is_safe_to_upgrade(), "as without a store");
    let mut fleet = one_lost();
    fleet.apply(&Address::new(A), PodEvent::ConnectionRefused, at(111));
    fleet.apply_discovery(&named(&[B]), at(111));
    leased(&mut fleet, 112);
    assert!(fleet.apply_store_records(store(&[1, 2]), at(120), at(120)));
    assert_eq!(fleet.view().released_pods().count(), 0, "nothing listens there: it has ended");
}
