//! Presence, expiry and the counters of a registry, case by case.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use uuid::Uuid;

use super::*;
use crate::lifecycle::{Event, Lifecycle, Notice, Policy, Population, Signal, Situation};
use crate::outcome::Outcome;
use crate::shared::SharedSession;

mod handoff;
mod protection;
mod storm;

type Sessions = Arc<Registry<()>>;

fn registry(max_sessions: u64) -> Sessions {
    let limits = Limits { max_sessions, ..Limits::default() };
    Arc::new(Registry::new(PodName::new("user-1").unwrap(), limits, || {}))
}

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

const fn id(n: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(n))
}

fn start(sessions: &Sessions, n: u128, now: Timestamp) -> Arc<LiveSession<()>> {
    sessions.start(id(n), UserName::anonymous(), (), now).unwrap()
}

fn notice(sessions: &Sessions, now: Timestamp) -> Notice {
    let population = sessions.census(now).population;
    let (machine, _) = Lifecycle::new(Policy::default())
        .step(Event::Terminate(Signal::Term), Situation { now, population, can_move: false });
    machine.notice().unwrap()
}

fn present(sessions: &Sessions, now: Timestamp) -> u64 {
    sessions.census(now).population.present
}

#[test]
fn a_session_with_a_stream_lingers_after_it_closes() {
    let sessions = registry(10);
    let session = start(&sessions, 1, at(0));
    let stream = Presence::open(&sessions, &session, PresenceKind::EventStream);
    assert_eq!(present(&sessions, at(500)), 1);
    stream.close(at(500));
    assert_eq!(present(&sessions, at(509)), 1);
    assert_eq!(sessions.census(at(509)).next_absence, Some(at(510)));
    assert_eq!(present(&sessions, at(510)), 0);
}

#[test]
fn a_session_without_a_stream_lingers_for_a_minute_and_a_countdown_stops_that_clock() {
    let sessions = registry(10);
    let session = start(&sessions, 1, at(0));
    sessions.touch(&session, at(0));
    assert_eq!((present(&sessions, at(59)), present(&sessions, at(60))), (1, 0));

    let running = notice(&sessions, at(30));
    sessions.begin_notice(&running);
    assert_eq!(present(&sessions, at(300)), 1, "it was present when the countdown began");
    sessions.end_notice();
    assert_eq!(present(&sessions, at(300)), 0);
}

#[test]
fn a_session_of_a_closed_laptop_is_neither_waited_for_nor_forced() {
    let sessions = registry(10);
    let asleep = start(&sessions, 1, at(0));
    Presence::open(&sessions, &asleep, PresenceKind::EventStream).close(at(5));
    let here = start(&sessions, 2, at(0));
    let _stream = Presence::open(&sessions, &here, PresenceKind::EventStream);
    let Population { held, present, .. } = sessions.census(at(100)).population;
    assert_eq!((held, present), (2, 1));
    assert_eq!(sessions.end_all(sessions.present_sessions(at(100)), Outcome::Forced).len(), 1);
    assert_eq!(sessions.end_all(sessions.all_sessions(), Outcome::Expired).len(), 1);
    assert_eq!((here.outcome(), asleep.outcome()), (Some(Outcome::Forced), Some(Outcome::Expired)));
}

#[test]
fn a_session_expires_when_idle_but_not_under_an_open_stream() {
    let sessions = registry(10);
    let session = start(&sessions, 1, at(0));
    sessions.touch(&session, at(0));
    let stream = Presence::open(&sessions, &session, PresenceKind::EventStream);
    assert!(sessions.expired(at(10_000)).is_empty());
    stream.close(at(10_000));
    assert!(sessions.expired(at(13_599)).is_empty());
    assert_eq!(sessions.end_all(sessions.expired(at(13_600)), Outcome::Expired).len(), 1);
}

#[test]
fn a_session_whose_cookie_never_comes_back_expires_after_a_minute() {
    let sessions = registry(10);
    start(&sessions, 1, at(0));
    assert!(sessions.find(id(1), at(59)).is_some());
    assert!(sessions.find(id(1), at(60)).is_none());
    assert_eq!(sessions.totals().ended(Outcome::Expired), 1);
}

#[test]
fn a_countdown_waits_for_a_client_without_a_stream_however_long_it_takes() {
    let sessions = registry(10);
    let streamless = start(&sessions, 1, at(0));
    sessions.touch(&streamless, at(0));
    sessions.begin_notice(&notice(&sessions, at(1)));
    assert!(sessions.expired(at(900)).is_empty() && sessions.find(id(1), at(900)).is_some());
    assert_eq!(sessions.end_all(sessions.present_sessions(at(900)), Outcome::Forced).len(), 1);
    assert_eq!(streamless.outcome(), Some(Outcome::Forced));
}

#[test]
fn a_shutdown_that_overtakes_a_maintenance_still_waits_for_the_same_sessions() {
    let sessions = registry(10);
    let session = start(&sessions, 1, at(0));
    sessions.touch(&session, at(0));
    let maintenance = notice(&sessions, at(30));
    sessions.begin_notice(&maintenance);
    let shutdown = Notice { started_at: at(300), ..maintenance };
    sessions.begin_notice(&shutdown);
    assert_eq!(present(&sessions, at(301)), 1);
}

#[test]
fn a_full_or_closed_pod_starts_nothing() {
    let sessions = registry(1);
    let first = start(&sessions, 1, at(0));
    let refused = |n| sessions.start(id(n), UserName::anonymous(), (), at(0)).err();
    assert_eq!(refused(2), Some(AdmissionError::Full));
    sessions.end(&first, Outcome::Logout);
    sessions.set_admission(Admission::Closed);
    assert_eq!(refused(3), Some(AdmissionError::Closed));
    sessions.set_admission(Admission::Open);
    assert_eq!(refused(4), None);
}

