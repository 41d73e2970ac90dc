//! The pages that wait: whatever a proxy says in between, they stay, and lead to the app by themselves.

use std::time::Duration;

use test_support::{Browser, Nginx, Signal, Trouble, eventually};

use crate::pod;

/// Counts what the page has asked and been answered, or not.
const COUNT: &str = "
    window.answers = 0;
    const asked = window.fetch;
    window.fetch = (...what) => asked(...what).finally(() => setTimeout(() => (window.answers += 1)));";

/// Somebody looks at the page again: no need to wait for its own moment.
const LOOK: &str = "document.dispatchEvent(new Event('visibilitychange'))";

/// Waits until the page has asked `more` times and is still the page that it was.
async fn asks_and_stays(browser: &Browser, heading: &str, more: u64) {
    let answers = || async { browser.run("return window.answers ?? -1").await.as_i64().unwrap() };
    let before = answers().await;
    assert!(before >= 0, "the page is not ours any more");
    let wanted = before + i64::try_from(more).unwrap();
    eventually("more questions", || async {
        browser.run(LOOK).await;
        (answers().await >= wanted).then_some(())
    })
    .await;
    assert_eq!(browser.text("h1").await, heading);
}

#[tokio::test]
async fn a_page_that_waits_outlasts_whatever_a_proxy_answers_and_then_arrives_by_itself() {
    let key = ("SESSION_KEY", "0123456789abcdef0123456789abcdef");
    let first = pod(&[key, ("DRAIN_TIMEOUT", "1h")]).await;
    let address = first.http.clone();
    let user = first.person().visit().await;
    let _stream = user.events().await;
    let mut nginx = Nginx::before(&address, Duration::from_secs(60)).await;
    first.signal(Signal::SIGTERM);
    first.line("Waiting 3600s").await;

    let browser = Browser::open().await;
    browser.before_each_page(COUNT).await;
    browser.go(&nginx.url("/")).await;
    browser.reads("h1", "One moment").await;
    asks_and_stays(&browser, "One moment", 2).await;
    assert_eq!(browser.text("#again").await, "This page tries again by itself.");
    let troubles = Trouble::STATUSES.map(Trouble::Status).into_iter().chain([Trouble::Portal, Trouble::Redirect]);
    for trouble in troubles {
        nginx.answers(Some(trouble));
        asks_and_stays(&browser, "One moment", 2).await;
    }
    browser.reads("#again", "The service does not answer yet.").await;
    nginx.stop().await;
    asks_and_stays(&browser, "One moment", 2).await;
    nginx.start().await;
    nginx.answers(None);
    // The pod is gone, and nginx says so: a 502 of its own.
    drop(first);
    asks_and_stays(&browser, "One moment", 2).await;
    // A click is a question as well, and not the end of the page.
    browser.click("a.button").await;
    asks_and_stays(&browser, "One moment", 1).await;
    let second = pod(&[key, ("HTTP_ADDR", &address)]).await;
    browser.reads("h1", "Your notes").await;
    assert_eq!(second.metric("total_logins").await, 1.0, "no question has started a session");
}

#[tokio::test]
async fn a_page_that_waits_for_the_end_of_a_maintenance_names_no_time_that_nobody_has_set() {
    let folder = tempfile::tempdir().unwrap();
    let switch = folder.path().join("MAINTENANCE_MODE");
    std::fs::write(&switch, "true").unwrap();
    let options = [("MAINTENANCE_FILE", switch.to_str().unwrap()), ("MAINTENANCE_POLL", "100ms")];
    let pod = pod(&options).await;
    let nginx = Nginx::before(&pod.http, Duration::from_secs(60)).await;
    let browser = Browser::open().await;
    browser.before_each_page(COUNT).await;
    browser.go(&nginx.url("/")).await;
    browser.reads("h1", "We'll be back soon").await;
    let text = browser.text("main").await;
    assert!(!text.contains("about") && !text.contains("minute"), "{text}");
    nginx.answers(Some(Trouble::Status(502)));
    asks_and_stays(&browser, "We'll be back soon", 2).await;
    nginx.answers(None);
    std::fs::write(&switch, "false").unwrap();
    pod.line("Maintenance mode disabled").await;
    browser.run(LOOK).await;
    browser.reads("h1", "Your notes").await;
}
