//! The notes: no text is lost, and no other user sees it.

use test_support::{Browser, Signal, eventually};

use super::{kept, sign_in};
use crate::pod;

#[tokio::test]
async fn notes_belong_to_a_name_and_are_hidden_from_other_names() {
    let pod = pod(&[]).await;
    let browser = Browser::open().await;
    browser.go(&pod.url("/")).await;
    browser.write("#notes", "typed before the name").await;
    browser.write("#name", "ada").await;
    browser.click("#name-form button").await;
    browser.reads("#user", "ada").await;
    eventually("the notes to come along", || async {
        (browser.value("#notes").await == "typed before the name").then_some(())
    })
    .await;

    browser.click("#keep").await;
    browser.click("#sign-out button").await;
    browser.reads("h1", "You are signed out").await;
    sign_in(&browser, &pod, "bob").await;
    assert_eq!(browser.value("#notes").await, "", "bob does not see what ada wrote");
    browser.click("#sign-out button").await;
    browser.reads("h1", "You are signed out").await;

    sign_in(&browser, &pod, "ada").await;
    assert_eq!(browser.value("#notes").await, "typed before the name", "ada asked to keep them");
    browser.click("#sign-out button").await;
    browser.reads("h1", "You are signed out").await;
    assert_eq!(kept(&browser, "ada").await, serde_json::Value::Null);

    // Signed out by accident: the notes can be restored until the tab is closed.
    browser.click("#erased button").await;
    browser.reads("#erased p", "back in this browser").await;
    assert_eq!(kept(&browser, "ada").await, "typed before the name");
}

#[tokio::test]
async fn signing_out_in_one_tab_does_not_change_another_tab() {
    let pod = pod(&[("SESSION_SCOPE", "tab")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ann").await;
    browser.write("#notes", "chapter one").await;
    browser.new_tab().await;
    sign_in(&browser, &pod, "ann").await;
    assert_eq!(browser.value("#notes").await, "chapter one");
    browser.click("#sign-out button").await;
    browser.reads("h1", "You are signed out").await;
    browser.switch_to(0).await;
    browser.reads("#saved", "Erased in another tab").await;
    assert_eq!(browser.value("#notes").await, "chapter one");
    browser.write("#notes", ", and on").await;
    assert_eq!(kept(&browser, "ann").await, "chapter one, and on");
}

#[tokio::test]
async fn a_user_who_continues_after_the_end_of_a_pod_is_offered_the_previous_name_and_notes() {
    let mut first = pod(&[("DRAIN_TIMEOUT", "6s"), ("PROPAGATION_WAIT", "1s")]).await;
    let address = first.http.clone();
    let browser = Browser::open().await;
    sign_in(&browser, &first, "Sleepy").await;
    browser.write("#notes", "half a thought").await;
    first.signal(Signal::SIGTERM);
    browser.reads("#ended-message", "Time is up").await;
    assert!(first.wait().await.success());
    // No pod is there yet: the page waits, and opens by itself.
    browser.click("#continue").await;
    browser.reads("#ended-hint", "Waiting for a server").await;
    let pod = pod(&[("HTTP_ADDR", &address)]).await;
    browser.reads("#user", "anonymous").await;
    assert_eq!(browser.value("#name").await, "Sleepy");
    assert_eq!(browser.text("#others button").await, "Notes of Sleepy: open");
    browser.screenshot("user-notes-of-before").await;
    browser.click("#others button").await;
    browser.reads("#user", "Sleepy").await;
    assert_eq!(browser.value("#notes").await, "half a thought");

    // Signed out by the user, on a shared computer: no notes are left.
    browser.click("#sign-out button").await;
    browser.reads("h1", "You are signed out").await;
    browser.go(&pod.url("/")).await;
    browser.reads("#connection", "Live").await;
    assert_eq!(browser.value("#name").await, "");
    assert_eq!(browser.count("#others button").await, 0);
}

#[tokio::test]
async fn a_double_click_signs_in_once_and_the_user_may_sign_in_again_after_going_back() {
    let pod = pod(&[]).await;
    let browser = Browser::open().await;
    browser.go(&pod.url("/")).await;
    browser.write("#name", "ada").await;
    let twice = "window.posts = 0;
        const asked = window.fetch;
        window.fetch = (url, options) => {
            if (options?.method === 'POST') window.posts += 1;
            return options?.method === 'POST' ? new Promise(() => {}) : asked(url, options);
        };
        const button = document.querySelector('#name-form button');
        button.click();
        document.getElementById('name-form').requestSubmit();
        button.click();
        const disabled = button.disabled;
        dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
        return [window.posts, disabled, button.disabled]";
    assert_eq!(browser.run(twice).await, serde_json::json!([1, true, false]));
}
