//! Options that make no sense: named at once, exit status 78.

use test_support::{Process, Signal};

use crate::{Admin, BINARY};

async fn exit(environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut process = Process::start(BINARY, &[], environment);
    let status = process.wait().await;
    (status.code(), process.log().join("\n"))
}

#[tokio::test]
async fn off_loopback_without_a_sign_in_is_refused() {
    let (status, log) = exit(&[("USER_PODS", "127.0.0.1:1"), ("HTTP_ADDR", "0.0.0.0:0")]).await;
    assert_eq!(status, Some(78));
    assert!(log.contains("ADMIN_AUTH: ") && log.contains("ADMIN_AUTH=off"), "{log}");
}

#[tokio::test]
async fn every_fault_is_named() {
    let (status, log) = exit(&[("USER_PODS", "here"), ("HTTP_ADDR", "there"), ("REFRESH_INTERVAL", "never")]).await;
    assert_eq!(status, Some(78));
    for variable in ["USER_PODS", "HTTP_ADDR", "REFRESH_INTERVAL"] {
        assert_eq!(log.lines().filter(|line| line.starts_with(&format!("{variable}:"))).count(), 1, "{log}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_named_and_a_signal_stops_cleanly() {
    let mut admin = Admin::start(&["127.0.0.1:1"]).await;
    let (status, log) = exit(&[("USER_PODS", "127.0.0.1:1"), ("HTTP_ADDR", &admin.http)]).await;
    assert_eq!(status, Some(78));
    assert!(log.contains("HTTP_ADDR: cannot listen on 127.0.0.1:"), "{log}");
    admin.process.signal(Signal::SIGTERM);
    assert!(admin.process.wait().await.success());
}
