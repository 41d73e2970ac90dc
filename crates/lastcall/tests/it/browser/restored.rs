//! What comes back out of a history or a cache: it is put right before anybody believes it.

use serde_json::json;
use test_support::{Browser, eventually};

use super::RECORD;
use super::app::App;

/// Looks at the page: how many banners it shows, wherever they are, and how many places for one there are.
const BANNERS: &str = "
    const hosts = [...document.querySelectorAll('lastcall-banner')];
    const own = [...document.querySelectorAll('#drain-banner, #reprieve')];
    const ours = hosts.flatMap((host) => [...(host.shadowRoot?.querySelectorAll('#drain-banner') ?? [])]);
    return [[...own, ...ours].filter((part) => part.checkVisibility()).length, hosts.length]";

async fn waits_for(browser: &Browser, what: &str, script: &str, wanted: serde_json::Value) {
    eventually(what, || async { (browser.run(script).await == wanted).then_some(()) }).await;
}

async fn stands_on(browser: &Browser, heading: &str) {
    waits_for(browser, heading, "return document.querySelector('h1').textContent", json!(heading)).await;
}

/// The title without the seconds in it.
const TITLE: &str = "return document.title.replace(/\\d+/, 'N')";

async fn history_brings_back_nothing_that_was_true_once(kind: &str, app: &App) {
    let browser = Browser::open().await;
    browser.before_each_page(RECORD).await;
    browser.go(&app.url(&format!("/{kind}/one"))).await;
    waits_for(&browser, "a stream", "return heard.includes('connected')", json!(true)).await;
    browser.run("window.sameDocument = true").await;
    app.maintenance(true);
    waits_for(&browser, "a banner", BANNERS, json!([1, 1])).await;
    waits_for(&browser, "the time in the title", TITLE, json!("Ns left · One")).await;
    browser.click("#go").await;
    stands_on(&browser, "Two").await;
    waits_for(&browser, "the other title", TITLE, json!("Ns left · Two")).await;
    waits_for(&browser, "one banner", BANNERS, json!([1, 1])).await;

    browser.back().await;
    stands_on(&browser, "One").await;
    waits_for(&browser, "one prefix", TITLE, json!("Ns left · One")).await;
    waits_for(&browser, "one banner", BANNERS, json!([1, 1])).await;
    let counts = |of: &str| {
        format!(
        "const part = (id) => document.getElementById(id) ?? document.querySelector('lastcall-banner').shadowRoot.getElementById(id);
         return part('{of}').textContent")
    };
    let first = browser.run(&counts("countdown")).await;
    eventually("a clock that runs", || async { (browser.run(&counts("countdown")).await != first).then_some(()) })
        .await;

    app.maintenance(false);
    waits_for(&browser, "the end of it", "return heard.includes('drain-cancelled')", json!(true)).await;
    waits_for(&browser, "the title as it was", TITLE, json!("One")).await;
    // The other page was left while the countdown ran.
    browser.forward().await;
    stands_on(&browser, "Two").await;
    waits_for(&browser, "a title without time", TITLE, json!("Two")).await;
    let banner =
        "const parts = [document, ...[...document.querySelectorAll('lastcall-banner')].map((host) => host.shadowRoot)];
        return parts.some((part) => part?.querySelector('#drain-banner')?.checkVisibility())";
    assert_eq!(browser.run(banner).await, false, "{kind}");
    assert_eq!(browser.run("return window.sameDocument").await, true, "{kind} has put saved HTML back");
}

#[tokio::test]
async fn a_page_that_turbo_brings_back_shows_what_is_true_now() {
    let app = App::start().await;
    history_brings_back_nothing_that_was_true_once("turbo", &app).await;
    history_brings_back_nothing_that_was_true_once("own-turbo", &app).await;
}

#[tokio::test]
async fn a_page_that_htmx_brings_back_shows_what_is_true_now() {
    let app = App::start().await;
    history_brings_back_nothing_that_was_true_once("htmx", &app).await;
    history_brings_back_nothing_that_was_true_once("own-htmx", &app).await;
}

#[tokio::test]
async fn a_page_whose_own_title_begins_as_ours_do_gets_it_back_whole() {
    let app = App::start().await;
    let browser = Browser::open().await;
    browser.before_each_page(RECORD).await;
    browser.go(&app.url("/plain/one")).await;
    waits_for(&browser, "a stream", "return heard.includes('connected')", json!(true)).await;
    browser.run("document.title = 'Signed out · No answer · Shop'").await;
    app.maintenance(true);
    waits_for(&browser, "the time in the title", TITLE, json!("Ns left · Signed out · No answer · Shop")).await;
    app.maintenance(false);
    waits_for(&browser, "the title as it was", TITLE, json!("Signed out · No answer · Shop")).await;
}

/// Makes the page ask twice, one after the other.
const ASK_TWICE: &str = "await lastcall.ask(); await lastcall.ask(); return true";

#[tokio::test]
async fn an_answer_that_a_service_worker_has_kept_is_not_believed() {
    let app = App::start().await;
    let browser = Browser::open().await;
    browser.before_each_page(RECORD).await;
    browser.go(&app.url("/plain/one")).await;
    let install = "await navigator.serviceWorker.register('/worker.js');
        while (!navigator.serviceWorker.controller) await new Promise((next) => setTimeout(next, 20));
        return (await (await fetch('/session')).json()).drain";
    assert_eq!(browser.run(install).await, json!(null), "kept in a calm moment");
    waits_for(&browser, "a stream", "return heard.includes('connected')", json!(true)).await;
    app.maintenance(true);
    waits_for(&browser, "a banner", BANNERS, json!([1, 1])).await;
    browser.run(ASK_TWICE).await;
    assert_eq!(browser.run(BANNERS).await, json!([1, 1]), "what was kept says that nothing runs");
    assert_eq!(browser.run("return heard.includes('drain-cancelled')").await, false);
    app.maintenance(false);
    waits_for(&browser, "the end of it", "return heard.includes('drain-cancelled')", json!(true)).await;
}

#[tokio::test]
async fn an_answer_of_a_pod_whose_clock_is_an_hour_behind_is_believed() {
    let app = App::start().await;
    let browser = Browser::open().await;
    browser.before_each_page(RECORD).await;
    browser.go(&app.url("/plain/one")).await;
    waits_for(&browser, "a stream", "return heard.includes('connected')", json!(true)).await;
    let behind = "window.answers = 0;
        addEventListener('lastcall:session', () => (window.answers += 1));
        const asked = window.fetch;
        window.fetch = async (...what) => {
            const answer = await (await asked(...what)).json();
            answer.server_time = new Date(Date.parse(answer.server_time) - 3_600_000).toISOString();
            return Response.json(answer);
        };";
    browser.run(behind).await;
    browser.run(ASK_TWICE).await;
    assert_eq!(browser.run("return window.answers").await, 2);
}
