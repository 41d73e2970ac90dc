//! The records of drains whose pod is lost, seen late, restarted, or has too many sessions.

use session_domain::{Departure, Outcome, Phase, PodReport};

use super::{POD, here, only, remove, send_report, three};
use crate::test_fleet::{at, discovered, fleet, report, session, watch};
use crate::*;

#[test]
fn the_outcome_of_a_session_that_left_while_its_pod_was_unreachable_is_unknown() {
    let mut fleet = three();
    send_report(&mut fleet, Phase::Draining, Some(110), 110);
    fleet.apply(&here(), PodEvent::Unreachable("refused".into()), at(115));
    fleet.apply(&here(), PodEvent::WatchStarted, at(120));
    send_report(&mut fleet, Phase::Draining, Some(110), 120);
    fleet.apply(&here(), PodEvent::Snapshot { sessions: vec![session(1, POD, 90)], end: true }, at(120));
    let drain = only(&fleet);
    assert_eq!((drain.total(), drain.remaining(), drain.outcome_unknown()), (3, 1, 2));

    fleet.apply(&here(), PodEvent::Unreachable("killed".into()), at(130));
    fleet.apply_discovery(&discovered(&[]), at(130));
    fleet.expire(at(130).plus(FORGET_AFTER));
    assert!(matches!(only(&fleet).end, Some(DrainEnd::Lost(_))), "{:?}", only(&fleet).end);
    let lost = only(&fleet);
    assert_eq!(
        (lost.total(), lost.remaining(), lost.outcome_unknown()),
        (3, 0, 3),
        "the outcome of the third session is unknown, too"
    );
}

#[test]
fn a_drain_that_ran_before_its_pod_was_first_seen_is_partial() {
    let mut fleet = Fleet::new();
    fleet.apply_discovery(&discovered(&["a:1"]), at(100));
    fleet.apply(&here(), PodEvent::WatchStarted, at(120));
    send_report(&mut fleet, Phase::Draining, Some(110), 120);
    fleet.apply(&here(), PodEvent::Snapshot { sessions: vec![session(1, POD, 90)], end: true }, at(121));
    let drain = only(&fleet);
    assert!(drain.is_partial);
    assert_eq!((drain.total(), drain.remaining()), (1, 1));
    assert_eq!((drain.emptied_at, drain.timeline.len()), (None, 1), "it was never empty");
}

#[test]
fn sessions_that_end_with_a_maintenance_countdown_may_be_removed_shortly_after_it() {
    let mut fleet = three();
    send_report(&mut fleet, Phase::Maintenance, Some(110), 110);
    remove(&mut fleet, 1, Departure::Ended(Outcome::Logout), 120);
    send_report(&mut fleet, Phase::Maintenance, None, 170);
    remove(&mut fleet, 2, Departure::Ended(Outcome::Forced), 171);
    send_report(&mut fleet, Phase::Maintenance, None, 171);
    remove(&mut fleet, 3, Departure::Ended(Outcome::Forced), 171);
    let drain = only(&fleet);
    assert_eq!((drain.departures(Outcome::Forced), drain.remaining(), drain.emptied_at), (2, 0, Some(at(171))));
    assert_eq!(drain.end, Some(DrainEnd::Completed(at(170))));

    let mut fleet = three();
    send_report(&mut fleet, Phase::Maintenance, Some(110), 110);
    send_report(&mut fleet, Phase::Maintenance, None, 170);
    remove(&mut fleet, 1, Departure::Ended(Outcome::Logout), 400);
    assert_eq!(only(&fleet).remaining(), 3, "a much later logout does not belong to the drain");
    send_report(&mut fleet, Phase::Serving, None, 500);
    assert_eq!(only(&fleet).end, Some(DrainEnd::Completed(at(170))));
}

