//! What is remembered of drains that are left in time, cancelled, overtaken, lost, or seen from the middle only.

use crate::tests::{at, fleet, listen, named, report, session};
use crate::*;
use session_domain::lifecycle::Reason;
use session_domain::{Outcome, Phase, PodReport, SessionView};

const POD: &str = "user-1";

fn here() -> Address {
    Address::new("a:1")
}

/// A fleet of one pod with three people on it.
fn three() -> Fleet {
    fleet(&[("a:1", POD, (1..=3).map(|n| session(n, POD, 90)).collect())])
}

fn says(fleet: &mut Fleet, phase: Phase, since: Option<i64>, now: i64) {
    let report = PodReport {
        drain_started_at: since.map(at),
        forced_logout_at: since.map(|since| at(since + 60)),
        ..report(POD, phase, 0)
    };
    fleet.apply(&here(), PodEvent::Report(report), at(now));
}

fn leaves(fleet: &mut Fleet, n: u128, departure: Departure, now: i64) {
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
fn a_drain_is_remembered_with_who_was_there_and_how_each_left() {
    let mut fleet = three();
    assert_eq!(fleet.view().drains().count(), 0);
    says(&mut fleet, Phase::Draining, Some(110), 110);
    leaves(&mut fleet, 1, Departure::Ended(Outcome::Logout), 120);
    leaves(&mut fleet, 2, Departure::Ended(Outcome::AutoLogout), 165);
    assert_eq!((only(&fleet).remaining(), only(&fleet).end), (1, None), "it runs");
    leaves(&mut fleet, 3, Departure::Ended(Outcome::Forced), 170);
    says(&mut fleet, Phase::Propagating, Some(110), 170);
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
fn closed_tabs_stand_apart_and_a_page_that_is_closed_has_not_left_in_any_other_way() {
    let idle = |n| SessionView { present: Some(false), event_streams: 0, ..session(n, POD, 90) };
    let sessions = (1..=3).map(|n| session(n, POD, 90)).chain((4..=323).map(idle)).collect();
    let mut fleet = fleet(&[("a:1", POD, sessions)]);
    let view = fleet.view();
    assert_eq!((view.total_sessions(), view.present_sessions(), view.idle_sessions()), (323, 3, 320));
    says(&mut fleet, Phase::Draining, Some(110), 110);
    assert_eq!((only(&fleet).total(), only(&fleet).idle(), only(&fleet).remaining()), (3, 320, 3));
    let changes = |upserts, removals| PodEvent::Changes { upserts, removals };
    // One closes the page, one comes back to a closed tab, one is idle when the pod releases it.
    fleet.apply(&here(), changes(vec![idle(1)], vec![]), at(120));
    fleet.apply(&here(), changes(vec![session(4, POD, 121)], vec![]), at(121));
    leaves(&mut fleet, 5, Departure::Ended(Outcome::Expired), 122);
    let drain = only(&fleet);
    assert_eq!((drain.total(), drain.idle(), drain.remaining(), drain.away()), (4, 319, 3, 1));
    assert_eq!(drain.timeline, [(at(110), 3), (at(120), 2), (at(121), 3)]);
    // The last change of a second is told alone: this one was there.
    leaves(&mut fleet, 6, Departure::Ended(Outcome::AutoLogout), 165);
    let drain = only(&fleet);
    assert_eq!((drain.total(), drain.idle(), drain.cut_off()), (5, 318, 1));
    assert_eq!(drain.departures(Outcome::Expired), 0, "nobody was there");
}

#[test]
fn a_maintenance_that_is_taken_back_is_a_drain_that_was_cancelled() {
    let mut fleet = three();
    says(&mut fleet, Phase::Maintenance, Some(110), 110);
    leaves(&mut fleet, 1, Departure::Ended(Outcome::Logout), 115);
    says(&mut fleet, Phase::Serving, None, 120);
    let drain = only(&fleet);
    assert_eq!(
        (drain.reason, drain.end, drain.remaining()),
        (Reason::Maintenance, Some(DrainEnd::Cancelled(at(120))), 2)
    );
    leaves(&mut fleet, 2, Departure::Ended(Outcome::Logout), 130);
    assert_eq!(only(&fleet).remaining(), 2, "what happens after it is not its own");
}

#[test]
fn a_shutdown_that_overtakes_a_maintenance_is_the_same_drain_and_a_later_one_is_another() {
    let mut fleet = three();
    says(&mut fleet, Phase::Maintenance, Some(110), 110);
    says(&mut fleet, Phase::Draining, Some(112), 112);
    says(&mut fleet, Phase::Draining, Some(112), 113);
    let drain = only(&fleet);
    assert_eq!((drain.reason, drain.deadline, drain.started_at), (Reason::Shutdown, Some(at(172)), at(110)));

    let mut fleet = three();
    says(&mut fleet, Phase::Maintenance, Some(110), 110);
    says(&mut fleet, Phase::Maintenance, None, 170);
    assert_eq!(only(&fleet).end, Some(DrainEnd::Completed(at(170))));
    says(&mut fleet, Phase::Draining, Some(200), 200);
    assert_eq!(
        fleet.view().drains().map(|drain| drain.reason).collect::<Vec<_>>(),
        [Reason::Shutdown, Reason::Maintenance]
    );
}

#[test]
fn who_gets_another_id_has_not_left_and_is_one_person() {
    let mut fleet = three();
    says(&mut fleet, Phase::Draining, Some(110), 110);
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
    assert_eq!(drain.timeline.len(), 1, "nobody has left");
}

#[test]
fn what_happened_while_a_pod_was_not_heard_is_said_to_be_unknown() {
    let mut fleet = three();
    says(&mut fleet, Phase::Draining, Some(110), 110);
    fleet.apply(&here(), PodEvent::Unreachable("refused".into()), at(115));
    fleet.apply(&here(), PodEvent::WatchStarted, at(120));
    says(&mut fleet, Phase::Draining, Some(110), 120);
    fleet.apply(&here(), PodEvent::Snapshot { sessions: vec![session(1, POD, 90)], end: true }, at(120));
    let drain = only(&fleet);
    assert_eq!((drain.total(), drain.remaining(), drain.outcome_unknown()), (3, 1, 2));

    fleet.apply(&here(), PodEvent::Unreachable("killed".into()), at(130));
    fleet.apply_discovery(&named(&[]), at(130));
    fleet.expire(at(130).plus(FORGET_AFTER));
    assert!(matches!(only(&fleet).end, Some(DrainEnd::Lost(_))), "{:?}", only(&fleet).end);
    let lost = only(&fleet);
    assert_eq!(
        (lost.total(), lost.remaining(), lost.outcome_unknown()),
        (3, 0, 3),
        "what became of the third is not known either"
    );
}

#[test]
fn a_drain_that_was_under_way_when_its_pod_was_first_heard_says_so() {
    let mut fleet = Fleet::new();
    fleet.apply_discovery(&named(&["a:1"]), at(100));
    fleet.apply(&here(), PodEvent::WatchStarted, at(120));
    says(&mut fleet, Phase::Draining, Some(110), 120);
    fleet.apply(&here(), PodEvent::Snapshot { sessions: vec![session(1, POD, 90)], end: true }, at(121));
    let drain = only(&fleet);
    assert!(drain.is_partial);
    assert_eq!((drain.total(), drain.remaining()), (1, 1));
    assert_eq!((drain.emptied_at, drain.timeline.len()), (None, 1), "and was never empty");
}

#[test]
fn who_was_signed_out_at_the_end_of_a_maintenance_countdown_is_heard_of_after_it() {
    let mut fleet = three();
    says(&mut fleet, Phase::Maintenance, Some(110), 110);
    leaves(&mut fleet, 1, Departure::Ended(Outcome::Logout), 120);
    says(&mut fleet, Phase::Maintenance, None, 170);
    leaves(&mut fleet, 2, Departure::Ended(Outcome::Forced), 171);
    says(&mut fleet, Phase::Maintenance, None, 171);
    leaves(&mut fleet, 3, Departure::Ended(Outcome::Forced), 171);
    let drain = only(&fleet);
    assert_eq!((drain.departures(Outcome::Forced), drain.remaining(), drain.emptied_at), (2, 0, Some(at(171))));
    assert_eq!(drain.end, Some(DrainEnd::Completed(at(170))));

    let mut fleet = three();
    says(&mut fleet, Phase::Maintenance, Some(110), 110);
    says(&mut fleet, Phase::Maintenance, None, 170);
    leaves(&mut fleet, 1, Departure::Ended(Outcome::Logout), 400);
    assert_eq!(only(&fleet).remaining(), 3, "who leaves much later was not asked to by it");
    says(&mut fleet, Phase::Serving, None, 500);
    assert_eq!(only(&fleet).end, Some(DrainEnd::Completed(at(170))));
}

#[test]
fn a_drain_that_begins_while_its_pod_is_not_heard_is_known_in_part() {
    let mut fleet = three();
    fleet.apply(&here(), PodEvent::Unreachable("refused".into()), at(105));
    fleet.apply(&here(), PodEvent::WatchStarted, at(120));
    says(&mut fleet, Phase::Draining, Some(110), 120);
    let still = vec![session(1, POD, 90), session(2, POD, 90)];
    fleet.apply(&here(), PodEvent::Snapshot { sessions: still, end: true }, at(120));
    let drain = only(&fleet);
    assert!(drain.is_partial);
    assert_eq!(
        (drain.total(), drain.remaining(), drain.outcome_unknown()),
        (2, 2, 0),
        "who had left before is not known"
    );
}

#[test]
fn a_drain_whose_pod_is_lost_stands_still_and_goes_on_when_it_is_heard_again() {
    let mut fleet = three();
    says(&mut fleet, Phase::Draining, Some(110), 110);
    fleet.apply(&here(), PodEvent::Unreachable("killed".into()), at(115));
    assert_eq!(only(&fleet).end, Some(DrainEnd::Lost(at(110))), "since it was heard last");
    listen_to(&mut fleet, 120);
    assert_eq!((only(&fleet).end, only(&fleet).total()), (None, 3));

    fleet.apply(&here(), PodEvent::Unreachable("killed".into()), at(125));
    fleet.apply_discovery(&named(&[]), at(125));
    fleet.expire(at(125).plus(FORGET_AFTER));
    fleet.apply_discovery(&named(&["a:1"]), at(800));
    listen_to(&mut fleet, 800);
    assert_eq!((only(&fleet).end, only(&fleet).total()), (None, 3), "however long that took");
}

/// The pod at [`here`] is heard again, in the drain that began at 110.
fn listen_to(fleet: &mut Fleet, now: i64) {
    fleet.apply(&here(), PodEvent::WatchStarted, at(now));
    says(fleet, Phase::Draining, Some(110), now);
    let sessions = (1..=3).map(|n| session(n, POD, 90)).collect();
    fleet.apply(&here(), PodEvent::Snapshot { sessions, end: true }, at(now));
}

#[test]
fn another_process_under_the_same_name_ends_the_drain_of_the_one_before() {
    let mut fleet = three();
    says(&mut fleet, Phase::Draining, Some(110), 110);
    listen(&mut fleet, &here(), POD, vec![]);
    assert!(
        matches!(only(&fleet).end, Some(DrainEnd::Cancelled(_))),
        "the same process serves again: it was taken back"
    );
    says(&mut fleet, Phase::Draining, Some(120), 120);
    let reborn = PodReport { started_at: at(130), ..report(POD, Phase::Serving, 0) };
    fleet.apply(&here(), PodEvent::Report(reborn), at(131));
    let ends: Vec<_> = fleet.view().drains().map(|drain| drain.end).collect();
    assert!(matches!(ends[..], [Some(DrainEnd::Lost(_)), Some(DrainEnd::Cancelled(_))]), "{ends:?}");
}

#[test]
fn memory_is_bounded_in_drains_people_and_points() {
    let many = MAX_NAMED_SESSIONS as u128 + 10;
    let mut fleet = fleet(&[("a:1", POD, (1..=many).map(|n| session(n, POD, 90)).collect())]);
    says(&mut fleet, Phase::Draining, Some(110), 110);
    let again = vec![session(many, POD, 95)];
    fleet.apply(&here(), PodEvent::Changes { upserts: again, removals: vec![] }, at(110));
    (1..=many).for_each(|n| leaves(&mut fleet, n, Departure::Ended(Outcome::Logout), 110 + n as i64));
    let drain = only(&fleet);
    assert_eq!((drain.total(), drain.named_sessions.len()), (many as u64, MAX_NAMED_SESSIONS));
    assert_eq!(drain.departures(Outcome::Logout), many as u64);
    assert!(drain.timeline.len() <= 240 && drain.timeline[0] == (at(110), many as u64) && drain.remaining() == 0);
    for n in 0..150 {
        says(&mut fleet, Phase::Maintenance, Some(3_000 + 10 * n), 3_000 + 10 * n);
        says(&mut fleet, Phase::Serving, None, 3_001 + 10 * n);
    }
    assert_eq!(fleet.view().drains().count(), MAX_DRAIN_RECORDS);
}
