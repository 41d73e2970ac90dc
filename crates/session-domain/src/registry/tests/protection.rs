//! Protected work: which sessions it protects, and what becomes of it when a session ends, moves or gets another id.

use std::sync::Mutex;

use super::*;

fn protected(sessions: &Sessions) -> (u64, u64) {
    let population = sessions.census(at(0)).population;
    (population.protected, population.protected_elsewhere)
}

fn shared(n: u128) -> SharedSession {
    SharedSession {
        id: id(n),
        user: UserName::anonymous(),
        login_time: at(0),
        last_activity: at(0),
        pod: PodName::new("user-2").unwrap(),
        pinned: false,
        protected: false,
        notified: None,
    }
}

#[test]
fn a_session_is_protected_present_and_pinned_while_any_work_of_it_is_in_progress() {
    let sessions = registry(10);
    let session = start(&sessions, 1, at(0));
    let (one, other) = (Protection::begin(&sessions, &session), Protection::begin(&sessions, &session));
    one.end(at(400));
    assert_eq!((protected(&sessions), sessions.sessions_with_work()), ((1, 0), 1));
    assert!(session.is_protected() && session.is_pinned() && !session.may_be_evicted());
    assert_eq!(present(&sessions, at(500)), 1, "whatever its last request was");
    assert!(!sessions.is_expired(&session, at(100_000)));
    other.end(at(500));
    assert_eq!((protected(&sessions), sessions.sessions_with_work()), ((0, 0), 0));
    assert_eq!(present(&sessions, at(504)), 1, "it lingers after its work");
    assert_eq!(present(&sessions, at(600)), 0);
}

#[test]
fn work_goes_on_when_its_session_moves_away_and_belongs_to_it_again_when_it_comes_back() {
    let sessions = registry(10);
    let session = start(&sessions, 1, at(0));
    let work = Protection::begin(&sessions, &session);
    assert!(sessions.end(&session, Outcome::Moved));
    assert_eq!(protected(&sessions), (0, 1));
    let back = sessions.reserve_adoption().unwrap().adopt(&shared(1), None, (), at(10));
    assert!(back.is_protected());
    assert_eq!(protected(&sessions), (1, 0));
    work.end(at(20));
    assert!(!back.is_protected());
    assert_eq!(protected(&sessions), (0, 0));
    // A request from before it moved away begins to move again.
    let again = Protection::begin(&sessions, &session);
    assert!(back.is_protected());
    assert_eq!(protected(&sessions), (1, 0));
    drop(again);
    assert_eq!(protected(&sessions), (0, 0));
}

#[test]
fn work_of_a_guest_is_its_sessions_once_this_pod_adopts_it() {
    let sessions = registry(10);
    let (one, other) = (Protection::begin_elsewhere(&sessions, id(1)), Protection::begin_elsewhere(&sessions, id(1)));
    assert_eq!(protected(&sessions), (0, 1), "one session");
    let session = sessions.reserve_adoption().unwrap().adopt(&shared(1), None, (), at(10));
    let third = Protection::begin_elsewhere(&sessions, id(1));
    assert_eq!(protected(&sessions), (1, 0));
    drop((one, other));
    assert!(session.is_protected());
    drop(third);
    assert!(!session.is_protected());
}

#[test]
fn work_follows_a_session_to_its_new_id() {
    let sessions = registry(10);
    let session = start(&sessions, 1, at(0));
    let work = Protection::begin(&sessions, &session);
    assert!(sessions.rename(&session, id(2), UserName::from_input("ada"), at(1)));
    assert_eq!((session.is_protected(), protected(&sessions)), (true, (1, 0)));
    drop(work);
    assert_eq!((session.is_protected(), sessions.sessions_with_work()), (false, 0));
    // Work that begins after the login is the same session's.
    let _work = Protection::begin_elsewhere(&sessions, id(2));
    assert!(session.is_protected());
}

#[test]
fn work_that_began_under_the_new_id_before_the_rename_was_known_here_is_one_with_the_older_work() {
    let sessions = registry(10);
    let (older, newer) = (Protection::begin_elsewhere(&sessions, id(1)), Protection::begin_elsewhere(&sessions, id(2)));
    assert_eq!(sessions.sessions_with_work(), 2, "this pod cannot know better");
    sessions.rename_work(id(1), id(2));
    assert_eq!((protected(&sessions), sessions.work_of(id(1)).is_none()), ((0, 1), true));
    drop(older);
    assert_eq!(protected(&sessions), (0, 1), "the newer work is still in progress");
    let session = sessions.reserve_adoption().unwrap().adopt(&shared(2), None, (), at(10));
    let _third = Protection::begin(&sessions, &session);
    drop(newer);
    assert_eq!((session.is_protected(), protected(&sessions)), (true, (1, 0)));
}

#[test]
fn work_under_the_old_id_is_its_sessions_where_this_pod_has_adopted_the_new_id_by_now() {
    let sessions = registry(10);
    let older = Protection::begin_elsewhere(&sessions, id(1));
    let session = sessions.reserve_adoption().unwrap().adopt(&shared(2), None, (), at(10));
    sessions.rename_work(id(1), id(2));
    assert_eq!((session.is_protected(), protected(&sessions)), (true, (1, 0)));
    drop(older);
    assert_eq!((session.is_protected(), protected(&sessions)), (false, (0, 0)));
    // The owner of a session renames it: what began under the new id belongs to it.
    let (old, new) = (Protection::begin(&sessions, &session), Protection::begin_elsewhere(&sessions, id(3)));
    assert!(sessions.rename(&session, id(3), UserName::anonymous(), at(20)));
    drop(old);
    assert_eq!((session.is_protected(), protected(&sessions)), (true, (1, 0)));
    drop(new);
    assert_eq!((session.is_protected(), protected(&sessions)), (false, (0, 0)));
}

#[test]
fn an_observer_hears_of_the_first_work_and_of_the_end_of_the_last() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&heard);
    let sessions = Registry::new(PodName::new("user-1").unwrap(), Limits::default(), || {})
        .with_protection_observer(move |session| record.lock().unwrap().push(session.is_protected()));
    let sessions = Arc::new(sessions);
    let session = start(&sessions, 1, at(0));
    let (one, other) = (Protection::begin(&sessions, &session), Protection::begin(&sessions, &session));
    drop((one, other));
    assert_eq!(*heard.lock().unwrap(), [true, false]);
}
