//! A drain from the user's view: notice, countdown, sign-out in time.

use test_support::{Browser, Signal, eventually};

use super::{countdown, counts_truly, kept, sign_in};
use crate::pod;

#[tokio::test]
async fn the_banner_counts_down_and_its_button_signs_out() {
    let pod = pod(&[("DRAIN_TIMEOUT", "60s"), ("PROPAGATION_WAIT", "1h")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "an unsaved thought").await;
    assert!(!browser.shows("#drain-banner").await);

    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    // The number in the message always equals that of the clock.
    let apart = "const seen = new Set();
        const apart = [];
        while (seen.size < 3) {
            const clock = document.getElementById('countdown').textContent;
            const message = document.getElementById('drain-message').textContent;
            if (message !== `Server shutting down in ${clock}. Please save your work and logout.`) apart.push([clock, message]);
            seen.add(clock);
            await new Promise(requestAnimationFrame);
        }
        return apart";
    assert_eq!(browser.run(apart).await, serde_json::json!([]));
    assert_eq!(browser.text("#drain-banner button").await, "Logout Now");
    let first = countdown(&browser).await;
    assert!(first <= 60, "{first}");
    let later = eventually("a second less", || async {
        let now = countdown(&browser).await;
        (now < first).then_some(now)
    })
    .await;
    let left = counts_truly(&browser).await;
    assert!(left <= later);
    let focused = browser.run("return document.activeElement.id").await;
    assert_eq!(focused, "notes", "the banner takes no focus");
    assert_eq!(browser.value("#notes").await, "an unsaved thought");

    // A page that is loaded during a countdown shows it before a stream is open.
    browser.go(&pod.url("/")).await;
    browser.sees("#drain-banner").await;
    assert!(countdown(&browser).await <= left);

    browser.click("#drain-banner button").await;
    browser.reads("h1", "You are signed out").await;
    assert_eq!(kept(&browser, "ada").await, "an unsaved thought", "leaving early loses no text");
    browser.sees("#kept").await;
    assert_eq!(pod.metric("graceful_logouts_total").await, 1.0);
}

#[tokio::test]
async fn at_the_end_of_the_countdown_the_page_signs_out_and_keeps_the_notes() {
    // Long enough that the browser leaves more than a second before the end.
    let pod = pod(&[("DRAIN_TIMEOUT", "20s"), ("PROPAGATION_WAIT", "1h")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "never saved by hand").await;
    let page = browser.url().await;
    pod.signal(Signal::SIGTERM);
    let said = browser.reads("#ended-message", "Time is up").await;
    assert_eq!(said, "Time is up: you were signed out, as announced. Your text is saved in this browser.");
    // The page has not changed, and the user continues to type.
    assert_eq!(browser.url().await, page);
    assert_eq!(browser.focused().await, "notes");
    assert_eq!(browser.value("#notes").await, "never saved by hand");
    assert!(!browser.shows("#drain-banner").await);
    browser.screenshot("user-signed-out-in-place").await;
    assert_eq!(kept(&browser, "ada").await, "never saved by hand");
    assert_eq!(pod.metric("lastcall_session_ends_total{outcome=\"auto_logout\"}").await, 1.0);
    assert_eq!(pod.metric("forced_logouts_total").await, 0.0);
}

#[tokio::test]
async fn a_pod_that_hangs_during_a_drain_is_reported_as_not_responding() {
    let pod = pod(&[("DRAIN_TIMEOUT", "5s"), ("HEARTBEAT_INTERVAL", "500ms"), ("PROPAGATION_WAIT", "1h")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "in the middle").await;
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    pod.signal(Signal::SIGSTOP);
    browser.reads("#connection", "Reconnecting").await;
    assert!(browser.shows("#drain-banner").await, "the time is not over yet");
    let said = browser.reads("#ended-message", "stopped").await;
    assert_eq!(said, "The server has stopped responding. Your text is saved in this browser. Reload to continue.");
    assert!(!browser.shows("#drain-banner").await && !browser.shows("#drain-problem").await);
    assert_eq!(browser.title().await, "No answer · Notes · Lastcall");
    assert_eq!(browser.text("#connection").await, "No answer from the server");
    assert_eq!(browser.value("#notes").await, "in the middle");
    browser.screenshot("user-stopped").await;
    // The page stays usable and says what has happened.
    pod.signal(Signal::SIGCONT);
    browser.reads("#ended-message", "Your text is saved in this browser.").await;
    let gone = || async { (browser.title().await == "Signed out · Notes · Lastcall").then_some(()) };
    eventually("the end of the session", gone).await;

    // This pod admits no newcomers any more. A minute passes on a fake clock; then a click opens the page, whatever answers there.
    browser.run("const now = performance.now.bind(performance); performance.now = () => now() * 10_000").await;
    browser.click("#continue").await;
    browser.reads("#ended-hint", "press Continue again").await;
    browser.run("setTimeout(() => document.querySelector('#continue').click())").await;
    browser.reads("h1", "One moment").await;
}

#[tokio::test]
async fn a_browser_with_a_nonstandard_language_tag_shows_the_countdown() {
    let pod = pod(&[("DRAIN_TIMEOUT", "1h")]).await;
    let browser = Browser::open().await;
    let languages = "Object.defineProperty(navigator, 'languages', { get: () => ['en-US@posix'] })";
    browser.before_each_page(languages).await;
    sign_in(&browser, &pod, "ada").await;
    browser.reads("#connection", "Live").await;
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
}

#[tokio::test]
async fn after_a_forced_end_the_page_says_so_and_keeps_the_notes_on_screen() {
    let mut pod = pod(&[("AUTO_LOGOUT", "false"), ("DRAIN_TIMEOUT", "3s")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "in the middle of a sent").await;
    pod.signal(Signal::SIGTERM);
    browser.reads("#ended-message", "Time is up").await;
    assert!(!browser.shows("#drain-banner").await);
    assert_eq!(browser.value("#notes").await, "in the middle of a sent");
    assert_eq!(kept(&browser, "ada").await, "in the middle of a sent");
    assert!(pod.wait().await.success());
    // The pod is gone; text that is typed now is kept as well.
    browser.write("#notes", "ence").await;
    assert_eq!(kept(&browser, "ada").await, "in the middle of a sentence");
}

#[tokio::test]
async fn an_answer_older_than_the_notice_does_not_cancel_it() {
    let pod = pod(&[("DRAIN_TIMEOUT", "60s")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    // The next answer of `/session` is delayed until the banner is shown.
    let hold = "const fetched = window.fetch;
        window.fetch = async (...asked) => {
            const answer = await fetched(...asked);
            document.body.dataset.held = 'yes';
            while (document.getElementById('drain-banner').hidden) await new Promise((next) => setTimeout(next, 20));
            addEventListener('lastcall:session', () => (document.body.dataset.late = 'yes'), { once: true });
            return answer;
        };
        document.dispatchEvent(new Event('visibilitychange'));";
    browser.run(hold).await;
    let held = || async { (browser.run("return document.body.dataset.held ?? ''").await == "yes").then_some(()) };
    eventually("an answer that is held", held).await;
    pod.signal(Signal::SIGTERM);
    eventually("the late answer", || async {
        let late = browser.run("return document.body.dataset.late ?? ''").await;
        (late == "yes").then_some(())
    })
    .await;
    assert!(browser.shows("#drain-banner").await);
}

#[tokio::test]
async fn a_countdown_is_announced_a_few_times_and_shown_in_the_title() {
    let pod = pod(&[("DRAIN_TIMEOUT", "32s"), ("AUTO_LOGOUT", "false")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    let listen = "window.said = [];
        const announcer = document.querySelector('lastcall-banner').shadowRoot.getElementById('announcer');
        new MutationObserver(() => window.said.push(announcer.textContent)).observe(announcer, { childList: true });";
    browser.run(listen).await;
    pod.signal(Signal::SIGTERM);
    eventually("thirty seconds", || async {
        let said = browser.run("return window.said").await;
        (said.as_array()?.last()? == "Thirty seconds left.").then_some(())
    })
    .await;
    let said = browser.run("return window.said").await;
    let message = "Server shutting down in 32s. Please save your work and logout.";
    assert_eq!(said, serde_json::json!([message, "Thirty seconds left."]), "and not every second");
    assert!(browser.title().await.ends_with("s left · Notes · Lastcall"), "{}", browser.title().await);

    // The page does not sign the user out before the end.
    assert_eq!(browser.text("#stay-here").await, "Stay signed in on this page until the end");
    browser.click("#stay-here").await;
    assert!(!browser.shows("#drain-message").await && browser.shows("#countdown").await);
    assert_eq!(browser.focused().await, "stay-here", "and can come back to it");
    // The operator hurries.
    pod.signal(Signal::SIGTERM);
    browser.reads("#ended-message", "Time is up").await;
    assert_eq!(browser.title().await, "Signed out · Notes · Lastcall");
}
