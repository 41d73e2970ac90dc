//! Two tabs of one browser move together, and one of them may delay it.

use test_support::{Browser, eventually};

use super::recorder::{count, moved, seen};
use super::{Pods, following_readiness, open_page, reload_without_chat};

/// Opens a second tab and stays there. The first one has the stream.
async fn open_second_tab(browser: &Browser, pods: &Pods) {
    browser.new_tab().await;
    open_page_without_stream(browser, pods).await;
}

async fn open_page_without_stream(browser: &Browser, pods: &Pods) {
    browser.before_each_page(super::recorder::SCRIPT).await;
    browser.go(&pods.haproxy.url("/")).await;
    reload_without_chat(browser).await;
    assert_eq!(browser.run("return record.streams.length").await, 0, "the first tab has the stream");
}

#[tokio::test]
async fn two_tabs_move_together_and_the_one_without_the_stream_may_object_and_save() {
    let mut pods = Pods::start(following_readiness().await, &[("HANDOFF_QUIET", "12s")]).await;
    let browser = Browser::open().await;
    open_page(&browser, &pods).await;
    reload_without_chat(&browser).await;
    open_second_tab(&browser, &pods).await;
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

#[tokio::test]
async fn a_tab_that_closes_or_is_killed_while_it_saves_delays_no_move() {
    let mut pods =
        Pods::start(following_readiness().await, &[("HANDOFF_QUIET", "20s"), ("DRAIN_TIMEOUT", "60s")]).await;
    let browser = Browser::open().await;
    open_page(&browser, &pods).await;
    reload_without_chat(&browser).await;
    let listen = "window.heard = [];
        window.others = new BroadcastChannel('lastcall.move');
        others.onmessage = ({ data }) => heard.push(data.type);";
    browser.run(listen).await;
    open_second_tab(&browser, &pods).await;
    let saves = "document.addEventListener('lastcall:moving', (event) => {
            window.asked = true;
            event.waitUntil(new Promise(() => {}));
        })";
    browser.run(saves).await;
    let first = browser.text("#pod").await;
    let stopped = pods.replace(&first).await;
    eventually("the request", || async { (browser.run("return window.asked").await == true).then_some(()) }).await;
    browser.close_tab().await;
    browser.switch_to(0).await;
    let second = moved(&browser, &first).await;
    assert_eq!(browser.run("return heard.includes('saved')").await, true, "the tab says that it has gone");
    pods.exited(stopped).await;

    // A tab that was killed says nothing more.
    let killed = "others.onmessage = ({ data: { type, from } }) => {
            heard.push(type);
            if (type === 'request') others.postMessage({ type: 'saving', from: 'killed', to: from, at: Date.now() });
        }";
    browser.run(killed).await;
    let stopped = pods.replace(&second).await;
    moved(&browser, &second).await;
    assert_eq!(browser.run("return heard.includes('request')").await, true);
    assert_eq!(seen(&browser).await, serde_json::json!([]), "moved before a banner was due");
    pods.exited(stopped).await;
}

#[tokio::test]
async fn a_click_on_move_now_is_not_held_up_by_another_tab_that_objects_and_saves() {
    let mut pods = Pods::start(following_readiness().await, &[("HANDOFF_QUIET", "1s"), ("DRAIN_TIMEOUT", "60s")]).await;
    let browser = Browser::open().await;
    open_page(&browser, &pods).await;
    reload_without_chat(&browser).await;
    // Both stay visible.
    browser.new_window().await;
    open_page_without_stream(&browser, &pods).await;
    let delays = "document.addEventListener('lastcall:moving', (event) => {
            event.preventDefault();
            event.waitUntil(new Promise(() => {}));
        })";
    browser.run(delays).await;
    browser.switch_to(0).await;
    let pod = browser.text("#pod").await;
    let stopped = pods.replace(&pod).await;
    browser.sees("#drain-banner").await;
    assert_eq!(browser.text("#pod").await, pod, "the other tab objects");
    browser.click("#leave-now button").await;
    assert_ne!(moved(&browser, &pod).await, pod);
    assert!(!browser.shows("#drain-problem").await);
    pods.exited(stopped).await;
}
