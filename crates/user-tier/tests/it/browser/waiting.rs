//! The waiting pages: they survive any answer of a proxy, and open the app by themselves.

use std::time::Duration;

use test_support::{Browser, Nginx, ProxyFault, Signal, eventually};

use crate::pod;
use crate::switch::Switch;

/// Counts the page's requests with and without an answer.
const COUNT: &str = "
    window.answers = 0;
    const asked = window.fetch;
    window.fetch = (...what) => asked(...what).finally(() => setTimeout(() => (window.answers += 1)));";

/// Makes the page visible again, so that it retries at once.
const LOOK: &str = "document.dispatchEvent(new Event('visibilitychange'))";

/// Answers `/session` from now on as a caching service worker does.
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

/// Waits until the page has asked `more` times and is still the same page.
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
async fn a_waiting_page_survives_any_answer_of_a_proxy_and_then_opens_by_itself() {
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
    // A click is another request, and does not leave the page.
    browser.click("a.button").await;
    asks_and_stays(&browser, "One moment", 1).await;
    let second = pod(&[key, ("HTTP_ADDR", &address)]).await;
    browser.reads("h1", "Your notes").await;
    assert_eq!(second.metric("total_logins").await, 1.0, "no question has started a session");
}

#[tokio::test]
async fn a_waiting_page_after_a_form_post_opens_the_home_page_and_does_not_resend() {
    let switch = Switch::new("true");
    let options = switch.options();
    let pod = pod(&options).await;
    let nginx = Nginx::before(&pod.http, Duration::from_secs(60)).await;
    let browser = Browser::open().await;
    browser.before_each_page(COUNT).await;
    let arrives = |part: &'static str| {
        let browser = &browser;
        eventually(part, move || async move { browser.url().await.contains(part).then_some(()) })
    };

    // A proxy may ask the user to sign in again. Only opening the page does that, by a click.
    browser.go(&nginx.url("/?first")).await;
    nginx.answers(Some(ProxyFault::Redirect));
    asks_and_stays(&browser, "We'll be back soon", 2).await;
    browser.run(TRY_NOW).await;
    arrives("/sign-in").await;
    nginx.answers(None);
    // The second click opens the page, whatever the answer is.
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
    switch.set("false");
    pod.line("Maintenance mode disabled").await;
    browser.run(LOOK).await;
    browser.reads("h1", "Your notes").await;
    assert_eq!(browser.url().await, nginx.url("/"));
    assert_eq!(browser.text("#user").await, "anonymous", "the form was not sent again");
}

#[tokio::test]
async fn the_maintenance_page_shows_no_time_unless_one_is_set() {
    let switch = Switch::new("true");
    let options = switch.options();
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
    switch.set("false");
    pod.line("Maintenance mode disabled").await;
    browser.run(LOOK).await;
    browser.reads("h1", "Your notes").await;
}
