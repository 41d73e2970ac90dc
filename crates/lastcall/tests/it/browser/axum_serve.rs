//! The example `axum_serve`: an app with its own login, metrics, server and TLS, drained with a user on it.

use test_support::{Browser, Signal, eventually, metric};

use super::{sees, shown};
use crate::example;

/// Seconds of the drain: far more than the test takes.
const DRAIN_TIMEOUT: &str = "3600";

/// Signs in by the app's own form.
async fn sign_in(browser: &Browser, address: &str) {
    browser.go(&format!("https://{address}/")).await;
    browser.reads("h1", "Sign in").await;
    browser.write("#user", "ada").await;
    browser.write("#password", "lovelace").await;
    browser.click("#sign-in").await;
    browser.reads("h1", "Hello, ada").await;
}

/// What the app's own `/metrics` says now.
async fn metrics(browser: &Browser) -> String {
    let page = browser.run("return fetch('/metrics').then((answer) => answer.text())").await;
    page.as_str().unwrap().to_owned()
}

/// The seconds that the banner shows.
async fn countdown(browser: &Browser) -> Option<u64> {
    shown(browser, "countdown").await.as_str()?.trim_end_matches('s').parse().ok()
}

#[tokio::test]
async fn an_app_with_its_own_login_and_tls_counts_down_and_ends_when_its_user_signs_out() {
    let (mut process, address) = example("axum_serve", &["127.0.0.1:0", DRAIN_TIMEOUT, "0"]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &address).await;

    process.signal(Signal::SIGTERM);
    sees(&browser, "drain-message", "Please save your work and logout.").await;
    let first = countdown(&browser).await.unwrap();
    eventually("a smaller number", || async { (countdown(&browser).await? < first).then_some(()) }).await;

    browser.click("#sign-out").await;
    assert!(process.wait().await.success());
    let log = process.drain_log().join("\n");
    for line in ["1 active user detected", "Sending drain notification to 1 user", "Shutting down cleanly..."] {
        assert!(log.contains(line), "{line} in\n{log}");
    }
    assert!(!log.contains("Force-closing"), "{log}");
}

#[tokio::test]
async fn the_apps_own_logout_is_a_graceful_one_and_the_propagation_begins_with_it() {
    let (mut process, address) = example("axum_serve", &["127.0.0.1:0", DRAIN_TIMEOUT, DRAIN_TIMEOUT]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &address).await;
    process.signal(Signal::SIGTERM);
    sees(&browser, "drain-message", "Please save").await;
    browser.click("#sign-out").await;
    process.line("Waiting 3600s for endpoint removal").await;
    // The login page is for newcomers, and another pod takes those.
    browser.reads("h1", "One moment").await;
    let page = metrics(&browser).await;
    for series in ["graceful_logouts_total", "lastcall_session_ends_total{outcome=\"logout\"}"] {
        assert_eq!(metric(&page, series), Some(1.0), "{series} in\n{page}");
    }
    process.signal(Signal::SIGTERM);
    assert!(process.wait().await.success());
}

#[tokio::test]
async fn the_logout_of_the_banner_signs_out_of_the_app_as_well() {
    let (mut process, address) = example("axum_serve", &["127.0.0.1:0", DRAIN_TIMEOUT, DRAIN_TIMEOUT]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &address).await;
    process.signal(Signal::SIGTERM);
    sees(&browser, "drain-message", "Please save").await;
    super::click(&browser, "leave-now").await;
    process.line("Waiting 3600s for endpoint removal").await;
    eventually("the end of the app's own session", || async {
        (metric(&metrics(&browser).await, "shop_logouts_total") == Some(1.0)).then_some(())
    })
    .await;
    process.signal(Signal::SIGTERM);
    assert!(process.wait().await.success());
}

#[tokio::test]
async fn the_apps_own_metrics_page_has_its_series_and_ours() {
    let (_process, address) = example("axum_serve", &["127.0.0.1:0", DRAIN_TIMEOUT, "0"]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &address).await;
    browser.click("#order").await;
    let page = eventually("an order", || async {
        let page = metrics(&browser).await;
        (metric(&page, "shop_orders_total") == Some(1.0)).then_some(page)
    })
    .await;
    for (series, value) in [("shop_logins_total", 1.0), ("total_logins", 1.0), ("active_sessions_total", 1.0)] {
        assert_eq!(metric(&page, series), Some(value), "{series} in\n{page}");
    }
    assert!(page.contains("# HELP shop_orders_total Orders that were placed."), "{page}");
    let own = browser.run("return fetch('/_lastcall/metrics').then((answer) => answer.status)").await;
    assert_eq!(own, 404, "the app serves the metrics, and only the app");
}

#[tokio::test]
async fn the_app_keeps_the_paths_of_its_own_and_lastcall_has_those_under_its_prefix() {
    let (_process, address) = example("axum_serve", &["127.0.0.1:0", DRAIN_TIMEOUT, "0"]).await;
    let browser = Browser::open().await;
    sign_in(&browser, &address).await;
    for (path, status) in [
        ("/_lastcall/session", 200),
        ("/_lastcall/login", 404),
        ("/orders/count", 200),
        ("/session", 404),
        ("/events", 404),
        ("/health", 200),
        ("/ready", 200),
    ] {
        let answer = browser.run(&format!("return fetch('{path}').then((answer) => answer.status)")).await;
        assert_eq!(answer, status, "{path}");
    }
    let user =
        browser.run("return fetch('/_lastcall/session').then((a) => a.json()).then((session) => session.user)").await;
    assert_eq!(user, "ada", "the session is named as the app's login says");
}
