//! Several pods in one process around one store.

mod adopter;
mod closer;
mod faulty;
mod outdated_answers;
mod running_pod;
mod storm;
mod tasks;
mod undone_ends;

use std::sync::Arc;
use std::time::Duration;

use running_pod::start;
use session_domain::registry::PresenceKind;
use session_domain::shared::Purpose;
use session_domain::{Outcome, SessionId, UserName};
use tokio::time::sleep;
use uuid::Uuid;

use crate::event_streams::EventStreams;
use crate::presence::PresenceGuard;
use crate::sessions::outcome::SessionLookup;
use crate::sessions::served::ServedSession;
use crate::store::MemoryStore;

#[tokio::test(start_paused = true)]
async fn two_pods_asked_in_the_same_instant_make_one_owner() {
    let store = Arc::new(MemoryStore::new());
    let (first, second, third) = (start(&store, "a").await, start(&store, "b").await, start(&store, "c").await);
    let id = SessionId::from_uuid(Uuid::from_u128(7));
    first.pod.registry.start(id, UserName::anonymous(), EventStreams::default(), first.pod.clock.now()).unwrap();
    first.pod.sessions.flush().await;
    let (there, elsewhere) = tokio::join!(second.request(id, true), third.request(id, true));
    let guests = [&there, &elsewhere]
        .into_iter()
        .flatten()
        .filter(|(session, _)| matches!(session, ServedSession::Guest(_)))
        .count();
    assert_eq!((there.is_some(), elsewhere.is_some(), guests), (true, true, 1));
    sleep(Duration::from_secs(3)).await;
    let session = [&first, &second, &third].map(|running| running.walked().len());
    assert_eq!(session.iter().sum::<usize>(), 1, "{session:?}");
    assert_eq!(first.pod.registry.totals().ended(Outcome::Moved), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_store_has_lost_is_written_again_and_a_logout_never_comes_to_life() {
    let store = Arc::new(MemoryStore::new());
    let running = start(&store, "a").await;
    let [stays, leaves] = [1, 2].map(|n| SessionId::from_uuid(Uuid::from_u128(n)));
    let live = [stays, leaves].map(|id| {
        running.pod.registry.start(id, UserName::anonymous(), EventStreams::default(), running.pod.clock.now()).unwrap()
    });
    let _streams = live.each_ref().map(|live| PresenceGuard::open(&running.pod, live, PresenceKind::EventStream));
    running.pod.sessions.flush().await;
    assert_eq!(store.entries().len(), 2);
    store.lose_everything();
    crate::sessions::live::log_out(&running.pod.registry, &live[1], false);
    // Asked for before the writer has come to it.
    assert!(matches!(running.pod.sessions.find(leaves, Purpose::Request).await, SessionLookup::NotFound));
    sleep(Duration::from_secs(3)).await;
    let kept: Vec<_> = store.entries().iter().map(|entry| entry.session.id).collect();
    assert_eq!(kept, [stays]);
}
