//! A server that is stopped, suspended, or behind a proxy that swallows its streams.

use std::time::Duration;

use test_support::{Browser, Nginx, Signal, eventually};

use super::{countdown, counts_truly, sign_in, streams};
use crate::pod;

#[tokio::test]
async fn a_page_reconnects_to_a_pod_that_was_away() {
    let key = ("SESSION_KEY", "0123456789abcdef0123456789abcdef");
    let mut first = pod(&[key]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &first, "ada").await;
    browser.write("#notes", "written before the crash").await;
    first.signal(Signal::SIGKILL);
    assert!(!first.wait().await.success());
    browser.reads("#connection", "Reconnecting").await;
    let address = first.http.clone();
    let _second = pod(&[key, ("HTTP_ADDR", &address)]).await;
    // Its session was lost with the pod's memory: the page says so and keeps what was written.
    browser.reads("#ended-message", "Your session has ended").await;
    assert_eq!(browser.value("#notes").await, "written before the crash");
    browser.click("#continue").await;
    browser.reads("#user", "anonymous").await;
}

#[tokio::test]
async fn a_page_reconnects_to_a_pod_that_was_suspended() {
    let pod = pod(&[("HEARTBEAT_INTERVAL", "400ms")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    pod.signal(Signal::SIGSTOP);
    browser.reads("#connection", "Reconnecting").await;
    pod.signal(Signal::SIGCONT);
    browser.reads("#connection", "Live").await;
    browser.reads("#user", "ada").await;
}

#[tokio::test]
async fn behind_nginx_with_its_defaults_a_page_is_notified_at_once_and_stays_connected() {
    let pod = pod(&[("DRAIN_TIMEOUT", "60s"), ("HEARTBEAT_INTERVAL", "1s"), ("PROPAGATION_WAIT", "1h")]).await;
    let nginx = Nginx::before(&pod.http, Duration::from_secs(3)).await;
    let browser = Browser::open().await;
    browser.go(&nginx.url("/")).await;
    browser.reads("#connection", "Live").await;
    browser
        .run("window.states = []; addEventListener('lastcall:state', (event) => states.push(event.detail.state))")
        .await;
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    counts_truly(&browser).await;
    // Longer than nginx keeps a silent connection.
    eventually("55 seconds left", || async { (countdown(&browser).await <= 55).then_some(()) }).await;
    assert_eq!(browser.run("return states").await, serde_json::json!([]), "never disconnected");
    browser.click("#drain-banner button").await;
    browser.reads("h1", "You are signed out").await;
    assert_eq!(pod.metric("graceful_logouts_total").await, 1.0);
}

#[tokio::test]
async fn without_any_stream_the_page_polls_and_is_notified() {
    let pod = pod(&[("DRAIN_TIMEOUT", "60s"), ("PROPAGATION_WAIT", "1h")]).await;
    let browser = Browser::open().await;
    let swallow = "window.EventSource = class extends EventTarget { readyState = 0; close() {} };";
    browser.before_each_page(swallow).await;
    browser.go(&pod.url("/")).await;
    browser.reads("#connection", "Checking every few seconds").await;
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    counts_truly(&browser).await;
    assert_eq!(pod.metric("drain_notifications_sent").await, 1.0);
}

#[tokio::test]
async fn back_and_forward_navigation_restores_the_stream() {
    let pod = pod(&[("DRAIN_TIMEOUT", "60s")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.go(&pod.url("/health")).await;
    eventually("no stream", || async { (streams(&pod).await == 0.0).then_some(()) }).await;
    browser.back().await;
    browser.reads("#connection", "Live").await;
    browser.reads("#user", "ada").await;
    assert_eq!(streams(&pod).await, 1.0);
    browser.forward().await;
    eventually("no stream", || async { (streams(&pod).await == 0.0).then_some(()) }).await;
    pod.signal(Signal::SIGTERM);
    pod.line("Waiting").await;
    browser.back().await;
    browser.sees("#drain-banner").await;
    counts_truly(&browser).await;
}
