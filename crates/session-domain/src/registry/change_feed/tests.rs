//! A watcher that applies the changes of a feed knows the sessions of the registry, whatever happens to them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::ids::{PodName, UserName};
use crate::outcome::Outcome;
use crate::registry::{Limits, LiveSession, Registry};
use crate::shared::SharedSession;

const INTERVAL: Duration = Duration::from_secs(1);

const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

const fn id(n: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(n))
}

fn registry() -> Registry<()> {
    let hour = Duration::from_secs(3600);
    let limits = Limits { max_sessions: 1_000, session_ttl: hour, ..Limits::default() };
    Registry::new(PodName::new("user-1").unwrap(), limits, || {})
}

fn shared(id: SessionId) -> SharedSession {
    SharedSession {
        id,
        user: UserName::anonymous(),
        login_time: at(0),
        last_activity: at(0),
        pod: PodName::new("user-2").unwrap(),
        pinned: false,
        protected: false,
        notified: None,
    }
}

/// A watcher that applies changes in the order in which they arrive.
#[derive(Debug, Default)]
struct Watcher {
    known: BTreeMap<SessionId, String>,
    received_at: HashMap<SessionId, Timestamp>,
}

impl Watcher {
    fn apply(&mut self, changes: Vec<Change<()>>, now: Timestamp, interval: Option<Duration>) {
        for change in changes {
            let before = self.received_at.insert(change.id(), now);
            if let (Some(before), Some(interval)) = (before, interval) {
                assert!(now >= before.plus(interval), "{:?} twice within {interval:?}", change.id());
            }
            match change {
                Change::Updated(session) => self.known.insert(session.id(), session.user().to_string()),
                Change::Removed(id, _) => self.known.remove(&id),
            };
        }
    }
}

fn held(sessions: &Registry<()>) -> BTreeMap<SessionId, String> {
    let mut held = BTreeMap::new();
    sessions.walk(|session| _ = held.insert(session.id(), session.user().to_string()));
    held
}

#[test]
fn a_session_that_moves_away_and_back_within_a_second_is_last_sent_as_present() {
    let (sessions, mut feed, mut watcher) = (registry(), ChangeFeed::new(INTERVAL), Watcher::default());
    let here = sessions.start(id(1), UserName::anonymous(), (), at(0)).unwrap();
    feed.extend(sessions.take_changes());
    watcher.apply(feed.take_due(at(0)), at(0), Some(INTERVAL));
    sessions.end(&here, Outcome::Moved);
    sessions.reserve_adoption().unwrap().adopt(&shared(id(1)), None, (), at(100));
    feed.extend(sessions.take_changes());
    assert!(feed.take_due(at(999)).is_empty(), "a session is sent once a second");
    watcher.apply(feed.take_due(at(1_000)), at(1_000), Some(INTERVAL));
    assert_eq!(watcher.known, held(&sessions));
    assert_eq!(watcher.known.len(), 1);
}

#[test]
fn a_change_that_is_not_due_holds_back_later_changes() {
    let (sessions, mut feed) = (registry(), ChangeFeed::new(INTERVAL));
    let first = sessions.start(id(1), UserName::anonymous(), (), at(0)).unwrap();
    feed.extend(sessions.take_changes());
    assert_eq!(feed.take_due(at(0)).len(), 1);
    sessions.start(id(2), UserName::anonymous(), (), at(100)).unwrap();
    sessions.touch(&first, at(200));
    sessions.start(id(3), UserName::anonymous(), (), at(300)).unwrap();
    feed.extend(sessions.take_changes());
    let ids = |changes: Vec<Change<()>>| changes.iter().map(Change::id).collect::<Vec<_>>();
    assert_eq!(ids(feed.take_due(at(500))), [id(2)]);
    assert_eq!(ids(feed.take_due(at(1_000))), [id(1), id(3)]);
}

