//! The pages that wait: whatever a proxy says in between, they stay, and lead to the app by themselves.

use std::time::Duration;

use test_support::{Browser, Nginx, ProxyFault, Signal, eventually};

use crate::pod;

/// Counts what the page has asked and been answered, or not.
const COUNT: &str = "
    window.answers = 0;
    const asked = window.fetch;
    window.fetch = (...what) => asked(...what).finally(() => setTimeout(() => (window.answers += 1)));";

/// Somebody looks at the page again: no need to wait for its own moment.
const LOOK: &str = "document.dispatchEvent(new Event('visibilitychange'))";

/// From now on `/session` is answered as a service worker does that keeps answers.
const KEEP_ANSWERS: &str = "
    const counted = window.fetch;
    const kept = { admits_newcomers: true, server_time: '2026-01-01T00:00:00.000Z' };
    window.fetch = async (url, ...more) => {
        if (!window.keeps || !String(url).includes('session')) return counted(url, ...more);
        window.answers += 1;
        return Response.json(kept, { status: 401 });
    };
    window.keeps = true";

/// Sends a form, as the page of an app would.
const SIGN_IN: &str = "
    const form = document.createElement('form');
    form.method = 'post';
    form.action = '/login';
    form.innerHTML = '<input name=user value=ada>';
    document.body.append(form);
    form.submit()";

/// A click that does not wait for what it opens.
const TRY_NOW: &str = "setTimeout(() => document.querySelector('a.button').click())";

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
    let troubles =
        ProxyFault::STATUSES.map(ProxyFault::Status).into_iter().chain([ProxyFault::Portal, ProxyFault::Redirect]);
    for trouble in troubles {
        nginx.answers(Some(trouble));
        asks_and_stays(&browser, "One moment", 2).await;
    }
    browser.reads("#again", "The service does not answer yet.").await;
    nginx.answers(Some(ProxyFault::Portal));
    browser.run(KEEP_ANSWERS).await;
    asks_and_stays(&browser, "One moment", 9).await;
    browser.run("window.keeps = false").await;
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
async fn a_page_that_waits_after_a_form_was_sent_opens_the_first_page_and_sends_nothing_again() {
    let folder = tempfile::tempdir().unwrap();
    let switch = folder.path().join("MAINTENANCE_MODE");
    std::fs::write(&switch, "true").unwrap();
    let options = [("MAINTENANCE_FILE", switch.to_str().unwrap()), ("MAINTENANCE_POLL", "100ms")];
    let pod = pod(&options).await;
    let nginx = Nginx::before(&pod.http, Duration::from_secs(60)).await;
    let browser = Browser::open().await;
    browser.before_each_page(COUNT).await;
    let arrives = |part: &'static str| {
        let browser = &browser;
        eventually(part, move || async move { browser.url().await.contains(part).then_some(()) })
    };

    // Where a proxy wants the user to sign in again, only opening the page helps: a click does that.
    browser.go(&nginx.url("/?first")).await;
    nginx.answers(Some(ProxyFault::Redirect));
    asks_and_stays(&browser, "We'll be back soon", 2).await;
    browser.run(TRY_NOW).await;
    arrives("/sign-in").await;
    nginx.answers(None);
    // Whatever is answered, the second click opens the page.
    browser.go(&nginx.url("/?second")).await;
    nginx.answers(Some(ProxyFault::Status(502)));
    browser.run(TRY_NOW).await;
    asks_and_stays(&browser, "We'll be back soon", 1).await;
    browser.run(TRY_NOW).await;
    browser.reads("h1", "502").await;
    nginx.answers(None);

    browser.go(&nginx.url("/")).await;
    browser.run(SIGN_IN).await;
    arrives("/login").await;
    asks_and_stays(&browser, "We'll be back soon", 1).await;
    std::fs::write(&switch, "false").unwrap();
    pod.line("Maintenance mode disabled").await;
    browser.run(LOOK).await;
    browser.reads("h1", "Your notes").await;
    assert_eq!(browser.url().await, nginx.url("/"));
    assert_eq!(browser.text("#user").await, "anonymous", "the form was not sent again");
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
    nginx.answers(Some(ProxyFault::Status(502)));
    asks_and_stays(&browser, "We'll be back soon", 2).await;
    nginx.answers(None);
    std::fs::write(&switch, "false").unwrap();
    pod.line("Maintenance mode disabled").await;
    browser.run(LOOK).await;
    browser.reads("h1", "Your notes").await;
}
