//! Which revisions are safe to remove.

use session_domain::{Counters, Phase, PodReport, SessionView};

use crate::test_fleet::{at, discovered, report, session};
use crate::{Address, Fleet, PodEvent, Removal};

/// A fleet with one pod for each revision, `v1` at address `v1` and so on, the first one started first; without sessions.
fn rainbow(revisions: &[&str]) -> Fleet {
    let mut fleet = Fleet::new();
    fleet.apply_discovery(&discovered(revisions), at(90));
    for (revision, started) in revisions.iter().zip(1..) {
        hear(&mut fleet, PodReport { started_at: at(started), ..of(revision) }, Vec::new());
    }
    fleet
}

fn of(revision: &str) -> PodReport {
    PodReport { revision: revision.into(), started_at: at(1), ..report(revision, Phase::Serving, 0) }
}

/// Lets the pod begin its watch again, with this report and these sessions.
fn hear(fleet: &mut Fleet, report: PodReport, sessions: Vec<SessionView>) {
    let address = Address::new(report.pod.as_str());
    fleet.apply(&address, PodEvent::WatchStarted, at(100));
    fleet.apply(&address, PodEvent::Report(report), at(100));
    fleet.apply(&address, PodEvent::Snapshot { sessions, end: true }, at(100));
}

fn safe(fleet: &Fleet) -> Vec<String> {
    let revisions = fleet.view().revisions();
    revisions
        .into_iter()
        .filter(|revision| revision.removal == Removal::Safe)
        .map(|revision| revision.revision)
        .collect()
}

const NONE: [&str; 0] = [];

#[test]
fn an_old_revision_is_safe_to_remove_once_nobody_is_there_and_the_newest_never_is() {
    let mut fleet = rainbow(&["v1", "v2", "v3"]);
    let order: Vec<_> = fleet.view().revisions().into_iter().map(|revision| revision.revision).collect();
    assert_eq!(order, ["v3", "v2", "v1"]);
    assert_eq!(safe(&fleet), ["v2", "v1"]);
    assert_eq!(safe(&rainbow(&["v1"])), NONE, "the only revision");

    type Change = fn(&mut PodReport, &mut SessionView);
    let busy: [(&str, Change); 6] = [
        ("a present session", |_, session| session.present = Some(true)),
        ("a present session that the pod alone counts", |report, _| report.present_sessions = Some(1)),
        ("a WebSocket", |_, session| session.websockets = 1),
        ("a WebSocket of a session of another pod", |report, _| report.counters.websocket_connections = 1),
        ("work in progress", |_, session| session.protected = Some(true)),
        ("work of a session that has moved", |report, _| report.protected_sessions = Some(1)),
    ];
    let idle = || SessionView { present: Some(false), event_streams: 0, ..session(1, "v1", 90) };
    let held = || PodReport { active_sessions: 1, present_sessions: Some(0), ..of("v1") };
    for (what, change) in busy {
        let (mut report, mut session) = (held(), idle());
        change(&mut report, &mut session);
        hear(&mut fleet, report, vec![session]);
        assert_eq!(safe(&fleet), ["v2"], "{what}");
    }
    hear(&mut fleet, held(), vec![idle()]);
    assert_eq!(safe(&fleet), ["v2", "v1"], "an idle session holds no drain open");
    let v1 = fleet.view().revisions().pop().unwrap();
    assert_eq!((v1.pods, v1.sessions, v1.present_sessions), (1, 1, 0));
    // A pod of it that drains takes no traffic, but its users are there.
    hear(&mut fleet, PodReport { phase: Phase::Closing, is_final: true, ..held() }, Vec::new());
    assert_eq!(safe(&fleet), ["v2", "v1"], "its only pod has exited");
    assert_eq!(fleet.view().revisions().pop().unwrap().pods, 0);
}

