//! `user-tier drain`: what it says where it cannot drain, and what signals do in the middle.

use test_support::Signal;
use tokio::net::TcpListener;

use super::*;

/// The exit status, and what the command says.
async fn run(probes: &str) -> (Option<i32>, String) {
    let mut command = drain_command(probes);
    let status = command.wait().await;
    (status.code(), command.log().join("\n"))
}

#[tokio::test]
async fn it_says_why_it_cannot_drain() {
    let nobody = format!("127.0.0.1:{}", free_port());
    let another = Process::start(BINARY, &["maintenance-page"], &[("HTTP_ADDR", "127.0.0.1:0")]);
    let line = another.line("http.address=").await;
    let another = line.split("http.address=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let breaking = silent.local_addr().unwrap().to_string();
    tokio::spawn(async move { while silent.accept().await.is_ok() {} });
    for (probes, status, text) in [
        (nobody.as_str(), 1, format!("nobody listens on {nobody}")),
        (&another, 1, format!("what listens on {another} is not a Lastcall with this PROBE_ADDR")),
        (&breaking, 1, format!("the service on {breaking} gives no answer")),
        ("10.0.0.5:9093", 78, "PROBE_ADDR: 10.0.0.5 is not the loopback".to_owned()),
        ("127.0.0.1:0", 78, "PROBE_ADDR: port 0".to_owned()),
        ("nowhere", 78, "PROBE_ADDR: ".to_owned()),
    ] {
        let (code, log) = run(probes).await;
        assert_eq!(code, Some(status), "{probes}: {log}");
        assert!(log.contains(&text) && log.lines().count() == 1, "{probes}: {log}");
    }
}

#[tokio::test]
async fn a_signal_ends_the_command_and_not_the_drain_which_a_second_signal_to_the_pod_hurries() {
    let (mut pod, probes) = pod(&[("DRAIN_TIMEOUT", "10m"), ("PROPAGATION_WAIT", "10m")]).await;
    let person = pod.person().visit().await;
    let mut stream = person.events().await;
    let mut stopped = drain_command(&probes);
    assert_eq!(stream.next_named("drain").await.data["reason"], "shutdown");
    stopped.signal(Signal::SIGTERM);
    assert_eq!(stopped.wait().await.code(), Some(143));
    stopped.line("the drain goes on").await;

    // Asked again, it waits for the same drain. The first signal to the pod changes nothing but the end.
    let mut waits = drain_command(&probes);
    pod.signal(Signal::SIGTERM);
    pod.line("Received SIGTERM signal").await;
    assert_eq!((status(&probes, "/ready").await, person.status("/session").await), (503, 200));
    assert!(!waits.has_ended());
    pod.signal(Signal::SIGTERM);
    assert_eq!(pod.wait().await.code(), Some(0));
    let status = waits.wait().await;
    // It has the answer, unless it was still connecting.
    assert!(status.code() == Some(0) || waits.log().join("").contains("ended before"), "{:?}", waits.log());
    assert_eq!(
        pod.drain_log(),
        [
            "Received drain request",
            "1 active user detected",
            "Sending drain notification to 1 user...",
            "Waiting 600s for users to logout gracefully...",
            "Received SIGTERM signal",
            "Received another signal, not waiting any longer",
            "Force-closing 1 remaining session...",
            "Shutting down cleanly...",
        ]
        .map(|line| format!("[GRACEFUL SHUTDOWN] {line}"))
    );
}
