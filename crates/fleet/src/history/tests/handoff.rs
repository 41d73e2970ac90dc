//! The records of handoffs: how many sessions were asked, how many users saw the countdown, and how long it took.

use std::time::Duration;

use session_domain::{Counters, Departure, HandoffState, Outcome, Phase, PodReport, SessionView};

use super::{POD, here, only, remove, three};
use crate::test_fleet::{at, report, session};
use crate::*;

const MOVED: Departure = Departure::Ended(Outcome::Moved);

fn counts(fleet: &mut Fleet, phase: Phase, asked_to_move: u64, drain_notifications_sent: u64, now: i64) {
    let counters = Counters { asked_to_move, drain_notifications_sent, ..Counters::default() };
    let drain_started_at = (phase != Phase::Serving).then(|| at(110));
    let report = PodReport { counters, drain_started_at, ..report(POD, phase, 0) };
    fleet.apply(&here(), PodEvent::Report(report), at(now));
}

fn update(fleet: &mut Fleet, n: u128, asked_to_move: bool, present: bool, now: i64) {
    let upserts = vec![SessionView { asked_to_move, present: Some(present), ..session(n, POD, 90) }];
    fleet.apply(&here(), PodEvent::Changes { upserts, removals: vec![] }, at(now));
}

fn times(fleet: &Fleet) -> (Option<i64>, Option<u64>, Option<u64>) {
    let handoff = only(fleet).handoff().unwrap();
    let last = handoff.last_moved_at.map(|at| at.as_millis() / 1000);
    (last, handoff.median.map(|time| time.as_secs()), handoff.longest.map(|time| time.as_secs()))
}

#[test]
fn a_handoff_is_recorded_with_its_counts_and_times() {
    let mut fleet = three();
    update(&mut fleet, 4, false, true, 100);
    // Two were notified of an earlier maintenance.
    counts(&mut fleet, Phase::Serving, 0, 2, 105);
    counts(&mut fleet, Phase::Draining, 0, 2, 110);
    assert_eq!(only(&fleet).handoff(), None, "no session was asked yet");
    for n in 1..=3 {
        update(&mut fleet, n, true, true, 115);
    }
    counts(&mut fleet, Phase::Draining, 4, 2, 115);
    remove(&mut fleet, 1, MOVED, 116);
    // Asked and gone before the pod could report that it was asked.
    remove(&mut fleet, 4, MOVED, 116);
    assert_eq!(times(&fleet), (Some(116), Some(1), Some(1)));
    remove(&mut fleet, 2, MOVED, 119);
    counts(&mut fleet, Phase::Draining, 4, 3, 125);
    assert_eq!(times(&fleet), (Some(119), Some(1), Some(4)));
    remove(&mut fleet, 3, MOVED, 190);
    counts(&mut fleet, Phase::Propagating, 4, 3, 190);
    let handoff = only(&fleet).handoff().unwrap();
    assert_eq!((handoff.asked, handoff.notified), (4, 1));
    assert_eq!(times(&fleet), (Some(190), Some(1), Some(80)), "above a minute in steps of ten seconds");
    assert_eq!(only(&fleet).departures(Outcome::Moved), 4);
}

#[test]
fn sessions_that_are_released_once_all_users_have_gone_do_not_lengthen_a_handoff() {
    let mut fleet = three();
    counts(&mut fleet, Phase::Draining, 0, 0, 110);
    update(&mut fleet, 1, true, true, 115);
    update(&mut fleet, 2, false, false, 115);
    update(&mut fleet, 3, false, false, 115);
    counts(&mut fleet, Phase::Draining, 1, 0, 115);
    remove(&mut fleet, 1, MOVED, 117);
    remove(&mut fleet, 2, MOVED, 140);
    assert_eq!(times(&fleet), (Some(117), Some(2), Some(2)));
}

#[test]
fn a_session_that_moved_by_itself_or_whose_ask_was_not_seen_in_time_has_no_time() {
    let mut fleet = three();
    counts(&mut fleet, Phase::Draining, 0, 0, 110);
    // Its user opened another page, which another pod served, before it was asked.
    remove(&mut fleet, 1, MOVED, 112);
    update(&mut fleet, 2, true, true, 115);
    counts(&mut fleet, Phase::Draining, 1, 0, 115);
    assert_eq!(times(&fleet), (Some(112), None, None));
    // The admin tier loses the pod for a moment: since when the session is asked is not known any more.
    fleet.apply(&here(), PodEvent::Unreachable("refused".into()), at(116));
    fleet.apply(&here(), PodEvent::WatchStarted, at(150));
    counts(&mut fleet, Phase::Draining, 2, 0, 150);
    let asked = |n| SessionView { asked_to_move: true, ..session(n, POD, 90) };
    fleet.apply(&here(), PodEvent::Snapshot { sessions: vec![asked(2), asked(3)], end: true }, at(150));
    remove(&mut fleet, 2, MOVED, 155);
    let duration = only(&fleet).handoff().unwrap().last_moved_at.unwrap().since(only(&fleet).measured_from());
    assert_eq!(duration, Duration::from_secs(45));
}

#[test]
fn sessions_that_are_released_at_the_end_are_told_from_those_that_moved_when_asked() {
    let mut fleet = three();
    let draining = PodReport {
        handoff: Some(HandoffState::Delayed),
        drain_started_at: Some(at(110)),
        forced_logout_at: Some(at(170)),
        ..report(POD, Phase::Draining, 3)
    };
    fleet.apply(&here(), PodEvent::Report(draining), at(110));
    assert_eq!(only(&fleet).handoff().map(|handoff| handoff.asked), Some(0), "the pod says that it hands off");
    // By a request of its own.
    remove(&mut fleet, 1, MOVED, 112);
    remove(&mut fleet, 2, MOVED, 169);
    remove(&mut fleet, 3, MOVED, 170);
    let handoff = only(&fleet).handoff().unwrap();
    assert_eq!((handoff.asked, handoff.released, handoff.last_moved_at), (0, 1, Some(at(169))));
    assert_eq!(only(&fleet).departures(Outcome::Moved), 3);
}
