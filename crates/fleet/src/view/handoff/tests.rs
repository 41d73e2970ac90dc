//! Where the sessions of a pod went that shuts down, as its watch and those of the other pods tell it, in any order.

use proptest::prelude::*;
use session_domain::{Counters, Departure, Outcome, Phase, PodReport, SessionId, SessionView};
use uuid::Uuid;

use crate::bounds::MAX_FOLLOWED_SESSIONS;
use crate::test_fleet::{at, discovered, fleet, report, session};
use crate::{Address, Fleet, HandoffProgress, PodEvent, Row};

fn address(pod: &str) -> Address {
    Address::new(&format!("{pod}:1"))
}

/// Pods `a`, `b` and `c`; `a` holds these sessions.
fn three_pods(sessions: impl Iterator<Item = u128>) -> Fleet {
    let held = sessions.map(|n| session(n, "a", 90)).collect();
    fleet(&[("a:1", "a", held), ("b:1", "b", vec![]), ("c:1", "c", vec![])])
}

fn counts(fleet: &mut Fleet, pod: &str, asked_to_move: u64, moved: u64) {
    let counters = Counters { asked_to_move, moved, ..Counters::default() };
    let held = fleet.view().pod(&address(pod)).unwrap().sessions;
    let report = PodReport { counters, ..report(pod, Phase::Draining, held) };
    fleet.apply(&address(pod), PodEvent::Report(report), at(110));
}

fn arrives(fleet: &mut Fleet, n: u128, pod: &str) {
    let upserts = vec![session(n, pod, 120)];
    fleet.apply(&address(pod), PodEvent::Changes { upserts, removals: vec![] }, at(120));
}

fn leaves(fleet: &mut Fleet, n: u128, pod: &str, departure: Departure) {
    let removals = vec![(session(n, pod, 1).id, departure)];
    fleet.apply(&address(pod), PodEvent::Changes { upserts: vec![], removals }, at(120));
}

const MOVED: Departure = Departure::Ended(Outcome::Moved);

