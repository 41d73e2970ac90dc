//! Several tabs of one browser: one stream for all, handed on from tab to tab.

use test_support::{Browser, Signal, UserPod, eventually};

use super::{counts_truly, streams};
use crate::pod;

/// Plain HTTP from another machine: pages there have no locks.
const WITHOUT_LOCKS: &str = "Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined });";

/// Counts the streams that a tab has opened.
const COUNT_STREAMS: &str = "
    window.opened = 0;
    window.EventSource = class extends EventSource {
        constructor(...way) {
            super(...way);
            window.opened += 1;
        }
    };";

/// Opens this many tabs of the home page.
async fn open_tabs(browser: &Browser, pod: &UserPod, number: usize, before: Option<&str>) {
    for tab in 0..number {
        if tab > 0 {
            browser.new_tab().await;
        }
        browser.before_each_page(COUNT_STREAMS).await;
        if let Some(script) = before {
            browser.before_each_page(script).await;
        }
        browser.go(&pod.url("/")).await;
    }
}

async fn all_are_told_over_one_stream(before: Option<&str>) {
    // Long enough for the page that is shown after the sign-out.
    let mut pod = pod(&[("DRAIN_TIMEOUT", "60s"), ("PROPAGATION_WAIT", "5s")]).await;
    let browser = Browser::open().await;
    open_tabs(&browser, &pod, 7, before).await;
    for tab in 0..7 {
        browser.switch_to(tab).await;
        browser.reads("#connection", "Live").await;
    }
    assert_eq!(streams(&pod).await, 1.0);

    // The first tab is the leader; when it closes, another one becomes the leader.
    browser.switch_to(0).await;
    browser.close_tab().await;
    eventually("another leader", || async {
        let mut opened = 0;
        for tab in 0..6 {
            browser.switch_to(tab).await;
            opened += browser.run("return window.opened").await.as_u64()?;
        }
        (opened == 1 && streams(&pod).await == 1.0).then_some(())
    })
    .await;
    pod.signal(Signal::SIGTERM);
    for tab in 0..6 {
        browser.switch_to(tab).await;
        browser.sees("#drain-banner").await;
        counts_truly(&browser).await;
    }
    assert_eq!(pod.metric("drain_notifications_sent").await, 1.0);
    browser.click("#drain-banner button").await;
    browser.reads("h1", "You are signed out").await;
    for tab in 0..5 {
        browser.switch_to(tab).await;
        browser.reads("#ended-message", "signed out in another tab").await;
    }
    assert!(pod.wait().await.success());
}

#[tokio::test]
async fn seven_tabs_share_one_stream_and_survive_the_tab_that_holds_it() {
    all_are_told_over_one_stream(None).await;
}

#[tokio::test]
async fn seven_tabs_without_locks_share_one_stream_and_survive_the_tab_that_holds_it() {
    all_are_told_over_one_stream(Some(WITHOUT_LOCKS)).await;
}

async fn tabs_that_open_together_settle_on_one_stream(before: Option<&str>) {
    let pod = pod(&[("DRAIN_TIMEOUT", "60s"), ("PROPAGATION_WAIT", "1h")]).await;
    let browser = Browser::open().await;
    open_tabs(&browser, &pod, 1, None).await;
    browser.reads("#connection", "Live").await;
    for tab in 0..4 {
        if tab > 0 {
            browser.new_tab().await;
        }
        if let Some(script) = before {
            browser.before_each_page(script).await;
        }
        browser.go(&pod.url("/health")).await;
        browser.run("new BroadcastChannel('start').onmessage = () => location.assign('/')").await;
    }
    // A tab does not receive its own messages.
    browser.run("new BroadcastChannel('start').postMessage(0)").await;
    browser.go(&pod.url("/")).await;
    for tab in 0..4 {
        browser.switch_to(tab).await;
        browser.reads("#connection", "Live").await;
    }
    eventually("one stream", || async { (streams(&pod).await == 1.0).then_some(()) }).await;
    pod.signal(Signal::SIGTERM);
    for tab in 0..4 {
        browser.switch_to(tab).await;
        browser.sees("#drain-banner").await;
    }
    assert_eq!(streams(&pod).await, 1.0);
}

