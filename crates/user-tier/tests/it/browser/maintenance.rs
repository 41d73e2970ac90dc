//! Maintenance that is announced and cancelled.

use test_support::Browser;

use super::sign_in;
use crate::pod;

#[tokio::test]
async fn a_cancelled_maintenance_restores_the_page_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let switch = folder.path().join("MAINTENANCE_MODE");
    std::fs::write(&switch, "false").unwrap();
    let options = [("MAINTENANCE_FILE", switch.to_str().unwrap()), ("MAINTENANCE_POLL", "100ms")];
    let pod = pod(&[&options[..], &[("DRAIN_TIMEOUT", "1h")]].concat()).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "an unsaved thought").await;
    std::fs::write(&switch, "true").unwrap();
    browser.sees("#drain-banner").await;
    assert!(browser.reads("#drain-message", "Maintenance").await.starts_with("Maintenance mode activated."));
    std::fs::write(&switch, "false").unwrap();
    browser.reads("#reprieve", "you can stay").await;
    assert!(!browser.shows("#drain-banner").await && browser.shows("#reprieve").await);
    assert_eq!(browser.value("#notes").await, "an unsaved thought");
    browser.reads("#user", "ada").await;

    // A newcomer during maintenance sees the maintenance page, which opens the app by itself when it is over.
    std::fs::write(&switch, "true").unwrap();
    browser.sees("#drain-banner").await;
    assert!(!browser.shows("#reprieve").await, "one or the other");
    let newcomer = Browser::open().await;
    newcomer.go(&pod.url("/")).await;
    newcomer.reads("h1", "We'll be back soon").await;
    std::fs::write(&switch, "false").unwrap();
    browser.reads("#reprieve", "you can stay").await;
}
