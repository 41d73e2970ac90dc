//! Presence, expiry and the books of a registry, as tables and under random storms.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::lifecycle::{Effect, Event, Lifecycle, Policy, Signal, Situation};

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
    let (machine, _) =
        Lifecycle::new(Policy::default()).step(Event::Terminate(Signal::Term), Situation { now, population });
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
    assert_eq!(present(&sessions, at(300)), 1, "was there when the countdown began");
    sessions.end_notice();
    assert_eq!(present(&sessions, at(300)), 0);
}

#[test]
fn a_closed_laptop_is_neither_waited_for_nor_forced() {
    let sessions = registry(10);
    let asleep = start(&sessions, 1, at(0));
    Presence::open(&sessions, &asleep, PresenceKind::EventStream).close(at(5));
    let here = start(&sessions, 2, at(0));
    let _stream = Presence::open(&sessions, &here, PresenceKind::EventStream);
    assert_eq!(sessions.census(at(100)).population, Population { held: 2, present: 1 });
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
fn a_shutdown_that_overtakes_a_maintenance_goes_on_waiting_for_whom_that_waited() {
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
fn a_pod_in_a_maintenance_countdown_takes_over_sessions_and_no_newcomers() {
    let sessions = registry(2);
    let elsewhere = |n| SharedSession {
        id: id(n),
        user: UserName::anonymous(),
        login_time: at(0),
        last_activity: at(0),
        pod: PodName::new("user-2").unwrap(),
        streaming: false,
        notified: None,
    };
    let adopt = |n| sessions.reserve_adoption().map(|place| place.adopt(&elsewhere(n), None, (), at(0))).err();
    sessions.restrict_admission(Admission::AdoptionsOnly);
    assert_eq!(sessions.start(id(1), UserName::anonymous(), (), at(0)).err(), Some(AdmissionError::Closed));
    assert!(sessions.admits_adoptions() && !sessions.admits_newcomers());
    assert_eq!((adopt(2), adopt(3), adopt(4)), (None, None, Some(AdmissionError::Full)));
    sessions.set_admission(Admission::Closed);
    sessions.restrict_admission(Admission::AdoptionsOnly);
    assert_eq!(adopt(5), Some(AdmissionError::Closed), "a restriction opens nothing");
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
    assert!(!sessions.rename(&session, id(3), UserName::anonymous(), at(1)), "an ended session gets no name");
}

#[test]
fn only_a_told_session_leaves_gracefully_and_only_while_the_notice_runs() {
    let sessions = registry(10);
    let [told, untold, late, cancelled] = [1, 2, 3, 4].map(|n| start(&sessions, n, at(0)));
    let running = notice(&sessions, at(1));
    sessions.begin_notice(&running);
    assert!(sessions.mark_notified(&told, running.id));
    assert!(!sessions.mark_notified(&told, running.id), "once for each notice");
    sessions.mark_notified(&late, running.id);
    sessions.mark_notified(&cancelled, running.id);
    assert_eq!(sessions.log_out(&told, true), Some(Outcome::AutoLogout));
    assert_eq!(sessions.log_out(&told, true), None);
    assert_eq!(sessions.log_out(&untold, true), Some(Outcome::Logout));
    assert_eq!(sessions.log_out(&late, false), Some(Outcome::Logout));
    sessions.end_notice();
    assert_eq!(sessions.log_out(&cancelled, true), Some(Outcome::Logout));
    let totals = sessions.totals();
    assert_eq!((totals.notified, totals.graceful, totals.ended(Outcome::AutoLogout)), (3, 2, 1));
}

#[test]
fn changes_name_each_session_once_and_what_is_gone() {
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

#[derive(Clone, Debug)]
enum Step {
    Start,
    Touch(usize),
    Login(usize),
    Logout(usize, bool),
    Open(usize),
    Cut(usize),
    Expire,
    Wait(i64),
    Drain,
    Tell(usize),
    ForceClose,
    LetGo,
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0..40_usize;
    prop_oneof![
        6 => Just(Step::Start),
        4 => n.clone().prop_map(Step::Touch),
        3 => n.clone().prop_map(Step::Login),
        2 => (n.clone(), any::<bool>()).prop_map(|(n, auto)| Step::Logout(n, auto)),
        4 => n.clone().prop_map(Step::Open),
        3 => n.clone().prop_map(Step::Cut),
        2 => Just(Step::Expire),
        3 => (0..90_i64).prop_map(Step::Wait),
        1 => Just(Step::Drain),
        2 => n.prop_map(Step::Tell),
        1 => Just(Step::ForceClose),
        1 => Just(Step::LetGo),
    ]
}

fn walked(sessions: &Sessions) -> u64 {
    let mut walked = 0;
    sessions.walk(|_| walked += 1);
    walked
}

proptest! {
    #[test]
    fn the_books_balance_after_every_step_of_a_storm(steps in prop::collection::vec(step(), 1..200)) {
        let sessions = registry(20);
        let (mut all, mut streams, mut running) = (Vec::new(), Vec::new(), None);
        let (mut now, mut next_id) = (at(0), 0);
        for step in steps {
            let pick = |n: usize| all.get(n % all.len().max(1)).cloned();
            match step {
                Step::Start => {
                    next_id += 1;
                    let started = sessions.start(id(next_id), UserName::anonymous(), (), now);
                    prop_assert!(running.is_none() || started.is_err(), "started during a drain");
                    all.extend(started.ok());
                }
                Step::Touch(n) => drop(pick(n).map(|s: Arc<LiveSession<()>>| sessions.touch(&s, now))),
                Step::Login(n) => {
                    next_id += 1;
                    if let Some(session) = pick(n) {
                        sessions.rename(&session, id(next_id), UserName::from_input("ada"), now);
                    }
                }
                Step::Logout(n, auto) => drop(pick(n).map(|s| sessions.log_out(&s, auto))),
                Step::Open(n) => streams.extend(pick(n).map(|s| Presence::open(&sessions, &s, PresenceKind::EventStream))),
                Step::Cut(n) if !streams.is_empty() => streams.swap_remove(n % streams.len()).close(now),
                Step::Cut(_) => {}
                Step::Expire => drop(sessions.end_all(sessions.expired(now), Outcome::Expired)),
                Step::Wait(seconds) => now = now.plus(Duration::from_secs(seconds.unsigned_abs())),
                Step::Drain => {
                    sessions.set_admission(Admission::Closed);
                    let population = sessions.census(now).population;
                    let (_, effects) = Lifecycle::new(Policy::default())
                        .step(Event::Terminate(Signal::Term), Situation { now, population });
                    for effect in effects {
                        if let Effect::Notify(notice) = effect {
                            sessions.begin_notice(&notice);
                            running = Some(notice);
                        }
                    }
                    if running.is_none() { sessions.set_admission(Admission::Open); }
                }
                Step::Tell(n) => if let (Some(s), Some(notice)) = (pick(n), running) { sessions.mark_notified(&s, notice.id); },
                Step::ForceClose => drop(sessions.end_all(sessions.present_sessions(now), Outcome::Forced)),
                Step::LetGo => drop(sessions.end_all(sessions.all_sessions(), Outcome::Expired)),
            }
            let totals = sessions.totals();
            prop_assert_eq!(totals.logins + totals.adopted, walked(&sessions) + totals.total_ended());
            prop_assert_eq!(sessions.active(), walked(&sessions));
            prop_assert!(totals.graceful <= totals.notified);
        }
    }
}

#[test]
fn the_books_balance_under_threads_that_race_for_the_same_sessions() {
    let sessions = registry(10_000);
    let all: Vec<_> = (0..500).map(|n| start(&sessions, n, at(0))).collect();
    std::thread::scope(|scope| {
        for thread in 0..4_u128 {
            let (sessions, all) = (&sessions, &all);
            scope.spawn(move || {
                for (n, session) in all.iter().enumerate() {
                    let key = 1_000_000 * (thread + 1) + n as u128;
                    match (n as u128 + thread) % 4 {
                        0 => _ = sessions.log_out(session, false),
                        1 => _ = sessions.rename(session, id(key), UserName::from_input("x"), at(1)),
                        2 => _ = sessions.start(id(key + 500_000), UserName::anonymous(), (), at(1)),
                        _ => _ = sessions.end(session, Outcome::Forced),
                    }
                }
            });
        }
    });
    let totals = sessions.totals();
    assert_eq!(totals.logins, walked(&sessions) + totals.total_ended());
    assert_eq!(sessions.active(), walked(&sessions));
    assert!(all.iter().all(|session| session.has_ended()));
    assert_eq!(totals.total_ended(), 500);
}
