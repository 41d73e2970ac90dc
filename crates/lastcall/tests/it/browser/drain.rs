//! The whole story of a page through a drain.

use serde_json::json;
use test_support::{Browser, Signal};

use super::{Embedded, click, nothing_is_lost, sees, shown};

#[tokio::test]
async fn at_the_end_of_a_countdown_it_is_signed_out_where_it_is() {
    let page = Embedded::start(12, &[]).await;
    let browser = Browser::open().await;
    page.fill(&browser).await;
    assert_eq!(shown(&browser, "drain-banner").await, json!(null));
    page.process.signal(Signal::SIGTERM);
    sees(&browser, "drain-message", "s. Please save your work and logout.").await;
    sees(&browser, "countdown", "s").await;
    assert_eq!(shown(&browser, "leave-now").await, "Logout Now");
    assert_eq!(shown(&browser, "stay-here").await, json!(null), "browsers leave by themselves here");
    assert_eq!(browser.focused().await, "remarks", "the banner takes no focus");
    browser.screenshot("foreign-page").await;
    sees(&browser, "drain-over-text", "you were signed out, as announced. What you entered on this page is still here")
        .await;
    nothing_is_lost(&browser, &page).await;
    assert_eq!(browser.title().await, "Signed out · Travel expenses");
    let posted = browser.run("return asked.filter(([method]) => method !== 'GET')").await;
    assert_eq!(posted, json!([["POST", "/logout?reason=drain", true]]));
    assert_eq!(browser.run("return heard").await, json!(["connected", "drain", "leaving", "left"]));
    assert_eq!(page.metric("graceful_logouts_total").await, 1.0);
    assert_eq!(page.metric("lastcall_session_ends_total{outcome=\"auto_logout\"}").await, 1.0);
    browser.screenshot("foreign-page-signed-out").await;
    assert_eq!(browser.run("return document.querySelector('form button').disabled").await, true, "nothing is sent");
    click(&browser, "drain-hide").await;
    assert_eq!(shown(&browser, "drain-over").await, json!(null));
}

#[tokio::test]
async fn its_button_signs_out_and_a_page_may_prevent_that() {
    let page = Embedded::start(3600, &["stay"]).await;
    let browser = Browser::open().await;
    page.fill(&browser).await;
    page.process.signal(Signal::SIGTERM);
    sees(&browser, "drain-message", "Server").await;
    browser.run("addEventListener('lastcall:leaving', (event) => event.preventDefault(), { once: true })").await;
    click(&browser, "leave-now").await;
    assert_eq!(browser.run("return heard").await, json!(["connected", "drain", "leaving"]));
    assert_eq!(page.metric("active_sessions_total").await, 1.0);
    click(&browser, "leave-now").await;
    sees(&browser, "drain-over-text", "You are signed out.").await;
    nothing_is_lost(&browser, &page).await;
    assert_eq!(page.metric("lastcall_session_ends_total{outcome=\"logout\"}").await, 1.0);
}

#[tokio::test]
async fn without_an_answer_of_the_server_the_page_stays_signed_in_and_the_banner_says_so() {
    let page = Embedded::start(3600, &["stay"]).await;
    let browser = Browser::open().await;
    page.fill(&browser).await;
    page.process.signal(Signal::SIGTERM);
    sees(&browser, "drain-message", "Server").await;
    browser
        .run("const asked = window.fetch; window.fetch = async () => { window.fetch = asked; throw new TypeError(); }")
        .await;
    click(&browser, "leave-now").await;
    sees(&browser, "drain-problem", "you are still signed in").await;
    click(&browser, "leave-now").await;
    sees(&browser, "drain-over-text", "You are signed out.").await;
    nothing_is_lost(&browser, &page).await;
}

#[tokio::test]
async fn the_banner_gives_room_to_what_one_is_at_and_is_accessible() {
    let page = Embedded::start(3600, &["stay"]).await;
    let browser = Browser::open().await;
    page.fill(&browser).await;
    browser.emulate(false, 390, 640).await;
    // What has the focus stands at the very top of the screen: where the banner will be.
    browser
        .run("document.getElementById('amount').focus(); document.activeElement.scrollIntoView({ block: 'start' })")
        .await;
    page.process.signal(Signal::SIGTERM);
    sees(&browser, "drain-message", "Server").await;
    let covered = "const arriving = document.querySelector('lastcall-banner').shadowRoot.getAnimations();
        await Promise.all(arriving.map((animation) => animation.finished));
        const top = document.activeElement.getBoundingClientRect().top;
        const banner = document.querySelector('lastcall-banner').shadowRoot.getElementById('drain-banner');
        return [document.activeElement.id, top >= banner.getBoundingClientRect().bottom]";
    assert_eq!(browser.run(covered).await, json!(["amount", true]));
    let wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.run(wide).await, 0);
    browser.screenshot("foreign-page-phone").await;
    browser.passes_axe().await;
    for dark in [false, true] {
        browser.emulate(dark, 1100, 800).await;
        browser.passes_axe().await;
    }

    browser.emulate(false, 320, 256).await;
    let banner = "document.querySelector('lastcall-banner').shadowRoot.getElementById('drain-banner')";
    let height = browser.run(&format!("return {banner}.offsetHeight")).await;
    assert!(height.as_u64().unwrap() <= 256 / 5, "at 400 % zoom: {height}");
    let clipped = browser.run(&format!("return {banner}.scrollHeight > {banner}.clientHeight")).await;
    assert_eq!(clipped, false);
    sees(&browser, "drain-short", "Save your work.").await;
    sees(&browser, "leave-now", "Logout Now").await;
    browser.screenshot("foreign-page-zoomed").await;
    browser.emulate(false, 1100, 800).await;

    click(&browser, "stay-here").await;
    assert_eq!(shown(&browser, "drain-message").await, json!(null));
    sees(&browser, "countdown", "s").await;
    browser.passes_axe().await;
    browser.screenshot("foreign-page-quiet").await;
    nothing_is_lost(&browser, &page).await;
}
