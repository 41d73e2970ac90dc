//! The banner's place in a page that is not ours: a body that is replaced, a banner of the page's own, the focus.

use serde_json::json;
use test_support::{Browser, Signal, eventually};

use super::{Embedded, click, nothing_is_lost, sees, shown};

/// What was said last to those who listen.
const SAID: &str =
    "return document.querySelector('lastcall-banner').shadowRoot.getElementById('announcer').textContent";

/// Makes elements, each with its id and those in it: the page's policy lets no text become one.
const MAKE: &str = "window.make = (name, id, ...inner) => {
    const made = document.createElement(name);
    made.id = id;
    made.append(...inner);
    return made;
};";

/// A banner of the page's own, there before the script begins. Its first button is not the one that signs out.
const OWN: &str = "document.addEventListener('DOMContentLoaded', () => {
    const banner = make('div', 'drain-banner', make('button', 'more', 'More'), make('p', 'drain-message'));
    const over = make('div', 'drain-over', make('p', 'drain-over-text'), make('button', 'drain-hide'));
    banner.hidden = over.hidden = true;
    document.body.prepend(banner, over);
})";

#[tokio::test]
async fn a_banner_comes_back_into_a_body_that_was_replaced() {
    let page = Embedded::start(3600, &["stay"]).await;
    let browser = Browser::open().await;
    browser.before_each_page(MAKE).await;
    page.fill(&browser).await;
    page.process.signal(Signal::SIGTERM);
    sees(&browser, "drain-message", "Server").await;
    click(&browser, "stay-here").await;
    let replace = "document.body = make('body', 'next', make('h1', 'heading', 'Next'))";
    browser.run(replace).await;
    browser.sees("lastcall-banner").await;
    sees(&browser, "countdown", "s").await;
    assert_eq!(shown(&browser, "drain-message").await, json!(null), "and is as small as it was");

    // From now on the page has one of its own.
    browser.run("document.body = make('body', 'last', make('div', 'drain-banner', make('p', 'drain-message')))").await;
    browser.reads("#drain-message", "Server").await;
    assert_eq!(shown(&browser, "countdown").await, json!(null), "one banner is enough");
}

#[tokio::test]
async fn a_banner_of_the_pages_own_is_filled_its_other_buttons_are_left_alone_and_its_end_is_said() {
    let page = Embedded::start(6, &[]).await;
    let browser = Browser::open().await;
    browser.before_each_page(MAKE).await;
    browser.before_each_page(OWN).await;
    page.fill(&browser).await;
    page.process.signal(Signal::SIGTERM);
    browser.reads("#drain-message", "Server shutting down").await;
    assert_eq!(browser.text("#more").await, "More");
    assert_eq!(browser.run("return document.querySelector('lastcall-banner').shadowRoot.childElementCount").await, 1);
    browser.reads("#drain-over-text", "you were signed out, as announced").await;
    assert!(browser.run(SAID).await.as_str().unwrap().contains("you were signed out, as announced"));
    nothing_is_lost(&browser, &page).await;
    browser.click("#drain-hide").await;
    assert!(!browser.shows("#drain-over").await);
}

#[tokio::test]
async fn a_sign_out_by_keyboard_returns_the_focus() {
    let page = Embedded::start(3600, &["stay"]).await;
    let browser = Browser::open().await;
    page.fill(&browser).await;
    page.process.signal(Signal::SIGTERM);
    sees(&browser, "drain-message", "Server").await;
    assert_eq!(browser.focused().await, "remarks");
    let to_button = "document.querySelector('lastcall-banner').shadowRoot.getElementById('leave-now').focus()";
    browser.run(to_button).await;
    browser.press("\u{e007}").await;
    sees(&browser, "drain-over-text", "You are signed out.").await;
    assert_eq!(browser.focused().await, "remarks");
    nothing_is_lost(&browser, &page).await;
}

#[tokio::test]
async fn where_the_automatic_sign_out_fails_the_page_is_told_of_it_and_of_the_end() {
    let page = Embedded::start(6, &[]).await;
    let browser = Browser::open().await;
    page.fill(&browser).await;
    browser
        .run(
            "const ask = window.fetch;
             window.fetch = (url, options) => (options?.method === 'POST' ? Promise.reject(new TypeError()) : ask(url, options))",
        )
        .await;
    page.process.signal(Signal::SIGTERM);
    sees(&browser, "drain-over-text", "the server had to sign you out").await;
    let told = || async { (browser.run("return heard.at(-1)").await == "session-ended").then_some(()) };
    eventually("the end", told).await;
    nothing_is_lost(&browser, &page).await;
    assert_eq!(page.metric("forced_logouts_total").await, 1.0);
}