#[test]
fn the_memory_of_a_feed_does_not_grow_with_the_changes_of_one_session() {
    let (sessions, mut feed) = (registry(), ChangeFeed::new(INTERVAL));
    for n in 0..1_000 {
        let session = sessions.reserve_adoption().unwrap().adopt(&shared(id(1)), None, (), at(n));
        feed.extend(sessions.take_changes());
        sessions.end(&session, Outcome::Moved);
        feed.extend(sessions.take_changes());
    }
    assert_eq!((feed.waiting.len(), feed.newest.len()), (1, 1));
    feed.take_due(at(1_000));
    feed.take_due(at(2_000));
    assert_eq!((feed.sent.len(), feed.sent_at.len(), feed.waiting.len()), (0, 0, 0));
}

#[test]
fn a_removal_is_queued_before_another_thread_can_adopt_the_session_again() {
    let sessions = registry();
    let mut here = sessions.reserve_adoption().unwrap().adopt(&shared(id(1)), None, (), at(0));
    for _ in 0..2_000 {
        let next = std::thread::scope(|scope| {
            let comes_back = scope.spawn(|| {
                while sessions.get(id(1)).is_some() {
                    std::hint::spin_loop();
                }
                sessions.reserve_adoption().unwrap().adopt(&shared(id(1)), None, (), at(0))
            });
            sessions.end(&here, Outcome::Moved);
            comes_back.join().unwrap()
        });
        let changes = sessions.take_changes();
        assert!(matches!(changes.last(), Some(Change::Updated(session)) if Arc::ptr_eq(session, &next)), "{changes:?}");
        here = next;
    }
}

#[derive(Clone, Debug)]
enum Step {
    Start,
    Touch(usize),
    Rename(usize),
    Leave(usize),
    ComeBack(usize),
    Wait(i64),
    Send,
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..8_usize;
    prop_oneof![
        Just(Step::Start),
        which.clone().prop_map(Step::Touch),
        which.clone().prop_map(Step::Rename),
        which.clone().prop_map(Step::Leave),
        which.prop_map(Step::ComeBack),
        (0..700_i64).prop_map(Step::Wait),
        Just(Step::Send),
    ]
}

proptest! {
    #[test]
    fn a_watcher_ends_up_with_the_sessions_of_the_pod_whatever_happens(steps in prop::collection::vec(step(), 1..120)) {
        let (sessions, mut feed, mut watcher) = (registry(), ChangeFeed::new(INTERVAL), Watcher::default());
        let (mut here, mut away): (Vec<Arc<LiveSession<()>>>, Vec<SessionId>) = (Vec::new(), Vec::new());
        let (mut now, mut next) = (0, 0);
        for step in steps {
            match step {
                Step::Start => {
                    next += 1;
                    here.push(sessions.start(id(next), UserName::anonymous(), (), at(now)).unwrap());
                }
                Step::Touch(n) => _ = here.get(n).map(|session| sessions.touch(session, at(now))),
                Step::Rename(n) => if let Some(session) = here.get(n) {
                    next += 1;
                    sessions.rename(session, id(next), UserName::from_input(&format!("user {next}")), at(now));
                },
                Step::Leave(n) => if n < here.len() {
                    let session = here.swap_remove(n);
                    away.push(session.id());
                    sessions.end(&session, Outcome::Moved);
                },
                Step::ComeBack(n) => if n < away.len() {
                    here.push(sessions.reserve_adoption().unwrap().adopt(&shared(away.swap_remove(n)), None, (), at(now)));
                },
                Step::Wait(time) => now += time,
                Step::Send => {
                    feed.extend(sessions.take_changes());
                    watcher.apply(feed.take_due(at(now)), at(now), Some(INTERVAL));
                }
            }
        }
        feed.extend(sessions.take_changes());
        // All waiting changes are sent within one interval.
        while let Some(due) = feed.next_due() {
            prop_assert!(due <= at(now + 1_000));
            let due = due.max(at(now));
            watcher.apply(feed.take_due(due), due, Some(INTERVAL));
        }
        prop_assert!(feed.waiting.is_empty());
        prop_assert_eq!(watcher.known, held(&sessions));
    }
}
