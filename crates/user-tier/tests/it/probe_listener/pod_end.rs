//! The end of a pod with an app beside Lastcall, container by container, in the order in which the kubelet ends either kind of sidecar.

use std::time::Duration;

use session_wire::v1::introspection_client::IntrospectionClient;
use session_wire::v1::watch_sessions_response::Event;
use session_wire::v1::{GetPodRequest, Phase, WatchSessionsRequest};
use test_support::Signal;
use tokio::time::sleep;

use super::*;
use crate::grpc::channel;

/// A container that ends with status 0 at its SIGTERM.
async fn app() -> Process {
    let app = Process::start(BINARY, &["maintenance-page"], &[("HTTP_ADDR", "127.0.0.1:0")]);
    app.line("http.address=").await;
    app
}

/// What the kubelet does with the app's container: its hook, then its signal.
async fn end_app(mut app: Process, probes: String) -> Option<i32> {
    assert_eq!(wait_for_drain(&probes).await.0, 200);
    app.signal(Signal::SIGTERM);
    app.wait().await.code()
}

/// The hooks of both containers begin at once; the sidecar's SIGTERM comes after the app has ended.
#[tokio::test]
async fn a_native_sidecar_drains_by_its_hook_and_serves_until_the_app_has_ended() {
    let (mut pod, probes) = pod(&[("PROPAGATION_WAIT", "1s"), ("DRAIN_TIMEOUT", "60s")]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    let mut client = IntrospectionClient::new(channel(&pod).await);
    let mut watch = client.watch_sessions(WatchSessionsRequest {}).await.unwrap().into_inner();

    let app = tokio::spawn(end_app(app().await, probes.clone()));
    let mut hook = drain_command(&probes);
    assert_eq!(stream.next_named("drain").await.data["reason"], "shutdown");
    assert_eq!((status(&probes, "/ready").await, status(&probes, "/health").await), (503, 200));
    assert_eq!(pod.person().status("/").await, 503, "a newcomer");
    assert_eq!(person.status("/session").await, 200);
    assert!(!hook.has_ended() && !app.is_finished());
    let again = drain(&probes).await;
    assert_eq!(
        (again.status().as_u16(), again.json::<Value>().await.unwrap()["status"].as_str()),
        (202, Some("draining"))
    );
    person.get("/logout").await;
    assert_eq!(hook.wait().await.code(), Some(0));
    assert_eq!(app.await.unwrap(), Some(0));
    pod.line("Drained, serving until SIGTERM...").await;

    // Nothing but a signal ends it now.
    sleep(Duration::from_millis(300)).await;
    assert!(!pod.has_ended());
    assert_eq!((status(&probes, "/ready").await, status(&probes, "/health").await), (503, 200));
    let newcomer = pod.person().get("/").await;
    assert_eq!((newcomer.status().as_u16(), newcomer.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    assert_eq!(pod.person().status("/assets/lastcall.js").await, 200, "a request without a session");
    assert_eq!(wait_for_drain(&probes).await, (200, serde_json::json!({ "status": "drained" })));
    assert_eq!(drain(&probes).await.json::<Value>().await.unwrap()["status"], "drained");
    let mut repeated = drain_command(&probes);
    assert_eq!(repeated.wait().await.code(), Some(0));
    let report = client.get_pod(GetPodRequest {}).await.unwrap().into_inner().pod.unwrap();
    assert_eq!((report.phase(), report.is_final, report.active_sessions), (Phase::Propagating, false, 0));

    pod.signal(Signal::SIGTERM);
    let mut last = None;
    while let Some(message) = watch.message().await.unwrap() {
        if let Some(Event::Pod(report)) = message.event {
            last = Some(report);
        }
    }
    let last = last.unwrap();
    assert!(last.is_final && last.phase() == Phase::Propagating, "{last:?}");
    assert_eq!(pod.wait().await.code(), Some(0));
    let log: Vec<_> = pod.drain_log().into_iter().filter(|line| !line.contains("remaining (")).collect();
    assert_eq!(
        log,
        [
            "Received drain request",
            "1 active user detected",
            "Sending drain notification to 1 user...",
            "Waiting 60s for users to logout gracefully...",
            "Waiting 1s for endpoint removal to propagate...",
            "Drained, serving until SIGTERM...",
            "Received SIGTERM signal",
            "Shutting down cleanly...",
        ]
        .map(|line| format!("[GRACEFUL SHUTDOWN] {line}"))
    );
}

/// Lastcall has no hook and gets its SIGTERM at once; the app's waits for its hook.
#[tokio::test]
async fn an_ordinary_container_drains_by_its_signal_and_the_app_ends_after_the_propagation() {
    let (mut pod, probes) = pod(&[("PROPAGATION_WAIT", "1s"), ("DRAIN_TIMEOUT", "60s")]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    let app = tokio::spawn(end_app(app().await, probes.clone()));
    pod.signal(Signal::SIGTERM);
    stream.next_named("drain").await;
    // A hook of its own would wait for the same drain.
    let mut hook = drain_command(&probes);
    person.get("/logout").await;
    pod.line("Waiting 1s for endpoint removal").await;
    assert!(!app.is_finished());
    assert_eq!(pod.wait().await.code(), Some(0));
    assert_eq!(app.await.unwrap(), Some(0));
    assert_eq!(hook.wait().await.code(), Some(0));
    assert_eq!(pod.drain_log()[0], "[GRACEFUL SHUTDOWN] Received SIGTERM signal");
}

/// Both containers have hooks, and both get their SIGTERM after them.
#[tokio::test]
async fn an_ordinary_container_with_a_hook_ends_at_once_at_its_signal() {
    let (mut pod, probes) = pod(&[]).await;
    let app = tokio::spawn(end_app(app().await, probes.clone()));
    let mut hook = drain_command(&probes);
    assert_eq!(hook.wait().await.code(), Some(0));
    pod.signal(Signal::SIGTERM);
    assert_eq!(pod.wait().await.code(), Some(0));
    assert_eq!(app.await.unwrap(), Some(0));
}
