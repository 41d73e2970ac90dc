//! Pods that are discovered, drain, vanish from discovery, become unreachable, and come back elsewhere.

use std::sync::Arc;

use session_domain::{Counters, Phase, PodName, PodReport};

use super::*;
use crate::archive::{COUNTERS_RETENTION, MAX_DEPARTED_PODS};
use crate::test_fleet::{at, discovered, fleet, report, session, watch};
use crate::{Conditions, DiscoveredPod, Inconsistency, PodEvent, PodHealth};

mod storm;

const A: &str = "a:1";
const B: &str = "b:1";

/// The state of a pod when discovery no longer lists it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Was {
    NeverSeen,
    Live,
    Finished,
    LostWithSessions,
    LostEmpty,
}

fn one(was: Was) -> Fleet {
    let address = Address::new(A);
    let mut fleet = match was {
        Was::NeverSeen => {
            let mut fleet = Fleet::new();
            fleet.apply_discovery(&discovered(&[A]), at(90));
            fleet
        }
        Was::LostEmpty => fleet(&[(A, "user-1", vec![])]),
        Was::Live | Was::Finished | Was::LostWithSessions => {
            fleet(&[(A, "user-1", vec![session(1, "user-1", 90), session(2, "user-1", 90)])])
        }
    };
    match was {
        Was::NeverSeen | Was::Live => {}
        Was::Finished => fleet.apply(&address, final_report("user-1"), at(100)),
        Was::LostWithSessions | Was::LostEmpty => {
            fleet.apply(&address, PodEvent::Unreachable("refused".into()), at(100))
        }
    }
    fleet
}

fn final_report(pod: &str) -> PodEvent {
    PodEvent::Report(PodReport { is_final: true, ..report(pod, Phase::Propagating, 0) })
}

fn addresses(fleet: &Fleet) -> Vec<String> {
    fleet.view().pods().iter().map(|pod| pod.address.to_string()).collect()
}

fn has_link(fleet: &Fleet, address: &str) -> bool {
    fleet.watched_addresses().any(|linked| linked.as_str() == address)
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap()
}

#[test]
fn a_delisted_pod_stays_as_long_as_it_is_reachable_and_a_while_after() {
    for (was, stays, linked) in [
        (Was::NeverSeen, Some(FINISHED_RETENTION), true),
        (Was::Live, None, true),
        (Was::Finished, Some(FINISHED_RETENTION), false),
        (Was::LostWithSessions, Some(FORGET_AFTER), true),
        (Was::LostEmpty, Some(FINISHED_RETENTION), true),
    ] {
        let mut fleet = one(was);
        assert!(!fleet.expire(at(10_000)) && has_link(&fleet, A), "{was:?}: it is discovered");
        fleet.apply_discovery(&[], at(200));
        assert_eq!(has_link(&fleet, A), linked, "{was:?}");
        let end = stays.map_or(10_000_000, |stays| 200 + seconds(stays));
        fleet.expire(at(end - 1));
        assert_eq!(addresses(&fleet), [A], "{was:?}");
        assert_eq!(fleet.expire(at(end)), stays.is_some(), "{was:?}");
        assert_eq!(addresses(&fleet).is_empty(), stays.is_some(), "{was:?}");
    }
}

#[test]
fn a_delisted_pod_that_becomes_unreachable_keeps_its_sessions_from_then_on() {
    let mut fleet = one(Was::Live);
    fleet.apply_discovery(&[], at(200));
    fleet.apply(&Address::new(A), PodEvent::Unreachable("refused".into()), at(5_000));
    fleet.expire(at(5_000 + seconds(FORGET_AFTER) - 1));
    assert_eq!((fleet.view().total_sessions(), fleet.view().is_complete()), (2, false));
    fleet.expire(at(5_000 + seconds(FORGET_AFTER)));
    assert_eq!((fleet.view().total_sessions(), fleet.view().pods().len()), (0, 0));
}

#[test]
fn a_delisted_pod_that_is_discovered_again_is_as_it_was() {
    let mut fleet = one(Was::LostWithSessions);
    fleet.apply_discovery(&[], at(200));
    fleet.apply_discovery(&discovered(&[A]), at(201));
    assert!(!fleet.expire(at(10_000)));
    assert_eq!(fleet.view().total_sessions(), 2);
}

#[test]
fn counters_outlive_their_pod_by_ten_minutes() {
    let mut fleet = one(Was::Live);
    let counters = Counters { logins: 7, ..Counters::default() };
    let last = PodReport { is_final: true, counters, ..report("user-1", Phase::Propagating, 0) };
    fleet.apply(&Address::new(A), PodEvent::Report(last), at(100));
    fleet.apply_discovery(&[], at(200));
    fleet.expire(at(200 + seconds(FINISHED_RETENTION)));
    let remembered = |fleet: &Fleet| fleet.view().departed_pods().map(|gone| gone.pod.to_string()).collect::<Vec<_>>();
    assert_eq!(remembered(&fleet), ["user-1"]);
    assert!(!fleet.expire(at(100 + seconds(COUNTERS_RETENTION))));
    let before = fleet.view().counters();
    assert!(fleet.expire(at(101 + seconds(COUNTERS_RETENTION))));
    assert!(remembered(&fleet).is_empty());
    assert_eq!(fleet.view().counters(), before, "totals never decrease");
    assert_eq!(before.logins, 7);
}

