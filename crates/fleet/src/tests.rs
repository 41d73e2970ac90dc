//! What the fleet makes of pods that tell the truth, lie, go silent, exit and come back.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use session_domain::{Counters, Phase, PodReport, UserName};

pub(super) const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn name(pod: &str) -> PodName {
    PodName::new(pod).unwrap()
}

pub(super) fn report(pod: &str, phase: Phase, active_sessions: u64) -> PodReport {
    PodReport {
        pod: name(pod),
        phase,
        started_at: at(0),
        drain_started_at: (phase == Phase::Draining).then(|| at(50)),
        forced_logout_at: None,
        active_sessions,
        present_sessions: Some(active_sessions),
        ready: Some(phase == Phase::Serving),
        revision: "7d9f".into(),
        version: "0.1.0".into(),
        counters: Counters::default(),
        is_final: false,
    }
}

pub(super) fn session(n: u128, pod: &str, active: i64) -> SessionView {
    SessionView {
        id: SessionId::from_uuid(Uuid::from_u128(n << 100 | n)),
        user: UserName::from_input(&format!("user {n}")),
        login_time: at(1),
        last_activity: at(active),
        pod: name(pod),
        event_streams: 1,
        websockets: 0,
        active_tasks: 0,
        in_flight_requests: 0,
        notified: false,
        present: Some(true),
    }
}

/// A fleet of one pod at each address, each with these sessions, as heard.
pub(super) fn fleet(pods: &[(&str, &str, Vec<SessionView>)]) -> Fleet {
    let (mut fleet, mut found) = (Fleet::new(), Vec::new());
    for (address, pod, sessions) in pods {
        let address = Address::new(address);
        found.push(DiscoveredPod::at(address.clone()));
        fleet.apply_discovery(&found, at(90));
        listen(&mut fleet, &address, pod, sessions.clone());
    }
    fleet
}

pub(super) fn listen(fleet: &mut Fleet, address: &Address, pod: &str, sessions: Vec<SessionView>) {
    fleet.apply(address, PodEvent::WatchStarted, at(100));
    fleet.apply(address, PodEvent::Report(report(pod, Phase::Serving, sessions.len() as u64)), at(100));
    fleet.apply(address, PodEvent::Snapshot { sessions, end: true }, at(100));
}

/// These addresses, as discovery names them.
pub(super) fn named(addresses: &[&str]) -> Vec<DiscoveredPod> {
    addresses.iter().map(|address| DiscoveredPod::at(Address::new(address))).collect()
}

fn standing(fleet: &Fleet, address: &str) -> PodHealth {
    fleet.view().pod(&Address::new(address)).unwrap().health()
}

#[test]
fn an_unheard_pod_makes_the_totals_incomplete() {
    let mut fleet = fleet(&[("a:1", "user-1", vec![session(1, "user-1", 90)])]);
    assert!(fleet.view().is_complete());
    fleet.apply_discovery(&named(&["a:1", "b:1"]), at(100));
    assert!(!fleet.view().is_complete());
    assert_eq!(fleet.view().total_sessions(), 1);
}

#[test]
fn a_lost_pods_rows_stay_and_are_marked_until_it_is_heard_again() {
    let mut fleet = fleet(&[("a:1", "user-1", vec![session(1, "user-1", 90)])]);
    let address = Address::new("a:1");
    fleet.apply(&address, PodEvent::Unreachable("refused".into()), at(110));
    let view = fleet.view();
    assert_eq!((view.total_sessions(), view.is_complete(), view.unreachable().count()), (1, false, 1));
    let query = Query::parse(Filter::default(), None, None, CursorParams::default(), 10).unwrap();
    assert!(view.is_stale(view.sessions(&query).rows[0]));

    listen(&mut fleet, &address, "user-1", vec![]);
    assert_eq!((fleet.view().total_sessions(), fleet.view().is_complete()), (0, true));
    assert_eq!(view.total_sessions(), 1, "an older view stays as it was");
}

#[test]
fn a_pod_whose_last_word_was_final_has_finished_and_is_not_unreachable() {
    let mut fleet = fleet(&[("a:1", "user-1", vec![session(1, "user-1", 90)])]);
    let address = Address::new("a:1");
    let last = PodReport { is_final: true, ..report("user-1", Phase::Propagating, 0) };
    fleet.apply(&address, PodEvent::Report(last), at(120));
    fleet.apply(&address, PodEvent::Unreachable("refused".into()), at(121));
    assert_eq!(standing(&fleet, "a:1"), PodHealth::Finished);
    assert_eq!(fleet.view().total_sessions(), 0);
    listen(&mut fleet, &address, "user-1", vec![session(2, "user-1", 90)]);
    assert_eq!(standing(&fleet, "a:1"), PodHealth::Live, "another process took its place");
}

