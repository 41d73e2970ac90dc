//! An end of a session is not undone by what another pod does with the session at the same time, and counts once.

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
use crate::store::{MemoryStore, Message, SessionStore, Write};

const ID: SessionId = SessionId::from_uuid(Uuid::from_u128(7));

fn start_session(running: &RunningPod) -> LiveSession {
    running.pod.registry.start(ID, UserName::anonymous(), EventStreams::default(), running.pod.clock.now()).unwrap()
}

fn logouts(pods: &[&RunningPod]) -> u64 {
    pods.iter().map(|running| running.pod.registry.totals().ended(Outcome::Logout)).sum()
}

/// The session's owner is gone, or has released it. Its user logs out at the pod `b`, and a request comes to the pod `c` before `b`
/// has deleted the entry.
#[tokio::test(start_paused = true)]
async fn a_logout_holds_though_another_pod_adopts_the_session_before_the_entry_is_deleted() {
    for is_released in [false, true] {
        let memory = Arc::new(MemoryStore::new());
        let store = Arc::new(FaultyStore::around(&memory));
        let hour = Duration::from_secs(3_600);
        let here = start_with(Arc::clone(&store) as Arc<dyn SessionStore>, "b", hour).await;
        let there = start(&memory, "c").await;
        if is_released {
            let live = start_session(&here);
            here.pod.sessions.flush().await;
            let sharing = here.pod.sessions.sharing().unwrap();
            sharing.end_all(vec![live], EndReason::Released, |_| true).await;
        } else {
            let mut owner = start(&memory, "a").await;
            start_session(&owner);
            owner.pod.sessions.flush().await;
            owner.kill().await;
            sleep(Duration::from_secs(20)).await;
        }
        store.hold(&["adopt"]);
        let pod = Arc::clone(&here.pod);
        let logs_out = tokio::spawn(async move { pod.sessions.log_out_by_id(ID, false).await });
        store.holds(1).await;
        assert!(there.request(ID, false).await.is_some());
        assert_eq!(there.walked(), [ID]);
        store.hold(&[]);
        store.release(0);
        logs_out.await.unwrap();
        sleep(Duration::from_secs(3)).await;
        assert_eq!((here.walked(), there.walked(), memory.entries().len()), (vec![], vec![], 0), "{is_released}");
        assert_eq!(logouts(&[&here, &there]), 1, "{is_released}");
        [&here, &there].into_iter().for_each(RunningPod::assert_ledger_balances);
    }
}

/// The store lost its data, and the session was written again. Then another pod adopted it, and it ended there.
#[tokio::test(start_paused = true)]
async fn a_session_that_was_written_again_after_a_loss_and_has_ended_elsewhere_since_is_not_revived() {
    for is_released in [false, true] {
        let store = Arc::new(MemoryStore::new());
        let former = start(&store, "a").await;
        let live = start_session(&former);
        former.pod.sessions.flush().await;
        store.lose_everything();
        sleep(Duration::from_secs(3)).await;
        assert_eq!(store.entries().len(), 1, "written again");
        // What the other pod does, before this one has read the message.
        let pod = former.pod.config.pod.clone();
        store.write(vec![Write::Delete { id: ID, pod: pod.clone(), replaced_for: None }]).await.unwrap();
        if is_released {
            let sharing = Arc::clone(former.pod.sessions.sharing().unwrap());
            sharing.inbox.pending.lock().insert(ID, Hint::Adopted);
            sharing.end_all(vec![Arc::clone(&live)], EndReason::Released, |_| true).await;
        } else {
            store.send(&pod, &Message::Adopted(ID)).await.unwrap();
            sleep(Duration::from_secs(3)).await;
        }
        assert_eq!((live.outcome(), store.entries().len()), (Some(Outcome::Moved), 0), "{is_released}");
    }
}