#[tokio::test]
async fn tabs_that_are_opened_together_settle_on_one_stream() {
    tabs_that_open_together_settle_on_one_stream(None).await;
}

#[tokio::test]
async fn tabs_that_are_opened_together_without_locks_settle_on_one_stream() {
    tabs_that_open_together_settle_on_one_stream(Some(WITHOUT_LOCKS)).await;
}

async fn four_of_six_have_a_stream(before: Option<&str>) {
    let pod = pod(&[("DRAIN_TIMEOUT", "60s"), ("SESSION_SCOPE", "tab"), ("PROPAGATION_WAIT", "1h")]).await;
    let browser = Browser::open().await;
    open_tabs(&browser, &pod, 6, before).await;
    for tab in 0..6 {
        browser.switch_to(tab).await;
        let state = if tab < 4 { "Live" } else { "Checking every few seconds" };
        browser.reads("#connection", state).await;
    }
    assert_eq!(streams(&pod).await, 4.0);
    assert_eq!(pod.metric("active_sessions_total").await, 6.0);
    pod.signal(Signal::SIGTERM);
    for tab in 0..6 {
        browser.switch_to(tab).await;
        browser.sees("#drain-banner").await;
        counts_truly(&browser).await;
    }
    assert_eq!(pod.metric("drain_notifications_sent").await, 6.0);
    // Each tab signs out by itself.
    browser.click("#drain-banner button").await;
    browser.reads("h1", "You are signed out").await;
    browser.switch_to(0).await;
    assert!(browser.shows("#drain-banner").await && !browser.shows("#drain-over").await);
    assert_eq!(pod.metric("graceful_logouts_total").await, 1.0);
}

#[tokio::test]
async fn with_a_session_for_each_tab_four_hold_a_stream_and_the_others_poll() {
    four_of_six_have_a_stream(None).await;
}

#[tokio::test]
async fn with_a_session_for_each_tab_and_no_locks_four_hold_a_stream_and_the_others_poll() {
    four_of_six_have_a_stream(Some(WITHOUT_LOCKS)).await;
}

async fn a_busy_leader_is_replaced(before: Option<&str>) {
    let pod = pod(&[("DRAIN_TIMEOUT", "120s")]).await;
    let browser = Browser::open().await;
    open_tabs(&browser, &pod, 2, before).await;
    browser.reads("#connection", "Live").await;
    browser.switch_to(0).await;
    browser.reads("#connection", "Live").await;
    assert_eq!(streams(&pod).await, 1.0);
    // A suspended page: its stream stays open, and is not read.
    let freeze = "setTimeout(() => {
            const ask = new XMLHttpRequest();
            do { ask.open('GET', '/ready', false); ask.send(); } while (ask.status === 200);
        }, 300)";
    browser.run(freeze).await;
    browser.switch_to(1).await;
    eventually("another leader", || async { (streams(&pod).await == 2.0).then_some(()) }).await;
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    counts_truly(&browser).await;
    eventually("one stream", || async { (streams(&pod).await == 1.0).then_some(()) }).await;
    browser.switch_to(0).await;
    browser.sees("#drain-banner").await;
    counts_truly(&browser).await;
}

#[tokio::test]
async fn a_tab_that_falls_silent_is_replaced_and_follows_when_it_wakes() {
    a_busy_leader_is_replaced(None).await;
}

#[tokio::test]
async fn a_tab_that_falls_silent_is_replaced_without_locks_and_follows_when_it_wakes() {
    a_busy_leader_is_replaced(Some(WITHOUT_LOCKS)).await;
}

#[tokio::test]
async fn a_name_given_in_one_tab_is_known_in_the_others() {
    let pod = pod(&[]).await;
    let browser = Browser::open().await;
    open_tabs(&browser, &pod, 3, None).await;
    browser.write("#name", "ada").await;
    browser.click("#name-form button").await;
    for tab in 0..3 {
        browser.switch_to(tab).await;
        browser.reads("#user", "ada").await;
        browser.reads("#connection", "Live").await;
    }
    // The old name's stream may end a moment later than the new one begins.
    eventually("one stream", || async { (streams(&pod).await == 1.0).then_some(()) }).await;
    assert_eq!(pod.metric("total_logins").await, 1.0);
}
