//! Pages in the dark, on a phone and without scripts, and times under a wrong clock.

use test_support::Browser;

use super::{row, three};
use crate::Admin;
use crate::fake_pod::{changes, session};

#[tokio::test]
async fn pages_are_complete_and_accessible_in_the_dark_and_on_a_phone() {
    let (fake, [_, mut bob, _]) = three().await;
    let admin =
        Admin::with(&[&fake.address, "127.0.0.1:1"], &[("ADMIN_AUTH", "token"), ("ADMIN_TOKEN", "opener")]).await;
    (bob.notified, bob.event_streams) = (true, 0);
    fake.say(changes(&[bob], &[]));
    let browser = Browser::open().await;
    browser.go(&format!("http://{}/admin", admin.http)).await;
    browser.write("#token", "opener\n").await;
    for (dark, width, name) in
        [(false, 1100, "light"), (true, 1100, "dark"), (false, 390, "phone"), (true, 390, "phone-dark")]
    {
        browser.emulate(dark, width, 844).await;
        for page in ["admin", "admin/users"] {
            browser.go(&format!("http://{}/{page}", admin.http)).await;
            browser.reads("#stream-state", "Live.").await;
            browser.reads("#completeness", "1 of 2 pods report consistent data.").await;
            browser.passes_axe().await;
            let fits = browser.run("return document.documentElement.scrollWidth <= window.innerWidth").await;
            assert_eq!(fits, true, "{page} {name}");
            browser.screenshot(&format!("{}-{name}", page.replace('/', "-"))).await;
        }
    }
}

#[tokio::test]
async fn times_follow_the_servers_clock_where_the_browsers_is_wrong() {
    let (fake, [ada, ..]) = three().await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(3).await;
    let browser = Browser::open().await;
    browser.before_each_page("const now = Date.now; Date.now = () => now() + 600_000").await;
    browser.go(&format!("http://{}/admin/users", admin.http)).await;
    browser.reads("#stream-state", "Live.").await;
    let active = format!("#{} [data-words=ago]", row(&ada));
    browser.reads(&active, "30m ").await;
    let utc = browser.run(&format!("return document.querySelector('{active}').title")).await;
    assert!(utc.as_str().unwrap().ends_with('Z'), "{utc}");
}

#[tokio::test]
async fn without_scripts_the_page_is_complete_and_reloads_by_itself() {
    let (fake, _) = three().await;
    let admin = Admin::with(&[&fake.address], &[("REFRESH_INTERVAL", "1s")]).await;
    admin.sessions(3).await;
    let browser = Browser::open().await;
    browser.scripts(false).await;
    browser.go(&format!("http://{}/admin/users", admin.http)).await;
    browser.reads("#range", "Rows 1–3 of 3.").await;
    browser.reads("[data-words=for]", "30m").await;
    assert!(!browser.shows("#pause").await && !browser.shows("#help-open").await && !browser.shows("#waiting").await);
    fake.say(changes(&[session("user-1", "Late", 0)], &[]));
    browser.reads("#range", "Rows 1–4 of 4.").await;
}