fn progress<R>(fleet: &Fleet, pod: &str, read: impl FnOnce(HandoffProgress<'_>) -> R) -> R {
    let view = fleet.view();
    read(view.handoff(view.pod(&address(pod)).unwrap()).unwrap())
}

fn moved_to(fleet: &Fleet, pod: &str) -> (Vec<(String, u64)>, u64) {
    let owned = |(name, count): &(&str, u64)| ((*name).to_owned(), *count);
    progress(fleet, pod, |progress| (progress.moved_to.iter().map(owned).collect(), progress.not_held))
}

fn at_pods(pods: &[(&str, u64)], not_held: u64) -> (Vec<(String, u64)>, u64) {
    (pods.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(), not_held)
}

#[test]
fn a_pod_that_asks_no_session_has_no_handoff() {
    let mut fleet = three_pods(1..=2);
    counts(&mut fleet, "a", 0, 1);
    leaves(&mut fleet, 1, "a", MOVED);
    let view = fleet.view();
    assert_eq!(view.handoff(view.pod(&address("a")).unwrap()), None);
    assert_eq!(view.asked_to_move(), 0);
}

#[test]
fn the_numbers_add_up_with_the_sessions_that_moved_unasked_or_left() {
    let mut fleet = three_pods(1..=3);
    let asked = |n: u128| SessionView { asked_to_move: true, present: Some(true), ..session(n, "a", 90) };
    fleet.apply(
        &address("a"),
        PodEvent::Changes { upserts: vec![asked(1), asked(2), asked(3)], removals: vec![] },
        at(110),
    );
    let difference = |fleet: &mut Fleet, asked, moved| {
        counts(fleet, "a", asked, moved);
        progress(fleet, "a", |progress| {
            let held = progress.remaining.min(progress.remaining_asked);
            assert_eq!(progress.asked + progress.moved_unasked, progress.moved + held + progress.gone);
            (progress.moved_unasked, progress.gone)
        })
    };
    assert_eq!(difference(&mut fleet, 11, 9), (1, 0), "nine moved and three are here: one moved unasked");
    assert_eq!(difference(&mut fleet, 12, 9), (0, 0));
    assert_eq!(difference(&mut fleet, 14, 9), (0, 2), "two signed out");
}

#[test]
fn sessions_that_were_asked_and_stay_are_counted() {
    let mut fleet = three_pods(1..=4);
    let asked = |n: u128, present| SessionView { asked_to_move: true, present: Some(present), ..session(n, "a", 90) };
    let upserts = vec![asked(1, true), asked(2, true), asked(3, false)];
    fleet.apply(&address("a"), PodEvent::Changes { upserts, removals: vec![] }, at(110));
    counts(&mut fleet, "a", 3, 0);
    leaves(&mut fleet, 1, "a", MOVED);
    counts(&mut fleet, "a", 3, 1);
    let known = progress(&fleet, "a", |progress| {
        (progress.asked, progress.moved, progress.remaining, progress.remaining_asked)
    });
    assert_eq!(known, (3, 1, 3, 1), "the third has closed its pages, the fourth was not asked");
}

#[test]
fn sessions_are_found_on_the_pods_that_hold_them_now() {
    let mut fleet = three_pods(1..=5);
    counts(&mut fleet, "a", 5, 0);
    // The watch of either pod may be ahead.
    arrives(&mut fleet, 1, "b");
    leaves(&mut fleet, 1, "a", MOVED);
    leaves(&mut fleet, 2, "a", MOVED);
    assert_eq!(moved_to(&fleet, "a"), at_pods(&[("b", 1)], 1));
    arrives(&mut fleet, 2, "c");
    for n in 3..=5 {
        arrives(&mut fleet, n, "c");
    }
    leaves(&mut fleet, 3, "a", MOVED);
    // A user who signs out, or whose session has an unknown end, has not moved.
    leaves(&mut fleet, 4, "a", Departure::Ended(Outcome::Logout));
    leaves(&mut fleet, 5, "a", Departure::Unknown);
    assert_eq!(moved_to(&fleet, "a"), at_pods(&[("c", 2), ("b", 1)], 0));

    // `b` drains in turn: its session is found where it is now, from both pods.
    counts(&mut fleet, "b", 1, 0);
    leaves(&mut fleet, 1, "b", MOVED);
    arrives(&mut fleet, 1, "c");
    assert_eq!((moved_to(&fleet, "a"), moved_to(&fleet, "b")), (at_pods(&[("c", 3)], 0), at_pods(&[("c", 1)], 0)));
    leaves(&mut fleet, 2, "c", Departure::Ended(Outcome::Logout));
    assert_eq!(moved_to(&fleet, "a"), at_pods(&[("c", 2)], 1), "one has signed out since");

    // Nothing is followed once the pod has left the fleet, or another process runs at its address.
    fleet.apply(
        &address("a"),
        PodEvent::Report(PodReport { is_final: true, ..report("a", Phase::Propagating, 0) }),
        at(130),
    );
    let restarted = PodReport { started_at: at(140), ..report("b", Phase::Serving, 0) };
    fleet.apply(&address("b"), PodEvent::Report(restarted), at(140));
    fleet.apply_discovery(&discovered(&["b:1", "c:1"]), at(140));
    fleet.expire(at(300));
    let view = fleet.view();
    assert!(view.pod(&address("a")).is_none() && view.destinations.is_empty(), "{:?}", view.destinations);
}

#[test]
fn a_session_that_moves_without_a_shutdown_is_not_followed() {
    let mut fleet = three_pods(1..=1);
    leaves(&mut fleet, 1, "a", MOVED);
    arrives(&mut fleet, 1, "b");
    assert!(fleet.view().destinations.is_empty());
}

#[test]
fn the_number_of_followed_sessions_is_bounded() {
    let (mut moves, from) = (crate::moves::Moves::default(), address("a"));
    let id = |n| SessionId::from_uuid(Uuid::from_u128(n));
    for n in 0..=MAX_FOLLOWED_SESSIONS as u128 {
        moves.follow(id(n), &from, Some(&address("b")));
    }
    assert_eq!(moves.destinations()[&from].held[&address("b")], MAX_FOLLOWED_SESSIONS as u64);
    moves.forget(&from);
    assert!(moves.destinations().is_empty() && !moves.follows(id(1)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_counted_on_each_pod_is_what_the_pods_list(
        steps in prop::collection::vec((any::<bool>(), 0..6_u128, prop::sample::select(&["a", "b", "c"][..])), 1..60),
    ) {
        let mut fleet = three_pods(0..6);
        counts(&mut fleet, "a", 6, 0);
        let mut moved = std::collections::BTreeSet::new();
        for (arrives_there, n, pod) in steps {
            let claims = |row: &Row| row.address == address(pod) || row.also_at.contains(&address(pod));
            let is_held = fleet.view().row(session(n, pod, 1).id).is_some_and(claims);
            if arrives_there && pod != "a" {
                arrives(&mut fleet, n, pod);
            } else if is_held {
                leaves(&mut fleet, n, pod, MOVED);
                if pod == "a" {
                    moved.insert(n);
                }
            }
            let view = fleet.view();
            let holder = |n: &u128| view.row(session(*n, "x", 1).id).map(|row| row.address.clone());
            let (held, not_held) = moved_to(&fleet, "a");
            for pod in ["a", "b", "c"] {
                let listed = moved.iter().filter(|n| holder(n) == Some(address(pod))).count() as u64;
                let counted = held.iter().find(|(name, _)| name == pod).map_or(0, |(_, count)| *count);
                prop_assert_eq!(counted, listed, "on {}", pod);
            }
            prop_assert_eq!(not_held, moved.iter().filter(|n| holder(n).is_none()).count() as u64);
        }
    }
}
