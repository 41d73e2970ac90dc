//! A pod that releases its sessions at the end: the page says so, and its user continues on another pod, signed in.

use test_support::{Browser, Haproxy, Redis, Signal, UserPod};

use crate::BINARY;

#[tokio::test]
async fn the_page_of_a_released_session_says_that_its_user_stays_signed_in_and_continues_on_another_pod() {
    let (redis, haproxy) = (Redis::start().await, Haproxy::with_slots(2).await);
    let url = redis.url();
    let options = [
        ("REDIS_URL", url.as_str()),
        ("SESSION_KEY", "0123456789abcdef0123456789abcdef"),
        ("FORCED_END", "release"),
        ("DRAIN_TIMEOUT", "8s"),
        ("PROPAGATION_WAIT", "1s"),
    ];
    let mut first = UserPod::start(BINARY, "user-1", &options).await;
    haproxy.serve(0, &first.http).await;
    let browser = Browser::open().await;
    browser.go(&haproxy.url("/")).await;
    browser.write("#name", "ada").await;
    browser.click("#name-form button").await;
    browser.reads("#user", "ada").await;
    browser.reads("#connection", "Live").await;
    browser.write("#notes", "an unsaved thought").await;
    let second = UserPod::start(BINARY, "user-2", &options).await;
    haproxy.serve(1, &second.http).await;

    haproxy.drain(0).await;
    first.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    browser.reads("#drain-until", "You stay signed in: this page continues on another server at").await;
    browser.reads("#stay-here", "Keep working").await;
    browser.screenshot("released").await;
    assert!(first.wait().await.success());
    browser.reads("#connection", "Live").await;
    assert!(!browser.shows("#drain-banner").await, "nothing runs at the other pod");
    assert!(!browser.shows("#reprieve").await, "and nothing was taken back");
    browser.reads("#user", "ada").await;
    assert_eq!(browser.value("#notes").await, "an unsaved thought");
    assert_eq!(second.metric("lastcall_sessions_adopted_total").await, 1.0);
    assert_eq!(second.metric("total_logins").await, 0.0);
}
