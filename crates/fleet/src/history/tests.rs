//! The records of drains that complete, and what they count.

use session_domain::lifecycle::Reason;
use session_domain::{Departure, Outcome, Phase, PodReport, SessionView};

use crate::test_fleet::{at, fleet, report, session};
use crate::*;

mod handoff;
mod unreachable;

const POD: &str = "user-1";

fn here() -> Address {
    Address::new("a:1")
}

/// A fleet of one pod with three present sessions.
fn three() -> Fleet {
    fleet(&[("a:1", POD, (1..=3).map(|n| session(n, POD, 90)).collect())])
}

fn send_report(fleet: &mut Fleet, phase: Phase, since: Option<i64>, now: i64) {
    let report = PodReport {
        drain_started_at: since.map(at),
        forced_logout_at: since.map(|since| at(since + 60)),
        ..report(POD, phase, 0)
    };
    fleet.apply(&here(), PodEvent::Report(report), at(now));
}

fn remove(fleet: &mut Fleet, n: u128, departure: Departure, now: i64) {
    let removals = vec![(session(n, POD, 1).id, departure)];
    fleet.apply(&here(), PodEvent::Changes { upserts: vec![], removals }, at(now));
}

fn only(fleet: &Fleet) -> DrainRecord {
    let view = fleet.view();
    let drains: Vec<_> = view.drains().cloned().collect();
    let [drain] = &drains[..] else { panic!("{drains:#?}") };
    drain.clone()
}

#[test]
fn a_drain_is_recorded_with_its_sessions_and_their_outcomes() {
    let mut fleet = three();
    assert_eq!(fleet.view().drains().count(), 0);
    send_report(&mut fleet, Phase::Draining, Some(110), 110);
    remove(&mut fleet, 1, Departure::Ended(Outcome::Logout), 120);
    remove(&mut fleet, 2, Departure::Ended(Outcome::AutoLogout), 165);
    assert_eq!((only(&fleet).remaining(), only(&fleet).end), (1, None), "it runs");
    remove(&mut fleet, 3, Departure::Ended(Outcome::Forced), 170);
    send_report(&mut fleet, Phase::Propagating, Some(110), 170);
    let last = PodReport { is_final: true, drain_started_at: Some(at(110)), ..report(POD, Phase::Propagating, 0) };
    fleet.apply(&here(), PodEvent::Report(last), at(185));

    let drain = only(&fleet);
    assert_eq!((drain.pod.as_str(), drain.reason, drain.total()), (POD, Reason::Shutdown, 3));
    assert_eq!((drain.started_at, drain.deadline), (at(110), Some(at(170))));
    assert_eq!(
        (drain.emptied_at, drain.end, drain.is_partial),
        (Some(at(170)), Some(DrainEnd::Completed(at(185))), false)
    );
    assert_eq!(drain.timeline, [(at(110), 3), (at(120), 2), (at(165), 1), (at(170), 0)]);
    let how = |n| drain.named_sessions[&session(n, POD, 1).id].ended;
    assert_eq!(how(1), Some((at(120), Some(Outcome::Logout))));
    assert_eq!(how(3), Some((at(170), Some(Outcome::Forced))));
    assert_eq!(Outcome::ALL.map(|outcome| drain.departures(outcome)), [1, 1, 1, 0, 0]);
}

#[test]
fn idle_sessions_are_counted_apart_and_closed_pages_as_away() {
    let idle = |n| SessionView { present: Some(false), event_streams: 0, ..session(n, POD, 90) };
    let sessions = (1..=3).map(|n| session(n, POD, 90)).chain((4..=323).map(idle)).collect();
    let mut fleet = fleet(&[("a:1", POD, sessions)]);
    let view = fleet.view();
    assert_eq!((view.total_sessions(), view.present_sessions(), view.idle_sessions()), (323, 3, 320));
    send_report(&mut fleet, Phase::Draining, Some(110), 110);
    assert_eq!((only(&fleet).total(), only(&fleet).idle(), only(&fleet).remaining()), (3, 320, 3));
    let changes = |upserts, removals| PodEvent::Changes { upserts, removals };
    // Session 1 closes its page, session 4 becomes present, session 5 is idle when the pod releases it.
    fleet.apply(&here(), changes(vec![idle(1)], vec![]), at(120));
    fleet.apply(&here(), changes(vec![session(4, POD, 121)], vec![]), at(121));
    remove(&mut fleet, 5, Departure::Ended(Outcome::Expired), 122);
    let drain = only(&fleet);
    assert_eq!((drain.total(), drain.idle(), drain.remaining(), drain.away()), (4, 319, 3, 1));
    assert_eq!(drain.timeline, [(at(110), 3), (at(120), 2), (at(121), 3)]);
    // The pod sends only the last change of a second: session 6 was present before it left.
    remove(&mut fleet, 6, Departure::Ended(Outcome::AutoLogout), 165);
    let drain = only(&fleet);
    assert_eq!((drain.total(), drain.idle(), drain.cut_off()), (5, 318, 1));
    assert_eq!(drain.departures(Outcome::Expired), 0, "session 5 was never present");
}

#[test]
fn a_maintenance_that_is_turned_off_is_a_cancelled_drain() {
    let mut fleet = three();
    send_report(&mut fleet, Phase::Maintenance, Some(110), 110);
    remove(&mut fleet, 1, Departure::Ended(Outcome::Logout), 115);
    send_report(&mut fleet, Phase::Serving, None, 120);
    let drain = only(&fleet);
    assert_eq!(
        (drain.reason, drain.end, drain.remaining()),
        (Reason::Maintenance, Some(DrainEnd::Cancelled(at(120))), 2)
    );
    remove(&mut fleet, 2, Departure::Ended(Outcome::Logout), 130);
    assert_eq!(only(&fleet).remaining(), 2, "a later logout does not belong to the drain");
}

#[test]
fn a_shutdown_that_overtakes_a_maintenance_is_the_same_drain_and_a_later_one_is_another() {
    let mut fleet = three();
    send_report(&mut fleet, Phase::Maintenance, Some(110), 110);
    send_report(&mut fleet, Phase::Draining, Some(112), 112);
    send_report(&mut fleet, Phase::Draining, Some(112), 113);
    let drain = only(&fleet);
    assert_eq!((drain.reason, drain.deadline, drain.started_at), (Reason::Shutdown, Some(at(172)), at(110)));

    let mut fleet = three();
    send_report(&mut fleet, Phase::Maintenance, Some(110), 110);
    send_report(&mut fleet, Phase::Maintenance, None, 170);
    assert_eq!(only(&fleet).end, Some(DrainEnd::Completed(at(170))));
    send_report(&mut fleet, Phase::Draining, Some(200), 200);
    assert_eq!(
        fleet.view().drains().map(|drain| drain.reason).collect::<Vec<_>>(),
        [Reason::Shutdown, Reason::Maintenance]
    );
}

#[test]
fn a_renamed_session_has_not_left_and_is_counted_once() {
    let mut fleet = three();
    send_report(&mut fleet, Phase::Draining, Some(110), 110);
    fleet.apply(
        &here(),
        PodEvent::Changes {
            upserts: vec![session(4, POD, 111)],
            removals: vec![(session(1, POD, 1).id, Departure::Renamed)],
        },
        at(111),
    );
    let drain = only(&fleet);
    assert_eq!((drain.total(), drain.remaining(), drain.named_sessions.len()), (3, 3, 3));
    assert_eq!(drain.timeline.len(), 1, "no session has left");
}
