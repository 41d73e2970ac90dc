//! Maintenance that is announced and cancelled.

use test_support::Browser;

use super::sign_in;
use crate::pod;
use crate::switch::Switch;

#[tokio::test]
async fn a_cancelled_maintenance_restores_the_page_and_says_so() {
    let switch = Switch::new("false");
    let options = switch.options();
    let pod = pod(&[&options[..], &[("DRAIN_TIMEOUT", "1h")]].concat()).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "an unsaved thought").await;
    switch.set("true");
    browser.sees("#drain-banner").await;
    assert!(browser.reads("#drain-message", "Maintenance").await.starts_with("Maintenance mode activated."));
    switch.set("false");
    browser.reads("#reprieve", "you can stay").await;
    assert!(!browser.shows("#drain-banner").await && browser.shows("#reprieve").await);
    assert_eq!(browser.value("#notes").await, "an unsaved thought");
    browser.reads("#user", "ada").await;

    // A newcomer during maintenance sees the maintenance page, which opens the app by itself when it is over.
    switch.set("true");
    browser.sees("#drain-banner").await;
    assert!(!browser.shows("#reprieve").await, "one or the other");
    let newcomer = Browser::open().await;
    newcomer.go(&pod.url("/")).await;
    newcomer.reads("h1", "We'll be back soon").await;
    switch.set("false");
    browser.reads("#reprieve", "you can stay").await;
}
