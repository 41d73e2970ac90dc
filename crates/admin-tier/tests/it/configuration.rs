//! Options that make no sense: named at once, exit status 78.

use test_support::{Process, Signal};

use crate::{Admin, BINARY};

async fn exit(environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut process = Process::start(BINARY, &[], environment);
    let status = process.wait().await;
    (status.code(), process.log().join("\n"))
}

#[tokio::test]
async fn options_that_admit_every_client_or_have_no_effect_are_warned_about() {
    let admin = Admin::with(&["127.0.0.1:1"], &[("ADMIN_TOKEN", "opener")]).await;
    admin.process.line("ADMIN_AUTH is off").await;
    let line = admin.process.line("ADMIN_TOKEN is set").await;
    assert!(!line.contains("opener"), "{line}");
    let every_address = [("ADMIN_AUTH", "proxy"), ("TRUSTED_USER_HEADER", "X-User"), ("TRUSTED_PROXIES", "0.0.0.0/0")];
    Admin::with(&["127.0.0.1:1"], &every_address).await.process.line("TRUSTED_PROXIES contains every address").await;
}

#[tokio::test]
async fn a_proxy_without_its_header_and_a_token_that_cannot_be_sent_are_refused() {
    let pods = ("USER_PODS", "127.0.0.1:1");
    let (status, log) = exit(&[pods, ("ADMIN_AUTH", "proxy")]).await;
    assert_eq!(status, Some(78));
    assert!(log.starts_with("ADMIN_AUTH: `proxy` needs TRUSTED_USER_HEADER"), "{log}");
    let (status, log) = exit(&[pods, ("ADMIN_TOKEN", "schlüssel"), ("GRPC_TOKEN_FILE", "/nowhere")]).await;
    assert_eq!(status, Some(78));
    assert!(
        log.contains("ADMIN_TOKEN: has") && log.contains("GRPC_TOKEN_FILE: ") && !log.contains("schlüssel"),
        "{log}"
    );
}

#[tokio::test]
async fn every_faulty_option_is_reported() {
    let (status, log) = exit(&[("USER_PODS", "here"), ("HTTP_ADDR", "there"), ("REFRESH_INTERVAL", "never")]).await;
    assert_eq!(status, Some(78));
    for variable in ["USER_PODS", "HTTP_ADDR", "REFRESH_INTERVAL"] {
        assert_eq!(log.lines().filter(|line| line.starts_with(&format!("{variable}:"))).count(), 1, "{log}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_reported_and_a_signal_stops_the_tier_cleanly() {
    let mut admin = Admin::start(&["127.0.0.1:1"]).await;
    let (status, log) = exit(&[("USER_PODS", "127.0.0.1:1"), ("HTTP_ADDR", &admin.http)]).await;
    assert_eq!(status, Some(78));
    assert!(log.contains("HTTP_ADDR: cannot listen on 127.0.0.1:"), "{log}");
    admin.process.signal(Signal::SIGTERM);
    assert!(admin.process.wait().await.success());
}
