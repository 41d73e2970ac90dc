//! An operator's night in a real browser: looks, searches, pauses, moves the switch, takes a file away.

use std::path::PathBuf;

use session_wire::v1::Session;
use session_wire::v1::watch_sessions_response::Event;
use tempfile::TempDir;
use test_support::{Browser, Key, eventually};

use crate::Admin;
use crate::fake_pod::{FakePod, changes, pod, session, snapshot};

/// Ada, Bob and Carol on a pod, the oldest first.
async fn three() -> (FakePod, [Session; 3]) {
    let rows = [session("user-1", "Ada", 30), session("user-1", "Bob", 20), session("user-1", "Carol", 10)];
    (FakePod::saying([Event::Pod(pod("user-1", 3)), snapshot(rows.clone())]).await, rows)
}

fn row(of: &Session) -> String {
    format!("s-{}", of.session_id)
}

async fn is_focused(browser: &Browser, id: &str) {
    eventually(&format!("the focus on {id}"), || async { (browser.focused().await == id).then_some(()) }).await;
}

async fn is_hidden(browser: &Browser, css: &str) {
    eventually(&format!("no {css}"), || async { (!browser.shows(css).await).then_some(()) }).await;
}

/// The users on the page, from top to bottom.
async fn users(browser: &Browser) -> String {
    let script = "return [...document.querySelectorAll('[data-list] bdi')].map((name) => name.textContent).join()";
    browser.run(script).await.as_str().unwrap().to_owned()
}

async fn users_are(browser: &Browser, names: &str) {
    eventually(names, || async { (users(browser).await == names).then_some(()) }).await;
}

async fn open(admin: &Admin, path: &str) -> Browser {
    let browser = Browser::open().await;
    browser.go(&format!("http://{}{path}", admin.http)).await;
    browser.reads("#standing", "Live.").await;
    browser
}

/// The panel in a browser, with a switch in a file that says off.
struct Panel {
    file: PathBuf,
    fake: FakePod,
    admin: Admin,
    browser: Browser,
    _folder: TempDir,
}

