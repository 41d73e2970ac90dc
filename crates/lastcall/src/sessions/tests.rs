//! Releasing the remaining sessions at the end of a pod.

use session_domain::lifecycle::Admission;
use session_domain::registry::Limits;
use session_domain::shared::SharedSession;
use session_domain::{Outcome, PodName};
use uuid::Uuid;

use super::*;
use crate::event_streams::EventStreams;

const fn id(n: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(n))
}

fn sessions() -> Sessions {
    let registry = SessionRegistry::new(PodName::new("a").unwrap(), Limits::default(), || {});
    Sessions::new(Arc::new(registry), None, Clock::start())
}

fn start(sessions: &Sessions, n: u128) -> LiveSession {
    let now = sessions.clock.now();
    sessions.registry.start(id(n), UserName::anonymous(), EventStreams::default(), now).unwrap()
}

#[tokio::test(start_paused = true)]
async fn releasing_waits_for_a_session_that_was_admitted_and_is_not_in_the_registry_yet() {
    let sessions = sessions();
    let present = start(&sessions, 1);
    let slot = sessions.registry.reserve_adoption().unwrap();
    sessions.registry.set_admission(Admission::Closed);
    let shared = SharedSession {
        id: id(2),
        user: UserName::anonymous(),
        login_time: sessions.clock.now(),
        last_activity: sessions.clock.now(),
        pod: PodName::new("b").unwrap(),
        pinned: false,
        protected: false,
        notified: None,
    };
    let arrives = async {
        tokio::time::sleep(ADMITTED_POLL_INTERVAL * 3).await;
        slot.adopt(&shared, None, EventStreams::default(), sessions.clock.now())
    };
    let ((), adopted) = tokio::join!(sessions.release_remaining(), arrives);
    // Without a store nothing is acknowledged: no session can move to another pod.
    assert_eq!((present.outcome(), adopted.outcome()), (Some(Outcome::Expired), Some(Outcome::Expired)));
    assert_eq!(sessions.registry.active(), 0);
}

#[tokio::test(start_paused = true)]
async fn releasing_does_not_wait_while_sessions_are_still_admitted() {
    let sessions = sessions();
    let slot = sessions.registry.reserve_adoption().unwrap();
    sessions.release_remaining().await;
    assert_eq!(sessions.registry.active(), 1);
    drop(slot);
}
