//! Silent pods that leave: after their time, because of the store, or because of an operator.

use std::collections::HashSet;
use std::time::Duration;

use session_domain::{Departure, Phase, PodName};

use super::*;
use crate::test_fleet::{at, discovered, fleet, report, session, watch};
use crate::{DiscoveredPod, FORGET_AFTER, PodEvent, PodHealth, StoreRecord};

const A: &str = "a:1";
const B: &str = "b:1";

/// Two pods. The first holds sessions 1 and 2 and becomes unreachable at 110 s.
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

/// A store without a lease of `user-1`, and with these sessions of it.
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
    fleet.apply_discovery(&discovered(&[A, B, "c:1"]), at(120));
    assert_eq!(fleet.forget("c:1", at(120)), Err(ForgetError::Waiting));
    let forgotten = fleet.forget("user-1", at(120)).unwrap();
    assert_eq!((forgotten[0].sessions, forgotten[0].last_seen), (2, Some(at(100))));
    assert_eq!(lost(&fleet), [("user-1".to_owned(), 2, LeaveReason::Forgotten)]);
    assert_eq!(fleet.forget("user-1", at(121)), Err(ForgetError::Unknown));
    assert_eq!(fleet.view().total_sessions(), 1);
}

#[test]
fn a_forgotten_pod_that_is_still_discovered_is_listed_again_when_it_answers() {
    let mut fleet = one_lost();
    fleet.forget(A, at(120)).unwrap();
    fleet.apply_discovery(&discovered(&[B, A]), at(121));
    fleet.apply(&Address::new(A), PodEvent::Unreachable("refused".into()), at(122));
    assert_eq!(addresses(&fleet), [B]);
    assert!(
        fleet.view().is_complete() && fleet.watched_addresses().any(|linked| linked.as_str() == A),
        "the address is still watched"
    );
    watch(&mut fleet, &Address::new(A), "user-1", vec![session(1, "user-1", 90)]);
    assert_eq!((addresses(&fleet), fleet.view().total_sessions()), (vec![A.to_owned(), B.to_owned()], 2));
    fleet.apply(&Address::new(A), PodEvent::Unreachable("refused".into()), at(130));
    fleet.forget(A, at(131)).unwrap();
    fleet.apply_discovery(&discovered(&[B]), at(132));
    assert!(!fleet.watched_addresses().any(|linked| linked.as_str() == A), "it is no longer discovered");
}

#[test]
fn a_silent_fixed_address_leaves_after_its_time_and_a_discovered_pod_does_not() {
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
fn the_time_that_a_silent_pod_stays_can_be_configured() {
    let mut fleet = Fleet::with_forget_after(Duration::from_secs(30));
    fleet.apply_discovery(&[DiscoveredPod::fixed(Address::new(A))], at(0));
    fleet.apply(&Address::new(A), PodEvent::Unreachable("refused".into()), at(3));
    assert!(!fleet.expire(at(32)) && fleet.expire(at(33)));
    assert_eq!(lost(&fleet), [(A.to_owned(), 0, LeaveReason::Silent)]);
}

#[test]
fn a_silent_pod_leaves_when_its_sessions_are_on_other_pods_or_orphans_in_the_store() {
    let mut fleet = one_lost();
    fleet.apply_discovery(&discovered(&[B]), at(111));
    assert!(!fleet.apply_store_records(store(&[1]), at(112), at(112)), "the second session is not accounted for");
    // The other pod has adopted it.
    watch(&mut fleet, &Address::new(B), "user-2", vec![session(2, "user-2", 120), session(3, "user-2", 90)]);
    assert!(fleet.apply_store_records(store(&[1]), at(117), at(118)));
    assert_eq!((addresses(&fleet), fleet.view().total_sessions()), (vec![B.to_owned()], 2));
    assert_eq!(lost(&fleet), [("user-1".to_owned(), 2, LeaveReason::Released)]);
    assert!(fleet.view().is_complete());
}

#[test]
fn a_session_that_no_pod_holds_has_ended_once_the_store_has_settled() {
    let mut fleet = one_lost();
    fleet.apply_discovery(&discovered(&[B]), at(111));
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
fn the_store_removes_no_pod_that_is_reachable_or_discovered_or_was_lost_after_the_lookup_began() {
    let mut fleet = one_lost();
    assert!(!fleet.apply_store_records(store(&[1, 2]), at(112), at(112)), "it is discovered");
    fleet.apply_discovery(&discovered(&[B]), at(113));
    assert!(!fleet.apply_store_records(store(&[1, 2]), at(109), at(114)), "it was reachable when the lookup began");
    leased(&mut fleet, 115);
    assert_eq!(addresses(&fleet), [A, B], "it lives and is only unreachable from here");
    watch(&mut fleet, &Address::new(A), "user-1", vec![session(1, "user-1", 90)]);
    assert!(!fleet.apply_store_records(store(&[1, 2]), at(116), at(116)), "it is reachable");
    assert_eq!(fleet.view().pods()[0].health(), PodHealth::Live);
}

#[test]
fn the_store_is_queried_for_the_sessions_of_silent_pods_only() {
    let mut fleet = one_lost();
    let queried = |fleet: &Fleet| {
        fleet.store_query().iter().map(|(pod, for_sessions)| (pod.to_string(), *for_sessions)).collect::<Vec<_>>()
    };
    assert_eq!(queried(&fleet), [("user-1".to_owned(), false), ("user-2".to_owned(), false)]);
    fleet.apply_discovery(&discovered(&[B]), at(111));
    assert_eq!(queried(&fleet), [("user-1".to_owned(), true), ("user-2".to_owned(), false)]);
}

#[test]
fn no_upgrade_is_safe_while_a_released_pod_may_only_be_frozen() {
    let released = || {
        let mut fleet = one_lost();
        fleet.apply_discovery(&discovered(&[B]), at(111));
        leased(&mut fleet, 112);
        assert!(fleet.apply_store_records(store(&[1, 2]), at(120), at(120)));
        assert_eq!((addresses(&fleet), lost(&fleet)[0].2), (vec![B.to_owned()], LeaveReason::Released));
        fleet.apply(&Address::new(B), PodEvent::Changes { upserts: vec![], removals: vec![] }, at(121));
        fleet.apply(&Address::new(B), PodEvent::Report(report("user-2", Phase::Maintenance, 0)), at(121));
        let gone = vec![(session(3, "user-2", 1).id, Departure::Unknown)];
        fleet.apply(&Address::new(B), PodEvent::Changes { upserts: vec![], removals: gone }, at(121));
        fleet
    };
    let mut fleet = released();
    assert!(!fleet.view().is_safe_to_upgrade(), "its process may still run");
    assert_eq!(fleet.view().released_pods().collect::<Vec<_>>(), ["user-1"]);
    fleet.forget("user-1", at(130)).unwrap();
    assert!(fleet.view().is_safe_to_upgrade(), "an operator says that it has ended");
    let mut fleet = released();
    fleet.expire(at(100).plus(FORGET_AFTER));
    assert!(fleet.view().is_safe_to_upgrade(), "as without a store");
    let mut fleet = one_lost();
    fleet.apply(&Address::new(A), PodEvent::ConnectionRefused, at(111));
    fleet.apply_discovery(&discovered(&[B]), at(111));
    leased(&mut fleet, 112);
    assert!(fleet.apply_store_records(store(&[1, 2]), at(120), at(120)));
    assert_eq!(fleet.view().released_pods().count(), 0, "the address refused a connection: the process has ended");
}
