//! The notes are saved on the server while the user types: what the page says, and that nothing typed is lost.

use serde_json::Value;
use test_support::{Browser, Postgres, Signal, UserPod, eventually};

use super::sign_in;
use crate::pod;

/// Makes the page look at the server again, as a click into its window does.
const FOCUS: &str = "dispatchEvent(new Event('focus'))";

/// What the server has, as seen in a session of its own.
async fn stored(pod: &UserPod, user: &str) -> Value {
    let person = pod.person().visit().await;
    assert_eq!(person.login(user).await.status(), 303);
    let answer: Value = person.get("/notes").await.json().await.unwrap();
    answer["text"].clone()
}

/// Waits until the server has this text.
async fn is_stored(pod: &UserPod, user: &str, text: &str) {
    eventually(text, || async { (stored(pod, user).await == text).then_some(()) }).await;
}

/// Waits until the notes on screen are `text`.
async fn shows(browser: &Browser, text: &str) {
    eventually(text, || async { (browser.value("#notes").await == text).then_some(()) }).await;
}

#[tokio::test]
async fn the_page_says_when_the_server_has_the_text_and_when_it_is_too_long() {
    let pod = pod(&[]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "a thought").await;
    browser.reads("#saved", "Saved at").await;
    assert_eq!(stored(&pod, "ada").await, "a thought");
    browser.screenshot("user-notes-saved").await;

    let paste = "const notes = document.getElementById('notes');
        notes.value += 'x'.repeat(128 * 1024);
        notes.dispatchEvent(new Event('input'))";
    browser.run(paste).await;
    let said = browser.reads("#saved", "Not saved").await;
    assert_eq!(said, "Not saved: the text is 9 bytes too long. Shorten it. Your text is kept in this browser.");
    browser.screenshot("user-notes-too-long").await;
    assert_eq!(stored(&pod, "ada").await, "a thought");
    let shorten = "const notes = document.getElementById('notes');
        notes.value = notes.value.slice(0, -9);
        notes.dispatchEvent(new Event('input'))";
    browser.run(shorten).await;
    browser.reads("#saved", "Saved at").await;
    assert_eq!(stored(&pod, "ada").await.as_str().map(str::len), Some(128 * 1024));
}

#[tokio::test]
async fn two_windows_of_a_user_show_each_others_text_and_lose_none() {
    let pod = pod(&[]).await;
    let (one, other) = (Browser::open().await, Browser::open().await);
    for browser in [&one, &other] {
        sign_in(browser, &pod, "ada").await;
    }
    one.write("#notes", "from one").await;
    one.reads("#saved", "Saved at").await;
    // It has nothing unsaved.
    other.run(FOCUS).await;
    shows(&other, "from one").await;

    // Both are changed, without looking at the server in between.
    let append = |text: &str| {
        format!(
            "const notes = document.getElementById('notes');
            notes.value += {text:?};
            notes.dispatchEvent(new Event('input'))"
        )
    };
    one.run(&append(", first")).await;
    is_stored(&pod, "ada", "from one, first").await;
    other.run(&append(", second")).await;
    shows(&other, "from one, first\n, second").await;
    other.reads("#saved", "Text from another window was added").await;
    other.screenshot("user-notes-merged").await;
    is_stored(&pod, "ada", "from one, first\n, second").await;
    one.run(FOCUS).await;
    shows(&one, "from one, first\n, second").await;

    // Another tab of the same browser needs no look.
    one.new_tab().await;
    one.go(&pod.url("/")).await;
    shows(&one, "from one, first\n, second").await;
    one.write("#notes", "!").await;
    one.switch_to(0).await;
    shows(&one, "from one, first\n, second!").await;
    // The user empties the text, which is no erasure.
    one.run(
        "const notes = document.getElementById('notes'); notes.value = ''; notes.dispatchEvent(new Event('input'))",
    )
    .await;
    one.switch_to(1).await;
    shows(&one, "").await;
    is_stored(&pod, "ada", "").await;
}

#[tokio::test]
async fn text_of_a_page_that_is_closed_at_once_is_saved_there_or_when_the_page_is_opened_again() {
    let pod = pod(&[]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.new_tab().await;
    browser.switch_to(0).await;
    browser.write("#notes", "closed at once").await;
    browser.close_tab().await;
    is_stored(&pod, "ada", "closed at once").await;

    // No request leaves this tab.
    browser.before_each_page("const load = window.fetch; window.fetch = (url, what) => what?.method === 'PUT' ? Promise.reject(new TypeError()) : load(url, what)").await;
    browser.go(&pod.url("/")).await;
    shows(&browser, "closed at once").await;
    browser.write("#notes", ", and offline").await;
    browser.reads("#saved", "Not saved: trying again").await;
    browser.new_tab().await;
    browser.switch_to(0).await;
    browser.close_tab().await;
    assert_eq!(stored(&pod, "ada").await, "closed at once");
    browser.go(&pod.url("/")).await;
    shows(&browser, "closed at once, and offline").await;
    is_stored(&pod, "ada", "closed at once, and offline").await;
}

#[tokio::test]
async fn a_page_that_signs_out_waits_for_the_save_and_keeps_what_could_not_be_saved() {
    let pod = pod(&[]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "the last word").await;
    browser.click("#sign-out button").await;
    browser.reads("#erased", "saved on the server under your name").await;
    browser.screenshot("user-notes-signed-out").await;
    assert_eq!(stored(&pod, "ada").await, "the last word");

    browser.before_each_page("const load = window.fetch; window.fetch = (url, what) => what?.method === 'PUT' ? Promise.reject(new TypeError()) : load(url, what)").await;
    sign_in(&browser, &pod, "ada").await;
    shows(&browser, "the last word").await;
    browser.write("#notes", ", almost").await;
    browser.click("#sign-out button").await;
    browser.reads("h1", "You are signed out").await;
    browser.sees("#kept").await;
    assert_eq!(super::kept(&browser, "ada").await, "the last word, almost");
}

#[tokio::test]
async fn text_typed_while_the_database_hangs_during_a_drain_is_saved_before_the_page_signs_out() {
    let server = Postgres::start().await;
    let url = server.url();
    let mut pod = pod(&[("DATABASE_URL", &url), ("DRAIN_TIMEOUT", "25s"), ("PROPAGATION_WAIT", "1s")]).await;
    let observer = crate::pod(&[("DATABASE_URL", &url)]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "before").await;
    browser.reads("#saved", "Saved at").await;
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    server.suspend();
    browser.write("#notes", " and during").await;
    browser.reads("#saved", "Saving").await;
    browser.screenshot("user-notes-saving").await;
    browser.reads("#saved", "Not saved: trying again. Your text is kept in this browser.").await;
    browser.screenshot("user-notes-trying-again").await;
    server.resume();
    browser.reads("#saved", "Saved at").await;
    // This is typed too late for the usual pause before a save.
    browser.write("#notes", ", until the end").await;
    browser.run("lastcall.leave({ automatic: true })").await;
    browser.reads("#ended-message", "Time is up").await;
    assert_eq!(stored(&observer, "ada").await, "before and during, until the end");
    assert!(pod.wait().await.success());
    // Text that is typed afterwards is in this browser only, and the page says so.
    browser.write("#notes", "!").await;
    browser.reads("#saved", "Not saved on the server: you are signed out. Your text is kept in this browser.").await;
    browser.screenshot("user-notes-after-the-end").await;
}
