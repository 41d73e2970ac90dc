//! Pods that come, drain, vanish from discovery, are lost, and come back elsewhere.

use proptest::prelude::*;

use super::super::tests::{at, fleet, heard, listen, named, report, session};
use super::super::{Conditions, Inconsistency, PodEvent, PodHealth};
use super::*;
use session_domain::Phase;

const A: &str = "a:1";
const B: &str = "b:1";

/// How a pod stands when discovery ceases to name it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Was {
    NeverHeard,
    Live,
    Finished,
    LostWithPeople,
    LostEmpty,
}

fn one(was: Was) -> Fleet {
    let address = Address::new(A);
    let mut fleet = match was {
        Was::NeverHeard => {
            let mut fleet = Fleet::new();
            fleet.apply_discovery(&named(&[A]), at(90));
            fleet
        }
        Was::LostEmpty => fleet(&[(A, "user-1", vec![])]),
        Was::Live | Was::Finished | Was::LostWithPeople => {
            fleet(&[(A, "user-1", vec![session(1, "user-1", 90), session(2, "user-1", 90)])])
        }
    };
    match was {
        Was::NeverHeard | Was::Live => {}
        Was::Finished => fleet.apply(&address, last_word("user-1"), at(100)),
        Was::LostWithPeople | Was::LostEmpty => fleet.apply(&address, PodEvent::Unreachable("refused".into()), at(100)),
    }
    fleet
}

