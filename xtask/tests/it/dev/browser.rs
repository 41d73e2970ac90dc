//! The README's walk-through in a browser.

use test_support::Browser;

use super::Dev;

#[tokio::test]
async fn a_page_whose_pod_has_gone_goes_on_at_the_other_pod_and_says_so() {
    // Long enough to be read; users are signed out by the pod, at the end.
    let dev = Dev::start(&["--drain-timeout", "6s"], &[("AUTO_LOGOUT", "false")]).await;
    let front_door = format!("http://localhost:{}", dev.port);
    let browser = Browser::open().await;
    browser.go(&front_door).await;
    browser.reads("#connection", "Live").await;
    browser.reads("#pod", "user-1").await;
    assert!(!browser.shows("#new-session").await);
    browser.write("#notes", "an unsaved thought").await;
    browser.new_tab().await;
    browser.go(&front_door).await;
    browser.reads("#pod", "user-2").await;
    browser.reads("#connection", "Live").await;
    browser.switch_to(0).await;

    dev.drain("user-1");
    browser.sees("#drain-banner").await;
    browser.sees("#continue").await;
    dev.line("user-1 has drained and exited").await;
    browser.click("#continue").await;
    browser.reads("#pod", "user-2").await;
    browser.reads("#connection", "Live").await;
    let said = browser.reads("#new-session", "user-2").await;
    assert!(said.contains("user-1 has ended"), "{said}");
    assert_eq!(browser.value("#notes").await, "an unsaved thought");
    browser.screenshot("dev-continued").await;
    browser.reload().await;
    browser.reads("#connection", "Live").await;
    assert!(!browser.shows("#new-session").await, "it is said once");
    browser.switch_to(1).await;
    browser.reads("#connection", "Live").await;
    assert!(!browser.shows("#drain-banner").await && !browser.shows("#new-session").await);
}
