//! Event streams: what they carry, how many there may be, and how they end.

use std::collections::HashSet;

use crate::pod;

#[tokio::test]
async fn a_stream_sends_connected_and_heartbeats_unbuffered() {
    let pod = pod(&[("HEARTBEAT_INTERVAL", "100ms")]).await;
    let person = pod.person().visit().await;
    let mut stream = person.raw_events().await;
    assert_eq!(stream.header("content-type"), "text/event-stream");
    assert_eq!(stream.header("cache-control"), "no-store, no-transform");
    assert_eq!(stream.header("x-accel-buffering"), "no");
    let greeting = stream.next().await;
    assert_eq!(greeting.name, "connected");
    assert_eq!(greeting.data["pod"], "user-1");
    assert_eq!(greeting.data["heartbeat_ms"], 100);
    assert!(greeting.data["drain"].is_null());
    let beat = stream.next().await;
    assert_eq!(beat.name, "heartbeat");
    assert!(beat.data["server_time"].is_string() && beat.data.get("remaining_ms").is_none());
    assert_eq!(pod.metric("lastcall_event_streams").await, 1.0);
}

#[tokio::test]
async fn streams_get_different_retry_times() {
    let pod = pod(&[]).await;
    let person = pod.person().visit().await;
    let mut times = HashSet::new();
    for _ in 0..8 {
        times.insert(person.raw_events().await.next().await.retry.expect("a retry time"));
    }
    assert!(times.len() > 1, "{times:?}");
}

#[tokio::test]
async fn one_stream_too_many_ends_the_oldest_with_a_reason() {
    let pod = pod(&[("MAX_STREAMS_PER_SESSION", "2")]).await;
    let person = pod.person().visit().await;
    let mut oldest = person.events().await;
    let _second = person.events().await;
    let mut third = person.events().await;
    assert_eq!(oldest.next().await.name, "stream-ended");
    assert_eq!(oldest.next_or_end().await, None);
    person.login("ada").await;
    assert_eq!(third.next().await.name, "connected", "the others go on");
}

#[tokio::test]
async fn events_without_a_session_answers_401() {
    let pod = pod(&[]).await;
    let refused = pod.person().get("/events").await;
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    assert_eq!(pod.metric("total_logins").await, 0.0);
}
