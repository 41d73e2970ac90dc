//! What the store or a message said of a session before the pod took the session, or before the store lost its data, ends the
//! session on no pod.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use session_domain::{Outcome, SessionId, UserName};
use tokio::time::sleep;
use uuid::Uuid;

use super::faulty::FaultyStore;
use super::running_pod::{RunningPod, start, start_with};
use crate::event_streams::EventStreams;
use crate::sessions::live::LiveSession;
use crate::sessions::outcome::EndReason;
use crate::sharing::hints::Hint;
use crate::sharing::{Sharing, reconcile};
use crate::store::{MemoryStore, SessionStore, StoreError, Write};

const ID: SessionId = SessionId::from_uuid(Uuid::from_u128(7));

/// A pod that holds a session, and its way to the store. Its tasks do not run: the test acts in their place.
struct Pod {
    running: RunningPod,
    store: Arc<FaultyStore>,
}

impl Pod {
    async fn start(memory: &Arc<MemoryStore>) -> Self {
        let store = Arc::new(FaultyStore::around(memory));
        let mut running =
            start_with(Arc::clone(&store) as Arc<dyn SessionStore>, "a", Duration::from_secs(3_600)).await;
        start_session(&running);
        running.pod.sessions.flush().await;
        running.kill().await;
        Self { running, store }
    }

    fn sharing(&self) -> Arc<Sharing> {
        Arc::clone(self.running.pod.sessions.sharing().unwrap())
    }

    /// Begins to compare the session with the store.
    fn compare(&self, hint: Hint) -> tokio::task::JoinHandle<HashMap<SessionId, Hint>> {
        let sharing = self.sharing();
        tokio::spawn(async move { reconcile::reconcile(&sharing, &HashMap::from([(ID, hint)])).await })
    }

    /// The store was away for a moment, and may be behind.
    fn lose_contact_for_a_moment(&self) {
        let (sharing, now) = (self.sharing(), self.running.pod.clock.now());
        sharing.health.record_write::<()>(Err(StoreError::Unavailable("cut".to_owned())), now);
        sharing.health.record_write(Ok(()), now);
        assert!(sharing.health.may_be_behind(now));
    }

    fn holds(&self) -> bool {
        self.running.walked() == [ID]
    }
}

fn start_session(running: &RunningPod) -> LiveSession {
    running.pod.registry.start(ID, UserName::anonymous(), EventStreams::default(), running.pod.clock.now()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_taken_back_while_the_adoption_is_read_of_stays_on_one_pod() {
    for reclaim_ends_first in [true, false] {
        let memory = Arc::new(MemoryStore::new());
        let (former, adopter) = (Pod::start(&memory).await, start(&memory, "b").await);
        former.lose_contact_for_a_moment();
        assert!(adopter.request(ID, false).await.is_some());
        // The sweep and the inbox ask at the same time: both read that the other pod has adopted the session.
        former.store.hold(&["lookup_many", "adopt"]);
        let swept = former.compare(Hint::None);
        former.store.holds(1).await;
        let told = former.compare(Hint::Adopted);
        former.store.holds(2).await;
        former.store.release(0);
        former.store.holds(2).await;
        // The session is the former owner's again: the answer to the inbox is out of date.
        let order = if reclaim_ends_first { [1, 0] } else { [0, 0] };
        for index in order {
            former.store.release(index);
            sleep(Duration::from_millis(100)).await;
        }
        swept.await.unwrap();
        let pending = told.await.unwrap();
        sleep(Duration::from_secs(3)).await;
        assert!(former.holds(), "the owner in the store holds the session");
        assert_eq!((adopter.walked(), pending.get(&ID)), (Vec::new(), Some(&Hint::Adopted)), "{reclaim_ends_first}");
        former.store.hold(&[]);
        assert!(former.compare(Hint::Adopted).await.unwrap().is_empty() && former.holds(), "asked again, it stays");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_before_a_request_brought_the_session_back_does_not_end_it() {
    let memory = Arc::new(MemoryStore::new());
    let (former, adopter) = (Pod::start(&memory).await, start(&memory, "b").await);
    assert!(adopter.request(ID, false).await.is_some());
    former.store.hold(&["lookup_many"]);
    let told = former.compare(Hint::Adopted);
    former.store.holds(1).await;
    former.store.hold(&[]);
    assert!(former.compare(Hint::None).await.unwrap().is_empty() && !former.holds());
    assert!(former.running.request(ID, false).await.is_some() && former.holds());
    former.store.release(0);
    assert_eq!(told.await.unwrap(), HashMap::from([(ID, Hint::Adopted)]));
    sleep(Duration::from_secs(3)).await;
    assert!(former.holds() && adopter.walked().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_message_of_an_adoption_ends_no_session_while_the_store_that_lost_it_is_doubted() {
    let store = Arc::new(MemoryStore::new());
    let running = start(&store, "a").await;
    let live = start_session(&running);
    running.pod.sessions.flush().await;
    let sharing = Arc::clone(running.pod.sessions.sharing().unwrap());
    let late = HashMap::from([(ID, Hint::Adopted)]);
    store.lose_everything();
    assert_eq!(reconcile::reconcile(&sharing, &late).await, late);
    sleep(Duration::from_secs(15)).await;
    let owners: Vec<_> = store.entries().iter().map(|entry| entry.session.pod.to_string()).collect();
    assert_eq!((owners, live.outcome()), (vec!["a".to_owned()], None));
    assert!(reconcile::reconcile(&sharing, &late).await.is_empty() && !live.has_ended(), "it is written again");
    let pod = running.pod.config.pod.clone();
    store.write(vec![Write::Delete { id: ID, pod, replaced_for: None }]).await.unwrap();
    assert!(reconcile::reconcile(&sharing, &late).await.is_empty());
    assert_eq!(live.outcome(), Some(Outcome::Moved), "a store that is believed: it has ended at the other pod");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_released_to_a_store_that_lost_it_is_written_though_an_adoption_is_unread() {
    let store = Arc::new(MemoryStore::new());
    let running = start(&store, "a").await;
    let live = start_session(&running);
    running.pod.sessions.flush().await;
    let sharing = Arc::clone(running.pod.sessions.sharing().unwrap());
    store.lose_everything();
    sharing.inbox.pending.lock().insert(ID, Hint::Adopted);
    sharing.end_all(vec![Arc::clone(&live)], EndReason::Released, |_| true).await;
    assert_eq!((live.outcome(), store.entries().len()), (Some(Outcome::Moved), 1));
}