fn last_word(pod: &str) -> PodEvent {
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
fn a_pod_that_vanishes_stays_as_long_as_it_is_heard_and_a_while_after() {
    for (was, stays, linked) in [
        (Was::NeverHeard, Some(FINISHED_RETENTION), true),
        (Was::Live, None, true),
        (Was::Finished, Some(FINISHED_RETENTION), false),
        (Was::LostWithPeople, Some(FORGET_AFTER), true),
        (Was::LostEmpty, Some(FINISHED_RETENTION), true),
    ] {
        let mut fleet = one(was);
        assert!(!fleet.expire(at(10_000)) && has_link(&fleet, A), "{was:?}: it is named");
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
fn a_vanished_pod_that_is_lost_later_keeps_its_rows_from_then_on() {
    let mut fleet = one(Was::Live);
    fleet.apply_discovery(&[], at(200));
    fleet.apply(&Address::new(A), PodEvent::Unreachable("refused".into()), at(5_000));
    fleet.expire(at(5_000 + seconds(FORGET_AFTER) - 1));
    assert_eq!((fleet.view().total_sessions(), fleet.view().is_complete()), (2, false));
    fleet.expire(at(5_000 + seconds(FORGET_AFTER)));
    assert_eq!((fleet.view().total_sessions(), fleet.view().pods().len()), (0, 0));
}

#[test]
fn a_vanished_pod_that_is_named_again_is_as_it_was() {
    let mut fleet = one(Was::LostWithPeople);
    fleet.apply_discovery(&[], at(200));
    fleet.apply_discovery(&named(&[A]), at(201));
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
    assert_eq!(fleet.view().counters(), before, "sums do not fall");
    assert_eq!(before.logins, 7);
}

#[test]
fn another_process_in_its_place_does_not_make_a_pods_counters_vanish() {
    let mut fleet = one(Was::Finished);
    listen(&mut fleet, &Address::new(A), "user-2", vec![]);
    assert_eq!(fleet.view().departed_pods().map(|gone| gone.pod.as_str()).collect::<Vec<_>>(), ["user-1"]);
    assert_eq!(fleet.view().pods()[0].label(), "user-2");
}

#[test]
fn a_liar_that_changes_its_name_cannot_fill_the_memory() {
    let mut fleet = one(Was::Live);
    for n in 0..3_000 {
        let name = PodEvent::Report(report(&format!("liar-{n}"), Phase::Serving, 0));
        fleet.apply(&Address::new(A), name, at(100 + n));
    }
    assert_eq!(fleet.view().departed_pods().count(), MAX_GONE);
    assert!(fleet.view().departed_pods().any(|gone| gone.pod.as_str() == "liar-2998"), "the last are kept");
}

#[test]
fn a_pod_that_comes_back_elsewhere_is_there_once() {
    for was in [Was::Live, Was::Finished, Was::LostWithPeople] {
        let mut fleet = one(was);
        fleet.apply_discovery(&named(&[B]), at(200));
        fleet.expire(at(200));
        assert_eq!(addresses(&fleet), [A, B], "{was:?}: not heard at its new place yet");
        // The same process, as its start shows, with what it holds now.
        listen(&mut fleet, &Address::new(B), "user-1", vec![session(1, "user-1", 90), session(3, "user-1", 99)]);
        fleet.expire(at(201));
        let view = fleet.view();
        assert_eq!(addresses(&fleet), [B], "{was:?}");
        assert_eq!((view.total_sessions(), view.is_complete(), view.pods()[0].shared), (2, true, 0), "{was:?}");
    }
}

#[test]
fn a_new_process_under_a_name_that_is_still_heard_elsewhere_replaces_nobody() {
    let mut fleet = one(Was::Live);
    fleet.apply_discovery(&named(&[B]), at(200));
    let b = Address::new(B);
    fleet.apply(&b, PodEvent::WatchStarted, at(200));
    let younger = PodReport { started_at: at(150), ..report("user-1", Phase::Serving, 0) };
    fleet.apply(&b, PodEvent::Report(younger), at(200));
    fleet.apply(&b, PodEvent::Snapshot { sessions: vec![], end: true }, at(200));
    fleet.expire(at(201));
    assert_eq!(addresses(&fleet), [A, B]);
    let PodHealth::Inconsistent(reason) = fleet.view().pods()[1].health() else { panic!("believed") };
    assert_eq!(reason, Inconsistency::SameName(Address::new(A)).to_string());

    fleet.apply(&Address::new(A), PodEvent::Unreachable("refused".into()), at(202));
    fleet.expire(at(202));
    assert_eq!(addresses(&fleet), [B], "its name has passed on");
}

#[test]
fn who_answers_at_an_address_that_is_not_ours_any_more_is_not_believed() {
    let mut fleet = one(Was::LostWithPeople);
    fleet.apply_discovery(&[], at(200));
    listen(&mut fleet, &Address::new(A), "stranger", vec![session(9, "stranger", 90)]);
    let pod = fleet.view().pods()[0].clone();
    assert_eq!((pod.label(), fleet.view().total_sessions()), ("user-1", 2));
    assert_eq!(pod.health(), PodHealth::Unreachable("another pod answers at its address".into()));
    assert!(!has_link(&fleet, A), "nobody asks there any more");

    fleet.apply_discovery(&named(&[A]), at(201));
    assert!(has_link(&fleet, A));
    listen(&mut fleet, &Address::new(A), "stranger", vec![session(9, "stranger", 90)]);
    assert_eq!(
        (fleet.view().pods()[0].label(), fleet.view().total_sessions()),
        ("stranger", 1),
        "it is ours after all"
    );
}

#[test]
fn what_discovery_says_of_a_pod_is_shown_until_it_says_nothing_any_more() {
    let mut fleet = Fleet::new();
    let leaving = Conditions { ready: Some(false), serving: Some(true), terminating: Some(true) };
    let found =
        DiscoveredPod { pod: PodName::new("user-1"), conditions: leaving, ..DiscoveredPod::at(Address::new(A)) };
    fleet.apply_discovery(&[found], at(90));
    let before = fleet.view();
    assert_eq!((before.pods()[0].label(), before.pods()[0].conditions), ("user-1", leaving));
    fleet.apply_discovery(&[], at(91));
    let after = fleet.view();
    assert_eq!((after.pods()[0].label(), after.pods()[0].conditions), ("user-1", Conditions::default()));
    assert!(before.pods()[0].is_discovered() && !after.pods()[0].is_discovered());
}

#[test]
fn a_listing_that_says_nothing_new_copies_nothing() {
    let mut fleet = one(Was::Live);
    let before = fleet.view();
    fleet.apply_discovery(&named(&[A]), at(200));
    assert!(Arc::ptr_eq(&before.pods()[0], &fleet.view().pods()[0]));
}

#[test]
fn trouble_with_discovery_is_told_and_changes_no_pod() {
    let mut fleet = one(Was::Live);
    fleet.set_discovery_error(Some("no such name"));
    let view = fleet.view();
    assert_eq!((view.discovery_error(), view.pods().len(), view.is_complete()), (Some("no such name"), 1, true));
    fleet.set_discovery_error(None);
    assert_eq!(fleet.view().discovery_error(), None);
}

#[derive(Clone, Debug)]
enum Happens {
    PodEvent(u8, PodEvent),
    Listed(Vec<u8>),
    Passes(i64),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => (0..3_u8, heard()).prop_map(|(pod, heard)| Happens::PodEvent(pod, heard)),
        1 => prop::collection::vec(0..3_u8, 0..3).prop_map(Happens::Listed),
        1 => (0..700_i64).prop_map(Happens::Passes),
    ]
}

proptest! {
    #[test]
    fn whoever_is_named_or_heard_is_in_sight_and_each_session_is_counted_once(
        history in prop::collection::vec(happens(), 0..80),
    ) {
        let (mut fleet, mut now, mut listed) = (Fleet::new(), 150, Vec::new());
        let address = |n: u8| Address::new(&format!("{n}:1"));
        for happens in history {
            let before: Vec<_> = fleet.view().pods().iter().filter(|pod| pod.is_reachable()).cloned().collect();
            match happens {
                Happens::PodEvent(pod, heard) => fleet.apply(&address(pod), heard, at(now)),
                Happens::Listed(pods) => {
                    listed = pods;
                    fleet.apply_discovery(&listed.iter().map(|n| DiscoveredPod::at(address(*n))).collect::<Vec<_>>(), at(now));
                }
                Happens::Passes(time) => {
                    now += time;
                    fleet.expire(at(now));
                    let view = fleet.view();
                    for pod in before {
                        let of_same_name = |other: &Arc<PodView>| other.is_reachable() && other.label() == pod.label();
                        prop_assert!(view.pods().iter().any(of_same_name), "{} was heard and is gone", pod.address);
                    }
                }
            }
            let view = fleet.view();
            for pod in &listed {
                prop_assert!(view.pod(&address(*pod)).is_some() && has_link(&fleet, address(*pod).as_str()));
            }
            prop_assert_eq!(view.pods().iter().filter(|pod| pod.sessions > 0).count() == 0, view.total_sessions() == 0);
        }
        fleet.apply_discovery(&[], at(now));
        for pod in 0..3 {
            fleet.apply(&address(pod), PodEvent::Unreachable("gone".into()), at(now));
        }
        fleet.expire(at(now + seconds(FORGET_AFTER)));
        prop_assert_eq!((fleet.view().pods().len(), fleet.view().total_sessions()), (0, 0));
    }
}
