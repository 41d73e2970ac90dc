//! Every page of the admin tier under axe-core: light, dark, and on a phone. A picture of each stays behind.

use std::fs;

use session_wire::v1::watch_sessions_response::Event;
use test_support::{Browser, Signal};

use crate::Admin;
use crate::fake_pod::{FakePod, pod, session, snapshot};
use crate::real_pods::user_pod;

async fn goes(browser: &Browser, admin: &Admin, path: &str, heading: &str) {
    browser.go(&format!("http://{}{path}", admin.http)).await;
    browser.reads("h1", heading).await;
}

#[tokio::test]
async fn the_sign_in_page_is_accessible() {
    let pods = ["127.0.0.1:1"];
    let browser = Browser::open().await;
    let admin = Admin::with(&pods, &[("ADMIN_AUTH", "token"), ("ADMIN_TOKEN", "opener")]).await;
    goes(&browser, &admin, "/admin", "Sign in").await;
    browser.passes_axe_in_every_look("admin-sign-in").await;
    browser.write("#token", "wrong\n").await;
    browser.reads("#message", "That is not the token.").await;
    browser.passes_axe_in_every_look("admin-sign-in-refused").await;
    let admin = Admin::with(&pods, &[("ADMIN_AUTH", "token")]).await;
    goes(&browser, &admin, "/admin", "Sign in").await;
    browser.passes_axe_in_every_look("admin-sign-in-by-log").await;
    let line = admin.process.line("?once=").await;
    browser.go(line.rsplit(' ').next().unwrap()).await;
    browser.reads("h1", "Sign in").await;
    browser.passes_axe_in_every_look("admin-sign-in-by-link").await;
}

#[tokio::test]
async fn the_panel_is_accessible_in_every_state_of_the_pods() {
    let folder = tempfile::tempdir().unwrap();
    let switch = folder.path().join("MAINTENANCE_MODE");
    fs::write(&switch, "false").unwrap();
    let file = ("MAINTENANCE_FILE", switch.to_str().unwrap());
    let options = [file, ("MAINTENANCE_POLL", "100ms"), ("DRAIN_TIMEOUT", "1h"), ("PROPAGATION_WAIT", "1h")];
    let (first, second) = (user_pod("user-1", &options).await, user_pod("user-2", &options).await);
    let person = first.person().visit().await;
    let _stream = person.events().await;
    let admin = Admin::with(&[&first.grpc, &second.grpc], &[file]).await;
    admin.sessions(1).await;
    admin.pod(&second.grpc, "the second pod", |pod| pod["reachable"] == true).await;
    let browser = Browser::open().await;
    goes(&browser, &admin, "/admin", "Pods").await;
    browser.passes_axe_in_every_look("admin-panel-calm").await;

    browser.click("#turn-on summary").await;
    browser.click("#turn-on button").await;
    admin.pod(&first.grpc, "maintenance", |pod| pod["phase"] == "maintenance").await;
    goes(&browser, &admin, "/admin", "Pods").await;
    browser.passes_axe_in_every_look("admin-panel-maintenance").await;
    first.signal(Signal::SIGTERM);
    admin.pod(&first.grpc, "the drain", |pod| pod["phase"] == "draining").await;
    second.signal(Signal::SIGKILL);
    admin.pod(&second.grpc, "the kill", |pod| pod["reachable"] == false).await;
    goes(&browser, &admin, "/admin", "Pods").await;
    browser.passes_axe_in_every_look("admin-panel-draining-and-unreachable").await;

    goes(&browser, &admin, "/admin/history", "History").await;
    browser.passes_axe_in_every_look("admin-history").await;
    browser.click("td a").await;
    browser.reads("h1", "user-").await;
    browser.passes_axe_in_every_look("admin-drain").await;
}

#[tokio::test]
async fn the_list_of_users_is_accessible_full_filtered_and_empty() {
    let people = (0..7).map(|n| session("user-1", &format!("user{n}@example.com"), 20 * n));
    let full = FakePod::saying([Event::Pod(pod("user-1", 7)), snapshot(people)]).await;
    let admin = Admin::with(&[&full.address], &[]).await;
    admin.sessions(7).await;
    let browser = Browser::open().await;
    goes(&browser, &admin, "/admin/users", "Users").await;
    browser.passes_axe_in_every_look("admin-users").await;
    goes(&browser, &admin, "/admin/users?q=nobody-like-this", "Users").await;
    browser.passes_axe_in_every_look("admin-users-no-match").await;
    goes(&browser, &admin, "/admin/nowhere", "Not found").await;
    browser.passes_axe_in_every_look("admin-problem").await;

    let empty = FakePod::saying([Event::Pod(pod("user-1", 0)), snapshot([])]).await;
    let admin = Admin::with(&[&empty.address], &[]).await;
    admin.pod(&empty.address, "the pod", |pod| pod["reachable"] == true).await;
    goes(&browser, &admin, "/admin/users", "Users").await;
    browser.passes_axe_in_every_look("admin-users-nobody").await;
}
