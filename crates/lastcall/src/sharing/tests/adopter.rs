//! When a pod declares in its lease that it adopts the sessions of pods that stop.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode};
use session_domain::{Outcome, PodName, UserName};
use tokio::time::sleep;
use tower::ServiceExt as _;

use super::running_pod::{RunningPod, start_configured, start_unprobed};
use crate::probes::probes;
use crate::store::{MemoryStore, SessionStore};

/// Time enough to declare a change at once, and less than the shortest time between two renewals of a lease.
const AT_ONCE: Duration = Duration::from_millis(200);

async fn adopters(store: &MemoryStore) -> Vec<PodName> {
    store.adopters().await.unwrap()
}

fn name(of: &RunningPod) -> PodName {
    of.pod.config.pod.clone()
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_no_target_before_its_readiness_was_seen_or_it_has_run_for_a_while() {
    let store = Arc::new(MemoryStore::new());
    // One after the other: the first one waits for the data that an empty store may have lost.
    let probed = start_unprobed(Arc::clone(&store) as _, "a", |_| {}).await;
    let _unprobed = start_unprobed(Arc::clone(&store) as _, "b", |_| {}).await;
    sleep(Duration::from_millis(1_500)).await;
    assert_eq!(adopters(&store).await, []);
    let ready = Request::get("/readyz").body(Body::empty()).unwrap();
    let answer = probes::<()>(&probed.pod).with_state(()).oneshot(ready).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    sleep(AT_ONCE).await;
    assert_eq!(adopters(&store).await, [name(&probed)]);
    sleep(Duration::from_millis(1_500)).await;
    assert_eq!(adopters(&store).await.len(), 2, "nobody asks the other one");
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_fills_up_or_has_room_again_says_so_at_once() {
    let store = Arc::new(MemoryStore::new());
    let small = start_configured(Arc::clone(&store) as _, "small", |config| config.limits.max_sessions = 1).await;
    for _ in 0..5 {
        sleep(AT_ONCE).await;
        assert_eq!(adopters(&store).await, [name(&small)]);
        let session = small.pod.start_session(UserName::anonymous()).unwrap();
        sleep(AT_ONCE).await;
        assert_eq!(adopters(&store).await, []);
        small.pod.registry.end(&session, Outcome::Logout);
    }
}
