//! An operator signs in, searches, exports a file and forgets a pod.

use session_wire::v1::watch_sessions_response::Event;
use test_support::{Browser, Key};

use super::{is_focused, is_hidden, open, row, three, users_are};
use crate::Admin;
use crate::fake_pod::{FakePod, pod, session, snapshot};

#[tokio::test]
async fn an_operator_signs_in_searches_and_walks_the_rows_by_keyboard_alone() {
    let (fake, [ada, bob, _]) = three().await;
    let admin = Admin::with(&[&fake.address], &[("ADMIN_AUTH", "token"), ("ADMIN_TOKEN", "opener")]).await;
    let browser = Browser::open().await;
    browser.go(&format!("http://{}/admin", admin.http)).await;
    is_focused(&browser, "token").await;
    browser.press("opener").await;
    browser.press(Key::Enter).await;
    browser.reads("#summary", "3 sessions on 1 pod. None is draining. No user was forced out so far.").await;
    browser.passes_axe().await;
    browser.screenshot("admin-panel").await;

    browser.press("/").await;
    is_focused(&browser, "q").await;
    assert!(browser.url().await.ends_with("/admin/users#q"));
    browser.press("jap?").await;
    assert_eq!(browser.value("#q").await, "jap?", "keys are text while the operator types");
    browser.press(Key::Control + "a").await;
    browser.press("ro").await;
    browser.press(Key::Enter).await;
    browser.reads("#range", "1 of 3 sessions match. Rows 1–1 of 1.").await;
    users_are(&browser, "Carol").await;

    browser.go(&format!("http://{}/admin/users", admin.http)).await;
    browser.reads("#stream-state", "Live.").await;
    browser.press("j").await;
    is_focused(&browser, &row(&ada)).await;
    browser.press("jjk").await;
    is_focused(&browser, &row(&bob)).await;
    browser.press("?").await;
    browser.sees("#help").await;
    browser.passes_axe().await;
    browser.screenshot("admin-keys").await;
    browser.press(Key::Escape).await;
    is_hidden(&browser, "#help").await;
    is_focused(&browser, &row(&bob)).await;
    browser.press(Key::Enter).await;
    browser.reads("#range", "1 of 3 sessions match").await;
    assert!(browser.url().await.ends_with("/admin/users?user=Bob"));
    browser.click(".chip").await;
    browser.reads("#range", "Rows 1–3 of 3.").await;
}

#[tokio::test]
async fn the_export_link_downloads_the_rows_that_match_the_filter() {
    let (fake, _) = three().await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(3).await;
    let browser = open(&admin, "/admin/users?q=bob&state=connected").await;
    browser.reads(".export", "Export what matches").await;
    let script = "const answer = await fetch(document.querySelector('.export a').href);
        return [answer.headers.get('content-disposition'), await answer.text()]";
    let taken = browser.run(script).await;
    assert!(taken[0].as_str().unwrap().starts_with("attachment; filename=\"lastcall-sessions-2"), "{taken}");
    let lines: Vec<_> = taken[1].as_str().unwrap().lines().collect();
    assert!(lines.len() == 2 && lines[1].contains(",Bob,user-1,"), "{taken}");
}

#[tokio::test]
async fn an_operator_forgets_a_silent_pod_by_its_button_after_reading_what_that_does() {
    let stays = FakePod::saying([Event::Pod(pod("user-1", 1)), snapshot([session("user-1", "ada", 1)])]).await;
    let goes = FakePod::saying([Event::Pod(pod("user-2", 1)), snapshot([session("user-2", "bob", 1)])]).await;
    let address = goes.address.clone();
    let admin = Admin::start(&[&stays.address, &address]).await;
    admin.sessions(2).await;
    drop(goes);
    admin.pod(&address, "the loss", |pod| pod["reachable"] == false).await;
    let browser = Browser::open().await;
    browser.go(&format!("http://{}/admin", admin.http)).await;
    browser.sees(".pod.unreachable details.forget").await;
    assert_eq!(browser.count("details.forget").await, 1, "no other pod has it");
    assert!(!browser.shows("details.forget button").await, "one click alone forgets nothing");
    browser.click("details.forget > summary").await;
    browser.sees("details.forget button").await;
    browser.passes_axe().await;
    browser.click("details.forget button").await;
    browser.reads("#audit", "forgot the silent pod user-2").await;
    assert_eq!(browser.count(".pod").await, 1);
    browser.go(&format!("http://{}/admin/history", admin.http)).await;
    browser.reads("#lost-pods", "was forgotten by an operator").await;
    browser.passes_axe().await;
}