#[test]
fn a_drain_that_begins_while_its_pod_is_unreachable_is_partial() {
    let mut fleet = three();
    fleet.apply(&here(), PodEvent::Unreachable("refused".into()), at(105));
    fleet.apply(&here(), PodEvent::WatchStarted, at(120));
    send_report(&mut fleet, Phase::Draining, Some(110), 120);
    let still = vec![session(1, POD, 90), session(2, POD, 90)];
    fleet.apply(&here(), PodEvent::Snapshot { sessions: still, end: true }, at(120));
    let drain = only(&fleet);
    assert!(drain.is_partial);
    assert_eq!(
        (drain.total(), drain.remaining(), drain.outcome_unknown()),
        (2, 2, 0),
        "sessions that had left before are not known"
    );
}

#[test]
fn the_drain_of_a_lost_pod_resumes_when_the_pod_is_back() {
    let mut fleet = three();
    send_report(&mut fleet, Phase::Draining, Some(110), 110);
    fleet.apply(&here(), PodEvent::Unreachable("killed".into()), at(115));
    assert_eq!(only(&fleet).end, Some(DrainEnd::Lost(at(110))), "since the pod was last seen");
    resume_watch(&mut fleet, 120);
    assert_eq!((only(&fleet).end, only(&fleet).total()), (None, 3));

    fleet.apply(&here(), PodEvent::Unreachable("killed".into()), at(125));
    fleet.apply_discovery(&discovered(&[]), at(125));
    fleet.expire(at(125).plus(FORGET_AFTER));
    fleet.apply_discovery(&discovered(&["a:1"]), at(800));
    resume_watch(&mut fleet, 800);
    assert_eq!((only(&fleet).end, only(&fleet).total()), (None, 3), "even after a long time");
}

/// The pod at [`here`] is back, in the drain that began at 110.
fn resume_watch(fleet: &mut Fleet, now: i64) {
    fleet.apply(&here(), PodEvent::WatchStarted, at(now));
    send_report(fleet, Phase::Draining, Some(110), now);
    let sessions = (1..=3).map(|n| session(n, POD, 90)).collect();
    fleet.apply(&here(), PodEvent::Snapshot { sessions, end: true }, at(now));
}

#[test]
fn another_process_under_the_same_name_ends_the_drain_of_the_one_before() {
    let mut fleet = three();
    send_report(&mut fleet, Phase::Draining, Some(110), 110);
    watch(&mut fleet, &here(), POD, vec![]);
    assert!(
        matches!(only(&fleet).end, Some(DrainEnd::Cancelled(_))),
        "the same process serves again: the drain was cancelled"
    );
    send_report(&mut fleet, Phase::Draining, Some(120), 120);
    let reborn = PodReport { started_at: at(130), ..report(POD, Phase::Serving, 0) };
    fleet.apply(&here(), PodEvent::Report(reborn), at(131));
    let ends: Vec<_> = fleet.view().drains().map(|drain| drain.end).collect();
    assert!(matches!(ends[..], [Some(DrainEnd::Lost(_)), Some(DrainEnd::Cancelled(_))]), "{ends:?}");
}

#[test]
fn memory_is_bounded_in_drains_people_and_points() {
    let many = MAX_NAMED_SESSIONS as u128 + 10;
    let mut fleet = fleet(&[("a:1", POD, (1..=many).map(|n| session(n, POD, 90)).collect())]);
    send_report(&mut fleet, Phase::Draining, Some(110), 110);
    let again = vec![session(many, POD, 95)];
    fleet.apply(&here(), PodEvent::Changes { upserts: again, removals: vec![] }, at(110));
    (1..=many).for_each(|n| remove(&mut fleet, n, Departure::Ended(Outcome::Logout), 110 + n as i64));
    let drain = only(&fleet);
    assert_eq!((drain.total(), drain.named_sessions.len()), (many as u64, MAX_NAMED_SESSIONS));
    assert_eq!(drain.departures(Outcome::Logout), many as u64);
    assert!(drain.timeline.len() <= 240 && drain.timeline[0] == (at(110), many as u64) && drain.remaining() == 0);
    for n in 0..150 {
        send_report(&mut fleet, Phase::Maintenance, Some(3_000 + 10 * n), 3_000 + 10 * n);
        send_report(&mut fleet, Phase::Serving, None, 3_001 + 10 * n);
    }
    assert_eq!(fleet.view().drains().count(), MAX_DRAIN_RECORDS);
}