#[test]
fn the_counters_of_a_pod_stay_when_another_process_takes_its_address() {
    let mut fleet = one(Was::Finished);
    watch(&mut fleet, &Address::new(A), "user-2", vec![]);
    assert_eq!(fleet.view().departed_pods().map(|gone| gone.pod.as_str()).collect::<Vec<_>>(), ["user-1"]);
    assert_eq!(fleet.view().pods()[0].label(), "user-2");
}

#[test]
fn a_pod_that_changes_its_name_cannot_fill_the_memory() {
    let mut fleet = one(Was::Live);
    for n in 0..3_000 {
        let name = PodEvent::Report(report(&format!("name-{n}"), Phase::Serving, 0));
        fleet.apply(&Address::new(A), name, at(100 + n));
    }
    assert_eq!(fleet.view().departed_pods().count(), MAX_DEPARTED_PODS);
    assert!(fleet.view().departed_pods().any(|gone| gone.pod.as_str() == "name-2998"), "the newest are kept");
}

#[test]
fn a_pod_that_comes_back_at_another_address_is_listed_once() {
    for was in [Was::Live, Was::Finished, Was::LostWithSessions] {
        let mut fleet = one(was);
        fleet.apply_discovery(&discovered(&[B]), at(200));
        fleet.expire(at(200));
        assert_eq!(addresses(&fleet), [A, B], "{was:?}: it has not answered at its new address yet");
        // The start time shows that it is the same process.
        watch(&mut fleet, &Address::new(B), "user-1", vec![session(1, "user-1", 90), session(3, "user-1", 99)]);
        fleet.expire(at(201));
        let view = fleet.view();
        assert_eq!(addresses(&fleet), [B], "{was:?}");
        assert_eq!((view.total_sessions(), view.is_complete(), view.pods()[0].disputed), (2, true, 0), "{was:?}");
    }
}

#[test]
fn a_new_process_does_not_replace_a_reachable_pod_of_the_same_name() {
    let mut fleet = one(Was::Live);
    fleet.apply_discovery(&discovered(&[B]), at(200));
    let b = Address::new(B);
    fleet.apply(&b, PodEvent::WatchStarted, at(200));
    let younger = PodReport { started_at: at(150), ..report("user-1", Phase::Serving, 0) };
    fleet.apply(&b, PodEvent::Report(younger), at(200));
    fleet.apply(&b, PodEvent::Snapshot { sessions: vec![], end: true }, at(200));
    fleet.expire(at(201));
    assert_eq!(addresses(&fleet), [A, B]);
    let PodHealth::Inconsistent(reason) = fleet.view().pods()[1].health() else { panic!("it counts as consistent") };
    assert_eq!(reason, Inconsistency::SameName(Address::new(A)).to_string());

    fleet.apply(&Address::new(A), PodEvent::Unreachable("refused".into()), at(202));
    fleet.expire(at(202));
    assert_eq!(addresses(&fleet), [B], "another pod has its name now");
}

#[test]
fn a_pod_that_answers_at_a_delisted_address_is_ignored() {
    let mut fleet = one(Was::LostWithSessions);
    fleet.apply_discovery(&[], at(200));
    watch(&mut fleet, &Address::new(A), "stranger", vec![session(9, "stranger", 90)]);
    let pod = fleet.view().pods()[0].clone();
    assert_eq!((pod.label(), fleet.view().total_sessions()), ("user-1", 2));
    assert_eq!(pod.health(), PodHealth::Unreachable("another pod answers at its address".into()));
    assert!(!has_link(&fleet, A), "the address is no longer watched");

    fleet.apply_discovery(&discovered(&[A]), at(201));
    assert!(has_link(&fleet, A));
    watch(&mut fleet, &Address::new(A), "stranger", vec![session(9, "stranger", 90)]);
    assert_eq!(
        (fleet.view().pods()[0].label(), fleet.view().total_sessions()),
        ("stranger", 1),
        "discovery lists the address again"
    );
}

#[test]
fn the_conditions_of_a_pod_are_shown_until_it_is_delisted() {
    let mut fleet = Fleet::new();
    let terminating = Conditions { ready: Some(false), serving: Some(true), terminating: Some(true) };
    let found =
        DiscoveredPod { pod: PodName::new("user-1"), conditions: terminating, ..DiscoveredPod::at(Address::new(A)) };
    fleet.apply_discovery(&[found], at(90));
    let before = fleet.view();
    assert_eq!((before.pods()[0].label(), before.pods()[0].conditions), ("user-1", terminating));
    fleet.apply_discovery(&[], at(91));
    let after = fleet.view();
    assert_eq!((after.pods()[0].label(), after.pods()[0].conditions), ("user-1", Conditions::default()));
    assert!(before.pods()[0].is_discovered() && !after.pods()[0].is_discovered());
}

#[test]
fn an_unchanged_discovery_copies_nothing() {
    let mut fleet = one(Was::Live);
    let before = fleet.view();
    fleet.apply_discovery(&discovered(&[A]), at(200));
    assert!(Arc::ptr_eq(&before.pods()[0], &fleet.view().pods()[0]));
}

#[test]
fn a_discovery_error_is_shown_and_changes_no_pod() {
    let mut fleet = one(Was::Live);
    fleet.set_discovery_error(Some("no such name"));
    let view = fleet.view();
    assert_eq!((view.discovery_error(), view.pods().len(), view.is_complete()), (Some("no such name"), 1, true));
    fleet.set_discovery_error(None);
    assert_eq!(fleet.view().discovery_error(), None);
}