async fn panel() -> Panel {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("MAINTENANCE_MODE");
    std::fs::write(&file, "false").unwrap();
    let (fake, _) = three().await;
    let admin = Admin::with(&[&fake.address], &[("MAINTENANCE_FILE", file.to_str().unwrap())]).await;
    let browser = open(&admin, "/admin").await;
    Panel { file, fake, admin, browser, _folder: folder }
}

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
    assert_eq!(browser.value("#q").await, "jap?", "who types is not interrupted");
    browser.press(Key::Control + "a").await;
    browser.press("ro").await;
    browser.press(Key::Enter).await;
    browser.reads("#range", "1 of 3 sessions match. Rows 1–1 of 1.").await;
    users_are(&browser, "Carol").await;

    browser.go(&format!("http://{}/admin/users", admin.http)).await;
    browser.reads("#standing", "Live.").await;
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
async fn rows_hold_still_under_the_pointer_and_under_the_focus_and_stay_true() {
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
async fn a_paused_page_stands_still_and_counts_what_waits() {
    let (fake, [mut ada, ..]) = three().await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(3).await;
    let browser = open(&admin, "/admin/users").await;
    browser.press("p").await;
    browser.reads("#standing", "Paused.").await;
    ada.notified = true;
    fake.say(changes(&[ada.clone(), session("user-1", "Late", 0)], &[]));
    // Else the pod would be listed anew, as it counts fewer than it lists.
    fake.say(Event::Pod(pod("user-1", 4)));
    // The row that is different, the one that is new, the total and the range.
    browser.reads("#waiting", "4 changes waiting").await;
    assert_eq!((users(&browser).await.as_str(), browser.text("#total").await.as_str()), ("Ada,Bob,Carol", "3"));
    assert!(!browser.text(&format!("#{}", row(&ada))).await.contains("told"));
    browser.passes_axe().await;
    browser.screenshot("admin-paused").await;
    browser.click("#pause").await;
    users_are(&browser, "Ada,Bob,Carol,Late").await;
    browser.reads("#standing", "Live.").await;
    browser.reads(&format!("#{}", row(&ada)), "told").await;
    is_hidden(&browser, "#waiting").await;
}

#[tokio::test]
async fn the_switch_is_moved_by_keyboard_and_the_focus_is_there_still() {
    let Panel { file, fake, admin, browser, .. } = &panel().await;
    for _ in 0..40 {
        browser.press(Key::Tab).await;
        if browser.focused().await == "summary" {
            break;
        }
    }
    assert_eq!(browser.focused().await, "summary");
    browser.press(Key::Enter).await;
    browser.sees("#turn-on .grave").await;
    // What comes while somebody reads closes nothing.
    fake.say(Event::Pod(pod("user-1", 9)));
    browser.reads(".count", "9 sessions").await;
    browser.sees("#turn-on .grave").await;
    browser.press(Key::Tab).await;
    browser.press(Key::Enter).await;
    browser.reads("#switch-heading", "Maintenance is on").await;
    is_focused(browser, "switch-heading").await;
    assert_eq!(std::fs::read_to_string(file).unwrap().trim(), "true");

    // Somebody else moves it back: seen without a new page, and the focus stays.
    browser.run("window.mark = 1").await;
    admin.person().post("/admin/maintenance").form(&[("enabled", "false")]).send().await.unwrap();
    browser.reads("#switch-heading", "Maintenance is off").await;
    is_focused(browser, "switch-heading").await;
    assert_eq!(browser.run("return window.mark").await, 1);
}

#[tokio::test]
async fn the_switch_does_not_change_under_the_pointer_of_whoever_is_about_to_press_it() {
    let Panel { admin, browser, .. } = &panel().await;
    browser.click("#turn-on summary").await;
    browser.hover("#turn-on .grave").await;
    browser.run("document.activeElement.blur()").await;
    admin.person().post("/admin/maintenance").form(&[("enabled", "true")]).send().await.unwrap();
    browser.reads("#waiting", "waiting").await;
    assert_eq!(browser.text("#switch-heading").await, "Maintenance is off");
    browser.hover("h1").await;
    browser.reads("#switch-heading", "Maintenance is on").await;
}

#[tokio::test]
async fn what_is_filtered_is_what_the_link_takes_away() {
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
async fn pages_are_whole_in_the_dark_and_on_a_phone() {
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
            browser.reads("#standing", "Live.").await;
            browser.reads("#completeness", "1 of 2 pods are heard and believed.").await;
            browser.passes_axe().await;
            let fits = browser.run("return document.documentElement.scrollWidth <= window.innerWidth").await;
            assert_eq!(fits, true, "{page} {name}");
            browser.screenshot(&format!("{}-{name}", page.replace('/', "-"))).await;
        }
    }
}

#[tokio::test]
async fn times_are_the_servers_whatever_the_browsers_clock_says() {
    let (fake, [ada, ..]) = three().await;
    let admin = Admin::start(&[&fake.address]).await;
    admin.sessions(3).await;
    let browser = Browser::open().await;
    browser.before_each_page("const now = Date.now; Date.now = () => now() + 600_000").await;
    browser.go(&format!("http://{}/admin/users", admin.http)).await;
    browser.reads("#standing", "Live.").await;
    let active = format!("#{} [data-words=ago]", row(&ada));
    browser.reads(&active, "30m ").await;
    let utc = browser.run(&format!("return document.querySelector('{active}').title")).await;
    assert!(utc.as_str().unwrap().ends_with('Z'), "{utc}");
}

#[tokio::test]
async fn a_page_says_that_the_tier_is_gone_and_finds_it_again() {
    let (fake, _) = three().await;
    let port = test_support::free_port();
    let here = format!("127.0.0.1:{port}");
    let admin = Admin::with(&[&fake.address], &[("HTTP_ADDR", &here)]).await;
    admin.sessions(3).await;
    let browser = open(&admin, "/admin").await;
    drop(admin);
    browser.reads("#standing", "The admin tier does not answer; trying again.").await;
    browser.sees("#freshness.lost").await;
    let _again = Admin::with(&[&fake.address], &[("HTTP_ADDR", &here)]).await;
    browser.reads("#standing", "Live.").await;
    browser.reads("#summary", "3 sessions on 1 pod.").await;
}

#[tokio::test]
async fn without_scripts_the_page_is_whole_and_renews_itself() {
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

#[tokio::test]
async fn an_operator_forgets_a_silent_pod_by_its_button_and_is_told_before_what_that_means() {
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
