//! One stream of a session that its pod has released, step by step.

use test_support::{Events, Redis, Signal, UserPod, eventually};

use crate::{BINARY, QUICK};

/// A pod that releases.
async fn pod(name: &str, redis: &Redis, propagation_wait: &str) -> UserPod {
    let url = redis.url();
    let options = [
        ("REDIS_URL", url.as_str()),
        ("SESSION_KEY", "0123456789abcdef0123456789abcdef"),
        ("FORCED_END", "release"),
        ("DRAIN_TIMEOUT", "1s"),
        ("PROPAGATION_WAIT", propagation_wait),
    ];
    UserPod::start(BINARY, name, &[&QUICK[..], &options].concat()).await
}

/// Reads to the end and gives the names of the events.
async fn names(stream: &mut Events) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(event) = stream.next_or_end().await {
        names.push(event.name);
    }
    names
}

/// Opens the stream again: with `comes_back` first on the pod that released it, and then on the other one.
async fn is_adopted(comes_back: bool) {
    let redis = Redis::start().await;
    let (mut first, second) = (pod("user-1", &redis, "3s").await, pod("user-2", &redis, "3s").await);
    let person = first.person().visit().await;
    assert_eq!(person.login("ada").await.status(), 303);
    let id = person.session().await["session_id"].clone();
    let mut stream = person.events().await;
    first.signal(Signal::SIGTERM);
    let seen = names(&mut stream).await;
    assert!(seen.contains(&"drain".to_owned()) && !seen.contains(&"session-ended".to_owned()), "{seen:?}");
    if comes_back && let Some(mut again) = person.try_events().await {
        names(&mut again).await;
    }
    assert!(first.wait().await.success());
    let mut stream = person.at(&second.http).raw_events().await;
    let connected = stream.next_named("connected").await.data;
    assert_eq!((&connected["session_id"], &connected["pod"]), (&id, &"user-2".into()));
    eventually("the adoption", || async { (second.metric("active_sessions_total").await == 1.0).then_some(()) }).await;
    assert_eq!(second.metric("lastcall_sessions_adopted_total").await, 1.0);
}

#[tokio::test]
async fn a_released_session_is_adopted_where_its_stream_is_opened_next() {
    is_adopted(false).await;
}

#[tokio::test]
async fn a_released_session_whose_stream_came_back_once_is_adopted_where_it_is_opened_next() {
    is_adopted(true).await;
}