#[test]
fn a_pod_in_a_maintenance_countdown_adopts_sessions_and_admits_no_newcomers() {
    let sessions = registry(2);
    let shared = |n| SharedSession {
        id: id(n),
        user: UserName::anonymous(),
        login_time: at(0),
        last_activity: at(0),
        pod: PodName::new("user-2").unwrap(),
        pinned: false,
        protected: false,
        notified: None,
    };
    let adopt = |n| sessions.reserve_adoption().map(|slot| slot.adopt(&shared(n), None, (), at(0))).err();
    sessions.restrict_admission(Admission::AdoptionsOnly);
    assert_eq!(sessions.start(id(1), UserName::anonymous(), (), at(0)).err(), Some(AdmissionError::Closed));
    assert!(sessions.admits_adoptions() && !sessions.admits_newcomers());
    assert_eq!((adopt(2), adopt(3), adopt(4)), (None, None, Some(AdmissionError::Full)));
    sessions.set_admission(Admission::Closed);
    sessions.restrict_admission(Admission::AdoptionsOnly);
    assert_eq!(adopt(5), Some(AdmissionError::Closed), "a restriction never raises the admission");
    assert_eq!(sessions.active(), 2);
}

#[test]
fn a_login_replaces_the_id_and_counts_nothing() {
    let sessions = registry(10);
    let session = start(&sessions, 1, at(0));
    assert!(sessions.rename(&session, id(2), UserName::from_input("ada"), at(0)));
    assert!(sessions.find(id(1), at(1)).is_none());
    assert!(sessions.is_replaced(id(1), at(59)) && !sessions.is_replaced(id(1), at(60)));
    assert!(!sessions.is_replaced(id(2), at(1)));
    assert_eq!(sessions.find(id(2), at(1)).map(|s| s.user().to_string()), Some("ada".into()));
    assert_eq!((sessions.totals().logins, sessions.totals().total_ended(), sessions.active()), (1, 0, 1));
    sessions.end(&session, Outcome::Logout);
    assert!(!sessions.rename(&session, id(3), UserName::anonymous(), at(1)), "an ended session cannot be renamed");
}

#[test]
fn only_the_logout_of_a_notified_session_while_the_notice_runs_is_graceful() {
    let sessions = registry(10);
    let [notified, unnotified, late, cancelled] = [1, 2, 3, 4].map(|n| start(&sessions, n, at(0)));
    let running = notice(&sessions, at(1));
    sessions.begin_notice(&running);
    assert!(sessions.mark_notified(&notified, running.id));
    assert!(!sessions.mark_notified(&notified, running.id), "once for each notice");
    sessions.mark_notified(&late, running.id);
    sessions.mark_notified(&cancelled, running.id);
    assert_eq!(sessions.log_out(&notified, true), Some(Outcome::AutoLogout));
    assert_eq!(sessions.log_out(&notified, true), None);
    assert_eq!(sessions.log_out(&unnotified, true), Some(Outcome::Logout));
    assert_eq!(sessions.log_out(&late, false), Some(Outcome::Logout));
    sessions.end_notice();
    assert_eq!(sessions.log_out(&cancelled, true), Some(Outcome::Logout));
    let totals = sessions.totals();
    assert_eq!((totals.notified, totals.graceful, totals.ended(Outcome::AutoLogout)), (3, 2, 1));
}

#[test]
fn changes_name_each_session_once_and_the_removed_ids() {
    let sessions = registry(10);
    let session = start(&sessions, 1, at(0));
    sessions.touch(&session, at(1));
    sessions.touch(&session, at(2));
    let changes = sessions.take_changes();
    assert!(matches!(changes.as_slice(), [Change::Updated(s)] if s.id() == id(1)), "{changes:?}");
    sessions.rename(&session, id(2), UserName::from_input("ada"), at(2));
    sessions.end(&session, Outcome::Logout);
    let removed: Vec<_> = sessions
        .take_changes()
        .iter()
        .filter_map(|c| if let Change::Removed(id, _) = c { Some(*id) } else { None })
        .collect();
    assert_eq!(removed, [id(1), id(2)]);
}

#[test]
fn a_registry_without_watchers_keeps_no_changes_until_it_is_watched() {
    let limits = Limits { max_sessions: 10, ..Limits::default() };
    let sessions = Arc::new(Registry::new(PodName::new("user-1").unwrap(), limits, || {}).without_watchers());
    let session = start(&sessions, 1, at(0));
    sessions.touch(&session, at(1));
    assert!(sessions.end(&session, Outcome::Logout));
    assert!(sessions.take_changes().is_empty());
    sessions.begin_watching();
    start(&sessions, 2, at(2));
    assert_eq!(sessions.take_changes().len(), 1);
}

#[test]
fn a_drain_learns_of_an_end_before_an_observer_that_may_panic() {
    let changes = Arc::new(AtomicU64::new(0));
    let (counted, seen) = (Arc::clone(&changes), Arc::clone(&changes));
    let count = move || _ = counted.fetch_add(1, Ordering::Relaxed);
    let sessions = Registry::new(PodName::new("user-1").unwrap(), Limits::default(), count)
        .with_end_observer(move |_: &LiveSession<()>, _| assert_eq!(seen.load(Ordering::Relaxed), 2));
    let session = sessions.start(id(1), UserName::anonymous(), (), at(0)).unwrap();
    assert!(sessions.end(&session, Outcome::Logout));
}
