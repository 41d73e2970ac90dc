//! Rows stay in place while an operator points at them, focuses them, or has paused the page.

use session_wire::v1::watch_sessions_response::Event;

use super::{is_focused, is_hidden, open, row, three, users, users_are};
use crate::Admin;
use crate::fake_pod::{changes, pod, session};

#[tokio::test]
async fn rows_stay_in_place_under_the_pointer_and_the_focus_while_their_content_is_updated() {
    let (fake, [mut ada, bob, _]) = three().await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(3).await;
    let browser = open(&admin, "/admin/users").await;
    browser.hover(&format!("#{}", row(&bob))).await;
    ada.notified = true;
    fake.say(changes(&[session("user-1", "Early", 90), ada.clone()], &[&bob]));
    browser.reads("#waiting", "2 changes waiting").await;
    browser.reads(&format!("#{}", row(&ada)), "told").await;
    browser.reads("#total", "3").await;
    assert_eq!(users(&browser).await, "Ada,Bob,Carol");
    browser.sees(&format!("#{}[data-gone]", row(&bob))).await;
    browser.passes_axe().await;
    browser.screenshot("admin-held").await;
    browser.hover("#total").await;
    users_are(&browser, "Early,Ada,Carol").await;
    is_hidden(&browser, "#waiting").await;

    browser.press("jj").await;
    is_focused(&browser, &row(&ada)).await;
    fake.say(changes(&[session("user-1", "Earlier", 120)], &[]));
    browser.reads("#waiting", "1 change waiting").await;
    assert_eq!(users(&browser).await, "Early,Ada,Carol");
    is_focused(&browser, &row(&ada)).await;
    browser.click("#waiting").await;
    users_are(&browser, "Earlier,Early,Ada,Carol").await;
    is_hidden(&browser, "#waiting").await;
}

#[tokio::test]
async fn a_paused_page_does_not_change_and_counts_the_changes_that_wait() {
    let (fake, [mut ada, ..]) = three().await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(3).await;
    let browser = open(&admin, "/admin/users").await;
    browser.press("p").await;
    browser.reads("#stream-state", "Paused.").await;
    ada.notified = true;
    fake.say(changes(&[ada.clone(), session("user-1", "Late", 0)], &[]));
    // Otherwise the pod would be listed again, as it counts fewer sessions than it lists.
    fake.say(Event::Pod(pod("user-1", 4)));
    // The changed row, the new row, the total and the range.
    browser.reads("#waiting", "4 changes waiting").await;
    assert_eq!((users(&browser).await.as_str(), browser.text("#total").await.as_str()), ("Ada,Bob,Carol", "3"));
    assert!(!browser.text(&format!("#{}", row(&ada))).await.contains("told"));
    browser.passes_axe().await;
    browser.screenshot("admin-paused").await;
    browser.click("#pause").await;
    users_are(&browser, "Ada,Bob,Carol,Late").await;
    browser.reads("#stream-state", "Live.").await;
    browser.reads(&format!("#{}", row(&ada)), "told").await;
    is_hidden(&browser, "#waiting").await;
}
