//! A drain, looked at while it runs.

use test_support::{Browser, Signal};

use crate::Admin;
use crate::history::named;
use crate::real_pods::user_pod;

#[tokio::test]
async fn an_open_page_follows_a_drain_and_the_panel_shows_the_actions_of_operators() {
    let folder = tempfile::tempdir().unwrap();
    let switch = folder.path().join("MAINTENANCE_MODE");
    std::fs::write(&switch, "false").unwrap();
    let pod = user_pod("user-1", &[("DRAIN_TIMEOUT", "1h"), ("PROPAGATION_WAIT", "1h")]).await;
    // Pages are not renewed as pages: whatever changes has come by the stream.
    let options = [("MAINTENANCE_FILE", switch.to_str().unwrap()), ("REFRESH_INTERVAL", "1h")];
    let admin = Admin::with(&[&pod.grpc], &options).await;
    let (ada, bob) = (named(&pod, "ada").await, named(&pod, "bob").await);
    let (mut ada_hears, _bob_hears) = (ada.events().await, bob.events().await);
    admin.sessions(2).await;
    let browser = Browser::open().await;
    browser.go(&format!("http://{}/admin/history", admin.http)).await;
    browser.reads("#range", "No pod has drained").await;
    browser.reads("#stream-state", "Live").await;
    pod.signal(Signal::SIGTERM);
    ada_hears.next_named("drain").await;
    browser.reads("tbody tr", "runs, 2 left").await;

    browser.click("td a").await;
    browser.reads("#stream-state", "Live").await;
    browser.reads("#drain figcaption", "2 are left").await;
    // Opened, and then no longer focused: otherwise rows would wait.
    browser.run("document.getElementById('points').open = true").await;
    browser.hover("h1").await;
    ada.get("/logout").await;
    browser.reads("#drain figcaption", "half had left after").await;
    browser.reads("[data-list=\"people\"] tr:first-child", "signed out").await;
    assert!(browser.shows("#points table").await, "what the user has opened stays open");

    browser.go(&format!("http://{}/admin", admin.http)).await;
    browser.reads("#stream-state", "Live").await;
    browser.reads("#audit", "Nothing yet").await;
    admin.person().post("/admin/maintenance").form(&[("enabled", "true")]).send().await.unwrap();
    browser.reads("#audit li", "turned maintenance on").await;
}
