//! A sign-out ends the session of every tab: each is asked first, and may save.

use test_support::{Browser, Signal, eventually};

use super::{Embedded, click, nothing_is_lost, sees};

/// Two tabs, filled in; the second is looked at.
async fn two_tabs(page: &Embedded) -> Browser {
    let browser = Browser::open().await;
    page.fill(&browser).await;
    browser.new_tab().await;
    page.fill(&browser).await;
    browser
}

#[tokio::test]
async fn a_sign_out_waits_for_what_another_tab_saves() {
    let page = Embedded::start(3600, &["stay"]).await;
    let browser = two_tabs(&page).await;
    let save = "addEventListener('lastcall:leaving', (event) => {
        window.elsewhere = event.detail.elsewhere;
        event.waitUntil(new Promise((saved) => (window.saved = saved)));
    })";
    browser.run(save).await;
    page.process.signal(Signal::SIGTERM);
    sees(&browser, "drain-message", "Server").await;
    browser.switch_to(0).await;
    sees(&browser, "drain-message", "Server").await;
    click(&browser, "leave-now").await;
    sees(&browser, "leave-now", "Signing out…").await;
    browser.switch_to(1).await;
    let asked = || async { (browser.run("return window.elsewhere ?? null").await == true).then_some(()) };
    eventually("the question", asked).await;
    assert_eq!(page.metric("active_sessions_total").await, 1.0);
    browser.run("saved()").await;
    sees(&browser, "drain-over-text", "You have signed out in another tab.").await;
    nothing_is_lost(&browser, &page).await;
    browser.switch_to(0).await;
    sees(&browser, "drain-over-text", "You are signed out.").await;
    nothing_is_lost(&browser, &page).await;
}

#[tokio::test]
async fn another_tab_may_object_to_the_countdown_and_not_to_a_click() {
    let page = Embedded::start(8, &[]).await;
    let browser = two_tabs(&page).await;
    browser.run("addEventListener('lastcall:leaving', (event) => event.preventDefault())").await;
    page.process.signal(Signal::SIGTERM);
    sees(&browser, "drain-over-text", "the server had to sign you out").await;
    assert_eq!(page.metric("forced_logouts_total").await, 1.0, "no page has signed out before the end");

    let page = Embedded::start(3600, &["stay"]).await;
    let browser = two_tabs(&page).await;
    browser.run("addEventListener('lastcall:leaving', (event) => event.preventDefault())").await;
    page.process.signal(Signal::SIGTERM);
    browser.switch_to(0).await;
    sees(&browser, "drain-message", "Server").await;
    click(&browser, "leave-now").await;
    sees(&browser, "drain-over-text", "You are signed out.").await;
}
