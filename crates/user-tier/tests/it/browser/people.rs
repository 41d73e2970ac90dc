//! Accessibility and languages, and machines with a wrong clock or without a network.

use serde_json::json;
use test_support::{Browser, Signal, eventually};

use super::{counts_truly, sign_in};
use crate::pod;
use crate::switch::Switch;

#[tokio::test]
async fn on_a_phone_nothing_is_wider_than_the_screen() {
    let pod = pod(&[("DRAIN_TIMEOUT", "1h")]).await;
    let browser = Browser::open().await;
    browser.emulate(true, 360, 640).await;
    sign_in(&browser, &pod, &"W".repeat(64)).await;
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    let wide = browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
    assert_eq!(wide, 0);
}

#[tokio::test]
async fn a_german_browser_gets_a_german_banner() {
    let switch = Switch::new("false");
    let options = switch.options();
    let pod = pod(&[&options[..], &[("DRAIN_TIMEOUT", "1h")]].concat()).await;
    let browser = Browser::open().await;
    browser.languages("de-DE").await;
    sign_in(&browser, &pod, "ada").await;
    switch.set("true");
    let message = browser.reads("#drain-message", "Wartung").await;
    assert_eq!(
        message,
        "Der Wartungsmodus wurde eingeschaltet. Bitte speichern Sie Ihre Arbeit und melden Sie sich ab."
    );
    assert_eq!(browser.text("#drain-banner button").await, "Jetzt abmelden");
    browser.reads("#drain-until", "Uhr abgemeldet").await;
    let (language, direction) =
        ("return document.querySelector('#drain-banner').lang", "return document.querySelector('#drain-banner').dir");
    assert_eq!(browser.run(language).await, "de");
    assert_eq!(browser.run(direction).await, "ltr");
    switch.set("false");
    browser.reads("#reprieve", "Sie können bleiben").await;
}

#[tokio::test]
async fn a_clock_that_is_ten_minutes_wrong_does_not_change_the_countdown() {
    let pod = pod(&[("DRAIN_TIMEOUT", "60s")]).await;
    let browser = Browser::open().await;
    let wrong = "const Right = Date;
        globalThis.Date = class extends Right {
            constructor(...parts) { if (parts.length) super(...parts); else super(Right.now() + 600_000); }
            static now() { return Right.now() + 600_000; }
        };";
    browser.before_each_page(wrong).await;
    sign_in(&browser, &pod, "ada").await;
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    counts_truly(&browser).await;
    // The time of day is given by that clock, within the duration of the query.
    let agrees = "const left = parseInt(document.getElementById('countdown').textContent);
        const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
        const around = [-3, -2, -1, 0, 1].map((more) => clock.format(new Date(Date.now() + (left + more) * 1_000)));
        return around.includes(document.getElementById('drain-end').textContent)";
    eventually("the time of day", || async { (browser.run(agrees).await == true).then_some(()) }).await;
}

#[tokio::test]
async fn without_scripts_the_page_shows_the_deadline_and_its_button_signs_out() {
    let pod = pod(&[("DRAIN_TIMEOUT", "60s"), ("PROPAGATION_WAIT", "1h")]).await;
    let browser = Browser::open().await;
    browser.scripts(false).await;
    browser.go(&pod.url("/")).await;
    assert!(!browser.shows("#drain-banner").await);
    pod.signal(Signal::SIGTERM);
    pod.line("Waiting 60s").await;
    browser.reload().await;
    browser.sees("#drain-banner").await;
    browser.reads("#drain-until", " UTC.").await;
    assert!(!browser.shows(".clock").await, "a clock that stands still would be a lie");
    assert!(!browser.shows("#stay-here").await, "it would do nothing");
    browser.click("#leave-now button").await;
    browser.reads("h1", "You are signed out").await;
    assert_eq!(pod.metric("graceful_logouts_total").await, 1.0);
}