#[test]
fn no_revision_is_safe_while_a_pod_that_may_belong_to_it_is_not_heard() {
    let mut fleet = rainbow(&["v1", "v2"]);
    fleet.apply(&Address::new("v1"), PodEvent::Unreachable("gone".into()), at(101));
    assert_eq!(safe(&fleet), NONE);
    let complete: Vec<_> = fleet.view().revisions().iter().map(|revision| revision.is_complete).collect();
    assert_eq!(complete, [true, false], "the newest is known");

    let mut fleet = rainbow(&["v1", "v2"]);
    fleet.apply(&Address::new("v1"), PodEvent::InvalidMessage("nonsense".into()), at(101));
    assert_eq!(safe(&fleet), NONE, "its data is in doubt");

    let mut fleet = rainbow(&["v1", "v2"]);
    fleet.apply_discovery(&discovered(&["v1", "v2", "new"]), at(101));
    assert_eq!(safe(&fleet), NONE, "a pod that has not reported may be of any revision");
    hear(&mut fleet, PodReport { pod: of("new").pod, started_at: at(3), ..of("v2") }, Vec::new());
    assert_eq!(safe(&fleet), ["v1"]);
    fleet.set_discovery_error(Some("the API is away"));
    assert_eq!(safe(&fleet), NONE, "discovery may miss a pod");
}

#[test]
fn no_revision_is_safe_unless_a_newer_one_admits_newcomers() {
    for (what, phase, ready) in [
        ("unready", Phase::Serving, Some(false)),
        ("in maintenance", Phase::Maintenance, Some(true)),
        ("draining", Phase::Draining, Some(true)),
    ] {
        let mut fleet = rainbow(&["v1", "v2"]);
        hear(&mut fleet, PodReport { phase, ready, started_at: at(2), ..of("v2") }, Vec::new());
        // The traffic has nowhere else to go than to v1; v2, where nobody is, can go.
        assert_eq!(safe(&fleet), ["v2"], "{what}");
    }
}

#[test]
fn a_revision_that_newcomers_came_back_to_is_not_safe() {
    let mut fleet = rainbow(&["v1", "v2"]);
    let mut login = |revision: &str, started: i64, logins: u64, now: i64| {
        let counters = Counters { logins, ..Counters::default() };
        let report = PodReport { started_at: at(started), counters, ..of(revision) };
        fleet.apply(&Address::new(revision), PodEvent::Report(report), at(now));
        safe(&fleet)
    };
    assert_eq!(login("v1", 1, 1, 110), ["v1"], "nothing says that traffic is not moved to v2");
    assert_eq!(login("v2", 2, 1, 120), ["v1"]);
    assert_eq!(login("v1", 1, 2, 130), NONE, "traffic was moved back");
    assert_eq!(login("v2", 2, 2, 140), ["v1"]);
}

#[test]
fn a_pod_waits_beyond_its_deadline_for_work_in_progress_alone() {
    let mut fleet = rainbow(&["v1"]);
    let mut awaited = |phase, deadline: Option<i64>, protected| {
        let forced_logout_at = deadline.map(at);
        let report = PodReport { phase, forced_logout_at, protected_sessions: Some(protected), ..of("v1") };
        fleet.apply(&Address::new("v1"), PodEvent::Report(report), at(100));
        let view = fleet.view();
        view.awaited_work(&view.pods()[0]).map(|work| (work.sessions, work.from))
    };
    assert_eq!(awaited(Phase::Draining, Some(160), 2), Some((2, Some(at(160)))));
    assert_eq!(awaited(Phase::Maintenance, Some(160), 1), Some((1, Some(at(160)))));
    assert_eq!(awaited(Phase::Draining, None, 2), Some((2, None)));
    for (phase, deadline, protected) in [
        (Phase::Draining, Some(160), 0),
        (Phase::Serving, None, 2),
        (Phase::Maintenance, None, 2),
        (Phase::Propagating, None, 2),
        (Phase::Closing, None, 2),
    ] {
        assert_eq!(awaited(phase, deadline, protected), None, "{phase} {deadline:?} {protected}");
    }
}
