//! `GET /ws`: the events of a session over a WebSocket, and how it ends.

mod between_pods;
mod bounds;

use std::collections::HashSet;

use serde_json::Value;
use test_support::{Event, Signal, eventually};

use crate::pod;
use crate::switch::Switch;

/// The names of the members of an event's data.
fn members(event: &Event) -> HashSet<&str> {
    event.data.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_websocket_carries_the_events_of_the_stream_and_is_counted_until_it_is_closed() {
    let pod = pod(&[("HEARTBEAT_INTERVAL", "300ms"), ("ROUTE_PREFIX", "/own")]).await;
    let person = pod.person();
    assert_eq!(person.status("/").await, 200);
    let mut stream = person.request("/own/events").send().await.map(test_support::Events::new).unwrap();
    let mut socket = person.websocket("/own/ws").await;
    for name in ["connected", "heartbeat"] {
        let (here, there) = (socket.event().await, stream.next_named(name).await);
        assert_eq!(here.name, name);
        assert_eq!(members(&here), members(&there), "{name}");
    }
    assert_eq!(pod.metric("lastcall_websocket_connections").await, 1.0);
    assert_eq!(pod.metric("lastcall_event_streams").await, 1.0);
    socket.send("whatever").await;
    person.post("/own/login").form(&[("user", "ada")]).send().await.unwrap();
    assert!(socket.event_named("connected").await.data["session_id"].is_string(), "a login greets anew");
    person.post("/own/logout").send().await.unwrap();
    assert_eq!(socket.event_named("session-ended").await.data["reason"], "logout");
    assert_eq!(socket.close_code().await, Some(1001));
    eventually("the gauge to fall", || async {
        (pod.metric("lastcall_websocket_connections").await == 0.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_notifies_and_closes_each_websocket_with_1012_at_its_own_moment_before_the_forced_end() {
    let mut pod = pod(&[("DRAIN_TIMEOUT", "4s")]).await;
    let mut sockets = Vec::new();
    for _ in 0..6 {
        let mut socket = pod.person().visit().await.websocket("/ws").await;
        assert_eq!(socket.event().await.name, "connected");
        sockets.push(socket);
    }
    pod.signal(Signal::SIGTERM);
    for socket in &mut sockets {
        let notice = socket.event().await;
        assert_eq!((notice.name.as_str(), &notice.data["reason"]), ("drain", &Value::from("shutdown")));
    }
    assert_eq!(pod.metric("drain_notifications_sent").await, 6.0);
    let late = pod.person().at(&pod.http);
    assert_eq!(late.get("/ws").await.status(), 401, "no newcomer");
    let closed = sockets.into_iter().map(|mut socket| {
        tokio::spawn(async move {
            let code = socket.close_code().await;
            (code, std::time::Instant::now())
        })
    });
    let mut moments = Vec::new();
    for closing in closed.collect::<Vec<_>>() {
        let (code, moment) = closing.await.unwrap();
        assert_eq!(code, Some(1012));
        moments.push(moment);
    }
    moments.sort();
    let spread = *moments.last().unwrap() - moments[0];
    assert!(spread.as_millis() > 30, "all at once: {spread:?}");
    pod.line("[GRACEFUL SHUTDOWN] Force-closing 6 remaining sessions...").await;
    assert!(pod.wait().await.success());
}

#[tokio::test]
async fn a_websocket_opened_in_the_last_second_stays_until_the_forced_end_is_said() {
    let mut pod = pod(&[("DRAIN_TIMEOUT", "800ms")]).await;
    let mut socket = pod.person().visit().await.websocket("/ws").await;
    assert_eq!(socket.event().await.name, "connected");
    pod.signal(Signal::SIGTERM);
    assert_eq!(socket.event_named("session-ended").await.data["reason"], "forced");
    assert_eq!(socket.close_code().await, Some(1012));
    assert!(pod.wait().await.success());
}

#[tokio::test]
async fn maintenance_is_told_and_taken_back_and_its_end_closes_with_1001() {
    let switch = Switch::new("false");
    let pod = pod(&[&switch.options()[..], &[("DRAIN_TIMEOUT", "3s")]].concat()).await;
    let mut socket = pod.person().visit().await.websocket("/ws").await;
    assert_eq!(socket.event().await.name, "connected");
    switch.set("true");
    assert_eq!(socket.event_named("drain").await.data["reason"], "maintenance");
    switch.set("false");
    assert_eq!(socket.event_named("drain-cancelled").await.data["reason"], "maintenance");
    switch.set("true");
    assert_eq!(socket.event_named("drain").await.data["reason"], "maintenance");
    assert_eq!(socket.close_code().await, Some(1001));
}