#[test]
fn a_session_claimed_twice_is_counted_once_where_it_was_active_last() {
    let fleet = fleet(&[
        ("a:1", "user-1", vec![session(1, "user-1", 90)]),
        ("b:1", "user-2", vec![session(1, "user-2", 95), session(2, "user-2", 90)]),
    ]);
    let view = fleet.view();
    assert_eq!(view.total_sessions(), 2);
    let query = Query::parse(Filter::new("user-2", "", ""), None, None, CursorParams::default(), 10).unwrap();
    assert_eq!(view.sessions(&query).total, 2);
    assert_eq!(view.pod(&Address::new("a:1")).unwrap().shared, 1);
}

#[test]
fn lies_are_said_and_poison_nobody_else() {
    let far = session(3, "user-1", 10_000_000);
    let mut fleet = fleet(&[
        ("a:1", "user-1", vec![session(1, "user-1", 90), session(2, "user-9", 90), far]),
        ("b:1", "user-2", vec![session(4, "user-2", 90)]),
        ("c:1", "user-2", vec![]),
    ]);
    let PodHealth::Inconsistent(reason) = standing(&fleet, "a:1") else { panic!("believed") };
    assert!(reason.contains("user-9") && reason.contains("clock"), "{reason}");
    let PodHealth::Inconsistent(reason) = standing(&fleet, "b:1") else { panic!("believed") };
    assert!(reason.contains("c:1"), "{reason}");
    assert_eq!(fleet.view().total_sessions(), 3);
    assert!(!fleet.view().is_complete());
    fleet.apply_discovery(&named(&["a:1", "b:1"]), at(100));
    fleet.apply(&Address::new("c:1"), PodEvent::Unreachable("refused".into()), at(100));
    fleet.expire(at(100));
    assert_eq!(standing(&fleet, "b:1"), PodHealth::Live);
}

#[test]
fn a_drains_progress_is_measured_from_who_was_there_when_it_began() {
    let mut fleet = fleet(&[("a:1", "user-1", (1..=4).map(|n| session(n, "user-1", 90)).collect())]);
    let address = Address::new("a:1");
    for left in [4, 2] {
        fleet.apply(&address, PodEvent::Report(report("user-1", Phase::Draining, left)), at(100));
        assert_eq!(fleet.view().pod(&address).unwrap().present_at_drain_start, Some(4));
    }
}

#[test]
fn it_is_safe_to_upgrade_when_all_is_known_nobody_is_there_and_every_pod_is_in_maintenance() {
    let mut fleet = fleet(&[("a:1", "user-1", vec![])]);
    assert!(!fleet.view().is_safe_to_upgrade(), "it serves");
    let address = Address::new("a:1");
    fleet.apply(&address, PodEvent::Report(report("user-1", Phase::Maintenance, 0)), at(100));
    assert!(fleet.view().is_safe_to_upgrade());
    fleet.set_discovery_error(Some("no such name"));
    assert!(!fleet.view().is_safe_to_upgrade(), "there may be others");
    fleet.set_discovery_error(None);
    assert!(fleet.view().is_safe_to_upgrade());
    fleet.apply(&address, PodEvent::Unreachable("gone".into()), at(101));
    assert!(!fleet.view().is_safe_to_upgrade(), "nobody knows");
}

#[test]
fn queries_name_what_is_allowed() {
    let parse =
        |sort, limit, asked| Query::parse(Filter::default(), sort, limit, asked, 100).map_err(|e| e.to_string());
    let start = CursorParams::default();
    assert!(parse(Some("-last_activity"), Some("1000"), CursorParams { before: "end", ..start }).is_ok());
    for (sort, limit, asked, hint) in [
        (Some("age"), None, start, "session_id, user, pod"),
        (None, Some("0"), start, "1 to 1000"),
        (None, Some("1001"), start, "1 to 1000"),
        (None, Some("many"), start, "1 to 1000"),
        (None, None, CursorParams { after: "!!", ..start }, "cursor"),
        (None, None, CursorParams { before: "start", ..start }, "cursor"),
        (None, None, CursorParams { after: "x", before: "end" }, "not both"),
    ] {
        let error = parse(sort, limit, asked).unwrap_err();
        assert!(error.contains(hint), "{error}");
    }
    let error = Filter::default().in_state("asleep").unwrap_err().to_string();
    assert!(error.contains("present, idle, notified, "), "{error}");
}

