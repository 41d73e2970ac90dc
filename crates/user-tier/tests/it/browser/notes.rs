//! The notes: nothing that somebody wrote is lost, and nobody else sees it.

use test_support::{Browser, eventually};

use super::{kept, sign_in};
use crate::pod;

#[tokio::test]
async fn notes_belong_to_a_name_and_nobody_else_sees_them() {
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

    // Left in a hurry: until the tab is closed the notes can be brought back.
    browser.click("#erased button").await;
    browser.reads("#erased p", "back in this browser").await;
    assert_eq!(kept(&browser, "ada").await, "typed before the name");
}

#[tokio::test]
async fn leaving_in_one_tab_leaves_the_screen_of_another_alone() {
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
