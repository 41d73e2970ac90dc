//! WebSockets of sessions that several pods share.

use test_support::{Redis, Signal, UserPod, eventually};

use crate::{BINARY, QUICK};

async fn pod(name: &str, redis: &Redis) -> UserPod {
    let url = redis.url();
    let options =
        [("REDIS_URL", url.as_str()), ("SESSION_KEY", "0123456789abcdef0123456789abcdef"), ("DRAIN_TIMEOUT", "20s")];
    UserPod::start(BINARY, name, &[&QUICK[..], &options].concat()).await
}

async fn open(pod: &UserPod) -> f64 {
    pod.metric("lastcall_websocket_connections").await
}

#[tokio::test]
async fn a_websocket_holds_its_session_where_it_is_until_that_pod_drains() {
    let redis = Redis::start().await;
    let (mut first, second) = (pod("user-1", &redis).await, pod("user-2", &redis).await);
    let person = first.person().visit().await;
    let mut socket = person.websocket("/ws").await;
    assert_eq!(socket.event().await.name, "connected");
    let elsewhere = person.at(&second.http);
    assert_eq!(elsewhere.session().await["pod"], "user-1", "a guest: the WebSocket holds the session");

    // A guest's WebSocket counts on the pod that holds it, and gets the notice of the session's pod.
    let mut guest = elsewhere.websocket("/ws").await;
    let greeting = guest.event().await;
    assert_eq!((greeting.name.as_str(), greeting.data["pod"].as_str()), ("connected", Some("user-1")));
    assert_eq!((open(&first).await, open(&second).await), (1.0, 1.0));

    first.signal(Signal::SIGTERM);
    assert_eq!(socket.event().await.name, "drain");
    // The session can live on at the second pod: its guest ends, and what is opened again is adopted.
    assert_eq!(guest.close_code().await, Some(1012));
    let mut moved = elsewhere.websocket("/ws").await;
    assert_eq!(moved.event().await.data["pod"], "user-2");
    assert_eq!(socket.close_code().await, Some(1012), "the session has moved");
    assert!(first.wait().await.success(), "long before the deadline");
    let ends = "lastcall_session_ends_total{outcome=\"forced\"}";
    assert_eq!(second.metric(ends).await, 0.0);
}

#[tokio::test]
async fn the_shutdown_of_a_pod_closes_the_websockets_of_its_guests_and_leaves_their_session_alone() {
    let redis = Redis::start().await;
    let (first, mut second) = (pod("user-1", &redis).await, pod("user-2", &redis).await);
    let person = first.person().visit().await;
    let mut stream = person.events().await;
    let mut guest = person.at(&second.http).websocket("/ws").await;
    assert_eq!(guest.event().await.name, "connected");
    second.signal(Signal::SIGTERM);
    assert_eq!(guest.close_code().await, Some(1012));
    assert!(second.wait().await.success());
    person.login("ada").await;
    assert_eq!(stream.next().await.name, "connected");
    eventually("the session to be there", || async { (person.status("/session").await == 200).then_some(()) }).await;
}
