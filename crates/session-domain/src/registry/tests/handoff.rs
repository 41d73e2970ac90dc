//! Handoff: whose turn comes when, which sessions are present after it, and what is waited for of sessions that moved.

use super::*;

const NONE: [u128; 0] = [];

fn with_stream(sessions: &Sessions, n: u128) -> (Arc<LiveSession<()>>, Presence<()>) {
    let session = start(sessions, n, at(0));
    sessions.touch(&session, at(0));
    let stream = Presence::open(sessions, &session, PresenceKind::EventStream);
    (session, stream)
}

fn turns(sessions: &Sessions, count: u64, now: Timestamp) -> Vec<u128> {
    let mut ids: Vec<_> =
        sessions.take_turns(count, now).iter().map(|session| session.id().as_uuid().as_u128()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn sessions_with_protected_work_have_their_turn_last_and_each_has_one() {
    let sessions = registry(10);
    let open: Vec<_> = (1..=5).map(|n| with_stream(&sessions, n)).collect();
    let work = [Protection::begin(&sessions, &open[0].0), Protection::begin(&sessions, &open[1].0)];
    let (first, second) = (turns(&sessions, 2, at(1)), turns(&sessions, 1, at(2)));
    assert_eq!([first, second].concat().iter().filter(|id| **id <= 2).count(), 0, "three are without work");
    let census = sessions.census(at(2)).population.handoff;
    assert_eq!((census.waiting, census.asked, census.first_ask), (2, 3, None));
    assert_eq!(turns(&sessions, 10, at(3)), [1, 2]);
    assert_eq!(turns(&sessions, 10, at(4)), NONE);
    drop(work);
}

#[test]
fn a_session_without_an_open_connection_is_absent_from_its_turn_on_and_absent_ones_have_none() {
    let sessions = registry(10);
    let streamless = start(&sessions, 1, at(0));
    sessions.touch(&streamless, at(0));
    let asleep = with_stream(&sessions, 2);
    asleep.1.close(at(0));
    assert_eq!(present(&sessions, at(1)), 2, "both linger");
    assert_eq!(turns(&sessions, 10, at(1)), [1, 2]);
    assert_eq!((present(&sessions, at(1)), sessions.census(at(1)).next_absence), (0, None));
    assert!(!streamless.has_open_stream(), "there is nothing to ask on");
    assert_eq!(sessions.totals().asked_to_move, 0);
    let away = with_stream(&sessions, 3);
    away.1.close(at(1));
    assert_eq!(turns(&sessions, 10, at(100)), NONE, "its linger is over");
}

#[test]
fn a_page_has_time_to_open_its_stream_again_after_its_turn() {
    let sessions = registry(10);
    let (session, stream) = with_stream(&sessions, 1);
    let request = Presence::open(&sessions, &session, PresenceKind::Request);
    turns(&sessions, 1, at(1));
    stream.close(at(59));
    assert_eq!(present(&sessions, at(60)), 1, "a request is in flight");
    request.close(at(60));
    let until = at(59).plus(REOPEN_TIME);
    assert_eq!(sessions.census(at(60)).next_absence, Some(until), "a request gives no more time");
    assert_eq!((present(&sessions, Timestamp::from_millis(until.as_millis() - 1)), present(&sessions, until)), (1, 0));
    let _again = Presence::open(&sessions, &session, PresenceKind::EventStream);
    assert_eq!(present(&sessions, at(100)), 1, "it came back");
}

#[test]
fn a_session_is_counted_as_asked_once_and_keeps_its_turn_through_a_login() {
    let sessions = registry(10);
    let (session, _stream) = with_stream(&sessions, 1);
    turns(&sessions, 1, at(1));
    assert!(sessions.mark_asked(&session, at(1)));
    assert!(sessions.rename(&session, id(7), UserName::from_input("ada"), at(2)));
    assert!(!sessions.mark_asked(&session, at(1)), "it is asked again");
    assert_eq!(sessions.totals().asked_to_move, 1);
    assert!(session.had_turn());
    assert_eq!(turns(&sessions, 1, at(3)), NONE);
    let (ended, _stream) = with_stream(&sessions, 2);
    sessions.end(&ended, Outcome::Logout);
    assert!(!sessions.mark_asked(&ended, at(3)));
}

#[test]
fn those_that_stay_are_taken_once_and_not_before_their_time() {
    let sessions = registry(10);
    let (early, _early_stream) = with_stream(&sessions, 1);
    let (late, _late_stream) = with_stream(&sessions, 2);
    let (never, _request) = (start(&sessions, 3, at(0)), ());
    sessions.touch(&never, at(0));
    let _request = Presence::open(&sessions, &never, PresenceKind::Request);
    turns(&sessions, 3, at(1));
    assert_eq!(sessions.census(at(10)).population.handoff.first_ask, None, "a turn is no ask");
    sessions.mark_asked(&early, at(1));
    sessions.mark_asked(&late, at(5));
    sessions.mark_asked(&late, at(7));
    assert_eq!(sessions.census(at(10)).population.handoff.first_ask, Some(at(1)));
    let taken = |until| sessions.take_staying(until, at(10)).len();
    assert_eq!((taken(at(0)), taken(at(1)), taken(at(4)), taken(at(5)), taken(at(9))), (0, 1, 0, 1, 0));
    assert_eq!(sessions.census(at(10)).population.handoff.first_ask, None, "both are taken");
}

#[test]
fn a_request_of_a_session_that_moved_is_waited_for_however_it_and_the_move_cross() {
    let sessions = registry(10);
    let waited_for = || sessions.census(at(1)).population.requested_elsewhere;
    let (session, _stream) = with_stream(&sessions, 1);
    let before = Presence::open(&sessions, &session, PresenceKind::Request);
    assert_eq!(waited_for(), 0, "it is its session's, which lives here");
    assert!(sessions.end(&session, Outcome::Moved));
    assert_eq!(waited_for(), 1);
    // Its request had found the session before it moved.
    let after = Presence::open(&sessions, &session, PresenceKind::Request);
    assert_eq!(waited_for(), 1, "one session");
    before.close(at(2));
    assert_eq!(waited_for(), 1);
    after.close(at(3));
    assert_eq!(waited_for(), 0);
    let late = Presence::open(&sessions, &session, PresenceKind::Request);
    assert_eq!(waited_for(), 1);
    late.close(at(4));
    assert_eq!((waited_for(), sessions.active()), (0, 0));
    let (signed_out, _stream) = with_stream(&sessions, 2);
    let _logout = Presence::open(&sessions, &signed_out, PresenceKind::Request);
    sessions.end(&signed_out, Outcome::Logout);
    assert_eq!(waited_for(), 0, "it lives nowhere");
    let totals = sessions.totals();
    assert_eq!(totals.logins + totals.adopted, totals.total_ended() + sessions.active());
}

#[test]
fn the_end_of_a_request_of_a_session_that_moved_wakes_the_drain_though_its_stream_is_open() {
    let woken = Arc::new(AtomicU64::new(0));
    let wakes = Arc::clone(&woken);
    let sessions: Sessions = Arc::new(Registry::new(PodName::new("user-1").unwrap(), Limits::default(), move || {
        wakes.fetch_add(1, Ordering::Relaxed);
    }));
    let (session, _stream) = with_stream(&sessions, 1);
    let request = Presence::open(&sessions, &session, PresenceKind::Request);
    sessions.end(&session, Outcome::Moved);
    let before = woken.load(Ordering::Relaxed);
    request.close(at(1));
    assert!(woken.load(Ordering::Relaxed) > before);
}
