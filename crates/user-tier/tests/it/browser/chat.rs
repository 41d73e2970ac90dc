//! The chat on the page.

use serde_json::json;
use test_support::{Browser, Redis, Signal, UserPod};

use super::sign_in;
use crate::{BINARY, QUICK};

const STATUS: &str = "#chat [role=status]";

#[tokio::test]
async fn users_chat_across_pods_and_a_page_whose_pod_stops_says_so_and_keeps_what_was_typed() {
    let redis = Redis::start().await;
    let url = redis.url();
    let options =
        [("REDIS_URL", url.as_str()), ("SESSION_KEY", "0123456789abcdef0123456789abcdef"), ("DRAIN_TIMEOUT", "60s")];
    let pod = async |name| UserPod::start(BINARY, name, &[&QUICK[..], &options].concat()).await;
    let (mut first, second) = (pod("user-1").await, pod("user-2").await);
    let browser = Browser::open().await;
    browser.emulate(false, 1180, 1200).await;
    sign_in(&browser, &first, "Mara <b>Lindqvist</b>").await;
    browser.reads(STATUS, "you reach the users of all servers").await;
    let bob = second.person().visit().await;
    bob.login("Bob").await;
    let mut socket = bob.websocket("/chat").await;
    socket.send(json!({ "id": "1", "text": "<script>alert(1)</script> hello" }).to_string()).await;
    browser.reads("#chat ol", "Bob <script>alert(1)</script> hello").await;
    browser.write("#chat-text", "Hello Bob & all").await;
    browser.click("#chat button").await;
    browser.reads("#chat ol", "Mara <b>Lindqvist</b> Hello Bob & all").await;
    assert_eq!(browser.value("#chat-text").await, "", "what was passed on leaves the box");
    assert!(socket.text().await.contains("reach") || socket.text().await.contains("hello"));
    browser.write("#chat-text", "half a sen").await;
    first.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    browser.run("scrollTo(0, document.body.scrollHeight)").await;
    browser.screenshot("chat").await;

    // A second signal: nobody is waited for any more.
    first.signal(Signal::SIGTERM);
    assert!(first.wait().await.success());
    browser.reads(STATUS, "ended with your session").await;
    assert_eq!(browser.value("#chat-text").await, "half a sen");
}

#[tokio::test]
async fn with_a_path_for_each_tab_the_chat_follows_it_and_reopens_after_its_server_was_away() {
    let pod = crate::pod(&[("SESSION_SCOPE", "tab"), ("ROUTE_PREFIX", "/own")]).await;
    let browser = Browser::open().await;
    browser.go(&pod.url("/")).await;
    browser.reads(STATUS, "you reach the users of this server").await;
    browser
        .run(
            "const { WebSocket } = globalThis; globalThis.opened = 0;
        globalThis.WebSocket = class extends WebSocket { constructor(url) { super(url); opened += 1; } };
        dispatchEvent(new PageTransitionEvent('pagehide'))",
        )
        .await;
    browser.reads(STATUS, "Not connected").await;
    browser.write("#chat-text", "typed meanwhile").await;
    browser.click("#chat button").await;
    browser.reads(STATUS, "It stays here").await;
    browser.run("dispatchEvent(new Event('online'))").await;
    browser.reads(STATUS, "you reach the users of this server").await;
    browser.reads("#chat ol", "typed meanwhile").await;
    assert_eq!(browser.value("#chat-text").await, "", "it was sent once the chat was connected again");
}
