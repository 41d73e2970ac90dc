//! How long sessions without a stream count as present, as tables and against a model.

use std::time::Duration;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::lifecycle::{Event, Lifecycle, Notice, Policy, Signal, Situation};
use crate::registry::Limits;
use crate::{Outcome, PodName, SessionId, UserName};

type Sessions = Arc<Registry<()>>;

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

fn registry(limits: Limits) -> Sessions {
    Arc::new(Registry::new(PodName::new("user-1").unwrap(), limits, || {}))
}

fn start(sessions: &Sessions, n: u128, now: Timestamp) -> Arc<LiveSession<()>> {
    sessions.start(SessionId::from_uuid(Uuid::from_u128(n)), UserName::anonymous(), (), now).unwrap()
}

fn notice(now: Timestamp) -> Notice {
    let population = crate::lifecycle::Population { held: 1, present: 1, ..Default::default() };
    let (machine, _) = Lifecycle::new(Policy::default())
        .step(Event::Terminate(Signal::Term), Situation { now, population, can_move: false });
    machine.notice().unwrap()
}

#[test]
fn a_session_whose_cookie_never_came_back_is_present_for_five_seconds_even_during_a_countdown() {
    let sessions = registry(Limits::default());
    let check = start(&sessions, 1, at(0));
    assert_eq!(sessions.census(at(4)).next_absence, Some(at(5)));
    sessions.begin_notice(&notice(at(1)));
    let census = sessions.census(at(4));
    assert_eq!((census.population.present, census.next_absence), (1, Some(at(5))));
    assert_eq!(sessions.census(at(5)).population.present, 0);
    assert!(sessions.end_all(sessions.present_sessions(at(30)), Outcome::Forced).is_empty());
    assert_eq!(sessions.end_all(sessions.expired(at(60)), Outcome::Expired).len(), 1, "and it expires");
    assert_eq!(check.outcome(), Some(Outcome::Expired));
}

#[test]
fn a_shorter_linger_also_holds_for_a_session_whose_cookie_never_came_back() {
    let sessions = registry(Limits { streamless_linger: Duration::from_secs(2), ..Limits::default() });
    let session = start(&sessions, 1, at(0));
    assert!(sessions.is_present(&session, at(1)) && !sessions.is_present(&session, at(2)));
    sessions.touch(&session, at(10));
    assert!(sessions.is_present(&session, at(11)) && !sessions.is_present(&session, at(12)));
}

#[test]
fn a_countdown_waits_for_a_client_whose_cookie_comes_back_during_it() {
    let sessions = registry(Limits::default());
    let session = start(&sessions, 1, at(0));
    sessions.begin_notice(&notice(at(1)));
    assert!(!sessions.is_present(&session, at(20)));
    sessions.touch(&session, at(20));
    assert!(sessions.is_present(&session, at(900)));
}

#[test]
fn a_cookie_that_came_back_at_another_pod_confirms_the_session() {
    let sessions = registry(Limits::default());
    let (confirmed, active) = (start(&sessions, 1, at(0)), start(&sessions, 2, at(0)));
    confirmed.mark_cookie_returned();
    active.record_activity(at(3));
    assert!(sessions.is_present(&confirmed, at(59)) && !sessions.is_present(&confirmed, at(60)));
    assert!(sessions.is_present(&active, at(62)) && !sessions.is_present(&active, at(63)), "since its last request");
}

#[test]
fn a_login_leaves_a_session_confirmed_or_not_as_it_was() {
    let sessions = registry(Limits::default());
    let (fresh, known) = (start(&sessions, 1, at(0)), start(&sessions, 2, at(0)));
    sessions.touch(&known, at(0));
    for (n, session) in [(3, &fresh), (4, &known)] {
        sessions.rename(session, SessionId::from_uuid(Uuid::from_u128(n)), UserName::from_input("ada"), at(0));
    }
    assert!(!sessions.is_present(&fresh, at(5)) && sessions.is_present(&known, at(59)));
}

#[derive(Clone, Debug)]
enum Step {
    /// A request whose cookie came back, from its first byte to its last so many seconds later.
    Request(i64),
    Stream,
    Wait(i64),
    Notice,
    NoticeEnds,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..4_i64).prop_map(Step::Request),
        1 => Just(Step::Stream),
        6 => (0..40_i64).prop_map(Step::Wait),
        2 => Just(Step::Notice),
        1 => Just(Step::NoticeEnds),
    ]
}

proptest! {
    #[test]
    fn presence_follows_from_the_last_request_and_the_countdown(steps in prop::collection::vec(step(), 1..40)) {
        let sessions = registry(Limits { session_ttl: Duration::from_secs(1_000_000), ..Limits::default() });
        let session = start(&sessions, 1, at(0));
        let (mut now, mut last, mut confirmed, mut streamed, mut countdown) = (0, 0, false, false, None);
        for step in steps {
            match step {
                Step::Request(seconds) => {
                    sessions.touch(&session, at(now));
                    let request = Presence::open(&sessions, &session, PresenceKind::Request);
                    now += seconds;
                    prop_assert!(sessions.is_present(&session, at(now)));
                    request.close(at(now));
                    (last, confirmed) = (now, true);
                }
                Step::Stream => {
                    sessions.touch(&session, at(now));
                    Presence::open(&sessions, &session, PresenceKind::EventStream).close(at(now));
                    (last, confirmed, streamed) = (now, true, true);
                }
                Step::Wait(seconds) => now += seconds,
                Step::Notice => {
                    sessions.end_notice();
                    sessions.begin_notice(&notice(at(now)));
                    countdown = Some(now);
                }
                Step::NoticeEnds => {
                    sessions.end_notice();
                    countdown = None;
                }
            }
            let expected = match (streamed, confirmed, countdown) {
                (true, _, _) => now < last + 10,
                (false, false, _) => now < last + 5,
                (false, true, Some(began)) => began < last + 60,
                (false, true, None) => now < last + 60,
            };
            let census = sessions.census(at(now));
            prop_assert_eq!(census.population.present == 1, expected, "{:?} {} {}", countdown, now, last);
            // A drain sleeps until then, so a presence that lapses by itself must say when.
            if let Some(until) = census.next_absence {
                prop_assert!(sessions.census(until).population.present == 0);
            }
        }
    }
}
