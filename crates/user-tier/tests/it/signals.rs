//! Signals other than those that ask for an orderly end.

use test_support::{Process, Signal};

use crate::{BINARY, pod};

#[tokio::test]
async fn sighup_and_user_signals_are_logged_and_end_nothing() {
    let pod = pod(&[]).await;
    let person = pod.person().visit().await;
    for signal in [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2] {
        pod.signal(signal);
        pod.line(&format!("received {signal}, which is ignored")).await;
    }
    assert_eq!(person.session().await["user"], "anonymous");
    assert_eq!(person.session().await["drain"], serde_json::Value::Null);
}

#[tokio::test]
async fn sigquit_ends_every_session_at_once_and_the_pod_with_status_0() {
    let mut pod = pod(&[("DRAIN_TIMEOUT", "10m"), ("PROPAGATION_WAIT", "10m"), ("SECOND_SIGNAL", "ignore")]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    pod.signal(Signal::SIGQUIT);
    assert_eq!(stream.next_named("session-ended").await.data["reason"], "forced");
    assert_eq!(pod.wait().await.code(), Some(0));
    assert_eq!(
        pod.drain_log(),
        [
            "[GRACEFUL SHUTDOWN] Received SIGQUIT signal",
            "[GRACEFUL SHUTDOWN] 1 active user detected",
            "[GRACEFUL SHUTDOWN] Force-closing 1 remaining session...",
            "[GRACEFUL SHUTDOWN] Shutting down cleanly...",
        ]
    );
}

#[tokio::test]
async fn the_maintenance_page_outlives_hangups_and_stops_at_sigquit() {
    let mut page = Process::start(BINARY, &["maintenance-page"], &[("HTTP_ADDR", "127.0.0.1:0")]);
    page.line("http.address=").await;
    for signal in [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2] {
        page.signal(signal);
        page.line(&format!("received {signal}, which is ignored")).await;
    }
    page.signal(Signal::SIGQUIT);
    assert_eq!(page.wait().await.code(), Some(0));
}
