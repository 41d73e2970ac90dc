//! Every page of the user tier under axe-core: light, dark, and on a phone. A picture of each stays behind.

use test_support::{Browser, Signal, Site, UserPod};

use crate::{BINARY, pod};

async fn goes(browser: &Browser, pod: &UserPod, path: &str, heading: &str) {
    browser.go(&pod.url(path)).await;
    browser.reads("h1", heading).await;
}

#[tokio::test]
async fn the_page_is_accessible_before_during_and_after_a_countdown() {
    let pod = pod(&[("AUTO_LOGOUT", "false"), ("DRAIN_TIMEOUT", "1h"), ("PROPAGATION_WAIT", "1h")]).await;
    let browser = Browser::open().await;
    goes(&browser, &pod, "/", "Your notes").await;
    browser.reads("#connection", "Live").await;
    browser.passes_axe_in_every_look("user-calm").await;
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    browser.passes_axe_in_every_look("user-banner").await;
    // The operator hurries: the sessions are force-closed.
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-over").await;
    browser.passes_axe_in_every_look("user-ended").await;
}

#[tokio::test]
async fn the_pages_around_a_session_are_accessible() {
    let pod = pod(&[]).await;
    let link = format!("<!doctype html><title>Elsewhere</title><a id=out href='{}'>Out</a>", pod.url("/logout"));
    let elsewhere = Site::with(&[("/", &link)]).await;
    let browser = Browser::open().await;
    goes(&browser, &pod, "/", "Your notes").await;
    browser.go(&format!("http://localhost:{}/", elsewhere.port)).await;
    browser.click("#out").await;
    browser.reads("h1", "Sign out?").await;
    browser.passes_axe_in_every_look("user-confirm").await;
    goes(&browser, &pod, "/nowhere", "Not found").await;
    browser.passes_axe_in_every_look("user-problem").await;
    goes(&browser, &pod, "/logout", "You are signed out").await;
    browser.passes_axe_in_every_look("user-signed-out").await;
    goes(&browser, &pod, "/", "Your notes").await;
    goes(&browser, &pod, "/logout?reason=drain", "You were signed out").await;
    browser.passes_axe_in_every_look("user-signed-out-by-itself").await;
}

#[tokio::test]
async fn waiting_pages_are_accessible() {
    let browser = Browser::open().await;
    let closed = pod(&[("MAINTENANCE_MODE", "true")]).await;
    goes(&browser, &closed, "/", "We'll be back soon").await;
    browser.passes_axe_in_every_look("user-maintenance").await;

    let small = UserPod::start(BINARY, "user-2", &[("MAX_SESSIONS", "1"), ("DRAIN_TIMEOUT", "1h")]).await;
    let first = small.person().visit().await;
    let _stream = first.events().await;
    goes(&browser, &small, "/", "We are full right now").await;
    browser.passes_axe_in_every_look("user-busy").await;
    small.signal(Signal::SIGTERM);
    goes(&browser, &small, "/", "One moment").await;
    browser.passes_axe_in_every_look("user-try-again").await;
}
