//! 2,000 sessions of which 40 are present, on a desktop, on a phone, and in the dark; sorting on a phone; times in UTC.

use session_wire::v1::watch_sessions_response::{Event, Snapshot};
use test_support::Browser;

use crate::Admin;
use crate::fake_pod::{FakePod, partly_present};

/// Two pods with 1,000 sessions each, of which 20 are present; the first drains.
async fn two_thousand() -> (FakePod, FakePod, Admin) {
    let script = |name, drains| {
        let (pod, rows) = partly_present(name, 1_000, 20, drains);
        [Event::Pod(pod), Event::Snapshot(Snapshot { sessions: rows, end: true })]
    };
    let first = FakePod::saying(script("user-1", true)).await;
    let second = FakePod::saying(script("user-2", false)).await;
    let admin = Admin::start(&[&first.address, &second.address]).await;
    admin.sessions(2_000).await;
    (first, second, admin)
}

#[tokio::test]
async fn pages_show_forty_present_users_among_two_thousand_sessions() {
    let (_first, _second, admin) = two_thousand().await;
    let browser = Browser::open().await;
    let url = |path: &str| format!("http://{}{path}", admin.http);
    for (look, dark, width, height) in
        [("desktop", false, 1_280, 900), ("phone", false, 375, 812), ("dark", true, 1_280, 900)]
    {
        browser.emulate(dark, width, height).await;
        browser.go(&url("/admin")).await;
        browser
            .reads(
                "#summary",
                "40 sessions present on 2 pods, 1,960 more idle. user-1 is draining: 20 of 20 still there, 980 idle",
            )
            .await;
        browser.passes_axe().await;
        browser.screenshot(&format!("admin-40-of-2000-panel-{look}")).await;
        browser.go(&url("/admin/users?state=present")).await;
        browser.reads("#range", "40 of 2,000 sessions match.").await;
        browser.passes_axe().await;
        browser.screenshot(&format!("admin-40-of-2000-users-{look}")).await;
        browser.go(&url("/admin/history")).await;
        browser.reads("tbody tr", "runs, 20 left").await;
        browser.passes_axe().await;
        browser.screenshot(&format!("admin-40-of-2000-history-{look}")).await;
    }
    // From the number to the sessions that it counts.
    browser.go(&url("/admin/users")).await;
    browser.click("#head a[href$='state=idle']").await;
    browser.reads("#range", "1,960 of 2,000 sessions match.").await;
}

#[tokio::test]
async fn the_list_is_sorted_on_a_phone() {
    let (_first, _second, admin) = two_thousand().await;
    let browser = Browser::open().await;
    browser.emulate(false, 375, 812).await;
    browser.go(&format!("http://{}/admin/users?state=present", admin.http)).await;
    browser.reads("#range", "Rows 1–40 of 40").await;
    assert!(browser.shows("#sort").await);
    assert_eq!(browser.value("#sort").await, "login_time");
    browser.run("document.getElementById('sort').value = '-pod'").await;
    browser.click(".search button").await;
    browser.reads("tbody tr:first-child", "user-2").await;
    assert_eq!(browser.value("#sort").await, "-pod");
    assert!(browser.url().await.contains("state=present"), "the filter stays");
    let overflow =
        browser.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
    assert_eq!(overflow, 0, "nothing is wider than the phone");
    browser.emulate(false, 1_280, 900).await;
    assert!(!browser.shows("#sort").await, "the heads of the columns sort there");
}

#[tokio::test]
async fn times_are_local_or_in_utc_on_every_page_and_the_choice_is_remembered() {
    let (_first, _second, admin) = two_thousand().await;
    let browser = Browser::open().await;
    browser.time_zone("Asia/Kolkata").await;
    let url = |path: &str| format!("http://{}{path}", admin.http);
    browser.go(&url("/admin")).await;
    browser.reads("#zone", "Times: Asia/").await;
    let hour = "return document.querySelector('#freshness time').textContent";
    let local = browser.run(hour).await;
    browser.click("#zone").await;
    browser.reads("#zone", "Times: UTC").await;
    let utc = browser.reads("#freshness time", "UTC").await;
    assert_ne!(local.as_str().unwrap().split(' ').next(), utc.split(' ').next(), "half past is not the full hour");
    for path in ["/admin/users", "/admin/history"] {
        browser.go(&url(path)).await;
        browser.reads("#zone", "Times: UTC").await;
        browser.reads("#freshness time", "UTC").await;
    }
    browser.click("#zone").await;
    browser.reads("#zone", "Times: Asia/").await;
}