pub(super) fn heard() -> impl Strategy<Value = PodEvent> {
    let sessions = || prop::collection::vec((0..12_u128, 0..3_u8, 0..200_i64), 0..6);
    let make = |all: Vec<(u128, u8, i64)>| -> Vec<SessionView> {
        all.into_iter().map(|(n, pod, active)| session(n, &format!("user-{pod}"), active + 1)).collect()
    };
    prop_oneof![
        Just(PodEvent::WatchStarted),
        (0..3_u8, any::<bool>()).prop_map(|(pod, is_final)| {
            PodEvent::Report(PodReport { is_final, ..report(&format!("user-{pod}"), Phase::Serving, 0) })
        }),
        (sessions(), any::<bool>()).prop_map(move |(all, end)| PodEvent::Snapshot { sessions: make(all), end }),
        (sessions(), prop::collection::vec(0..12_u128, 0..4)).prop_map(move |(all, gone)| PodEvent::Changes {
            upserts: make(all),
            removals: gone.into_iter().map(|n| (session(n, "x", 1).id, Departure::Unknown)).collect(),
        }),
        Just(PodEvent::Unreachable("gone".into())),
        Just(PodEvent::InvalidMessage("nonsense".into())),
    ]
}

proptest! {
    #[test]
    fn whatever_is_heard_each_session_is_counted_once(history in prop::collection::vec((0..3_u8, heard()), 0..60)) {
        let mut fleet = Fleet::new();
        let addresses: Vec<_> = (0..3).map(|n| Address::new(&format!("{n}:1"))).collect();
        fleet.apply_discovery(&addresses.iter().cloned().map(DiscoveredPod::at).collect::<Vec<_>>(), at(1));
        for (pod, heard) in history {
            fleet.apply(&addresses[usize::from(pod)], heard, at(150));
            let view = fleet.view();
            let query = Query::parse(Filter::default(), None, Some("1000"), CursorParams::default(), 10).unwrap();
            let ids: Vec<_> = view.sessions(&query).rows.iter().map(|row| row.session.id).collect();
            let distinct: HashSet<_> = ids.iter().collect();
            prop_assert_eq!(distinct.len(), ids.len());
            prop_assert_eq!(view.total_sessions(), ids.len() as u64);
        }
        addresses.iter().for_each(|address| fleet.remove(address));
        prop_assert_eq!(fleet.view().total_sessions(), 0);
        prop_assert!(fleet.ledger.claims.shared(&addresses[0]) == 0);
    }
}

/// One pod that has listed session 1 and counts `counted`.
fn counting(counted: u64) -> (Fleet, Address) {
    let mut fleet = fleet(&[("a:1", "user-1", vec![session(1, "user-1", 90)])]);
    let address = Address::new("a:1");
    fleet.apply(&address, PodEvent::Report(report("user-1", Phase::Maintenance, counted)), at(100));
    (fleet, address)
}

#[test]
fn a_pod_that_lastingly_counts_other_than_it_lists_is_not_complete_and_is_asked_again() {
    let (mut fleet, address) = counting(2);
    fleet.expire(at(102));
    assert!(fleet.view().is_complete() && fleet.take_relists(at(102)).is_empty(), "a moment's difference is none");
    let found = (103..110).find(|now| fleet.expire(at(*now)));
    assert_eq!(found, Some(106), "time alone makes it one");
    let PodHealth::Inconsistent(reason) = standing(&fleet, "a:1") else { panic!("believed") };
    assert_eq!(reason, "counts 2 sessions and has listed 1; its list is asked for again");
    assert!(!fleet.view().is_complete());
    assert_eq!(fleet.take_relists(at(106)), std::slice::from_ref(&address));
    assert!(fleet.take_relists(at(106)).is_empty(), "once in a while");

    // While the new snapshot comes in, nothing is known better.
    fleet.apply(&address, PodEvent::WatchStarted, at(107));
    assert!(!fleet.view().is_complete() && fleet.take_relists(at(200)).is_empty());
    fleet.apply(&address, PodEvent::Report(report("user-1", Phase::Maintenance, 2)), at(107));
    let both = vec![session(1, "user-1", 90), session(2, "user-1", 90)];
    fleet.apply(&address, PodEvent::Snapshot { sessions: both, end: true }, at(107));
    assert_eq!((standing(&fleet, "a:1"), fleet.view().total_sessions()), (PodHealth::Live, 2));
}