#[tokio::test]
async fn the_banner_is_animated_only_where_motion_is_not_reduced() {
    let pod = pod(&[("DRAIN_TIMEOUT", "60s")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    let moves = "return getComputedStyle(document.getElementById('drain-banner')).animationName";
    for (reduced, name) in [(false, "arrive"), (true, "none")] {
        browser.reduced_motion(reduced).await;
        assert_eq!(browser.run(moves).await, name);
    }
}

#[tokio::test]
async fn the_page_with_its_banner_passes_the_accessibility_checks() {
    let pod = pod(&[("DRAIN_TIMEOUT", "1h"), ("AUTO_LOGOUT", "false")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.passes_axe().await;
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    for (dark, width, name) in
        [(false, 1100, "banner-stay"), (true, 1100, "banner-stay-dark"), (false, 390, "banner-stay-phone")]
    {
        browser.emulate(dark, width, 800).await;
        browser.passes_axe().await;
        browser.screenshot(name).await;
    }
    browser.click("#stay-here").await;
    browser.passes_axe().await;
    browser.screenshot("banner-stay-quiet").await;
}

#[tokio::test]
async fn at_four_hundred_per_cent_the_banner_takes_a_fifth_of_the_height_and_its_button_can_be_reached() {
    let pod = pod(&[("DRAIN_TIMEOUT", "1h"), ("PROPAGATION_WAIT", "1h")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-banner").await;
    let fits = "const moving = document.getAnimations().map((animation) => animation.finished);
        await Promise.allSettled(moving);
        const banner = document.querySelector('.banner:not([hidden])');
        const box = banner.getBoundingClientRect();
        const button = banner.querySelector(':is(button, a):not([hidden])').getBoundingClientRect();
        const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
        return [box.height <= innerHeight / 5, button.top >= box.top && button.bottom <= box.bottom && button.right <= innerWidth,
            button.height >= 24, wide, banner.scrollHeight <= banner.clientHeight]";
    for (width, height, name) in
        [(320, 256, "zoomed"), (640, 360, "landscape"), (390, 844, "phone"), (1280, 400, "flat"), (1100, 800, "desk")]
    {
        browser.emulate(false, width, height).await;
        let found = browser.run(fits).await;
        browser.screenshot(&format!("user-banner-{name}")).await;
        assert_eq!(found, json!([true, true, true, 0, true]), "{name}");
    }
    browser.emulate(false, 320, 256).await;
    browser.passes_axe().await;
    // The operator hurries. The final text needs no more room.
    pod.signal(Signal::SIGTERM);
    browser.sees("#drain-over").await;
    assert_eq!(browser.run(fits).await, json!([true, true, true, 0, true]));
    browser.screenshot("user-over-zoomed").await;
    browser.passes_axe().await;
}

#[tokio::test]
async fn times_are_in_the_language_of_the_page_and_the_text_box_is_labelled_your_notes() {
    let pod = pod(&[]).await;
    let browser = Browser::open().await;
    browser.languages("de-DE").await;
    sign_in(&browser, &pod, "ada").await;
    browser.write("#notes", "ein Gedanke").await;
    let saved = browser.reads("#saved", "Saved").await;
    assert!(saved.ends_with("AM.") || saved.ends_with("PM."), "{saved}");
    let since = browser.text("#since").await;
    assert!(since.ends_with("AM") || since.ends_with("PM"), "{since}");
    let name =
        "return document.getElementById(document.getElementById('notes').getAttribute('aria-labelledby')).textContent";
    assert_eq!(browser.run(name).await, "Your notes");
}

#[tokio::test]
async fn an_offline_page_says_so_at_once() {
    // The page does not wait for a missed heartbeat.
    let pod = pod(&[("HEARTBEAT_INTERVAL", "1h")]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &pod, "ada").await;
    browser.offline(true).await;
    browser.reads("#connection", "Reconnecting").await;
    browser.offline(false).await;
    browser.reads("#connection", "Live").await;
}
