//! The pages in Chromium, used as operators use them.

mod appearance;
mod drain;
mod held_rows;
mod operator;
mod presence;
mod reconnect;
mod sign_in;
mod switch;

use session_wire::v1::Session;
use session_wire::v1::watch_sessions_response::Event;
use test_support::{Browser, eventually};

use crate::Admin;
use crate::fake_pod::{FakePod, pod, session, snapshot};

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
    browser.reads("#stream-state", "Live.").await;
    browser
}