#[test]
fn it_is_never_safe_to_upgrade_where_the_pod_counts_somebody_it_has_not_listed() {
    let (mut fleet, address) = counting(1);
    let gone = vec![(session(1, "user-1", 90).id, Departure::Unknown)];
    fleet.apply(&address, PodEvent::Changes { upserts: vec![], removals: gone }, at(100));
    assert_eq!(fleet.view().total_sessions(), 0);
    assert!(!fleet.view().is_safe_to_upgrade(), "from the first moment on");
    fleet.apply(&address, PodEvent::Report(report("user-1", Phase::Maintenance, 0)), at(101));
    assert!(fleet.view().is_safe_to_upgrade());
}

#[test]
fn a_pod_that_lists_too_many_is_cut_marked_and_takes_nothing_from_the_others() {
    let mut fleet = fleet(&[("a:1", "user-1", vec![]), ("b:1", "user-2", vec![])]);
    let (liar, honest) = (Address::new("a:1"), Address::new("b:1"));
    let part = |from: usize, pod: &str| (from..from + 1_000).map(|n| session(n as u128 + 1, pod, 90)).collect();
    for from in (0..MAX_SESSIONS_PER_POD + 2_000).step_by(1_000) {
        fleet.apply(&liar, PodEvent::Changes { upserts: part(from, "user-1"), removals: vec![] }, at(100));
    }
    assert_eq!(fleet.view().total_sessions(), MAX_SESSIONS_PER_POD as u64);
    let PodHealth::Inconsistent(reason) = standing(&fleet, "a:1") else { panic!("believed") };
    assert!(reason.contains("lists more than 200000 sessions, the others are left out"), "{reason}");
    assert!(!fleet.view().is_complete());
    fleet.apply(&honest, PodEvent::Changes { upserts: part(900_000, "user-2"), removals: vec![] }, at(100));
    assert_eq!(fleet.view().total_sessions(), MAX_SESSIONS_PER_POD as u64 + 1_000);
    fleet.apply(&liar, PodEvent::WatchStarted, at(101));
    fleet.apply(&liar, PodEvent::Report(report("user-1", Phase::Serving, 0)), at(101));
    assert!(!fleet.view().is_complete(), "it is not believed before its new list is there");
    fleet.apply(&liar, PodEvent::Snapshot { sessions: vec![], end: true }, at(101));
    assert_eq!((standing(&fleet, "a:1"), fleet.view().total_sessions()), (PodHealth::Live, 1_000));
    assert_eq!(fleet.ledger.claims.count(), 1_000);
}

#[test]
fn a_pod_is_ready_as_it_says_itself_unless_discovery_knows_that_it_is_not() {
    let ready = |said: Option<bool>, discovered: Option<bool>, lost: bool| {
        let mut fleet = Fleet::new();
        let address = Address::new("a:1");
        let conditions = Conditions { ready: discovered, ..Conditions::default() };
        fleet.apply_discovery(&[DiscoveredPod { conditions, ..DiscoveredPod::at(address.clone()) }], at(90));
        fleet.apply(&address, PodEvent::WatchStarted, at(100));
        fleet.apply(
            &address,
            PodEvent::Report(PodReport { ready: said, ..report("user-1", Phase::Serving, 0) }),
            at(100),
        );
        fleet.apply(&address, PodEvent::Snapshot { sessions: vec![], end: true }, at(100));
        if lost {
            fleet.apply(&address, PodEvent::Unreachable("refused".into()), at(101));
        }
        fleet.view().pods()[0].is_ready()
    };
    let (yes, no) = (Some(true), Some(false));
    for (said, discovered, lost, is) in [
        (yes, yes, false, yes),
        (no, yes, false, no),
        (yes, no, false, no),
        (yes, None, false, yes),
        (None, yes, false, yes),
        (None, None, false, None),
        (yes, yes, true, None),
        (yes, no, true, no),
    ] {
        assert_eq!(ready(said, discovered, lost), is, "{said:?} {discovered:?} {lost}");
    }
}
