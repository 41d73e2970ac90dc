//! Two tabs of one browser move together.

use test_support::{Browser, eventually};

use super::recorder::{count, moved, seen};
use super::{Pods, following_readiness, open_page, reload_without_chat};

#[tokio::test]
async fn two_tabs_move_together_and_the_one_without_the_stream_may_object_and_save() {
    let mut pods = Pods::start(following_readiness().await, &[("HANDOFF_QUIET", "12s")]).await;
    let browser = Browser::open().await;
    open_page(&browser, &pods).await;
    reload_without_chat(&browser).await;
    browser.new_tab().await;
    browser.before_each_page(super::recorder::SCRIPT).await;
    browser.go(&pods.haproxy.url("/")).await;
    reload_without_chat(&browser).await;
    assert_eq!(browser.run("return record.streams.length").await, 0, "the first tab has the stream");
    // Objects once, and saves at the next request.
    let delay = "window.asked = [];
        document.addEventListener('lastcall:moving', (event) => {
            asked.push(event.detail.elsewhere && event.detail.remaining_ms > 10_000);
            if (asked.length === 1) event.preventDefault();
            else event.waitUntil(new Promise((saved) => (window.saved = saved)));
        })";
    browser.run(delay).await;
    let pod = browser.text("#pod").await;
    let stopped = pods.replace(&pod).await;
    let asked =
        || async { (browser.run("return asked.length > 1 && asked.every(Boolean)").await == true).then_some(()) };
    eventually("two requests", asked).await;
    assert_eq!(stopped.0.metric("lastcall_event_streams").await, 1.0, "it waits for what is being saved");
    browser.run("saved()").await;
    let next = moved(&browser, &pod).await;
    assert_eq!(seen(&browser).await, serde_json::json!([]));
    assert_eq!(browser.text("#pod").await, next);
    browser.switch_to(0).await;
    assert_eq!(moved(&browser, &pod).await, next);
    assert_eq!(seen(&browser).await, serde_json::json!([]));
    assert_eq!(count(&browser, "moving").await, 2, "once for each request");
    pods.exited(stopped).await;
    assert_eq!(pods.sum("lastcall_event_streams").await, 1.0);
    assert_eq!(pods.sum("active_sessions_total").await, 1.0);
}
