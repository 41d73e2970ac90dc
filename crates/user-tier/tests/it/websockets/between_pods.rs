//! WebSockets of sessions that several pods share.

use test_support::{Redis, Signal, UserPod, eventually};

use crate::{BINARY, QUICK};

async fn pod(name: &str, redis: &Redis) -> UserPod {
    pod_with(name, redis, &[]).await
}

async fn pod_with(name: &str, redis: &Redis, more: &[(&str, &str)]) -> UserPod {
    let url = redis.url();
    let options =
        [("REDIS_URL", url.as_str()), ("SESSION_KEY", "0123456789abcdef0123456789abcdef"), ("DRAIN_TIMEOUT", "20s")];
    UserPod::start(BINARY, name, &[&QUICK[..], &options, more].concat()).await
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
    assert_eq!(socket.close_code().await, Some(1012), "the end of the process");
    assert!(
        first.wait().await.success(),
        "long before the deadline: a WebSocket of a session that has moved is not waited for"
    );
    let ends = "lastcall_session_ends_total{outcome=\"forced\"}";
    assert_eq!(second.metric(ends).await, 0.0);
}

#[tokio::test]
async fn the_websockets_of_a_session_that_moves_stay_until_their_pod_ends_or_the_session_does() {
    let redis = Redis::start().await;
    let mut first = pod_with("user-1", &redis, &[("PROPAGATION_WAIT", "1h")]).await;
    let second = pod("user-2", &redis).await;
    let (stays, leaves) = (first.person().visit().await, first.person().visit().await);
    let (mut events, mut chat) = (stays.websocket("/ws").await, stays.websocket("/chat").await);
    let mut of_leaving = leaves.websocket("/chat").await;
    first.signal(Signal::SIGTERM);
    while events.event().await.name != "drain" {}
    for person in [&stays, &leaves] {
        let there = person.at(&second.http);
        eventually("the adoption", || async { (there.session().await["pod"] == "user-2").then_some(()) }).await;
    }
    first.line("endpoint removal").await;
    assert_eq!(open(&first).await, 3.0, "no user is left, and the WebSockets are still open");
    assert_eq!(first.metric("lastcall_session_ends_total{outcome=\"moved\"}").await, 2.0);

    assert_eq!(leaves.at(&second.http).post("/logout").send().await.unwrap().status(), 200);
    assert_eq!(of_leaving.close_code().await, Some(1001), "the session has ended on the other pod");
    assert_eq!(open(&first).await, 2.0);
    first.signal(Signal::SIGTERM);
    assert_eq!((events.close_code().await, chat.close_code().await), (Some(1012), Some(1012)));
    assert!(first.wait().await.success());
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
